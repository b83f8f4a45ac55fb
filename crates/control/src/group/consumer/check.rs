//! What must hold of a consumer group between any two calls.

use std::collections::BTreeMap;

use super::index::Index;
use super::member::{LEAVE_EPOCH, LEAVE_STATIC_EPOCH, MemberState};
use super::state::{ConsumerGroup, GroupState};
use super::timers::{Timer, Timers};

impl ConsumerGroup {
    /// True when every member has what it shall have, and the topics' partitions are all given out.
    pub(in crate::group) fn is_settled(&self, partitions: usize) -> bool {
        let given = self.members.values().map(|member| member.current.partitions().count()).sum::<usize>();
        self.state() == GroupState::Stable && given == partitions
    }

    /// Nobody has what another has, nobody is ahead of the target, and what is counted is right.
    pub(in crate::group) fn check(&self) {
        let mut owners = BTreeMap::new();
        let mut index = Index::default();
        for (member_id, member) in self.members.iter() {
            for partition in member.current.partitions() {
                let other = owners.insert(partition, member_id);
                assert_eq!(other, None, "{partition:?} of {member_id} has another owner");
            }
            let current = &member.current;
            assert!(current.epoch <= self.target.epoch, "{member_id} is ahead of its target");
            assert!(current.epoch != LEAVE_EPOCH, "{member_id} has no assignment");
            let must_revoke = current.state == MemberState::UnrevokedPartitions;
            assert!(current.revoking.is_empty() || must_revoke, "{member_id} gives back for nothing");
            let is_away = current.epoch == LEAVE_STATIC_EPOCH;
            assert!(
                !current.revoking.is_empty() || !must_revoke || is_away,
                "{member_id} gives nothing back"
            );
            let epochs =
                current.assigned.values().chain(current.revoking.values()).flat_map(BTreeMap::values);
            assert!(epochs.max() <= Some(&self.target.epoch), "{member_id} has of the future");
            index.add(member_id, member);
        }
        self.resolved.values().for_each(|resolved| index.add_resolved(&resolved.topics));
        assert_eq!(index, self.index);
        assert!(self.target.epoch <= self.epoch);
        let mut targets = BTreeMap::new();
        for (member_id, target) in self.targets.iter() {
            assert!(self.members.contains_key(member_id), "the target of {member_id} is nobody's");
            for (topic_id, partitions) in &**target {
                for partition in partitions {
                    assert_eq!(targets.insert((topic_id, partition), member_id), None, "two targets");
                }
            }
        }
    }
}

impl Timers {
    /// Every member would be missed.
    pub(in crate::group) fn check(&self, group_id: &str, group: &ConsumerGroup) {
        group.check();
        for (member_id, member) in group.members.iter() {
            assert!(self.runs(group_id, member_id, Timer::Session), "{member_id} would never expire");
            if member.must_revoke() {
                assert!(self.runs(group_id, member_id, Timer::Rebalance), "{member_id} may revoke for ever");
            }
        }
    }
}
