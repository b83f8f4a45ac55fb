//! DescribeQuorum: the catalog's log as a metadata quorum of this one node (KIP-595, KIP-836, KIP-853).

use bytes::Bytes;
use kafka_protocol::messages::describe_quorum_request::TopicData as AskedTopic;
use kafka_protocol::messages::describe_quorum_response::{Node, PartitionData, ReplicaState, TopicData};
use kafka_protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse};
use ottla_model::{CLUSTER_METADATA, ErrorCode};

use super::call::{Call, Closed, Started};
use super::text::text;

/// Since this version times are told.
const TELLS_TIMES: i16 = 1;
/// Since this version messages, and the nodes' listeners, are told.
const TELLS_NODES: i16 = 2;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeQuorumRequest = call.decode(body)?;
    let is_known = is_quorum(&request.topics);
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            if is_known { quorum(&call) } else { unknown(&call, partition.partition_index) }
        });
        TopicData::default().with_topic_name(topic.topic_name.clone()).with_partitions(partitions.collect())
    });
    let mut response = DescribeQuorumResponse::default().with_topics(topics.collect());
    if call.version() >= TELLS_NODES {
        response.error_message = Some(text(""));
        if is_known {
            // Its listeners would be those of a controller, which this broker has none of.
            response.nodes = vec![Node::default().with_node_id(node(&call))];
        }
    }
    call.ready(&response)
}

/// Kafka answers for its one partition only when it is asked for nothing else.
fn is_quorum(topics: &[AskedTopic]) -> bool {
    match topics {
        [topic] if topic.topic_name.as_str() == CLUSTER_METADATA => {
            matches!(&topic.partitions[..], [partition] if partition.partition_index == 0)
        }
        _ => false,
    }
}

fn node(call: &Call) -> BrokerId {
    BrokerId(call.shard.settings().node_id)
}

fn quorum(call: &Call) -> PartitionData {
    let log = call.shard.catalog_log();
    let mut voter = ReplicaState::default().with_replica_id(node(call)).with_log_end_offset(log.end);
    if call.version() >= TELLS_TIMES {
        // A leader has always just heard of itself.
        let now = call.shard.wall().0;
        voter = voter.with_last_fetch_timestamp(now).with_last_caught_up_timestamp(now);
    }
    let partition = PartitionData::default()
        .with_leader_id(node(call))
        .with_leader_epoch(log.leader_epoch)
        .with_high_watermark(log.high_watermark)
        .with_current_voters(vec![voter]);
    said(call, partition, "")
}

fn unknown(call: &Call, index: i32) -> PartitionData {
    let partition = PartitionData::default()
        .with_partition_index(index)
        .with_error_code(ErrorCode::UnknownTopicOrPartition.code());
    said(call, partition, "This server does not host this topic-partition.")
}

fn said(call: &Call, partition: PartitionData, message: &str) -> PartitionData {
    if call.version() < TELLS_NODES {
        return partition;
    }
    partition.with_error_message(Some(text(message)))
}
