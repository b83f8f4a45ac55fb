//! `ottla inspect`.

use std::error::Error;

use clap::{Args, Subcommand};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::{Compaction, CompactionReason, PartitionCompaction};
use ottla_wire::private::InspectCompaction;

use crate::ask::{self, Bootstrap, Broker};
use crate::table::{Align, Table};
use crate::words;

/// Shows what a broker, or a stopped data directory, is doing and why.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Shows how far partitions are compacted, and what keeps them from it.
    Compaction(InspectedCompaction),
}

#[derive(Debug, Args)]
struct InspectedCompaction {
    /// The topics [default: all with cleanup.policy=compact]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Asks and prints.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::Compaction(asked) => asked.run(),
        }
    }
}

impl InspectedCompaction {
    fn run(self) -> Result<(), Box<dyn Error>> {
        let topics: Vec<StrBytes> = self.topics.into_iter().map(StrBytes::from_string).collect();
        let topics = (!topics.is_empty()).then_some(topics);
        let document = Broker::connect(&self.bootstrap)?.ask(&InspectCompaction { topics })?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(document: &Compaction) -> String {
    let mut table = Table::new([
        ("PARTITION", Align::Left),
        ("CLEANED", Align::Right),
        ("DIRTY", Align::Right),
        ("NOT YET", Align::Right),
        ("RATIO", Align::Right),
        ("DIRTY FROM", Align::Right),
        ("COMPACTED", Align::Left),
    ]);
    let is_empty = |partition: &&PartitionCompaction| partition.blocked == Some(CompactionReason::Empty);
    for partition in document.partitions.entries.iter().filter(|partition| !is_empty(partition)) {
        table.row([
            format!("{}-{}", partition.topic, partition.partition),
            words::size(partition.clean_bytes),
            words::size(partition.dirty_bytes),
            words::size(partition.uncleanable_bytes),
            format!("{:.2}", partition.dirty_ratio),
            partition.first_dirty_offset.to_string(),
            why(partition, document.now_ms),
        ]);
    }
    let mut text = if table.is_empty() { String::new() } else { table.to_text() };
    let empty = document.partitions.entries.iter().filter(is_empty).count();
    for (count, what) in [
        (empty as u64, "empty and not shown"),
        (document.partitions.left_out, "left out of the answer, name topics to see them"),
    ] {
        if count > 0 {
            text.push_str(&format!("{count} more partitions: {what}\n"));
        }
    }
    if text.is_empty() {
        text.push_str("no topic has cleanup.policy=compact\n");
    }
    text
}

/// Whether a partition is compacted, in words.
fn why(partition: &PartitionCompaction, now_ms: i64) -> String {
    match &partition.blocked {
        None => "now".to_owned(),
        Some(reason) => format!("no: {}", words_of(reason, partition, now_ms)),
    }
}

fn words_of(reason: &CompactionReason, partition: &PartitionCompaction, now_ms: i64) -> String {
    match reason {
        CompactionReason::CleanerOff => "the compactor is off (log.cleaner.enable)".to_owned(),
        CompactionReason::Offline => "the log is offline since its disk failed".to_owned(),
        CompactionReason::Policy => "cleanup.policy is not compact".to_owned(),
        CompactionReason::Empty => "it is empty".to_owned(),
        CompactionReason::DirtyRatio => {
            let (ratio, min) = (partition.dirty_ratio, partition.min_dirty_ratio);
            let forced = partition.forced_from_ms.map_or(String::new(), |from_ms| {
                format!(", but at {} (max.compaction.lag.ms)", words::when(from_ms, now_ms))
            });
            format!("not dirty enough, {ratio:.2} of {min:.2}{forced}")
        }
        CompactionReason::ActiveSegment if partition.first_dirty_offset >= partition.end_offset => {
            "nothing is dirty".to_owned()
        }
        CompactionReason::ActiveSegment => "all that is dirty is in the active segment".to_owned(),
        CompactionReason::HighWatermark => "what is dirty is not committed yet".to_owned(),
        CompactionReason::OpenTransaction { first_offset } => {
            format!("a transaction is open since offset {first_offset}")
        }
        CompactionReason::MinCompactionLag { until_ms } => {
            format!("younger than min.compaction.lag.ms until {}", words::when(*until_ms, now_ms))
        }
        CompactionReason::Unreadable => {
            let offset = partition.first_uncleanable_offset;
            format!("the segment at offset {offset} is damaged or cannot be read")
        }
        CompactionReason::Other => "for a reason that only a newer ottla knows".to_owned(),
    }
}
