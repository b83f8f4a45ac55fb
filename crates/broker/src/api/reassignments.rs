//! AlterPartitionReassignments and ListPartitionReassignments (KIP-455): partitions can be assigned to this one broker,
//! where they are, so there is never a reassignment in progress.

use bytes::Bytes;
use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::create_topics::check_brokers;
use super::text::text;

/// Since this version a client says whether the replication factor may change.
const SAYS_FACTOR: i16 = 1;

/// AlterPartitionReassignments.
pub(super) fn alter(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: AlterPartitionReassignmentsRequest = call.decode(body)?;
    let responses = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let (error, message) = reassign(&call, &topic.name, asked);
            ReassignablePartitionResponse::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(error.code())
                .with_error_message(message.as_deref().map(text))
        });
        ReassignableTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    // A request for nothing gets Kafka's other way of saying that all went well.
    let message = request.topics.is_empty().then(|| text(""));
    let mut response = AlterPartitionReassignmentsResponse::default()
        .with_error_message(message)
        .with_responses(responses.collect());
    if call.version() >= SAYS_FACTOR {
        response.allow_replication_factor_change = request.allow_replication_factor_change;
    }
    call.ready(&response)
}

/// As `ReplicationControlManager.alterPartitionReassignment`. No replicas stand for cancelling a reassignment.
fn reassign(call: &Call, topic: &str, asked: &ReassignablePartition) -> (ErrorCode, Option<String>) {
    let Some(live) = call.shard.topic(topic) else {
        let message = format!("Unable to find a topic named {topic}.");
        return (ErrorCode::UnknownTopicOrPartition, Some(message));
    };
    if live.partition(asked.partition_index).is_none() {
        let message = format!("Unable to find partition {topic}:{}.", asked.partition_index);
        return (ErrorCode::UnknownTopicOrPartition, Some(message));
    }
    let Some(replicas) = &asked.replicas else {
        return (ErrorCode::NoReassignmentInProgress, None);
    };
    match check_brokers(call, replicas.iter().map(|broker| broker.0)) {
        Ok(()) => (ErrorCode::None, None),
        Err(refusal) => (refusal.error, Some(refusal.message)),
    }
}

/// ListPartitionReassignments.
pub(super) fn list(call: Call, body: Bytes) -> Result<Started, Closed> {
    let _request: ListPartitionReassignmentsRequest = call.decode(body)?;
    call.ready(&ListPartitionReassignmentsResponse::default().with_error_message(None))
}
