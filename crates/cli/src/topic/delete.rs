//! `ottla topic delete`.

use std::error::Error;

use clap::Args;
use kafka_protocol::messages::DeleteTopicsRequest;
use ottla_model::ErrorCode;

use super::create::TIMEOUT_MS;
use super::{Outcome, tell};
use crate::ask::Bootstrap;
use crate::client::{Cluster, Problem, topic_name};

/// Deletes topics and all of their records. Nothing brings them back.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Their names
    #[arg(value_name = "TOPIC", required = true)]
    topics: Vec<String>,

    /// Be content when a topic does not exist
    #[arg(long)]
    if_exists: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let request = DeleteTopicsRequest::default()
            .with_topic_names(self.topics.iter().map(|name| topic_name(name)).collect())
            .with_timeout_ms(TIMEOUT_MS);
        let answer = Cluster::connect(&self.bootstrap)?.controller()?.send(&request)?;
        let outcome = |topic: kafka_protocol::messages::delete_topics_response::DeletableTopicResult| {
            let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
            let missing = topic.error_code == ErrorCode::UnknownTopicOrPartition.code();
            let (outcome, error) = match topic.error_code {
                0 => ("deleted", None),
                _ if missing && self.if_exists => ("does not exist:", None),
                _ if missing => ("failed", Some(format!("there is no topic '{name}'"))),
                code => {
                    let asked = format!("topic '{name}' is not deleted");
                    let problem = Problem::refused(&asked, code, topic.error_message.as_deref());
                    ("failed", Some(problem.to_string()))
                }
            };
            Outcome { topic: name, outcome, error }
        };
        let mut outcomes: Vec<Outcome> = answer.responses.into_iter().map(outcome).collect();
        outcomes.sort_unstable_by(|one, other| one.topic.cmp(&other.topic));
        tell(&outcomes, self.json)
    }
}
