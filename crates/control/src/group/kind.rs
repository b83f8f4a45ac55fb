//! What is asked of a group of any kind: hands over to the kind that it is of.

use std::sync::Arc;

use ottla_model::{ErrorCode, PartitionIndex, TopicName};

use super::classic::Ownership;
use super::command::{CommitOffsets, CommitTopic};
use super::consumer::ConsumerGroup;
use super::expiry::AgesSince;
use super::groups::{Durable, Group};
use super::reply::ListedGroup;
use crate::codec::Cause;
use crate::machine::Record;

impl Group {
    /// The group as a consumer group, if it is one.
    pub(super) fn consumer(&self) -> Option<&Arc<ConsumerGroup>> {
        match &self.durable {
            Durable::Consumer(group) => Some(group),
            Durable::Absent | Durable::Offsets | Durable::Recorded(_) => None,
        }
    }

    /// The group in a list, if it passes the filters.
    pub(super) fn listed(
        &self,
        group_id: &Arc<str>,
        states: &[String],
        types: &[String],
    ) -> Option<ListedGroup> {
        match self.consumer() {
            Some(group) => group.listed(group_id, states, types),
            None => self.classic.listed(states, types),
        }
    }

    /// The name of its state.
    pub(super) fn state_name(&self) -> &'static str {
        self.consumer().map_or_else(|| self.classic.state_name(), |group| group.state_name())
    }

    /// The tombstones of a group without members; none when its id is too long for them.
    pub(super) fn tombstones(&self, group_id: &Arc<str>) -> Vec<Record> {
        match self.consumer() {
            Some(group) => group.tombstones(group_id),
            None => self.classic.tombstone().into_iter().collect(),
        }
    }

    /// Checks that the group may be deleted: it has no members.
    pub(super) fn validate_delete(&self) -> Result<(), ErrorCode> {
        match self.consumer() {
            Some(group) if group.is_empty() => Ok(()),
            Some(_) => Err(ErrorCode::NonEmptyGroup),
            None => self.classic.validate_delete(),
        }
    }

    /// Checks that the group's offsets may be deleted one by one.
    pub(super) fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        if self.consumer().is_some() { Ok(()) } else { self.classic.validate_offset_delete() }
    }

    /// True when a member reads the topic, as far as the coordinator can tell.
    pub(super) fn is_subscribed_to(&self, topic: &TopicName) -> bool {
        match self.consumer() {
            Some(group) => group.is_subscribed_to(topic.as_str()),
            None => self.classic.is_subscribed_to(topic),
        }
    }

    /// From when on the group's offsets age; `None` while they do not.
    pub(super) fn offsets_age_since(&self) -> Option<AgesSince> {
        match self.consumer() {
            // Of topics that no member reads (`ConsumerGroup.offsetExpirationCondition`).
            Some(_) => Some(AgesSince::ItsCommit),
            None => self.classic.offsets_age_since(),
        }
    }

    /// True when nobody is or is about to become a member.
    pub(super) fn is_unused(&self) -> bool {
        self.consumer().map_or_else(|| self.classic.is_unused(), |group| group.is_empty())
    }

    /// What a commit is that was let through.
    pub(super) fn cause_of(&self, commit: &CommitOffsets) -> Cause {
        match self.consumer() {
            Some(_) if commit.generation_or_member_epoch < 0 => Cause::Reset,
            Some(_) => Cause::Commit,
            None => self.classic.cause_of(commit),
        }
    }

    /// What a member owns; `None` when the coordinator cannot tell.
    pub(super) fn owned_by(&self, member_id: &str) -> Option<Owned<'_>> {
        match self.consumer() {
            Some(group) => group.has(member_id).then(|| Owned::Consumer(group, member_id.into())),
            None => self.classic.ownership(member_id).map(Owned::Classic),
        }
    }
}

/// The partitions of one member.
#[derive(Debug)]
pub(super) enum Owned<'a> {
    /// Of a classic group.
    Classic(Ownership<'a>),
    /// Of a consumer group: the group, and the member's id.
    Consumer(&'a ConsumerGroup, Arc<str>),
}

impl Owned<'_> {
    /// True when the partition is the member's.
    pub(super) fn has(&self, topic: &CommitTopic, partition: PartitionIndex) -> bool {
        match self {
            Self::Classic(ownership) => ownership.has(topic.topic.as_str(), partition),
            // Without the topic's id it cannot be told.
            Self::Consumer(..) if topic.topic_id.is_zero() => true,
            Self::Consumer(group, member_id) => group.owns(member_id, topic.topic_id, partition),
        }
    }
}
