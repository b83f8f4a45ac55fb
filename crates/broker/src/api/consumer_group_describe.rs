//! ConsumerGroupDescribe: members and assignments of consumer groups (KIP-848).

use bytes::Bytes;
use kafka_protocol::messages::consumer_group_describe_response::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use kafka_protocol::messages::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, GroupId};
use ottla_control::group::{Command, ConsumerDescribeReply, ConsumerMember, NamedTopicPartitions, Reply};
use ottla_model::ErrorCode;
use uuid::Uuid;

use super::ask::unexpected;
use super::call::{Call, Closed, Started};
use super::operations;
use super::text::{copied, text, text_option};

/// Since this version a member tells which protocol it uses (KIP-1099).
const TELLS_MEMBER_TYPE: i16 = 1;
/// A member that uses the classic protocol.
const CLASSIC: i8 = 0;
/// A member that uses the new one.
const CONSUMER: i8 = 1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ConsumerGroupDescribeRequest = call.decode(body)?;
    let ask = |group_id: &GroupId| {
        if !call.shard.has_consumer_protocol() {
            return Err(ErrorCode::UnsupportedVersion);
        }
        if group_id.is_empty() {
            return Err(ErrorCode::InvalidGroupId);
        }
        call.shard.tell_topics(group_id);
        let command = Command::ConsumerDescribe { group_id: copied(group_id) };
        call.shard.group(group_id).map(|coordinator| coordinator.submit(call.caller(), command))
    };
    let asked: Vec<_> = request.group_ids.iter().map(|group_id| (group_id.clone(), ask(group_id))).collect();
    Ok(Started::later(async move {
        let mut response = ConsumerGroupDescribeResponse::default();
        for (group_id, receiver) in asked {
            let reply = match receiver {
                Ok(receiver) => receiver.await.map_err(|_| ErrorCode::NotCoordinator),
                Err(error) => Err(error),
            };
            let mut group = match reply {
                Ok(Reply::ConsumerDescribe(reply)) => describe(call.version(), reply),
                other => DescribedGroup::default().with_error_code(unexpected(other).code()),
            };
            group.group_id = group_id;
            let is_asked = request.include_authorized_operations && group.error_code == 0;
            group.authorized_operations = operations::if_asked(is_asked, operations::GROUP);
            response.groups.push(group);
        }
        call.answer(&response)
    }))
}

fn describe(version: i16, reply: ConsumerDescribeReply) -> DescribedGroup {
    DescribedGroup::default()
        .with_error_code(reply.error.code())
        .with_error_message(reply.error_message.as_deref().map(text))
        .with_group_state(text(reply.state))
        .with_group_epoch(reply.group_epoch)
        .with_assignment_epoch(reply.assignment_epoch)
        .with_assignor_name(text(&reply.assignor))
        .with_members(reply.members.into_iter().map(|member| described_member(version, member)).collect())
}

fn described_member(version: i16, member: ConsumerMember) -> Member {
    let names = member.subscribed_topic_names.iter();
    let mut described = Member::default()
        .with_member_id(text(&member.member_id))
        .with_instance_id(text_option(member.instance_id.as_ref()))
        .with_rack_id(text_option(member.rack_id.as_ref()))
        .with_member_epoch(member.member_epoch)
        .with_client_id(text(&member.client_id))
        .with_client_host(text(&member.client_host))
        .with_subscribed_topic_names(names.map(|name| text(name).into()).collect())
        .with_subscribed_topic_regex(Some(text(&member.subscribed_topic_regex)))
        .with_assignment(assignment(member.assignment))
        .with_target_assignment(assignment(member.target_assignment));
    if version >= TELLS_MEMBER_TYPE {
        described.member_type = if member.uses_classic_protocol { CLASSIC } else { CONSUMER };
    }
    described
}

fn assignment(topics: Vec<NamedTopicPartitions>) -> Assignment {
    let topics = topics.into_iter().map(|topic| {
        TopicPartitions::default()
            .with_topic_id(Uuid::from_bytes(topic.topic_id.0))
            .with_topic_name(text(topic.topic.as_str()).into())
            .with_partitions(topic.partitions)
    });
    Assignment::default().with_topic_partitions(topics.collect())
}
