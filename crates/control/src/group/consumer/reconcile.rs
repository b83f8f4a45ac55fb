//! One step of a member towards its target (`CurrentAssignmentBuilder`).
//!
//! The rule that the whole protocol is for: a partition goes to a member only when nobody else has it. So a member
//! first gives back what it shall not have, then takes what is free, then waits for the rest.

use std::collections::{BTreeMap, BTreeSet};

use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use super::member::{Current, MemberState, Owned};
use super::refusal::Refusal;
use crate::group::assignor::PartitionsByTopic;

/// What a step depends on.
pub(super) struct Step<'a, S, O> {
    /// What the member has.
    pub(super) current: &'a Current,
    pub(super) target_epoch: i32,
    /// What it shall have at that epoch.
    pub(super) target: &'a PartitionsByTopic,
    /// Whether the member has just changed what it reads.
    pub(super) has_subscription_changed: bool,
    /// Tells whether the member reads a topic. What it does not read any more is taken back at once, before there is
    /// a new target.
    pub(super) is_subscribed: S,
    /// Tells whether anybody has a partition.
    pub(super) is_owned: O,
    /// The partitions that the member says it has, if it says so.
    pub(super) reported: Option<&'a [(TopicId, Vec<PartitionIndex>)]>,
}

/// How the partitions of a target divide.
#[derive(Default)]
struct Parts {
    kept: Owned,
    to_revoke: Owned,
    /// Those that are free, for the member to take.
    to_take: PartitionsByTopic,
    /// Whether there are others, which somebody else still has.
    waits: bool,
}

impl<S, O> Step<'_, S, O>
where
    S: Fn(TopicId) -> bool,
    O: Fn(TopicId, PartitionIndex) -> bool,
{
    /// What the member has after the step, which may be what it had.
    pub(super) fn take(&self) -> Result<Current, Refusal> {
        let current = self.current;
        match current.state {
            MemberState::Stable if current.epoch != self.target_epoch => Ok(self.next(current.epoch)),
            MemberState::Stable => Ok(self.after_subscription_change()),
            MemberState::UnrevokedPartitions if self.has_any(&current.revoking) => {
                Ok(self.after_subscription_change())
            }
            MemberState::UnrevokedPartitions | MemberState::UnreleasedPartitions => {
                Ok(self.next(current.epoch))
            }
            MemberState::Unknown => {
                if self.reported.is_none_or(|reported| !reported.is_empty()) {
                    return Err(Refusal::new(
                        ErrorCode::FencedMemberEpoch,
                        "The consumer group member is in a unknown state. The member must abandon all its \
                         partitions and rejoin.",
                    ));
                }
                Ok(self.next(self.target_epoch))
            }
        }
    }

    /// True when the member may still have one of `partitions`. It does until it says otherwise.
    fn has_any(&self, partitions: &Owned) -> bool {
        let Some(reported) = self.reported else { return true };
        reported.iter().any(|(topic_id, indexes)| {
            let known = partitions.get(topic_id);
            known.is_some_and(|known| indexes.iter().any(|index| known.contains_key(index)))
        })
    }

    /// Takes back what the member has just ceased to read (`updateCurrentAssignment`).
    fn after_subscription_change(&self) -> Current {
        let current = self.current;
        if !self.has_subscription_changed {
            return current.clone();
        }
        let mut assigned = current.assigned.clone();
        let mut revoking = current.revoking.clone();
        for (topic_id, partitions) in &current.assigned {
            if !(self.is_subscribed)(*topic_id) {
                assigned.remove(topic_id);
                revoking.entry(*topic_id).or_default().extend(partitions);
            }
        }
        if assigned.len() == current.assigned.len() {
            return current.clone();
        }
        let (epoch, previous_epoch) = (current.epoch, current.epoch);
        if self.has_any(&revoking) {
            let state = MemberState::UnrevokedPartitions;
            return Current { epoch, previous_epoch, state, assigned, revoking };
        }
        Current { epoch, previous_epoch, assigned, ..current.clone() }
    }

    /// The next step to the target (`computeNextAssignment`). `epoch` is the member's while it still has to give
    /// partitions back.
    fn next(&self, epoch: i32) -> Current {
        let parts = self.divide();
        let previous_epoch = self.current.epoch;
        if !parts.to_revoke.is_empty() && self.has_any(&parts.to_revoke) {
            let state = MemberState::UnrevokedPartitions;
            return Current { epoch, previous_epoch, state, assigned: parts.kept, revoking: parts.to_revoke };
        }
        let mut assigned = parts.kept;
        for (topic_id, partitions) in parts.to_take {
            let taken = partitions.into_iter().map(|partition| (partition, self.target_epoch));
            assigned.entry(topic_id).or_default().extend(taken);
        }
        let state = if parts.waits { MemberState::UnreleasedPartitions } else { MemberState::Stable };
        Current { epoch: self.target_epoch, previous_epoch, state, assigned, revoking: Owned::new() }
    }

    fn divide(&self) -> Parts {
        let (none, nothing) = (BTreeSet::new(), BTreeMap::new());
        let mut parts = Parts::default();
        let topic_ids: BTreeSet<&TopicId> = self.target.keys().chain(self.current.assigned.keys()).collect();
        for &topic_id in topic_ids {
            let target = match self.target.get(&topic_id) {
                Some(target) if (self.is_subscribed)(topic_id) => target,
                _ => &none,
            };
            let assigned = self.current.assigned.get(&topic_id).unwrap_or(&nothing);
            for (&partition, &epoch) in assigned {
                let part = if target.contains(&partition) { &mut parts.kept } else { &mut parts.to_revoke };
                part.entry(topic_id).or_default().insert(partition, epoch);
            }
            for &partition in target.iter().filter(|partition| !assigned.contains_key(partition)) {
                let is_its_own =
                    self.current.revoking.get(&topic_id).is_some_and(|own| own.contains_key(&partition));
                if is_its_own || !(self.is_owned)(topic_id, partition) {
                    parts.to_take.entry(topic_id).or_default().insert(partition);
                } else {
                    parts.waits = true;
                }
            }
        }
        parts
    }
}
