//! `ottla topic alter`.

use std::error::Error;

use clap::Args;
use kafka_protocol::messages::CreatePartitionsRequest;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;

use super::create::TIMEOUT_MS;
use super::{Outcome, tell, wait_until_known};
use crate::ask::{Bootstrap, key_and_value};
use crate::client::{Cluster, Problem, topic_name};
use crate::config::{Change, Resource, alter};

/// Adds partitions to a topic, and changes its settings.
///
/// Settings are changed first: when the broker refuses them, nothing has happened.
#[derive(Debug, Args)]
pub(super) struct Alter {
    /// Its name
    #[arg(value_name = "TOPIC")]
    topic: String,

    /// How many partitions it shall have; there is no way to have fewer. Keys that were in one partition may from then on
    /// go to another
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..))]
    #[arg(required_unless_present_any = ["configs", "delete_configs"])]
    partitions: Option<i32>,

    /// A setting to change; repeat it for several
    #[arg(short, long = "config", value_name = "KEY=VALUE", value_parser = key_and_value)]
    configs: Vec<(String, String)>,

    /// A setting to take away, so that the broker's default counts again; repeat it for several
    #[arg(long = "delete-config", value_name = "KEY")]
    delete_configs: Vec<String>,

    /// Have the broker check it all and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Alter {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let mut cluster = Cluster::connect(&self.bootstrap)?;
        let mut changes: Vec<Change> = Vec::new();
        changes.extend(self.configs.into_iter().map(|(key, value)| Change::set(key, value)));
        changes.extend(self.delete_configs.into_iter().map(Change::delete));
        if !changes.is_empty() {
            alter(&mut cluster, &Resource::topic(&self.topic), &changes, self.dry_run)?;
        }
        if let Some(count) = self.partitions {
            add_partitions(&mut cluster, &self.topic, count, self.dry_run)?;
            if !self.dry_run {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                wait_until_known(&mut cluster, &[(self.topic.clone(), count)])?;
            }
        }
        let outcome = if self.dry_run { "could be altered:" } else { "altered" };
        tell(&[Outcome { topic: self.topic, outcome, error: None }], self.json)
    }
}

fn add_partitions(cluster: &mut Cluster, topic: &str, count: i32, dry_run: bool) -> Result<(), Problem> {
    let asked = CreatePartitionsTopic::default()
        .with_name(topic_name(topic))
        .with_count(count)
        .with_assignments(None);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![asked])
        .with_timeout_ms(TIMEOUT_MS)
        .with_validate_only(dry_run);
    let answer = cluster.controller()?.send(&request)?;
    let failed = answer.results.into_iter().find(|result| result.error_code != 0);
    failed.map_or(Ok(()), |failed| {
        let asked = format!("topic '{topic}' gets no partitions");
        Err(Problem::refused(&asked, failed.error_code, failed.error_message.as_deref()))
    })
}
