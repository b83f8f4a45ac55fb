//! Members of classic groups over a socket, and the private APIs that ask about groups.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId, JoinGroupRequest,
    LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::Question;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use ottla_wire::private::decode_answer;

use super::name;

/// A member, with the connection that it uses.
pub(crate) struct Member {
    pub(crate) id: StrBytes,
    pub(crate) generation: i32,
}

pub(crate) fn group_id(id: &str) -> GroupId {
    GroupId(id.to_owned().into())
}

/// Joins as the only member, and assigns partitions of one topic to itself.
pub(crate) fn join_alone(client: &mut Client, group: &str, topic: &str, partitions: &[i32]) -> Member {
    join_for(client, group, topic, partitions, 10_000)
}

/// The same, with a session of so many milliseconds.
pub(crate) fn join_for(
    client: &mut Client,
    group: &str,
    topic: &str,
    partitions: &[i32],
    session_timeout_ms: i32,
) -> Member {
    let protocol =
        JoinGroupRequestProtocol::default().with_name("range".into()).with_metadata(subscription(topic));
    let request = JoinGroupRequest::default()
        .with_group_id(group_id(group))
        .with_session_timeout_ms(session_timeout_ms)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type("consumer".into())
        .with_protocols(vec![protocol]);
    let joined = client.send(3, &request).unwrap();
    assert_eq!(joined.error_code, 0);
    let member = Member { id: joined.member_id, generation: joined.generation_id };
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(member.id.clone())
        .with_assignment(assignment(topic, partitions));
    let request = SyncGroupRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id(member.generation)
        .with_member_id(member.id.clone())
        .with_assignments(vec![assignment]);
    assert_eq!(client.send(2, &request).unwrap().error_code, 0);
    member
}

pub(crate) fn leave(client: &mut Client, group: &str, member: &Member) {
    let request =
        LeaveGroupRequest::default().with_group_id(group_id(group)).with_member_id(member.id.clone());
    assert_eq!(client.send(2, &request).unwrap().error_code, 0);
}

fn put_text(buffer: &mut BytesMut, text: &str) {
    buffer.put_i16(text.len() as i16);
    buffer.put_slice(text.as_bytes());
}

/// A `ConsumerProtocolSubscription` of version 0.
fn subscription(topic: &str) -> Bytes {
    let mut buffer = BytesMut::new();
    buffer.put_i16(0);
    buffer.put_i32(1);
    put_text(&mut buffer, topic);
    buffer.put_i32(-1);
    buffer.freeze()
}

/// A `ConsumerProtocolAssignment` of version 0.
fn assignment(topic: &str, partitions: &[i32]) -> Bytes {
    let mut buffer = BytesMut::new();
    buffer.put_i16(0);
    buffer.put_i32(1);
    put_text(&mut buffer, topic);
    buffer.put_i32(partitions.len() as i32);
    partitions.iter().for_each(|partition| buffer.put_i32(*partition));
    buffer.put_i32(-1);
    buffer.freeze()
}

/// Commits one offset as a member, or as nobody.
pub(crate) fn commit_as(client: &mut Client, group: &str, by: Option<&Member>, to: (&str, i32, i64)) -> i16 {
    use ottla_wire::offset_commit::{
        Request, RequestPartition, RequestTopic, decode_response, encode_request,
    };
    let (topic, index, committed_offset) = to;
    let partition = RequestPartition {
        index,
        committed_offset,
        committed_leader_epoch: -1,
        committed_metadata: Some("kept".into()),
    };
    let topic = RequestTopic {
        name: Some(StrBytes::from_string(topic.to_owned())),
        partitions: vec![partition],
        ..RequestTopic::default()
    };
    let mut request = Request {
        group_id: StrBytes::from_string(group.to_owned()),
        topics: vec![topic],
        ..Request::default()
    };
    if let Some(member) = by {
        request.member_id = member.id.clone();
        request.generation_id_or_member_epoch = member.generation;
    }
    let mut body = BytesMut::new();
    encode_request(9, &request, &mut body).unwrap();
    let answer = client.send_body(8, 9, &body).unwrap();
    decode_response(9, &answer).unwrap().topics[0].partitions[0].error.code()
}

/// Asks a private API.
pub(crate) fn ask<Q: Question>(
    client: &mut Client,
    question: &Q,
) -> Result<Q::Document, (ErrorCode, String)> {
    let mut body = BytesMut::new();
    question.encode(0, &mut body).unwrap();
    let answer = decode_answer(&client.send_body(Q::KEY, 0, &body).unwrap()).unwrap();
    match answer.document {
        Some(document) => Ok(serde_json::from_slice(&document).unwrap()),
        None => Err((answer.error, answer.error_message.unwrap().to_string())),
    }
}

/// A time of this machine's clock that is later than any that was told before.
pub(crate) fn next_millisecond() -> i64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let before = now();
    while now() == before {
        std::hint::spin_loop();
    }
    now()
}

/// A ConsumerGroupHeartbeat of a member. With `topics` it says everything, as in its first one.
pub(crate) fn heartbeat(
    client: &mut Client,
    group: &str,
    member: &str,
    epoch: i32,
    topics: Option<&[&str]>,
) -> ConsumerGroupHeartbeatResponse {
    let mut request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group_id(group))
        .with_member_id(StrBytes::from_string(member.to_owned()))
        .with_member_epoch(epoch)
        .with_topic_partitions(None);
    if let Some(topics) = topics {
        request = request
            .with_rebalance_timeout_ms(10_000)
            .with_subscribed_topic_names(Some(topics.iter().map(|topic| name(topic)).collect()))
            .with_topic_partitions(Some(Vec::new()));
    }
    client.send(1, &request).unwrap()
}
