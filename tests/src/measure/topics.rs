//! Makes topics, and asks where their partitions end.

use std::ops::Range;
use std::time::{Duration, Instant};

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{CreateTopicsRequest, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::created::error_codes;
use crate::broker::Broker;
use crate::problem::{Doing, Problem};

const CREATE_TOPICS_VERSION: i16 = 7;
const CREATE_LIMIT_MS: i32 = 60_000;
const LIST_OFFSETS_VERSION: i16 = 7;
const LATEST_TIMESTAMP: i64 = -1;

/// The pause before a question is asked again.
const PAUSE: Duration = Duration::from_millis(10);

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions it gets.
    pub partitions: i32,
    /// Settings of its own, by Apache Kafka's names.
    pub settings: Vec<(&'static str, &'static str)>,
}

/// Makes topics in one request and waits until the broker leads all partitions: Apache Kafka answers first and makes
/// them then.
///
/// # Errors
/// One is refused, or is not led within the limit of the broker's start.
pub fn create_topics(broker: &mut Broker, topics: &[NewTopic]) -> Result<(), Problem> {
    let mut connection = Connection::open(&broker.address())?;
    request_topics(&mut connection, topics)?;
    wait_until_led(broker, &mut connection, topics)
}

/// Makes topics in one request.
///
/// # Errors
/// One is refused, or the connection was lost.
pub fn request_topics(connection: &mut Connection, topics: &[NewTopic]) -> Result<(), Problem> {
    let wanted = |topic: &NewTopic| {
        let setting = |(name, value): &(&'static str, &'static str)| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_static_str(name))
                .with_value(Some(StrBytes::from_static_str(value)))
        };
        CreatableTopic::default()
            .with_name(topic_name(&topic.name))
            .with_num_partitions(topic.partitions)
            .with_replication_factor(1)
            .with_configs(topic.settings.iter().map(setting).collect())
    };
    let request = CreateTopicsRequest::default()
        .with_topics(topics.iter().map(wanted).collect())
        .with_timeout_ms(CREATE_LIMIT_MS);
    let answer = connection.call_for_body(CREATE_TOPICS_VERSION, &request)?;
    let error_codes = error_codes(answer).doing("read the answer to CreateTopics")?;
    check(error_codes, topics.len(), "CreateTopics")
}

/// Waits until the broker leads all partitions of topics.
///
/// # Errors
/// One is not led within the limit of the broker's start.
pub fn wait_until_led(
    broker: &mut Broker,
    connection: &mut Connection,
    topics: &[NewTopic],
) -> Result<(), Problem> {
    let made = || topics.iter().map(|topic| (topic.name.clone(), 0..topic.partitions));
    repeat(broker, || ends(connection, made()).map(drop)).map(drop)
}

/// Asks again until the answer is good; gives the time since the broker's exec.
///
/// # Errors
/// The broker ended, or the answer is not good within the limit of its start.
pub fn repeat(
    broker: &mut Broker,
    mut ask: impl FnMut() -> Result<(), Problem>,
) -> Result<Duration, Problem> {
    let deadline = Instant::now() + broker.options().start_limit;
    loop {
        match ask() {
            Ok(()) => return Ok(broker.started().at.elapsed()),
            Err(problem) if Instant::now() > deadline => return Err(problem),
            Err(_) => broker.idle(PAUSE)?,
        }
    }
}

/// Where partitions end.
pub(super) fn ends(
    connection: &mut Connection,
    partitions: impl Iterator<Item = (String, Range<i32>)>,
) -> Result<Vec<i64>, Problem> {
    let asked = |index: i32| {
        ListOffsetsPartition::default().with_partition_index(index).with_timestamp(LATEST_TIMESTAMP)
    };
    let topics: Vec<ListOffsetsTopic> = partitions
        .map(|(name, partitions)| {
            ListOffsetsTopic::default()
                .with_name(topic_name(&name))
                .with_partitions(partitions.map(asked).collect())
        })
        .collect();
    let count = topics.iter().map(|topic| topic.partitions.len()).sum();
    let request = ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(topics);
    let response = connection.call(LIST_OFFSETS_VERSION, &request)?;
    let partitions = || response.topics.iter().flat_map(|topic| &topic.partitions);
    check(partitions().map(|partition| partition.error_code), count, "ListOffsets")?;
    Ok(partitions().map(|partition| partition.offset).collect())
}

/// The name of a topic as messages have it.
pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// Checks that there are so many error codes and that all are 0.
pub(super) fn check(
    error_codes: impl IntoIterator<Item = i16>,
    count: usize,
    what: &str,
) -> Result<(), Problem> {
    let mut codes: Vec<i16> = error_codes.into_iter().collect();
    if codes.len() != count {
        return Err(Problem::new(format!("{what} was answered with {} of {count} parts", codes.len())));
    }
    codes.retain(|code| *code != 0);
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Ok(());
    }
    Err(Problem::new(format!("{what} was answered with the error codes {codes:?}")))
}
