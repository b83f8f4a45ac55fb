//! `ottla inspect compaction`.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Sources;
use ottla_broker::private::{Compaction, CompactionReason, PartitionCompaction};
use ottla_wire::private;

use crate::ask::{self, Bootstrap, Broker};
use crate::table::{Align, Table};
use crate::words;

/// Shows how far partitions are compacted, and what keeps them from it.
///
/// Of a running broker it counts keys and tombstones of the compacted part. Of a stopped data directory it counts them all,
/// which reads all records; nothing in the directory is changed.
#[derive(Debug, Args)]
pub(crate) struct InspectCompaction {
    /// The topics [default: all with cleanup.policy=compact]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Look into a data directory that no broker uses, in place of asking one
    #[arg(long, value_name = "DIR", conflicts_with = "bootstrap")]
    data_dir: Option<PathBuf>,

    /// The settings file of the broker that uses the directory, if it has one
    #[arg(long, value_name = "FILE", requires = "data_dir")]
    config: Option<PathBuf>,

    /// A setting that the broker which uses the directory is given
    #[arg(short = 'c', value_name = "KEY=VALUE", requires = "data_dir")]
    pairs: Vec<String>,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl InspectCompaction {
    /// Asks a broker, or looks, and prints.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let document = match &self.data_dir {
            Some(data_dir) => self.look(data_dir)?,
            None => self.ask()?,
        };
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }

    fn ask(&self) -> Result<Compaction, Box<dyn Error>> {
        let topics: Vec<StrBytes> = self.topics.iter().cloned().map(StrBytes::from_string).collect();
        let topics = (!topics.is_empty()).then_some(topics);
        Broker::connect(&self.bootstrap)?.ask(&private::InspectCompaction { topics })
    }

    fn look(&self, data_dir: &Path) -> Result<Compaction, Box<dyn Error>> {
        let sources = Sources { pairs: self.pairs.clone(), file: self.config.clone(), ..Sources::default() };
        let settings = sources.load()?.settings;
        Ok(ottla_broker::inspect_compaction(data_dir, settings, &self.topics)?)
    }
}

fn to_text(document: &Compaction) -> String {
    let is_empty = |partition: &&PartitionCompaction| partition.blocked == Some(CompactionReason::Empty);
    let entries = &document.partitions.entries;
    let mut text = String::new();
    match document.stopped {
        Some(stopped) if !stopped.cleanly => {
            text.push_str("The broker was not stopped cleanly. This is what its next start will recover.\n");
        }
        _ => {}
    }
    let mut table = Table::new(columns(document));
    entries.iter().filter(|entry| !is_empty(entry)).for_each(|entry| table.row(row(entry, document)));
    if !table.is_empty() {
        text.push_str(&table.to_text());
    }
    for entry in entries {
        if let Some(why) = &entry.not_counted {
            text.push_str(&format!("{}-{} is not counted: {why}\n", entry.topic, entry.partition));
        }
    }
    let empty = entries.iter().filter(is_empty).count() as u64;
    let left_out = document.partitions.left_out;
    for (count, what) in [(empty, "are empty"), (left_out, "are left out; name topics to see them")] {
        if count > 0 {
            text.push_str(&format!("{count} partitions {what}.\n"));
        }
    }
    if entries.is_empty() {
        text.push_str("No topic has cleanup.policy=compact.\n");
    }
    if !document.cleaner_enabled {
        text.push_str("The compactor is off (log.cleaner.enable=false).\n");
    }
    text
}

fn columns(document: &Compaction) -> Vec<(&'static str, Align)> {
    let mut columns = vec![
        ("PARTITION", Align::Left),
        ("CLEANED", Align::Right),
        ("DIRTY", Align::Right),
        ("NOT YET", Align::Right),
        ("RATIO", Align::Right),
        ("DIRTY FROM", Align::Right),
        ("CLEANED KEYS", Align::Right),
        ("TOMBSTONES", Align::Right),
    ];
    if document.stopped.is_some() {
        columns.extend([("ALL KEYS", Align::Right), ("ALL TOMBSTONES", Align::Right)]);
    }
    columns.push(("COMPACTED", Align::Left));
    columns
}

fn row(entry: &PartitionCompaction, document: &Compaction) -> Vec<String> {
    let unknown = || "?".to_owned();
    let at_most = |count: u64, exact: bool| if exact { count.to_string() } else { format!("≤{count}") };
    let at_least = |count: u64, exact: bool| if exact { count.to_string() } else { format!("≥{count}") };
    let mut cells = vec![
        format!("{}-{}", entry.topic, entry.partition),
        words::size(entry.clean_bytes),
        words::size(entry.dirty_bytes),
        words::size(entry.uncleanable_bytes),
        format!("{:.2}", entry.dirty_ratio),
        entry.first_dirty_offset.to_string(),
        entry.cleaned.map_or_else(unknown, |cleaned| at_most(cleaned.keys, cleaned.keys_exact)),
        entry.cleaned.map_or_else(unknown, |cleaned| cleaned.tombstones.to_string()),
    ];
    if document.stopped.is_some() {
        cells.push(entry.all.map_or_else(unknown, |all| at_least(all.keys, all.keys_exact)));
        cells.push(entry.all.map_or_else(unknown, |all| all.tombstones.to_string()));
    }
    cells.push(why(entry, document));
    cells
}

/// Whether a partition is compacted and what becomes of its tombstones, in words.
fn why(entry: &PartitionCompaction, document: &Compaction) -> String {
    let mut text = match &entry.blocked {
        None if document.stopped.is_some() => "due, at the next start".to_owned(),
        None => "due, at the compactor's next turn".to_owned(),
        Some(reason) => format!("no: {}", words_of(reason, entry, document.now_ms)),
    };
    let times = entry.cleaned.and_then(|cleaned| cleaned.tombstones_from_ms.zip(cleaned.tombstones_until_ms));
    if let Some((from_ms, until_ms)) = times {
        text.push_str(&format!("; tombstones may go from {}", words::when(from_ms, document.now_ms)));
        if until_ms > from_ms {
            text.push_str(&format!(" to {}", words::time(until_ms)));
        }
    }
    if entry.checkpoint_invalid {
        text.push_str("; the checkpoint lies outside the log, so all of it counts as dirty");
    }
    text
}

fn words_of(reason: &CompactionReason, entry: &PartitionCompaction, now_ms: i64) -> String {
    match reason {
        CompactionReason::CleanerOff => "the compactor is off".to_owned(),
        CompactionReason::Offline => "the log is offline since its disk failed".to_owned(),
        CompactionReason::Policy => "cleanup.policy is not compact".to_owned(),
        CompactionReason::Empty => "it is empty".to_owned(),
        CompactionReason::DirtyRatio => {
            let (ratio, min) = (entry.dirty_ratio, entry.min_dirty_ratio);
            let forced = entry.forced_from_ms.map_or(String::new(), |from_ms| {
                format!(", but at {} (max.compaction.lag.ms)", words::when(from_ms, now_ms))
            });
            format!("not dirty enough, {ratio:.2} of {min:.2}{forced}")
        }
        CompactionReason::ActiveSegment if entry.first_dirty_offset >= entry.end_offset => {
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
            let offset = entry.first_uncleanable_offset;
            format!("the segment at offset {offset} is damaged or cannot be read")
        }
        CompactionReason::Other => "for a reason that only a newer ottla knows".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ottla_broker::private::{CleanedRecords, List, Stopped};

    use super::*;

    fn entry(blocked: Option<CompactionReason>) -> PartitionCompaction {
        PartitionCompaction {
            topic: "state".to_owned(),
            partition: 3,
            start_offset: 0,
            end_offset: 100,
            first_dirty_offset: 40,
            first_uncleanable_offset: 90,
            checkpoint_invalid: false,
            clean_bytes: 1000,
            dirty_bytes: 200,
            uncleanable_bytes: 30,
            dirty_ratio: 0.166,
            min_dirty_ratio: 0.5,
            forced_from_ms: None,
            blocked,
            bound: CompactionReason::ActiveSegment,
            cleaned: None,
            all: None,
            not_counted: None,
        }
    }

    fn document(entries: Vec<PartitionCompaction>) -> Compaction {
        let partitions = List { entries, left_out: 0 };
        Compaction { now_ms: 0, cleaner_enabled: true, stopped: None, partitions }
    }

    #[test]
    fn every_reason_has_its_words() {
        let told = document(Vec::new());
        for (blocked, words) in [
            (None, "due, at the compactor's next turn"),
            (Some(CompactionReason::CleanerOff), "no: the compactor is off"),
            (Some(CompactionReason::Offline), "no: the log is offline since its disk failed"),
            (Some(CompactionReason::Policy), "no: cleanup.policy is not compact"),
            (Some(CompactionReason::Empty), "no: it is empty"),
            (Some(CompactionReason::DirtyRatio), "no: not dirty enough, 0.17 of 0.50"),
            (Some(CompactionReason::ActiveSegment), "no: all that is dirty is in the active segment"),
            (Some(CompactionReason::HighWatermark), "no: what is dirty is not committed yet"),
            (
                Some(CompactionReason::OpenTransaction { first_offset: 77 }),
                "no: a transaction is open since offset 77",
            ),
            (
                Some(CompactionReason::MinCompactionLag { until_ms: 60_000 }),
                "no: younger than min.compaction.lag.ms until 1970-01-01T00:01:00Z, in 1 min 0 s",
            ),
            (Some(CompactionReason::Unreadable), "no: the segment at offset 90 is damaged or cannot be read"),
            (Some(CompactionReason::Other), "no: for a reason that only a newer ottla knows"),
        ] {
            assert_eq!(why(&entry(blocked), &told), words);
        }
        let forced =
            PartitionCompaction { forced_from_ms: Some(45_000), ..entry(Some(CompactionReason::DirtyRatio)) };
        assert_eq!(
            why(&forced, &told),
            "no: not dirty enough, 0.17 of 0.50, but at 1970-01-01T00:00:45Z, in 45 s (max.compaction.lag.ms)"
        );
        let clean = PartitionCompaction {
            first_dirty_offset: 100,
            checkpoint_invalid: true,
            ..entry(Some(CompactionReason::ActiveSegment))
        };
        assert_eq!(
            why(&clean, &told),
            "no: nothing is dirty; the checkpoint lies outside the log, so all of it counts as dirty"
        );
    }

    #[test]
    fn a_table_with_what_is_not_in_it() {
        let cleaned = CleanedRecords {
            keys: 12,
            keys_exact: false,
            tombstones: 2,
            tombstones_from_ms: Some(1_000),
            tombstones_until_ms: Some(2_000),
        };
        let counted = PartitionCompaction { cleaned: Some(cleaned), ..entry(None) };
        let uncounted = PartitionCompaction { not_counted: Some("no time".to_owned()), ..entry(None) };
        let mut told = document(vec![counted, uncounted, entry(Some(CompactionReason::Empty))]);
        told.partitions.left_out = 5;
        told.cleaner_enabled = false;
        assert_eq!(
            to_text(&told),
            "\
PARTITION  CLEANED  DIRTY  NOT YET  RATIO  DIRTY FROM  CLEANED KEYS  TOMBSTONES  COMPACTED
state-3     1000 B  200 B     30 B   0.17          40           ≤12           2  due, at the compactor's next turn; \
tombstones may go from 1970-01-01T00:00:01Z, in 1 s to 1970-01-01T00:00:02Z
state-3     1000 B  200 B     30 B   0.17          40             ?           ?  due, at the compactor's next turn
state-3 is not counted: no time
1 partitions are empty.
5 partitions are left out; name topics to see them.
The compactor is off (log.cleaner.enable=false).
"
        );
        told.stopped = Some(Stopped { cleanly: false });
        let text = to_text(&told);
        assert!(text.starts_with("The broker was not stopped cleanly."), "{text}");
        assert!(
            text.contains("ALL KEYS  ALL TOMBSTONES  COMPACTED") && text.contains("due, at the next start")
        );
    }
}
