//! The only member of a classic group.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{GroupId, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::topics::check;
use crate::problem::Problem;

const JOIN_GROUP_VERSION: i16 = 5;
const SYNC_GROUP_VERSION: i16 = 3;
const LEAVE_GROUP_VERSION: i16 = 3;
/// Longer than the member is needed: it sends no heartbeats.
const SESSION_TIMEOUT_MS: i32 = 300_000;
const MEMBER_ID_REQUIRED: i16 = 79;

/// Who commits for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoneMember {
    /// The group.
    pub group: String,
    /// What the coordinator calls the member.
    pub member_id: StrBytes,
    /// The group's generation.
    pub generation: i32,
}

impl LoneMember {
    /// Joins a group that has no members, with an id that the coordinator gives first.
    ///
    /// # Errors
    /// The group does not take it, or the connection is lost.
    pub fn join(connection: &mut Connection, group: &str) -> Result<Self, Problem> {
        let mut member = Self { group: group.to_owned(), member_id: StrBytes::default(), generation: -1 };
        while member.generation < 0 {
            member.ask_to_join(connection)?;
        }
        let assignment = SyncGroupRequestAssignment::default().with_member_id(member.member_id.clone());
        let request = SyncGroupRequest::default()
            .with_group_id(member.group_id())
            .with_generation_id(member.generation)
            .with_member_id(member.member_id.clone())
            .with_assignments(vec![assignment]);
        let response = connection.call(SYNC_GROUP_VERSION, &request)?;
        check([response.error_code], 1, "SyncGroup")?;
        Ok(member)
    }

    /// Nobody, for what is not asked who commits.
    #[must_use]
    pub fn nobody(group: &str) -> Self {
        let member_id = StrBytes::from_static_str("figures-00000000-0000-0000-0000-000000000000");
        Self { group: group.to_owned(), member_id, generation: 1 }
    }

    fn ask_to_join(&mut self, connection: &mut Connection) -> Result<(), Problem> {
        let text = StrBytes::from_static_str;
        let protocol =
            JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(Bytes::new());
        let request = JoinGroupRequest::default()
            .with_group_id(self.group_id())
            .with_session_timeout_ms(SESSION_TIMEOUT_MS)
            .with_rebalance_timeout_ms(SESSION_TIMEOUT_MS)
            .with_member_id(self.member_id.clone())
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        let response = connection.call(JOIN_GROUP_VERSION, &request)?;
        if response.error_code != MEMBER_ID_REQUIRED {
            check([response.error_code], 1, "JoinGroup")?;
            self.generation = response.generation_id;
        }
        self.member_id = response.member_id;
        Ok(())
    }

    /// Leaves.
    ///
    /// # Errors
    /// The group does not know it, or the connection is lost.
    pub fn leave(self, connection: &mut Connection) -> Result<(), Problem> {
        let group_id = self.group_id();
        let member = MemberIdentity::default().with_member_id(self.member_id);
        let request = LeaveGroupRequest::default().with_group_id(group_id).with_members(vec![member]);
        let response = connection.call(LEAVE_GROUP_VERSION, &request)?;
        check([response.error_code], 1, "LeaveGroup")?;
        check(response.members.iter().map(|member| member.error_code), 1, "LeaveGroup")
    }

    pub(super) fn group_id(&self) -> GroupId {
        GroupId(StrBytes::from_string(self.group.clone()))
    }
}
