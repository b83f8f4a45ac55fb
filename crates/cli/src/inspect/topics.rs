//! `ottla inspect topics`.

use std::error::Error;

use clap::Args;
use ottla_broker::private::StoppedTopics;

use super::stopped::{Directory, how};
use crate::ask;
use crate::table::{Align, Table};
use crate::words;

/// Shows the topics of a stopped data directory: their partitions, with offsets and sizes, and their settings.
///
/// Nothing in the directory is changed.
#[derive(Debug, Args)]
pub(super) struct InspectTopics {
    #[command(flatten)]
    directory: Directory,

    /// The topics [default: all]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl InspectTopics {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let mut document = self.directory.open()?.topics(&self.topics)?;
        document.topics.sort_unstable_by(|one, other| one.topic.cmp(&other.topic));
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(document: &StoppedTopics) -> String {
    let mut table = Table::new([
        ("PARTITION", Align::Left),
        ("START", Align::Right),
        ("END", Align::Right),
        ("SEGMENTS", Align::Right),
        ("SIZE", Align::Right),
        ("PRODUCERS", Align::Right),
        ("SETTINGS", Align::Left),
    ]);
    let mut empty = 0;
    for topic in &document.topics {
        let settings: Vec<String> =
            topic.configs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        for partition in &topic.partitions {
            // Of the many partitions of internal topics most hold nothing.
            if topic.internal && partition.end_offset == 0 {
                empty += 1;
                continue;
            }
            table.row([
                format!("{}-{}", topic.topic, partition.partition),
                partition.start_offset.to_string(),
                partition.end_offset.to_string(),
                partition.segments.to_string(),
                words::size(partition.size_bytes),
                partition.producers.to_string(),
                settings.join(" "),
            ]);
        }
    }
    let mut text = how(document.stopped).to_owned();
    text.push_str(&if table.is_empty() { "there are no topics\n".to_owned() } else { table.to_text() });
    if empty > 0 {
        text.push_str(&format!("{empty} partitions of internal topics are empty.\n"));
    }
    text
}
