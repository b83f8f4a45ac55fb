//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup: the life of a member of a classic group.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;
use ottla_control::group::{
    Command, Heartbeat, Join, JoinReply, Leave, LeaveReply, LeavingMember, Reply, Sync, SyncReply,
};
use ottla_model::ErrorCode;

use super::ask::{ask, unexpected};
use super::call::{Call, Closed, Started};
use super::text::{copied, copied_option, text, text_option};

/// Since this version of JoinGroup a new member joins in two steps (KIP-394).
const REQUIRES_KNOWN_MEMBER_ID: i16 = 4;
/// Since this version of JoinGroup a static leader may be told to keep the assignment (KIP-814).
const SKIPS_ASSIGNMENT: i16 = 9;
/// Since this version of JoinGroup the protocol's type is told.
const TELLS_PROTOCOL_TYPE: i16 = 7;
/// JoinGroup 0 has no rebalance timeout: it is the session's.
const OWN_REBALANCE_TIMEOUT: i16 = 1;
/// Since this version of LeaveGroup several members leave at once (KIP-345).
const LEAVES_SEVERAL: i16 = 3;
/// Since this version of SyncGroup the protocol is told and checked (KIP-559).
const SYNC_TELLS_PROTOCOL: i16 = 5;

pub(super) fn join(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: JoinGroupRequest = call.decode(body)?;
    let rebalance_timeout_ms = if call.version() >= OWN_REBALANCE_TIMEOUT {
        request.rebalance_timeout_ms
    } else {
        request.session_timeout_ms
    };
    let protocols = request.protocols.iter();
    let command = Join {
        group_id: copied(&request.group_id),
        member_id: copied(&request.member_id),
        group_instance_id: copied_option(request.group_instance_id.as_ref()),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms,
        protocol_type: copied(&request.protocol_type),
        protocols: protocols
            .map(|protocol| (copied(&protocol.name), Bytes::copy_from_slice(&protocol.metadata)))
            .collect(),
        reason: copied_option(request.reason.as_ref()),
        requires_known_member_id: call.version() >= REQUIRES_KNOWN_MEMBER_ID,
        supports_skipping_assignment: call.version() >= SKIPS_ASSIGNMENT,
    };
    call.shard.tell_topics(&command.group_id);
    let group_id = Arc::clone(&command.group_id);
    let member_id = Arc::clone(&command.member_id);
    ask(call, &group_id, Command::Join(command), move |call, reply| {
        let reply = match reply {
            Ok(Reply::Join(reply)) => reply,
            other => JoinReply::error(member_id, unexpected(other)),
        };
        call.answer(&join_response(call.version(), &reply))
    })
}

fn join_response(version: i16, reply: &JoinReply) -> JoinGroupResponse {
    let members = reply.members.iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(text(&member.member_id))
            .with_group_instance_id(text_option(member.group_instance_id.as_ref()))
            .with_metadata(member.metadata.clone())
    });
    // Before version 7 the name of the protocol could not be null.
    let protocol = match &reply.protocol {
        None if version < TELLS_PROTOCOL_TYPE => Some(StrBytes::new()),
        protocol => text_option(protocol.as_ref()),
    };
    let mut response = JoinGroupResponse::default()
        .with_error_code(reply.error.code())
        .with_generation_id(reply.generation)
        .with_protocol_name(protocol)
        .with_leader(text(&reply.leader))
        .with_member_id(text(&reply.member_id))
        .with_members(members.collect());
    if version >= TELLS_PROTOCOL_TYPE {
        response.protocol_type = text_option(reply.protocol_type.as_ref());
    }
    if version >= SKIPS_ASSIGNMENT {
        response.skip_assignment = reply.skip_assignment;
    }
    response
}

pub(super) fn sync(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: SyncGroupRequest = call.decode(body)?;
    // The protocol became mandatory when it was added (`SyncGroupRequest.areMandatoryProtocolTypeAndNamePresent`).
    if call.version() >= SYNC_TELLS_PROTOCOL
        && (request.protocol_type.is_none() || request.protocol_name.is_none())
    {
        return call
            .ready(&sync_response(call.version(), &SyncReply::error(ErrorCode::InconsistentGroupProtocol)));
    }
    let assignments = request.assignments.iter();
    let command = Sync {
        group_id: copied(&request.group_id),
        member_id: copied(&request.member_id),
        group_instance_id: copied_option(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: copied_option(request.protocol_type.as_ref()),
        protocol: copied_option(request.protocol_name.as_ref()),
        assignments: assignments
            .map(|member| (copied(&member.member_id), Bytes::copy_from_slice(&member.assignment)))
            .collect(),
    };
    call.shard.tell_topics(&command.group_id);
    let group_id = Arc::clone(&command.group_id);
    ask(call, &group_id, Command::Sync(command), |call, reply| {
        let reply = match reply {
            Ok(Reply::Sync(reply)) => reply,
            other => SyncReply::error(unexpected(other)),
        };
        call.answer(&sync_response(call.version(), &reply))
    })
}

fn sync_response(version: i16, reply: &SyncReply) -> SyncGroupResponse {
    let mut response = SyncGroupResponse::default()
        .with_error_code(reply.error.code())
        .with_assignment(reply.assignment.clone());
    if version >= SYNC_TELLS_PROTOCOL {
        response.protocol_type = text_option(reply.protocol_type.as_ref());
        response.protocol_name = text_option(reply.protocol.as_ref());
    }
    response
}

pub(super) fn heartbeat(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: HeartbeatRequest = call.decode(body)?;
    let command = Heartbeat {
        group_id: copied(&request.group_id),
        member_id: copied(&request.member_id),
        group_instance_id: copied_option(request.group_instance_id.as_ref()),
        generation: request.generation_id,
    };
    call.shard.tell_topics(&command.group_id);
    let group_id = Arc::clone(&command.group_id);
    ask(call, &group_id, Command::Heartbeat(command), |call, reply| {
        let error = match reply {
            Ok(Reply::Heartbeat(reply)) => reply.error,
            other => unexpected(other),
        };
        call.answer(&HeartbeatResponse::default().with_error_code(error.code()))
    })
}

pub(super) fn leave(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: LeaveGroupRequest = call.decode(body)?;
    let members = if call.version() >= LEAVES_SEVERAL {
        let members = request.members.iter();
        members
            .map(|member| LeavingMember {
                member_id: copied(&member.member_id),
                group_instance_id: copied_option(member.group_instance_id.as_ref()),
                reason: copied_option(member.reason.as_ref()),
            })
            .collect()
    } else {
        let member_id = copied(&request.member_id);
        vec![LeavingMember { member_id, group_instance_id: None, reason: None }]
    };
    let command = Leave { group_id: copied(&request.group_id), members };
    call.shard.tell_topics(&command.group_id);
    let group_id = Arc::clone(&command.group_id);
    ask(call, &group_id, Command::Leave(command), |call, reply| {
        let reply = match reply {
            Ok(Reply::Leave(reply)) => reply,
            other => LeaveReply { error: unexpected(other), members: Vec::new() },
        };
        call.answer(&leave_response(call.version(), &reply))
    })
}

fn leave_response(version: i16, reply: &LeaveReply) -> LeaveGroupResponse {
    if version < LEAVES_SEVERAL {
        return LeaveGroupResponse::default().with_error_code(reply.single_error().code());
    }
    let members = reply.members.iter().map(|member| {
        MemberResponse::default()
            .with_member_id(text(&member.member_id))
            .with_group_instance_id(text_option(member.group_instance_id.as_ref()))
            .with_error_code(member.error.code())
    });
    LeaveGroupResponse::default().with_error_code(reply.error.code()).with_members(members.collect())
}
