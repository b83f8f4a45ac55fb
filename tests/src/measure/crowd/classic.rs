//! A member of a classic group. The leader gives each partition to the member in its place.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::{HEARTBEAT_INTERVAL, Member, REBALANCE_TIMEOUT_MS, SESSION_TIMEOUT_MS};
use crate::measure::connection::Connection;
use crate::measure::topics::check;
use crate::problem::Problem;

const JOIN_GROUP_VERSION: i16 = 9;
const SYNC_GROUP_VERSION: i16 = 5;
const HEARTBEAT_VERSION: i16 = 4;
const LEAVE_GROUP_VERSION: i16 = 5;

const ILLEGAL_GENERATION: i16 = 22;
const UNKNOWN_MEMBER_ID: i16 = 25;
const REBALANCE_IN_PROGRESS: i16 = 27;
const MEMBER_ID_REQUIRED: i16 = 79;

const PROTOCOL_TYPE: StrBytes = StrBytes::from_static_str("consumer");
const PROTOCOL: StrBytes = StrBytes::from_static_str("range");

/// A member and what it knows of its group.
struct Classic<'a> {
    member: &'a Member,
    connection: &'a mut Connection,
    member_id: StrBytes,
    generation: i32,
}

pub(super) fn live(member: &Member, connection: &mut Connection) -> Result<(), Problem> {
    let mut classic = Classic { member, connection, member_id: StrBytes::default(), generation: -1 };
    while !member.gate.is_closed() {
        if let Some(joined) = classic.join()?
            && classic.sync(joined)?
        {
            classic.beat_until_rebalance()?;
        }
    }
    if member.board.knows(member.place) { classic.leave() } else { Ok(()) }
}

impl Classic<'_> {
    fn group_id(&self) -> GroupId {
        GroupId(StrBytes::from_string(self.member.shape.group.clone()))
    }

    fn join(&mut self) -> Result<Option<JoinGroupResponse>, Problem> {
        let protocol = JoinGroupRequestProtocol::default().with_name(PROTOCOL).with_metadata(Bytes::new());
        let request = JoinGroupRequest::default()
            .with_group_id(self.group_id())
            .with_session_timeout_ms(SESSION_TIMEOUT_MS)
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
            .with_member_id(self.member_id.clone())
            .with_protocol_type(PROTOCOL_TYPE)
            .with_protocols(vec![protocol]);
        let response = self.connection.call(JOIN_GROUP_VERSION, &request)?;
        match response.error_code {
            0 => {
                self.member_id = response.member_id.clone();
                self.generation = response.generation_id;
                return Ok(Some(response));
            }
            MEMBER_ID_REQUIRED => self.member_id = response.member_id,
            error_code => self.again(error_code, "JoinGroup")?,
        }
        Ok(None)
    }

    /// Takes the assignment; false when the group has moved on.
    fn sync(&mut self, joined: JoinGroupResponse) -> Result<bool, Problem> {
        let partitions = 0..self.member.shape.partitions;
        let count = joined.members.len().max(1);
        // Only the leader is told who the members are.
        let assignments = joined.members.iter().enumerate().map(|(place, member)| {
            let mut assignment = BytesMut::new();
            partitions.clone().skip(place).step_by(count).for_each(|partition| assignment.put_i32(partition));
            SyncGroupRequestAssignment::default()
                .with_member_id(member.member_id.clone())
                .with_assignment(assignment.freeze())
        });
        let request = SyncGroupRequest::default()
            .with_group_id(self.group_id())
            .with_generation_id(self.generation)
            .with_member_id(self.member_id.clone())
            .with_protocol_type(Some(PROTOCOL_TYPE))
            .with_protocol_name(Some(PROTOCOL))
            .with_assignments(assignments.collect());
        let response = self.connection.call(SYNC_GROUP_VERSION, &request)?;
        if response.error_code != 0 {
            self.again(response.error_code, "SyncGroup")?;
            return Ok(false);
        }
        let mut assignment = response.assignment;
        let mut partitions = Vec::new();
        while let Ok(partition) = assignment.try_get_i32() {
            partitions.push(partition);
        }
        self.member.board.say(self.member.place, self.generation, partitions);
        Ok(true)
    }

    fn beat_until_rebalance(&mut self) -> Result<(), Problem> {
        loop {
            self.member.gate.pause(HEARTBEAT_INTERVAL);
            if self.member.gate.is_closed() {
                return Ok(());
            }
            let request = HeartbeatRequest::default()
                .with_group_id(self.group_id())
                .with_generation_id(self.generation)
                .with_member_id(self.member_id.clone());
            let response = self.connection.call(HEARTBEAT_VERSION, &request)?;
            if response.error_code != 0 {
                return self.again(response.error_code, "Heartbeat");
            }
        }
    }

    fn leave(&mut self) -> Result<(), Problem> {
        let identity = MemberIdentity::default().with_member_id(self.member_id.clone());
        let request =
            LeaveGroupRequest::default().with_group_id(self.group_id()).with_members(vec![identity]);
        let response = self.connection.call(LEAVE_GROUP_VERSION, &request)?;
        check([response.error_code], 1, "LeaveGroup")
    }

    /// Takes note of an error after which a member joins again.
    fn again(&mut self, error_code: i16, what: &str) -> Result<(), Problem> {
        match error_code {
            REBALANCE_IN_PROGRESS | ILLEGAL_GENERATION => {}
            UNKNOWN_MEMBER_ID => self.member_id = StrBytes::default(),
            _ if self.member.is_not_ready(error_code) => {}
            _ => check([error_code], 1, what)?,
        }
        Ok(())
    }
}
