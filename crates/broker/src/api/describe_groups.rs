//! DescribeGroups: members and assignments of classic groups.

use bytes::Bytes;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};
use ottla_control::group::{Command, DescribeReply, Reply};
use ottla_model::ErrorCode;

use super::ask::unexpected;
use super::call::{Call, Closed, Started};
use super::operations;
use super::text::{copied, text, text_option};

/// Since this version static members show their instance id.
const TELLS_INSTANCE_ID: i16 = 4;
/// Since this version a group that does not exist is an error; before it is Dead (KIP-1043).
const GROUP_ID_NOT_FOUND: i16 = 6;
/// Since this version operations are told.
const TELLS_OPERATIONS: i16 = 3;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeGroupsRequest = call.decode(body)?;
    let ask = |group_id: &GroupId| {
        let command = Command::Describe { group_id: copied(group_id) };
        call.shard.group(group_id).map(|coordinator| coordinator.submit(call.caller(), command))
    };
    let asked: Vec<_> = request.groups.iter().map(|group_id| (group_id.clone(), ask(group_id))).collect();
    Ok(Started::later(async move {
        let mut response = DescribeGroupsResponse::default();
        for (group_id, receiver) in asked {
            let reply = match receiver {
                Ok(receiver) => receiver.await.map_err(|_| ErrorCode::NotCoordinator),
                Err(error) => Err(error),
            };
            let mut group = match reply {
                Ok(Reply::Describe(reply)) => describe(call.version(), &reply),
                other => DescribedGroup::default().with_error_code(unexpected(other).code()),
            };
            group.group_id = group_id;
            if call.version() >= TELLS_OPERATIONS {
                let asked = request.include_authorized_operations && group.error_code == 0;
                group.authorized_operations = operations::if_asked(asked, operations::GROUP);
            }
            response.groups.push(group);
        }
        call.answer(&response)
    }))
}

fn describe(version: i16, reply: &DescribeReply) -> DescribedGroup {
    let members = reply.members.iter().map(|member| {
        let mut answered = DescribedGroupMember::default()
            .with_member_id(text(&member.member_id))
            .with_client_id(text(&member.client_id))
            .with_client_host(text(&member.client_host))
            .with_member_metadata(member.metadata.clone())
            .with_member_assignment(member.assignment.clone());
        if version >= TELLS_INSTANCE_ID {
            answered.group_instance_id = text_option(member.group_instance_id.as_ref());
        }
        answered
    });
    let mut group = DescribedGroup::default()
        .with_error_code(reply.error.code())
        .with_group_state(text(reply.state))
        .with_protocol_type(text(&reply.protocol_type))
        .with_protocol_data(text(&reply.protocol))
        .with_members(members.collect());
    if version >= GROUP_ID_NOT_FOUND {
        group.error_message = reply.error_message.as_deref().map(text);
    } else if reply.error == ErrorCode::GroupIdNotFound {
        group.error_code = ErrorCode::None.code();
    }
    group
}
