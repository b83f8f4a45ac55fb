//! The topics that the load uses.

use std::collections::BTreeMap;

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::connection::{Connection, Lost};
use super::world::{OPERATOR, World};
use crate::history::{Answer, Call, Partition, TopicId};
use crate::problem::Problem;

const CREATE_TOPICS_VERSION: i16 = 7;
const CREATE_LIMIT_MS: i32 = 10_000;

/// A topic, as its creation was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) id: TopicId,
    pub(super) partitions: i32,
    /// Whether its records have keys.
    pub(super) keyed: bool,
    /// Whether it may be deleted and made again while the load runs. Its name may then mean another topic than its id.
    pub(super) passing: bool,
}

impl Topic {
    pub(super) fn partition(&self, index: i32) -> Partition {
        Partition { topic: self.id, index }
    }
}

/// A topic that stays: its name, its partitions and its settings.
type Stable = (&'static str, i32, &'static [(&'static str, &'static str)]);

/// The topic whose records are deleted by their offsets.
pub(super) const TRIMMED: &str = "trimmed";

/// Segments are small, so that they roll all the time, and indexes have many entries.
const STABLE: [Stable; 6] = [
    (
        "orders",
        3,
        &[("internal.segment.bytes", "16384"), ("index.interval.bytes", "256"), ("retention.ms", "-1")],
    ),
    ("events", 2, &[("internal.segment.bytes", "65536"), ("retention.ms", "-1")]),
    ("ledger", 1, &[("internal.segment.bytes", "32768"), ("flush.messages", "1"), ("retention.ms", "-1")]),
    (
        "table",
        2,
        &[
            ("cleanup.policy", "compact"),
            ("internal.segment.bytes", "16384"),
            ("min.cleanable.dirty.ratio", "0.01"),
            ("segment.ms", "200"),
        ],
    ),
    (TRIMMED, 2, &[("internal.segment.bytes", "4096"), ("retention.ms", "-1")]),
    (
        "expiring",
        1,
        &[("internal.segment.bytes", "8192"), ("retention.bytes", "49152"), ("retention.ms", "-1")],
    ),
];

/// Makes the topics that stay.
///
/// # Errors
/// The broker does not make one.
pub fn make_topics(world: &mut std::sync::Arc<World>) -> Result<(), Problem> {
    let client = Client::new(std::sync::Arc::clone(world), OPERATOR);
    let made = Connection::open(std::sync::Arc::clone(world), OPERATOR).and_then(|mut connection| {
        let mut topics = Vec::new();
        for (name, partitions, configs) in STABLE {
            let configs =
                configs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            topics.push(create(&client, &mut connection, name, partitions, configs)?);
        }
        Ok(topics)
    });
    drop(client);
    let made = made.map_err(|Lost| Problem::new("the connection was lost while topics were made"))?;
    let topics = made.into_iter().collect::<Result<Vec<_>, _>>();
    let topics = topics.map_err(|error| Problem::new(format!("a topic was refused with error {error}")))?;
    let world = std::sync::Arc::get_mut(world).ok_or_else(|| Problem::new("clients run already"))?;
    world.stable = topics;
    Ok(())
}

/// Creates a topic; the inner error is Kafka's code.
pub(super) fn create(
    client: &Client,
    connection: &mut Connection,
    name: &str,
    partitions: i32,
    configs: BTreeMap<String, String>,
) -> Result<Result<Topic, i16>, Lost> {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let entry = |(name, value): (&String, &String)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    };
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(configs.iter().map(entry).collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(CREATE_LIMIT_MS);
    let keyed = configs.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"));
    let operation = client.invoke(Call::Create { topic: name.to_owned(), partitions, configs });
    let response = client.or_unknown(operation, connection.call(CREATE_TOPICS_VERSION, &request))?;
    let Some(result) = response.topics.first().filter(|result| result.error_code == 0) else {
        let error = response.topics.first().map_or(-1, |result| result.error_code);
        client.refused(operation, error);
        return Ok(Err(error));
    };
    let id = TopicId(result.topic_id.as_u128());
    client.ok(operation, Answer::Created { id });
    Ok(Ok(Topic { name: name.to_owned(), id, partitions, keyed, passing: false }))
}
