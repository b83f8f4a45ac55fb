//! CreateTopics: checks what only the broker can (settings, assignments), and leaves the rest to the catalog.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use ottla_control::catalog::{CreateTopic, Topic};
use ottla_model::{CLUSTER_METADATA, ErrorCode, IllegalName, PartitionIndex, TopicName};
use uuid::Uuid;

use super::call::{Call, Closed, Started};
use super::mutations;
use super::text::text;
use crate::settings::{check_overrides, describe};
use crate::shard::TopicError;

/// Since this version clients know that a quota of partitions is used up.
const STRICT_QUOTA: i16 = 6;
/// "The broker's default" in place of a number.
const DEFAULT: i32 = -1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: CreateTopicsRequest = call.decode(body)?;
    let (once, twice) = split_duplicates(request.topics);
    let checked = check_all(&call, &once);
    Ok(Started::changing(async move {
        let good: Vec<CreateTopic> =
            checked.iter().filter_map(|topic| topic.as_ref().ok().cloned()).collect();
        let mut created = call.shard.create_topics(good, request.validate_only).await.into_iter();
        let done = once.iter().zip(checked).map(|(asked, checked)| {
            let result = checked.and_then(|_| created.next().unwrap_or_else(|| Err(missing())));
            answer(&call, asked, result)
        });
        let refused = twice
            .iter()
            .map(|asked| answer(&call, asked, refuse(ErrorCode::InvalidRequest, "Duplicate topic name.")));
        let topics = done.chain(refused).collect();
        call.answer(&CreateTopicsResponse::default().with_topics(topics))
    }))
}

/// Topics that are named once, and one of each that is named more often: none of these is created.
fn split_duplicates(topics: Vec<CreatableTopic>) -> (Vec<CreatableTopic>, Vec<CreatableTopic>) {
    let mut times: HashMap<String, u32> = HashMap::new();
    for topic in &topics {
        let seen = times.entry(topic.name.to_string()).or_default();
        *seen = seen.saturating_add(1);
    }
    let (once, mut twice): (Vec<_>, Vec<_>) =
        topics.into_iter().partition(|topic| times.get(topic.name.as_str()) == Some(&1));
    let mut seen = HashSet::new();
    twice.retain(|topic| seen.insert(topic.name.clone()));
    (once, twice)
}

fn missing() -> TopicError {
    TopicError { error: ErrorCode::UnknownServerError, message: "The catalog gave no answer.".to_owned() }
}

fn refuse<T>(error: ErrorCode, message: impl Into<String>) -> Result<T, TopicError> {
    Err(TopicError { error, message: message.into() })
}

fn check_all(call: &Call, topics: &[CreatableTopic]) -> Vec<Result<CreateTopic, TopicError>> {
    topics.iter().map(|topic| check(call, topic)).collect()
}

/// In Kafka's order: the name, whether it is taken, the settings, the numbers (`ReplicationControlManager`).
fn check(call: &Call, asked: &CreatableTopic) -> Result<CreateTopic, TopicError> {
    if asked.name.as_str() == CLUSTER_METADATA {
        return refuse(
            ErrorCode::InvalidRequest,
            format!("Creation of internal topic {CLUSTER_METADATA} is prohibited."),
        );
    }
    let name = TopicName::new(&asked.name)
        .or_else(|illegal| refuse(ErrorCode::InvalidTopicException, illegal_name(&asked.name, illegal)))?;
    if call.shard.topic(name.as_str()).is_some() {
        return refuse(ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."));
    }
    let given = asked.configs.iter().map(|config| (config.name.as_str(), config.value.as_deref()));
    let configs = check_overrides(&call.shard.settings(), given)
        .or_else(|message| refuse(ErrorCode::InvalidConfig, message))?;
    let partitions = if asked.assignments.is_empty() {
        check_numbers(call, asked)?
    } else {
        check_assignments(call, asked)?
    };
    mutations::charge(call, STRICT_QUOTA, partitions)?;
    Ok(CreateTopic { name, partitions, configs, id: None })
}

/// How much of an illegal name its refusal repeats.
const NAME_SHOWN_CHARS_MAX: usize = 4 * TopicName::LENGTH_MAX;

/// What is wrong with a name, in Kafka's words (`Topic.validate`).
fn illegal_name(name: &str, illegal: IllegalName) -> String {
    // Long and strange names are not repeated whole; the client knows what it sent.
    let shown: String = name.chars().take(NAME_SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    match illegal {
        IllegalName::Empty => format!("Topic name is invalid: {illegal}"),
        IllegalName::Dots => format!("Topic name is invalid: '{shown}' is not allowed"),
        IllegalName::TooLong => format!("Topic name is invalid: the length of '{shown}' {illegal}"),
        IllegalName::Character => format!("Topic name is invalid: '{shown}' {illegal}"),
    }
}

fn check_numbers(call: &Call, asked: &CreatableTopic) -> Result<PartitionIndex, TopicError> {
    if asked.num_partitions != DEFAULT && asked.num_partitions < 1 {
        return refuse(
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        );
    }
    let factor = i32::from(asked.replication_factor);
    let factor = if factor == DEFAULT { call.shard.settings().default_replication_factor } else { factor };
    if factor < 1 {
        return refuse(
            ErrorCode::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        );
    }
    if factor > 1 {
        return refuse(
            ErrorCode::InvalidReplicationFactor,
            format!(
                "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} \
                 cannot be reached because only 1 broker(s) are registered or some brokers have all their log \
                 directories cordoned."
            ),
        );
    }
    let default = call.shard.settings().num_partitions;
    Ok(if asked.num_partitions == DEFAULT { default } else { asked.num_partitions })
}

/// Manual assignments: partitions from 0 on, each on this one broker.
fn check_assignments(call: &Call, asked: &CreatableTopic) -> Result<PartitionIndex, TopicError> {
    if i32::from(asked.replication_factor) != DEFAULT {
        return refuse(
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        );
    }
    if asked.num_partitions != DEFAULT {
        return refuse(
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        );
    }
    let mut given: Vec<PartitionIndex> = Vec::with_capacity(asked.assignments.len());
    for assignment in &asked.assignments {
        check_brokers(call, assignment.broker_ids.iter().map(|broker| broker.0))?;
        given.push(assignment.partition_index);
    }
    given.sort_unstable();
    if let Some([twice, _]) = given.array_windows().find(|[one, next]| one == next) {
        return refuse(
            ErrorCode::InvalidReplicaAssignment,
            format!("Found multiple manual partition assignments for partition {twice}"),
        );
    }
    let count = PartitionIndex::try_from(given.len()).unwrap_or(PartitionIndex::MAX);
    if !given.into_iter().eq(0..count) {
        return refuse(
            ErrorCode::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        );
    }
    Ok(count)
}

/// The replicas of one partition, which can only be this broker.
pub(super) fn check_brokers(call: &Call, brokers: impl Iterator<Item = i32>) -> Result<(), TopicError> {
    let node_id = call.shard.settings().node_id;
    let brokers: Vec<i32> = brokers.collect();
    if let Some(unknown) = brokers.iter().find(|broker| **broker != node_id) {
        return refuse(
            ErrorCode::InvalidReplicaAssignment,
            format!(
                "The manual partition assignment includes broker {unknown}, but no such broker is registered."
            ),
        );
    }
    match brokers.len() {
        0 => refuse(
            ErrorCode::InvalidReplicaAssignment,
            "The manual partition assignment includes an empty replica list.",
        ),
        1 => Ok(()),
        _ => refuse(
            ErrorCode::InvalidReplicaAssignment,
            format!("The manual partition assignment includes the broker {node_id} more than once."),
        ),
    }
}

fn answer(
    call: &Call,
    asked: &CreatableTopic,
    result: Result<Arc<Topic>, TopicError>,
) -> CreatableTopicResult {
    let answered = CreatableTopicResult::default().with_name(asked.name.clone());
    let topic = match result {
        Ok(topic) => topic,
        Err(refusal) => {
            return answered
                .with_error_code(refusal.error.code())
                .with_error_message(Some(text(&refusal.message)))
                .with_num_partitions(-1)
                .with_replication_factor(-1)
                .with_configs(Some(Vec::new()));
        }
    };
    let configs = describe::of_topic(&call.shard.layers(), &topic.configs).into_iter().map(|entry| {
        CreatableTopicConfigs::default()
            .with_name(text(&entry.name))
            .with_value(entry.value.as_deref().map(text))
            .with_config_source(entry.source().code())
    });
    answered
        .with_topic_id(Uuid::from_bytes(topic.id.0))
        .with_error_message(None)
        .with_num_partitions(topic.partitions)
        .with_replication_factor(1)
        .with_configs(Some(configs.collect()))
}
