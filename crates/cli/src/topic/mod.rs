//! `ottla topic`.

mod alter;
mod create;
mod delete;
mod describe;
mod list;

use std::error::Error;
use std::time::Duration;

use clap::{Args, Subcommand};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use ottla_model::ErrorCode;

use crate::ask;
use crate::client::{Cluster, Problem, is_retriable};
use crate::patience::Patience;
use crate::progress::Progress;

/// Lists, shows, creates, alters and deletes topics, of any Kafka.
#[derive(Debug, Args)]
pub(crate) struct Topic {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists topics.
    List(list::List),
    /// Shows topics: their partitions, leaders, offsets, and the settings that they have of their own.
    Describe(describe::Describe),
    /// Creates topics.
    Create(create::Create),
    /// Adds partitions to a topic, and changes its settings.
    Alter(alter::Alter),
    /// Deletes topics and all of their records.
    Delete(delete::Delete),
}

impl Topic {
    /// Does what is asked.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::List(asked) => asked.run(),
            What::Describe(asked) => asked.run(),
            What::Create(asked) => asked.run(),
            What::Alter(asked) => asked.run(),
            What::Delete(asked) => asked.run(),
        }
    }
}

/// How long the brokers may take to learn of a new topic or partition.
const NEWS_PATIENCE: Duration = Duration::from_secs(5);

/// Waits until the broker that is asked knows so many partitions of these topics, each with a leader: Apache Kafka says that a
/// topic is created before all of its brokers know. Whoever looks later than that is told by their next request.
fn wait_until_known(cluster: &mut Cluster, topics: &[(String, usize)]) -> Result<(), Problem> {
    let names: Vec<String> = topics.iter().map(|(name, _)| name.clone()).collect();
    let mut patience = Patience::new(NEWS_PATIENCE);
    while !names.is_empty() {
        let answer = cluster.metadata(Some(&names), false)?;
        let is_new = |topic: &MetadataResponseTopic| {
            let wanted =
                topics.iter().find(|(name, _)| topic.name.as_ref().is_some_and(|known| **known == **name));
            let has_leader = |partition: &MetadataResponsePartition| partition.leader_id.0 >= 0;
            is_retriable(topic.error_code)
                || !topic.partitions.iter().all(has_leader)
                || wanted.is_some_and(|(_, count)| topic.partitions.len() < *count)
        };
        let Some(topic) = answer.topics.iter().find(|topic| is_new(topic)) else { return Ok(()) };
        let name = topic.name.as_ref().map(|name| name.to_string()).unwrap_or_default();
        let code = ErrorCode::LeaderNotAvailable.code();
        let problem = Problem::refused(&format!("topic '{name}' has no leaders yet"), code, None);
        if patience.wait(problem, &Progress::hidden()).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What became of one of several topics.
#[derive(Debug, serde::Serialize)]
struct Outcome {
    topic: String,
    /// What was done, or not done, in one word.
    outcome: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Tells what became of topics; an error when one of them failed.
fn tell(outcomes: &[Outcome], json: bool) -> Result<(), Box<dyn Error>> {
    let failures: Vec<&str> = outcomes.iter().filter_map(|outcome| outcome.error.as_deref()).collect();
    if json {
        ask::print_json(&outcomes)?;
    } else {
        let done = outcomes.iter().filter(|outcome| outcome.error.is_none());
        ask::print(&done.map(|done| format!("{} {}\n", done.outcome, done.topic)).collect::<String>())?;
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nottla: ").into()) }
}
