//! OffsetFetch: the committed offsets of one or several groups.

use bytes::{Bytes, BytesMut};
use ottla_control::group::{Command, FetchOffsets, FetchOffsetsReply, FetchTopic, FetchedTopic, Reply};
use ottla_model::{ErrorCode, TopicName};
use ottla_wire::offset_fetch::{
    self, RequestGroup, RequestTopic, Response, ResponseGroup, ResponsePartition, ResponseTopic,
};
use ottla_wire::response_frame;
use tokio::sync::oneshot;

use super::ask::unexpected;
use super::call::{Call, Closed, Parts, Started};
use super::text::{copied, copied_option, text};

/// Since this version a topic is named by its id.
const BY_TOPIC_ID: i16 = 10;
/// Since this version an error of the group has a field of its own; before it stands at every partition.
const GROUP_ERROR: i16 = 2;

/// One group of the request: the answer as far as it is known, and the reply that completes it.
struct Asked {
    answer: ResponseGroup,
    reply: Result<oneshot::Receiver<Reply>, ErrorCode>,
    /// For an answer that repeats a group's error at every partition.
    topics: Vec<RequestTopic>,
}

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = offset_fetch::decode_request(call.version(), &body)?;
    let asked: Vec<Asked> =
        request.groups.iter().map(|group| ask(&call, group, request.require_stable)).collect();
    Ok(Started::later(async move {
        let mut response = Response::default();
        for group in asked {
            response.groups.push(finish(&call, group).await);
        }
        answer(&call, &response)
    }))
}

fn ask(call: &Call, group: &RequestGroup, require_stable: bool) -> Asked {
    let mut answer = ResponseGroup { group_id: text(&group.group_id), ..ResponseGroup::default() };
    let topics = group.topics.as_ref().map(|topics| {
        let known = topics.iter().filter_map(|topic| to_command(call, topic, &mut answer));
        known.collect::<Vec<FetchTopic>>()
    });
    let command = FetchOffsets {
        group_id: copied(&group.group_id),
        member_id: copied_option(group.member_id.as_ref()),
        member_epoch: group.member_epoch,
        topics,
        require_stable,
    };
    let coordinator = call.shard.group(&group.group_id);
    let reply = coordinator.map(|found| found.submit(call.caller(), Command::FetchOffsets(command)));
    Asked { answer, reply, topics: group.topics.clone().unwrap_or_default() }
}

/// The topic as the state machine knows it. One that does not exist is answered here: by id with UNKNOWN_TOPIC_ID; by
/// name it is still asked for, since a group may hold offsets of a topic that is gone.
fn to_command(call: &Call, topic: &RequestTopic, answer: &mut ResponseGroup) -> Option<FetchTopic> {
    let partitions = topic.partitions.clone();
    if call.version() >= BY_TOPIC_ID {
        if let Some(live) = call.shard.topic_by_id(topic.topic_id) {
            return Some(FetchTopic { topic: live.topic.name.clone(), topic_id: topic.topic_id, partitions });
        }
        answer.topics.push(refused(topic, ErrorCode::UnknownTopicId));
        return None;
    }
    match TopicName::new(topic.name.as_deref().unwrap_or_default()) {
        Ok(name) => Some(FetchTopic { topic: name, topic_id: topic.topic_id, partitions }),
        // No group can have committed for such a name: there is no offset, and no error, as for any other.
        Err(_) => {
            answer.topics.push(refused(topic, ErrorCode::None));
            None
        }
    }
}

fn refused(topic: &RequestTopic, error: ErrorCode) -> ResponseTopic {
    let partitions = topic.partitions.iter();
    ResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions
            .map(|index| ResponsePartition { index: *index, error, ..Default::default() })
            .collect(),
    }
}

async fn finish(call: &Call, asked: Asked) -> ResponseGroup {
    let Asked { mut answer, reply, topics } = asked;
    let reply = match reply {
        Ok(receiver) => receiver.await.map_err(|_| ErrorCode::NotCoordinator),
        Err(error) => Err(error),
    };
    match reply {
        Ok(Reply::FetchOffsets(FetchOffsetsReply { error: ErrorCode::None, topics, .. })) => {
            let known = topics.into_iter().filter_map(|topic| to_response(call, topic));
            answer.topics.extend(known);
        }
        Ok(Reply::FetchOffsets(refusal)) => answer.error = refusal.error,
        other => answer.error = unexpected(other),
    }
    if answer.error.is_error() {
        answer.topics = if call.version() >= GROUP_ERROR {
            Vec::new()
        } else {
            topics.iter().map(|topic| refused(topic, answer.error)).collect()
        };
    }
    answer
}

/// A topic of the reply. When ids are asked for, offsets of topics that have no id any more are left out, as Kafka does.
fn to_response(call: &Call, topic: FetchedTopic) -> Option<ResponseTopic> {
    let mut topic_id = topic.topic_id;
    if call.version() >= BY_TOPIC_ID && topic_id.is_zero() {
        topic_id = call.shard.topic(topic.topic.as_str())?.topic.id;
    }
    let partitions = topic.partitions.into_iter().map(|part| ResponsePartition {
        index: part.partition,
        committed_offset: part.offset,
        committed_leader_epoch: part.leader_epoch,
        metadata: Some(text(&part.metadata)),
        error: part.error,
    });
    Some(ResponseTopic { name: Some(text(topic.topic.as_str())), topic_id, partitions: partitions.collect() })
}

fn answer(call: &Call, response: &Response) -> Result<Parts, Closed> {
    let write = |buffer: &mut BytesMut| offset_fetch::encode_response(call.version(), response, buffer);
    Ok(vec![response_frame(call.api_key(), call.version(), call.correlation_id(), 256, write)?])
}
