//! The durable state of a consumer group (`ConsumerGroup`), and what changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::index::Index;
use super::member::{Current, LEAVE_EPOCH, Member, Metadata};
use super::shared_map::SharedMap;
use crate::group::assignor::PartitionsByTopic;

/// A consumer group, as its records tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct ConsumerGroup {
    /// Raised whenever a new target is due.
    pub(super) epoch: i32,
    /// Hash of the subscribed topics as they were at that epoch.
    pub(super) metadata_hash: i64,
    pub(super) members: SharedMap<Arc<str>, Member>,
    pub(super) target: TargetEpoch,
    /// What each member shall have.
    pub(super) targets: SharedMap<Arc<str>, Arc<PartitionsByTopic>>,
    pub(super) resolved: BTreeMap<Arc<str>, Arc<Resolved>>,
    /// True when the log has a record of the topics that the group knew, as Kafka wrote until 4.0.
    pub(super) has_subscription_record: bool,
    pub(super) index: Index,
}

/// The epoch of the target assignment, and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) struct TargetEpoch {
    pub(super) epoch: i32,
    /// In milliseconds since the Unix epoch, or 0 when unknown.
    pub(super) made_at_ms: i64,
}

/// The topics that a regular expression matched (`ResolvedRegularExpression`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct Resolved {
    pub(super) topics: BTreeSet<Arc<str>>,
    /// Version of the topics' image.
    pub(super) version: i64,
    /// When, in milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
}

/// Where a group is (`ConsumerGroupState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) enum GroupState {
    /// No members.
    Empty,
    /// A new target is due.
    Assigning,
    /// Members are on their way to it.
    Reconciling,
    /// All are there.
    Stable,
}

impl GroupState {
    /// The name that Kafka prints.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// One change of a group: the meaning of one record. `None` is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) enum Change {
    /// `ConsumerGroupMetadata`. Its tombstone ends the group.
    Epoch(Option<(i32, i64)>),
    /// `ConsumerGroupPartitionMetadata`, of which only the presence matters.
    SubscriptionRecord(bool),
    /// `ConsumerGroupMemberMetadata`.
    Metadata(Arc<str>, Option<Arc<Metadata>>),
    /// `ConsumerGroupTargetAssignmentMetadata`.
    TargetEpoch(Option<TargetEpoch>),
    /// `ConsumerGroupTargetAssignmentMember`.
    Target(Arc<str>, Option<Arc<PartitionsByTopic>>),
    /// `ConsumerGroupCurrentMemberAssignment`.
    Current(Arc<str>, Option<Arc<Current>>),
    /// `ConsumerGroupRegularExpression`.
    Regex(Arc<str>, Option<Arc<Resolved>>),
}

/// What a change overwrote.
#[derive(Debug)]
pub(in crate::group) enum Overwritten {
    /// The group's epoch and hash.
    Epoch(i32, i64),
    /// Whether there was a record.
    SubscriptionRecord(bool),
    /// A member.
    Member(Arc<str>, Option<Member>),
    /// The target's epoch.
    TargetEpoch(TargetEpoch),
    /// A member's target.
    Target(Arc<str>, Option<Arc<PartitionsByTopic>>),
    /// An expression.
    Regex(Arc<str>, Option<Arc<Resolved>>),
}

impl Default for ConsumerGroup {
    /// A group of which nothing is known. Its epochs begin at 1, so that a member without topics reaches an epoch
    /// that is not the one of joining.
    fn default() -> Self {
        Self {
            epoch: 1,
            metadata_hash: 0,
            members: SharedMap::default(),
            target: TargetEpoch { epoch: 1, made_at_ms: 0 },
            targets: SharedMap::default(),
            resolved: BTreeMap::new(),
            has_subscription_record: false,
            index: Index::default(),
        }
    }
}

impl ConsumerGroup {
    /// Makes a change, and gives back what it overwrote.
    pub(in crate::group) fn apply(&mut self, change: &Change) -> Overwritten {
        match change {
            Change::Epoch(new) => {
                let old = Overwritten::Epoch(self.epoch, self.metadata_hash);
                (self.epoch, self.metadata_hash) = new.unwrap_or((self.epoch, self.metadata_hash));
                old
            }
            Change::SubscriptionRecord(is_there) => Overwritten::SubscriptionRecord(std::mem::replace(
                &mut self.has_subscription_record,
                *is_there,
            )),
            Change::Metadata(member_id, new) => self.change_member(member_id, |member| {
                let metadata = Arc::clone(new.as_ref()?);
                Some(Member { metadata, ..member.unwrap_or_default() })
            }),
            Change::Current(member_id, new) => self.change_member(member_id, |member| match new {
                Some(current) => Some(Member { current: Arc::clone(current), ..member.unwrap_or_default() }),
                // Only the tombstone of its metadata takes a member away.
                None => member.map(|member| Member { current: Arc::new(gone()), ..member }),
            }),
            Change::TargetEpoch(new) => {
                let gone = TargetEpoch { epoch: LEAVE_EPOCH, made_at_ms: 0 };
                Overwritten::TargetEpoch(std::mem::replace(&mut self.target, new.unwrap_or(gone)))
            }
            Change::Target(member_id, new) => {
                Overwritten::Target(Arc::clone(member_id), self.set_target(member_id, new.clone()))
            }
            Change::Regex(regex, new) => {
                Overwritten::Regex(Arc::clone(regex), self.set_resolved(regex, new.clone()))
            }
        }
    }

    /// Takes the newest change back that has not been taken back yet.
    pub(in crate::group) fn undo(&mut self, overwritten: Overwritten) {
        match overwritten {
            Overwritten::Epoch(epoch, hash) => (self.epoch, self.metadata_hash) = (epoch, hash),
            Overwritten::SubscriptionRecord(was_there) => self.has_subscription_record = was_there,
            Overwritten::Member(member_id, old) => drop(self.set_member(&member_id, old)),
            Overwritten::TargetEpoch(old) => self.target = old,
            Overwritten::Target(member_id, old) => drop(self.set_target(&member_id, old)),
            Overwritten::Regex(regex, old) => drop(self.set_resolved(&regex, old)),
        }
    }

    fn change_member(
        &mut self,
        member_id: &Arc<str>,
        change: impl FnOnce(Option<Member>) -> Option<Member>,
    ) -> Overwritten {
        let new = change(self.members.get(member_id).cloned());
        Overwritten::Member(Arc::clone(member_id), self.set_member(member_id, new))
    }

    fn set_member(&mut self, member_id: &Arc<str>, new: Option<Member>) -> Option<Member> {
        let old = self.members.remove(member_id);
        if let Some(old) = &old {
            self.index.remove(member_id, old);
        }
        if let Some(new) = new {
            self.index.add(member_id, &new);
            self.members.insert(Arc::clone(member_id), new);
        }
        old
    }

    fn set_target(
        &mut self,
        member_id: &Arc<str>,
        new: Option<Arc<PartitionsByTopic>>,
    ) -> Option<Arc<PartitionsByTopic>> {
        match new {
            Some(new) => self.targets.insert(Arc::clone(member_id), new),
            None => self.targets.remove(member_id),
        }
    }

    fn set_resolved(&mut self, regex: &Arc<str>, new: Option<Arc<Resolved>>) -> Option<Arc<Resolved>> {
        let old = self.resolved.remove(regex);
        if let Some(old) = &old {
            self.index.remove_resolved(&old.topics);
        }
        if let Some(new) = new {
            self.index.add_resolved(&new.topics);
            self.resolved.insert(Arc::clone(regex), new);
        }
        old
    }

    /// True without members.
    pub(in crate::group) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member of that instance id.
    pub(super) fn static_member(&self, instance_id: &Arc<str>) -> Option<(&Arc<str>, &Member)> {
        self.members.get_key_value(self.index.static_member(instance_id)?)
    }

    /// Where the group is.
    pub(super) fn state(&self) -> GroupState {
        if self.members.is_empty() {
            GroupState::Empty
        } else if self.epoch > self.target.epoch {
            GroupState::Assigning
        } else if self.members.values().all(|member| member.current.is_reconciled_to(self.target.epoch)) {
            GroupState::Stable
        } else {
            GroupState::Reconciling
        }
    }

    /// What a member reads: the topics that it names and those that its expression matched.
    pub(super) fn topics_of<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a Arc<str>> + 'a {
        let resolved = member.regex().and_then(|regex| self.resolved.get(regex));
        let by_regex = resolved.into_iter().flat_map(|resolved| &resolved.topics);
        member.metadata.topics.iter().chain(by_regex)
    }

    /// True when a member names the topic, or an expression matched it (`isSubscribedToTopic`).
    pub(in crate::group) fn is_subscribed_to(&self, topic: &str) -> bool {
        self.index.topics.contains_key(topic)
    }
}

/// The assignment of a member that the log has none of.
fn gone() -> Current {
    Current { epoch: LEAVE_EPOCH, previous_epoch: LEAVE_EPOCH, ..Current::default() }
}
