//! CreateTopics: checks what only the broker can (settings, assignments), and leaves the rest to the catalog.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use ottla_control::catalog::{CreateTopic, Topic};
use ottla_model::{CLUSTER_METADATA, ErrorCode, PartitionIndex, TopicName};
use uuid::Uuid;

use super::call::{Call, Closed, Started};
use super::describe_configs::{source_of, topic_entries};
use super::text::text;
use crate::settings::check_override;
use crate::shard::TopicError;

/// "The broker's default" in place of a number.
const DEFAULT: i32 = -1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: CreateTopicsRequest = call.decode(body)?;
    let checked = check_all(&call, &request.topics);
    Ok(Started::later(async move {
        let good: Vec<CreateTopic> =
            checked.iter().filter_map(|topic| topic.as_ref().ok().cloned()).collect();
        let mut created = call.shard.create_topics(good, request.validate_only).await.into_iter();
        let topics = request.topics.iter().zip(checked).map(|(asked, checked)| {
            let result = checked.and_then(|_| created.next().unwrap_or_else(|| Err(missing())));
            answer(&call, asked, request.validate_only, result)
        });
        let topics = topics.collect();
        call.answer(&CreateTopicsResponse::default().with_topics(topics))
    }))
}

fn missing() -> TopicError {
    TopicError { error: ErrorCode::UnknownServerError, message: "The catalog gave no answer.".to_owned() }
}

fn refuse<T>(error: ErrorCode, message: impl Into<String>) -> Result<T, TopicError> {
    Err(TopicError { error, message: message.into() })
}

fn check_all(call: &Call, topics: &[CreatableTopic]) -> Vec<Result<CreateTopic, TopicError>> {
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in topics {
        if !seen.insert(&topic.name) {
            twice.insert(&topic.name);
        }
    }
    let check = |topic: &CreatableTopic| {
        if twice.contains(&topic.name) {
            return refuse(ErrorCode::InvalidRequest, "Duplicate topic name.");
        }
        check(call, topic)
    };
    topics.iter().map(check).collect()
}

fn check(call: &Call, asked: &CreatableTopic) -> Result<CreateTopic, TopicError> {
    if asked.name.as_str() == CLUSTER_METADATA {
        return refuse(
            ErrorCode::InvalidRequest,
            format!("Creation of internal topic {CLUSTER_METADATA} is prohibited."),
        );
    }
    let name = TopicName::new(&asked.name).or_else(|illegal| {
        refuse(ErrorCode::InvalidTopicException, format!("Topic name is invalid: {illegal}"))
    })?;
    let partitions = if asked.assignments.is_empty() {
        check_replication(call, asked)?;
        if asked.num_partitions == DEFAULT {
            call.shard.settings().num_partitions
        } else {
            asked.num_partitions
        }
    } else {
        check_assignments(call, asked)?
    };
    let mut configs = BTreeMap::new();
    for config in &asked.configs {
        let value = config.value.as_deref();
        check_override(&config.name, value).or_else(|message| refuse(ErrorCode::InvalidConfig, message))?;
        configs.insert(config.name.to_string(), value.unwrap_or_default().to_owned());
    }
    Ok(CreateTopic { name, partitions, configs })
}

fn check_replication(call: &Call, asked: &CreatableTopic) -> Result<(), TopicError> {
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
                 cannot be reached because only 1 broker(s) are registered."
            ),
        );
    }
    Ok(())
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
    let count = PartitionIndex::try_from(given.len()).unwrap_or(PartitionIndex::MAX);
    if !given.into_iter().eq(0..count) {
        return refuse(
            ErrorCode::InvalidReplicaAssignment,
            "Partitions should be a consecutive 0-based integer sequence.",
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
    validate_only: bool,
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
    let settings = call.shard.settings();
    let configs = topic_entries(settings, &topic.configs).map(|entry| {
        CreatableTopicConfigs::default()
            .with_name(text(entry.name))
            .with_value(entry.value.as_deref().map(text))
            .with_config_source(source_of(&entry))
    });
    // A topic that was only checked has no id.
    let id = if validate_only { Uuid::nil() } else { Uuid::from_bytes(topic.id.0) };
    answered
        .with_topic_id(id)
        .with_error_message(None)
        .with_num_partitions(topic.partitions)
        .with_replication_factor(1)
        .with_configs(Some(configs.collect()))
}
