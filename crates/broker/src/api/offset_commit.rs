//! OffsetCommit: names topics for the group's state machine, and puts those that do not exist into the answer.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ottla_control::group::{Command, CommitOffsets, CommitPartition, CommitTopic, CommittedTopic, Reply};
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

/// Where in the answer the outcome of what the group was asked to commit goes: a topic, and the first of its partitions. What
/// stands before was refused here.
struct Place {
    topic: usize,
    first: usize,
}

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = offset_commit::decode_request(call.version(), &body)?;
    let count = request.topics.len();
    let mut response = Response { topics: Vec::with_capacity(count), ..Response::default() };
    let (mut places, mut topics) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for topic in &request.topics {
        let partitions = Vec::with_capacity(topic.partitions.len());
        let mut answered = ResponseTopic { name: topic.name.clone(), topic_id: topic.topic_id, partitions };
        match look_up(&call, topic) {
            Ok(live) => {
                let is_known = |part: &&RequestPartition| live.partition(part.index).is_some();
                let unknown = topic.partitions.iter().filter(|part| !is_known(part));
                put(&mut answered, unknown, ErrorCode::UnknownTopicOrPartition);
                places.push(Place { topic: response.topics.len(), first: answered.partitions.len() });
                topics.push(to_command(&live, &topic.partitions));
                // Until the group has told.
                put(&mut answered, topic.partitions.iter().filter(is_known), ErrorCode::UnknownServerError);
            }
            Err(error) => put(&mut answered, topic.partitions.iter(), error),
        }
        response.topics.push(answered);
    }
    if topics.iter().all(|topic| topic.partitions.is_empty()) && !request.topics.is_empty() {
        return answer(&call, &response).map(Started::Ready);
    }
    let command = to_commit(&call, &request, topics);
    let (group, member) = (Arc::clone(&command.group_id), Arc::clone(&command.member_id));
    let group_id = Arc::clone(&group);
    ask(call, &group_id, Command::CommitOffsets(command), move |call, reply| {
        let committed = match reply {
            Ok(Reply::CommitOffsets(reply)) => {
                call.shard.tell_odd_commits(&group, &member, || call.caller(), &reply.odd);
                Ok(reply.topics)
            }
            other => Err(unexpected(other)),
        };
        tell(&mut response, &places, &committed);
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

fn put<'a>(
    topic: &mut ResponseTopic,
    partitions: impl Iterator<Item = &'a RequestPartition>,
    error: ErrorCode,
) {
    topic.partitions.extend(partitions.map(|part| ResponsePartition { index: part.index, error }));
}

/// What the group is asked to commit: the partitions that exist.
fn to_command(live: &LiveTopic, partitions: &[RequestPartition]) -> CommitTopic {
    let mut known = Vec::with_capacity(partitions.len());
    known.extend(partitions.iter().filter_map(|part| {
        let partition = live.partition(part.index)?;
        Some(CommitPartition {
            partition: part.index,
            offset: part.committed_offset,
            leader_epoch: part.committed_leader_epoch,
            metadata: part.committed_metadata.as_deref().map(Box::from),
            // What a reader may have seen is committed, so it is below the high watermark.
            log_end: Some(partition.high_watermark()),
        })
    }));
    CommitTopic { topic: live.topic.name.clone(), topic_id: live.topic.id, partitions: known }
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

/// Writes what became of all that the group was asked to commit, which it tells in the same order.
fn tell(response: &mut Response, places: &[Place], committed: &Result<Vec<CommittedTopic>, ErrorCode>) {
    for (number, place) in places.iter().enumerate() {
        let topic = response.topics.get_mut(place.topic);
        let asked = topic.and_then(|topic| topic.partitions.get_mut(place.first..)).unwrap_or_default();
        match committed {
            Ok(topics) => {
                let told = topics.get(number).into_iter().flat_map(|topic| &topic.partitions);
                asked.iter_mut().zip(told).for_each(|(part, (_, error))| part.error = *error);
            }
            Err(error) => asked.iter_mut().for_each(|part| part.error = *error),
        }
    }
}

fn answer(call: &Call, response: &Response) -> Result<Parts, Closed> {
    let write = |buffer: &mut BytesMut| offset_commit::encode_response(call.version(), response, buffer);
    Ok(vec![response_frame(call.api_key(), call.version(), call.correlation_id(), 256, write)?])
}
