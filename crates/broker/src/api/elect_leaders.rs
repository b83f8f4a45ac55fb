//! ElectLeaders: every partition is led by its one replica, so none needs an election (KIP-183, KIP-460).

use bytes::Bytes;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::text::text;

/// Since this version there is an error of the whole request.
const TELLS_ERROR: i16 = 1;
/// `ElectionType.PREFERRED`.
const PREFERRED: i8 = 0;
/// `ElectionType.UNCLEAN`.
const UNCLEAN: i8 = 1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ElectLeadersRequest = call.decode(body)?;
    let refused = match request.election_type {
        PREFERRED | UNCLEAN => None,
        other => Some((ErrorCode::InvalidRequest, format!("Unknown election type {other}"))),
    };
    let results = match &request.topic_partitions {
        // Of all topics Kafka tells only partitions with an election.
        None => {
            let name = |name: &str| ReplicaElectionResult::default().with_topic(text(name).into());
            call.shard.topics().iter().map(|live| name(live.topic.name.as_str())).collect()
        }
        Some(asked) => asked
            .iter()
            .map(|topic| {
                let partitions = topic.partitions.iter().map(|index| {
                    let (error, message) =
                        refused.clone().unwrap_or_else(|| elect(&call, &topic.topic, *index));
                    PartitionResult::default()
                        .with_partition_id(*index)
                        .with_error_code(error.code())
                        .with_error_message(Some(text(&message)))
                });
                ReplicaElectionResult::default()
                    .with_topic(topic.topic.clone())
                    .with_partition_result(partitions.collect())
            })
            .collect(),
    };
    let mut response = ElectLeadersResponse::default().with_replica_election_results(results);
    if let Some((error, _)) = refused.filter(|_| call.version() >= TELLS_ERROR) {
        response.error_code = error.code();
    }
    call.ready(&response)
}

/// Why there is no election (`ReplicationControlManager.electLeader`).
fn elect(call: &Call, topic: &str, index: i32) -> (ErrorCode, String) {
    match call.shard.topic(topic) {
        None => (ErrorCode::UnknownTopicOrPartition, format!("No such topic as {topic}")),
        Some(live) if live.partition(index).is_none() => {
            (ErrorCode::UnknownTopicOrPartition, format!("No such partition as {topic}-{index}"))
        }
        Some(_) => {
            (ErrorCode::ElectionNotNeeded, "Leader election not needed for topic partition.".to_owned())
        }
    }
}
