//! Metadata: brokers and topics. Creates a missing topic when both sides allow it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::StrBytes;
use ottla_model::{CLUSTER_METADATA, ErrorCode, TopicId, TopicName};
use uuid::Uuid;

use super::call::{Call, Closed, Started};
use super::operations;
use super::text::text;
use crate::shard::LiveTopic;

/// In this version an empty list means every topic; later ones say null.
const EMPTY_MEANS_ALL: i16 = 0;
/// Since this version the client says whether a missing topic may be created.
const SAYS_CREATE: i16 = 4;
/// From here on the answer can name operations on the cluster, up to version 10 (KIP-700 moved them).
const CLUSTER_OPERATIONS: std::ops::RangeInclusive<i16> = 8..=10;
/// Since this version a topic that was asked for by id may have no name in the answer.
const NAME_MAY_BE_NULL: i16 = 12;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: MetadataRequest = call.decode(body)?;
    if call.version() < NAME_MAY_BE_NULL
        && request.topics.iter().flatten().any(|topic| topic.name.is_none() || !topic.topic_id.is_nil())
    {
        return call.ready(&refuse_all(&request));
    }
    let missing = missing_topics(&call, &request);
    if missing.is_empty() {
        return call.ready(&answer(&call, &request, &HashMap::new()));
    }
    Ok(Started::changing(async move {
        let mut refused = HashMap::new();
        for name in missing {
            if let Err(error) = call.shard.create_if_missing(&name).await {
                refused.insert(name, error);
            }
        }
        call.answer(&answer(&call, &request, &refused))
    }))
}

/// The topics that this request creates.
fn missing_topics(call: &Call, request: &MetadataRequest) -> Vec<TopicName> {
    let allowed = call.version() < SAYS_CREATE || request.allow_auto_topic_creation;
    if !allowed || !call.shard.settings().auto_create_topics_enable {
        return Vec::new();
    }
    let names = request.topics.iter().flatten().filter(|topic| topic.topic_id.is_nil());
    let names = names.filter_map(|topic| TopicName::new(topic.name.as_ref()?).ok());
    // The catalog's own log is no topic that a client could make.
    names
        .filter(|name| name.as_str() != CLUSTER_METADATA && call.shard.topic(name.as_str()).is_none())
        .collect()
}

/// Why topics could not be made.
type Refused = HashMap<TopicName, ErrorCode>;

fn answer(call: &Call, request: &MetadataRequest, refused: &Refused) -> MetadataResponse {
    let settings = call.shard.settings();
    let node = BrokerId(settings.node_id);
    let (host, port) = &call.client.advertised;
    let broker = MetadataResponseBroker::default()
        .with_node_id(node)
        .with_host(StrBytes::from_string(host.to_string()))
        .with_port(i32::from(*port))
        .with_rack(settings.broker_rack.as_deref().map(text));
    let operations = request.include_topic_authorized_operations;
    let describe = |live: &Arc<LiveTopic>| describe(call, live, operations);
    let topics = match &request.topics {
        None => call.shard.topics().iter().map(describe).collect(),
        Some(asked) if asked.is_empty() && call.version() == EMPTY_MEANS_ALL => {
            call.shard.topics().iter().map(describe).collect()
        }
        Some(asked) => {
            // A topic that is asked for twice is described once, also by its name and its id.
            let mut seen = HashSet::new();
            let mut described = HashSet::new();
            let once = asked.iter().filter(|topic| seen.insert((&topic.name, topic.topic_id)));
            let topics = once.map(|asked| look_up(call, asked, operations, refused));
            topics.filter(|topic| topic.error_code != 0 || described.insert(topic.topic_id)).collect()
        }
    };
    let mut response = MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(StrBytes::from_string(call.shard.cluster_id().to_owned())))
        .with_controller_id(node)
        .with_topics(topics);
    if CLUSTER_OPERATIONS.contains(&call.version()) {
        response.cluster_authorized_operations =
            operations::if_asked(request.include_cluster_authorized_operations, operations::CLUSTER);
    }
    response
}

/// Ids and missing names came with a later version; Kafka then refuses the request as a whole.
fn refuse_all(request: &MetadataRequest) -> MetadataResponse {
    let topics = request.topics.iter().flatten().map(|asked| {
        MetadataResponseTopic::default()
            .with_error_code(ErrorCode::InvalidRequest.code())
            .with_name(Some(asked.name.clone().unwrap_or_default()))
            .with_topic_id(asked.topic_id)
    });
    MetadataResponse::default().with_controller_id(BrokerId(-1)).with_topics(topics.collect())
}

fn look_up(
    call: &Call,
    asked: &MetadataRequestTopic,
    operations: bool,
    refused: &Refused,
) -> MetadataResponseTopic {
    let refuse = |error: ErrorCode| {
        // A topic that was asked for by id is told without a name.
        let name = asked.name.clone().filter(|_| asked.topic_id.is_nil());
        let internal =
            name.as_ref().and_then(|name| TopicName::new(name).ok()).is_some_and(|name| name.is_internal());
        MetadataResponseTopic::default()
            .with_error_code(error.code())
            .with_name(name)
            .with_topic_id(asked.topic_id)
            .with_is_internal(internal)
            .with_topic_authorized_operations(operations::if_asked(operations, operations::TOPIC))
    };
    if !asked.topic_id.is_nil() {
        let id = TopicId(asked.topic_id.into_bytes());
        return match call.shard.topic_by_id(id) {
            Some(live) => describe(call, &live, operations),
            None => refuse(ErrorCode::UnknownTopicId),
        };
    }
    let Some(name) = &asked.name else { return refuse(ErrorCode::UnknownTopicId) };
    let Ok(legal) = TopicName::new(name) else { return refuse(ErrorCode::InvalidTopicException) };
    match call.shard.topic(name) {
        Some(live) => describe(call, &live, operations),
        None => refuse(refused.get(&legal).copied().unwrap_or(ErrorCode::UnknownTopicOrPartition)),
    }
}

fn describe(call: &Call, live: &Arc<LiveTopic>, operations: bool) -> MetadataResponseTopic {
    let node = BrokerId(call.shard.settings().node_id);
    let partitions = live.partitions.iter().map(|partition| {
        MetadataResponsePartition::default()
            .with_partition_index(partition.index)
            .with_leader_id(node)
            .with_leader_epoch(partition.leader_epoch())
            .with_replica_nodes(vec![node])
            .with_isr_nodes(vec![node])
    });
    MetadataResponseTopic::default()
        .with_name(Some(StrBytes::from_string(live.topic.name.to_string()).into()))
        .with_topic_id(Uuid::from_bytes(live.topic.id.0))
        .with_is_internal(live.topic.name.is_internal())
        .with_partitions(partitions.collect())
        .with_topic_authorized_operations(operations::if_asked(operations, operations::TOPIC))
}
