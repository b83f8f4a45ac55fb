//! `ottla inspect log`.

use std::error::Error;

use clap::Args;
use ottla_broker::private::StoppedLog;

use super::stopped::{Directory, how};
use crate::ask;
use crate::table::{Align, Table};
use crate::words;

/// Shows one partition's log in a stopped data directory: its segments, and the producers that it remembers.
///
/// Nothing in the directory is changed. The files are Apache Kafka's, so that its kafka-dump-log shows their records.
#[derive(Debug, Args)]
pub(super) struct InspectLog {
    #[command(flatten)]
    directory: Directory,

    /// The topic
    #[arg(value_name = "TOPIC")]
    topic: String,

    /// The partition
    #[arg(value_name = "NUMBER", default_value = "0", value_parser = clap::value_parser!(i32).range(0..))]
    partition: i32,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl InspectLog {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let document = self.directory.open()?.log(&self.topic, self.partition)?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(document: &StoppedLog) -> String {
    let about = document.partition;
    let (topic, partition) = (&document.topic, about.partition);
    let (start, end, size) = (about.start_offset, about.end_offset, words::size(about.size_bytes));
    let mut text = how(document.stopped).to_owned();
    text.push_str(&format!("{topic}-{partition}: offsets {start} to {end}, {size}\n"));
    let mut segments = Table::new([
        ("SEGMENT", Align::Left),
        ("END", Align::Right),
        ("SIZE", Align::Right),
        ("LARGEST TIMESTAMP", Align::Left),
    ]);
    for segment in &document.segments {
        segments.row([
            format!("{:020}.log", segment.base_offset),
            segment.end_offset.to_string(),
            words::size(segment.size_bytes),
            segment.largest_timestamp_ms.map_or("-".to_owned(), words::time),
        ]);
    }
    let mut producers = Table::new([
        ("PRODUCER", Align::Right),
        ("EPOCH", Align::Right),
        ("LAST SEQUENCE", Align::Right),
        ("LAST TIMESTAMP", Align::Left),
        ("OPEN TRANSACTION FROM", Align::Right),
    ]);
    for producer in &document.producers {
        producers.row([
            producer.producer_id.to_string(),
            producer.producer_epoch.to_string(),
            producer.last_sequence.to_string(),
            words::time(producer.last_timestamp_ms),
            producer.transaction_first_offset.map_or("-".to_owned(), |offset| offset.to_string()),
        ]);
    }
    for table in [segments, producers] {
        if !table.is_empty() {
            text.push_str(&table.to_text());
        }
    }
    text
}
