//! OffsetCommit: names topics for the group's state machine, and puts those that do not exist into the answer.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ottla_control::group::{Command, CommitOffsets, CommitPartition, CommitTopic, Reply};
use ottla_model::ErrorCode;
use ottla_wire::offset_commit::{
    self, Request, RequestPartition, RequestTopic, Response, ResponsePartition, ResponseTopic,
};
use ottla_wire::response_frame;

use super::ask::{ask, unexpected};
use super::call::{Call, Closed, Parts, Started};
use super::text::{copied, copied_option};
use crate::shard::LiveTopic;

/// Since this version a topic is named by its id.
const BY_TOPIC_ID: i16 = 10;
/// Since this version clients know GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH here (KIP-848).
const KNOWS_NEW_ERRORS: i16 = 9;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = offset_commit::decode_request(call.version(), &body)?;
    let mut response = Response::default();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let mut answered =
            ResponseTopic { name: topic.name.clone(), topic_id: topic.topic_id, partitions: Vec::new() };
        match look_up(&call, topic) {
            Ok(live) => {
                let (known, unknown): (Vec<_>, Vec<_>) =
                    topic.partitions.iter().partition(|part| live.partition(part.index).is_some());
                refuse(&mut answered, unknown.into_iter(), ErrorCode::UnknownTopicOrPartition);
                // The place keeps the answer in the order of the request.
                topics.push((response.topics.len(), to_command(&live, &known)));
            }
            Err(error) => refuse(&mut answered, topic.partitions.iter(), error),
        }
        response.topics.push(answered);
    }
    if topics.iter().all(|(_, topic)| topic.partitions.is_empty()) && !request.topics.is_empty() {
        return answer(&call, &response).map(Started::Ready);
    }
    let (places, topics): (Vec<usize>, Vec<CommitTopic>) = topics.into_iter().unzip();
    let command = to_commit(&call, &request, topics);
    let group_id = Arc::clone(&command.group_id);
    let asked = asked(&command);
    let (group, member) = (Arc::clone(&group_id), Arc::clone(&command.member_id));
    ask(call, &group_id, Command::CommitOffsets(command), move |call, reply| {
        let committed = match reply {
            Ok(Reply::CommitOffsets(reply)) => {
                call.shard.tell_odd_commits(&group, &member, &call.caller(), &reply.odd);
                reply.topics.into_iter().map(|topic| topic.partitions).collect()
            }
            other => all_failed(asked, unexpected(other)),
        };
        for (place, partitions) in places.into_iter().zip(committed) {
            if let Some(topic) = response.topics.get_mut(place) {
                let answered =
                    partitions.into_iter().map(|(index, error)| ResponsePartition { index, error });
                topic.partitions.extend(answered);
            }
        }
        answer(call, &response)
    })
}

fn look_up(call: &Call, topic: &RequestTopic) -> Result<Arc<LiveTopic>, ErrorCode> {
    if call.version() >= BY_TOPIC_ID {
        return call.shard.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId);
    }
    let name = topic.name.as_deref().unwrap_or_default();
    call.shard.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)
}

fn refuse<'a>(
    topic: &mut ResponseTopic,
    partitions: impl Iterator<Item = &'a RequestPartition>,
    error: ErrorCode,
) {
    topic.partitions.extend(partitions.map(|part| ResponsePartition { index: part.index, error }));
}

fn to_command(live: &LiveTopic, partitions: &[&RequestPartition]) -> CommitTopic {
    let partitions = partitions.iter().map(|part| CommitPartition {
        partition: part.index,
        offset: part.committed_offset,
        leader_epoch: part.committed_leader_epoch,
        metadata: part.committed_metadata.as_deref().map(Box::from),
        // What a reader may have seen is committed, so it is below the high watermark.
        log_end: live.partition(part.index).map(|partition| partition.high_watermark()),
    });
    CommitTopic { topic: live.topic.name.clone(), topic_id: live.topic.id, partitions: partitions.collect() }
}

fn to_commit(call: &Call, request: &Request, topics: Vec<CommitTopic>) -> CommitOffsets {
    CommitOffsets {
        group_id: copied(&request.group_id),
        member_id: copied(&request.member_id),
        group_instance_id: copied_option(request.group_instance_id.as_ref()),
        generation_or_member_epoch: request.generation_id_or_member_epoch,
        retention_time_ms: request.retention_time_ms,
        knows_group_id_not_found: call.version() >= KNOWS_NEW_ERRORS,
        in_transaction: false,
        topics,
    }
}

/// The partitions that were asked for, by topic.
fn asked(command: &CommitOffsets) -> Vec<Vec<i32>> {
    let topics = command.topics.iter();
    topics.map(|topic| topic.partitions.iter().map(|part| part.partition).collect()).collect()
}

fn all_failed(asked: Vec<Vec<i32>>, error: ErrorCode) -> Vec<Vec<(i32, ErrorCode)>> {
    asked.into_iter().map(|topic| topic.into_iter().map(|index| (index, error)).collect()).collect()
}

fn answer(call: &Call, response: &Response) -> Result<Parts, Closed> {
    let write = |buffer: &mut BytesMut| offset_commit::encode_response(call.version(), response, buffer);
    Ok(vec![response_frame(call.api_key(), call.version(), call.correlation_id(), 256, write)?])
}
