//! What others may ask a classic group: who may commit, delete and look.

use std::sync::Arc;

use ottla_model::{ErrorCode, TopicName};

use super::{Classic, State};
use crate::codec::Cause;
use crate::group::command::CommitOffsets;
use crate::group::reply::{DescribeReply, DescribedMember, ListedGroup};
use crate::group::turn::Turn;

/// The name of this kind of group (`Group.GroupType.CLASSIC`).
pub(in crate::group) const GROUP_TYPE: &str = "classic";

impl Classic {
    /// Checks who commits (`ClassicGroup.validateOffsetCommit`). A member's commit also proves that it lives, unless it
    /// is transactional: a producer sends that, perhaps for a consumer that is stuck.
    pub(in crate::group) fn validate_commit(
        &mut self,
        turn: &Turn<'_, '_>,
        commit: &CommitOffsets,
    ) -> Result<(), ErrorCode> {
        let generation = commit.generation_or_member_epoch;
        if generation < 0 && self.state == State::Empty {
            // An administrator, or a consumer that assigns partitions to itself.
            return Ok(());
        }
        let instance = commit.group_instance_id.as_deref();
        if generation < 0 && commit.member_id.is_empty() && instance.is_none() {
            // Producers before KIP-447 do not know whom they commit for.
            return if commit.in_transaction { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        }
        self.validate_member(&commit.member_id, instance)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        if commit.in_transaction {
            return Ok(());
        }
        if self.state == State::CompletingRebalance {
            // The member knows the new generation, so what it commits it has read in the old one.
            return Err(ErrorCode::RebalanceInProgress);
        }
        self.restart_session(turn, &commit.member_id);
        Ok(())
    }

    /// What a commit is that was let through: nobody in the group can commit for one that has had members and has none,
    /// so it is somebody who moves the offsets for them.
    pub(in crate::group) fn cause_of(&self, commit: &CommitOffsets) -> Cause {
        let is_outsider = commit.generation_or_member_epoch < 0;
        if is_outsider && self.protocol_type.is_some() { Cause::Reset } else { Cause::Commit }
    }

    /// Checks that the group's offsets may be deleted one by one (`validateOffsetDelete`).
    pub(in crate::group) fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        if self.state == State::Empty || self.is_consumer_protocol() {
            return Ok(());
        }
        Err(ErrorCode::NonEmptyGroup)
    }

    /// Checks that the group may be deleted (`validateDeleteGroup`).
    pub(in crate::group) fn validate_delete(&self) -> Result<(), ErrorCode> {
        if self.state == State::Empty { Ok(()) } else { Err(ErrorCode::NonEmptyGroup) }
    }

    /// True when a member reads the topic, as far as the coordinator can tell: a consumer group whose metadata it
    /// cannot read may read any (`isSubscribedToTopic`).
    pub(in crate::group) fn is_subscribed_to(&self, topic: &TopicName) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic.as_str()),
            None => self.is_consumer_protocol(),
        }
    }

    /// The group in a list, if it passes the filters (`listGroups`).
    pub(in crate::group) fn listed(&self, states: &[String], types: &[String]) -> Option<ListedGroup> {
        let state = self.state.name();
        let passes = |filter: &[String], name: &str| {
            filter.is_empty() || filter.iter().any(|text| text.eq_ignore_ascii_case(name))
        };
        (passes(states, state) && passes(types, GROUP_TYPE)).then(|| ListedGroup {
            group_id: Arc::clone(&self.group_id),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            state,
            group_type: GROUP_TYPE,
        })
    }

    /// The group with its members. The members' metadata is shown when the group is stable (`describeGroups`).
    pub(in crate::group) fn described(&self) -> DescribeReply {
        let shown = self.protocol.as_ref().filter(|_| self.state == State::Stable);
        let members = self.roster.iter().map(|(member_id, member)| DescribedMember {
            member_id: Arc::clone(member_id),
            group_instance_id: member.group_instance_id.clone(),
            client_id: Arc::clone(&member.client_id),
            client_host: Arc::clone(&member.client_host),
            metadata: shown.map(|protocol| member.metadata(protocol)).unwrap_or_default(),
            assignment: member.assignment.clone(),
        });
        DescribeReply {
            error: ErrorCode::None,
            error_message: None,
            group_id: Arc::clone(&self.group_id),
            state: self.state.name(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol: shown.cloned().unwrap_or_default(),
            members: members.collect(),
        }
    }
}
