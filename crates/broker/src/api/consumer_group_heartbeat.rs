//! ConsumerGroupHeartbeat: the life of a member of a consumer group (KIP-848).

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use kafka_protocol::messages::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use ottla_control::group::{Command, ConsumerHeartbeat, ConsumerHeartbeatReply, Reply};
use ottla_model::{ErrorCode, TopicId};
use uuid::Uuid;

use super::ask::{ask, unexpected};
use super::call::{Call, Closed, Started};
use super::text::{copied, copied_option, text, text_option};

/// Since this version a member chooses its id (KIP-1082).
const MAKES_OWN_MEMBER_ID: i16 = 1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ConsumerGroupHeartbeatRequest = call.decode(body)?;
    if !call.shard.has_consumer_protocol() {
        return call.ready(&response(ConsumerHeartbeatReply::error(ErrorCode::UnsupportedVersion, None)));
    }
    let names = request.subscribed_topic_names.as_ref();
    let partitions = request.topic_partitions.as_ref();
    let command = ConsumerHeartbeat {
        group_id: copied(&request.group_id),
        member_id: copied(&request.member_id),
        makes_own_member_id: call.version() >= MAKES_OWN_MEMBER_ID,
        member_epoch: request.member_epoch,
        instance_id: copied_option(request.instance_id.as_ref()),
        rack_id: copied_option(request.rack_id.as_ref()),
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        subscribed_topic_names: names.map(|names| names.iter().map(|name| copied(name)).collect()),
        subscribed_topic_regex: copied_option(request.subscribed_topic_regex.as_ref()),
        server_assignor: copied_option(request.server_assignor.as_ref()),
        topic_partitions: partitions.map(|topics| {
            let topics = topics.iter();
            topics.map(|topic| (TopicId(topic.topic_id.into_bytes()), topic.partitions.clone())).collect()
        }),
    };
    call.shard.tell_topics(&command.group_id);
    let group_id = Arc::clone(&command.group_id);
    ask(call, &group_id, Command::ConsumerHeartbeat(command), |call, reply| {
        let reply = match reply {
            Ok(Reply::ConsumerHeartbeat(reply)) => reply,
            other => ConsumerHeartbeatReply::error(unexpected(other), None),
        };
        call.answer(&response(reply))
    })
}

fn response(reply: ConsumerHeartbeatReply) -> ConsumerGroupHeartbeatResponse {
    let assignment = reply.assignment.map(|topics| {
        let topics = topics.into_iter().map(|(topic_id, partitions)| {
            TopicPartitions::default().with_topic_id(Uuid::from_bytes(topic_id.0)).with_partitions(partitions)
        });
        Assignment::default().with_topic_partitions(topics.collect())
    });
    ConsumerGroupHeartbeatResponse::default()
        .with_error_code(reply.error.code())
        .with_error_message(reply.error_message.as_deref().map(text))
        .with_member_id(text_option(reply.member_id.as_ref()))
        .with_member_epoch(reply.member_epoch)
        .with_heartbeat_interval_ms(reply.heartbeat_interval_ms)
        .with_assignment(assignment)
}
