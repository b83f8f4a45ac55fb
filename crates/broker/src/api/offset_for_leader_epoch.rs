//! OffsetForLeaderEpoch: where the records of an epoch end, so that a client notices a suffix that was lost (KIP-320).

use bytes::Bytes;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use ottla_model::{ErrorCode, LeaderEpoch, NO_LEADER_EPOCH, NONE, Offset};

use super::call::{Call, Closed, Started};
use super::fetch::check_leader_epoch;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: OffsetForLeaderEpochRequest = call.decode(body)?;
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let (error, (leader_epoch, end_offset)) = match look_up(&call, &topic.topic, asked) {
                Ok(found) => (ErrorCode::None, found),
                Err(error) => (error, (NO_LEADER_EPOCH, NONE)),
            };
            EpochEndOffset::default()
                .with_error_code(error.code())
                .with_partition(asked.partition)
                .with_leader_epoch(leader_epoch)
                .with_end_offset(end_offset)
        });
        OffsetForLeaderTopicResult::default()
            .with_topic(topic.topic.clone())
            .with_partitions(partitions.collect())
    });
    call.ready(&OffsetForLeaderEpochResponse::default().with_topics(topics.collect()))
}

fn look_up(
    call: &Call,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<(LeaderEpoch, Offset), ErrorCode> {
    let live = call.shard.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let partition = call.shard.partition(&live, asked.partition)?;
    check_leader_epoch(asked.current_leader_epoch, partition.leader_epoch())?;
    let (epoch, end) = partition.log().epoch_end_offset(asked.leader_epoch, partition.leader_epoch());
    Ok((epoch, end))
}
