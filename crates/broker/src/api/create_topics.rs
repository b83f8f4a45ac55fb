//! CreateTopics: checks what only the broker can (settings, assignments), and leaves the rest to the catalog.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};
use ottla_control::catalog::{CreateTopic, Topic};
use ottla_model::{CLUSTER_METADATA, ErrorCode, PartitionIndex};
use ottla_wire::message::create_topics::{
    self, CONFIGS_FROM, Config, Configs, Created, Refused, ResponseTopic,
};
use ottla_wire::{Unencodable, response_frame};

use super::call::{Call, Closed, Parts, Started};
use super::mutations;
use super::topic_names::legal;
use crate::settings::{Layers, Overrides, SameSettings, check_overrides, describe};
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
        let mut outcomes = Outcomes::with_capacity(once.len().saturating_add(twice.len()));
        for (asked, checked) in once.into_iter().zip(checked) {
            let outcome = checked.and_then(|_| created.next().unwrap_or_else(|| Err(missing())));
            outcomes.push((asked.name, outcome));
        }
        for asked in twice {
            outcomes.push((asked.name, refuse(ErrorCode::InvalidRequest, "Duplicate topic name.")));
        }
        answer(&call, outcomes)
    }))
}

/// Topics that are named once, and one of each that is named more often: none of these is created.
fn split_duplicates(topics: Vec<CreatableTopic>) -> (Vec<CreatableTopic>, Vec<CreatableTopic>) {
    let mut seen = HashSet::with_capacity(topics.len());
    let mut repeated: HashSet<TopicName> = HashSet::new();
    for topic in &topics {
        if !seen.insert(topic.name.as_str()) {
            repeated.insert(topic.name.clone());
        }
    }
    if repeated.is_empty() {
        return (topics, Vec::new());
    }
    let (mut twice, once): (Vec<_>, Vec<_>) =
        topics.into_iter().partition(|topic| repeated.contains(&topic.name));
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
    // Most topics have no settings of their own, and those of the broker fit each other or do not.
    let plain = LazyCell::new(|| check_overrides(&call.shard.settings(), std::iter::empty()));
    topics.iter().map(|topic| check(call, topic, &plain)).collect()
}

/// In Kafka's order: the name, whether it or one like it is taken, the settings, the numbers (`ReplicationControlManager`).
fn check(
    call: &Call,
    asked: &CreatableTopic,
    plain: &Result<Overrides, String>,
) -> Result<CreateTopic, TopicError> {
    if asked.name.as_str() == CLUSTER_METADATA {
        return refuse(
            ErrorCode::InvalidRequest,
            format!("Creation of internal topic {CLUSTER_METADATA} is prohibited."),
        );
    }
    let name = legal(&asked.name)?;
    if call.shard.topic(name.as_str()).is_some() {
        return refuse(ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."));
    }
    call.shard.check_collision(&name)?;
    let given = asked.configs.iter().map(|config| (config.name.as_str(), config.value.as_deref()));
    let configs =
        if asked.configs.is_empty() { plain.clone() } else { check_overrides(&call.shard.settings(), given) };
    let configs = configs.or_else(|message| refuse(ErrorCode::InvalidConfig, message))?;
    let partitions = if asked.assignments.is_empty() {
        check_numbers(call, asked)?
    } else {
        check_assignments(call, asked)?
    };
    mutations::charge(call, STRICT_QUOTA, partitions)?;
    Ok(CreateTopic { name, partitions, configs, id: None })
}

fn check_numbers(call: &Call, asked: &CreatableTopic) -> Result<PartitionIndex, TopicError> {
    let factor = i32::from(asked.replication_factor);
    let factor = if factor == DEFAULT { call.shard.settings().default_replication_factor } else { factor };
    if factor < 1 {
        return refuse(
            ErrorCode::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        );
    }
    if asked.num_partitions != DEFAULT && asked.num_partitions < 1 {
        return refuse(
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
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
    let mut brokers: Vec<i32> = brokers.collect();
    brokers.sort_unstable();
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

/// The settings of topics as answers tell them.
#[derive(Debug, Default)]
pub(crate) struct ToldConfigs(SameSettings<Result<Configs, Unencodable>>);

impl ToldConfigs {
    fn of(&self, layers: &Arc<Layers>, own: &Overrides) -> Result<Configs, Unencodable> {
        self.0.of(layers, own, |layers, own| {
            let described = describe::of_topic(layers, own);
            Configs::encode(described.iter().map(|entry| Config {
                name: &entry.name,
                value: entry.value.as_deref(),
                source: entry.source().code(),
            }))
        })
    }
}

type Outcomes = Vec<(TopicName, Result<Arc<Topic>, TopicError>)>;

fn answer(call: &Call, outcomes: Outcomes) -> Result<Parts, Closed> {
    let layers = call.shard.layers();
    let tell = |topic: &Topic| -> Result<Created, Closed> {
        let configs = if call.version() < CONFIGS_FROM {
            None
        } else {
            Some(call.shard.told_configs().of(&layers, &topic.configs)?)
        };
        Ok(Created { topic_id: topic.id, partitions: topic.partitions, replication_factor: 1, configs })
    };
    let mut topics = Vec::with_capacity(outcomes.len());
    for (name, outcome) in &outcomes {
        let outcome = match outcome {
            Ok(topic) => Ok(tell(topic)?),
            Err(refusal) => Err(Refused { error: refusal.error, message: &refusal.message }),
        };
        topics.push(ResponseTopic { name, outcome });
    }
    let write = |buffer: &mut BytesMut| create_topics::encode_response(call.version(), &topics, buffer);
    let body_bytes = create_topics::size_hint(&topics);
    let frame = response_frame(call.api_key(), call.version(), call.correlation_id(), body_bytes, write)?;
    Ok(vec![frame])
}
