//! `ottla topic list`.

use std::error::Error;

use clap::Args;
use ottla_model::TopicId;
use serde::Serialize;

use crate::ask::{self, Bootstrap};
use crate::client::{Cluster, code_text};
use crate::table::{Align, Table};

/// Lists topics.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The topics that a broker keeps for itself too, such as __consumer_offsets
    #[arg(long)]
    internal: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Listed {
    topic: String,
    id: Option<String>,
    partitions: usize,
    replication_factor: usize,
    internal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl List {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let answer = Cluster::connect(&self.bootstrap)?.metadata(None, false)?;
        let of = |topic: kafka_protocol::messages::metadata_response::MetadataResponseTopic| {
            let id = TopicId(topic.topic_id.into_bytes());
            Listed {
                topic: topic.name.map(|name| name.to_string()).unwrap_or_default(),
                id: (!id.is_zero()).then(|| id.to_string()),
                partitions: topic.partitions.len(),
                replication_factor: topic.partitions.first().map_or(0, |first| first.replica_nodes.len()),
                internal: topic.is_internal,
                error: (topic.error_code != 0).then(|| code_text(topic.error_code)),
            }
        };
        let shown = |topic: &Listed| self.internal || !topic.internal;
        let mut topics: Vec<Listed> = answer.topics.into_iter().map(of).filter(shown).collect();
        topics.sort_unstable_by(|one, other| one.topic.cmp(&other.topic));
        if self.json { ask::print_json(&topics) } else { ask::print(&to_text(&topics)) }
    }
}

fn to_text(topics: &[Listed]) -> String {
    let columns = [
        ("TOPIC", Align::Left),
        ("PARTITIONS", Align::Right),
        ("REPLICAS", Align::Right),
        ("ID", Align::Left),
        ("NOTE", Align::Left),
    ];
    let mut table = Table::new(columns);
    for topic in topics {
        let internal = if topic.internal { "internal" } else { "" };
        table.row([
            topic.topic.clone(),
            topic.partitions.to_string(),
            topic.replication_factor.to_string(),
            topic.id.clone().unwrap_or_else(|| "-".to_owned()),
            topic.error.clone().unwrap_or_else(|| internal.to_owned()),
        ]);
    }
    if table.is_empty() { "there are no topics\n".to_owned() } else { table.to_text() }
}
