//! `ottla topic create`.

use std::error::Error;

use clap::Args;
use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use ottla_model::ErrorCode;

use super::{Outcome, tell, wait_until_known};
use crate::ask::{Bootstrap, key_and_value};
use crate::client::{Cluster, Problem, text, topic_name};

/// How long the broker may take until the topic exists, in milliseconds.
pub(super) const TIMEOUT_MS: i32 = 20_000;

/// What was done.
const CREATED: &str = "created";

/// Creates topics.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Their names
    #[arg(value_name = "TOPIC", required = true)]
    topics: Vec<String>,

    /// How many partitions each has [default: what the broker's num.partitions says]
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,

    /// How many replicas each partition has [default: what the broker's default.replication.factor says]
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,

    /// A setting of the topic, such as cleanup.policy=compact; repeat it for several
    #[arg(short, long = "config", value_name = "KEY=VALUE", value_parser = key_and_value)]
    configs: Vec<(String, String)>,

    /// Be content with topics that exist already, whatever their settings are
    #[arg(long)]
    if_not_exists: bool,

    /// Have the broker check it all and create nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Create {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let configs = self.configs.iter().map(|(key, value)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        });
        let configs: Vec<_> = configs.collect();
        let topic = |name: &String| {
            CreatableTopic::default()
                .with_name(topic_name(name))
                .with_num_partitions(self.partitions.unwrap_or(-1))
                .with_replication_factor(self.replication_factor.unwrap_or(-1))
                .with_configs(configs.clone())
        };
        let request = CreateTopicsRequest::default()
            .with_topics(self.topics.iter().map(topic).collect())
            .with_timeout_ms(TIMEOUT_MS)
            .with_validate_only(self.dry_run);
        let mut cluster = Cluster::connect(&self.bootstrap)?;
        let answer = cluster.controller()?.send(&request)?;
        let outcome = |topic: kafka_protocol::messages::create_topics_response::CreatableTopicResult| {
            let name = topic.name.to_string();
            let exists = topic.error_code == ErrorCode::TopicAlreadyExists.code();
            let (outcome, error) = match topic.error_code {
                0 if self.dry_run => ("could be created:", None),
                0 => (CREATED, None),
                _ if exists && self.if_not_exists => ("exists already:", None),
                code => {
                    let asked = format!("topic '{name}' is not created");
                    let problem = Problem::refused(&asked, code, topic.error_message.as_deref());
                    ("failed", Some(problem.to_string()))
                }
            };
            Outcome { topic: name, outcome, error }
        };
        let mut outcomes: Vec<Outcome> = answer.topics.into_iter().map(outcome).collect();
        outcomes.sort_unstable_by(|one, other| one.topic.cmp(&other.topic));
        let created = outcomes.iter().filter(|outcome| outcome.outcome == CREATED);
        let created: Vec<_> = created.map(|outcome| (outcome.topic.clone(), 1)).collect();
        wait_until_known(&mut cluster, &created)?;
        tell(&outcomes, self.json)
    }
}
