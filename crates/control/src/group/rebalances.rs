//! The rebalances of groups: how many there were, and those of consumer groups that are under way. Soft state: a
//! restart begins anew.

use std::collections::HashMap;
use std::sync::Arc;

use ottla_model::Monotonic;

use super::events::{Assignments, GroupEvent, Happening, RebalanceCounts, RebalanceReason};

/// The rebalances of all groups of a partition. A group that never rebalanced has no place here.
#[derive(Debug, Default)]
pub(super) struct Rebalances {
    groups: HashMap<Arc<str>, GroupRebalances>,
}

#[derive(Debug, Default)]
struct GroupRebalances {
    counts: RebalanceCounts,
    under_way: Option<UnderWay>,
}

/// A rebalance of a consumer group, from the epoch that began it until every member has what it shall have. Classic
/// groups keep theirs themselves.
#[derive(Debug)]
pub(super) struct UnderWay {
    /// When it began.
    pub(super) since: Monotonic,
    /// Who had what then, unless that was too large to be kept.
    pub(super) before: Option<Arc<Assignments>>,
}

impl Rebalances {
    /// Counts what an event tells, and forgets groups that are deleted.
    pub(super) fn learn(&mut self, group_id: &Arc<str>, event: &GroupEvent) {
        match &event.what {
            Happening::RebalanceStarted(trigger) => self.count(group_id, trigger.reason),
            Happening::Deleted { .. } => self.forget(group_id),
            _ => {}
        }
    }

    fn count(&mut self, group_id: &Arc<str>, reason: RebalanceReason) {
        self.groups.entry(Arc::clone(group_id)).or_default().counts.add(reason);
    }

    /// Forgets a group that is no more.
    pub(super) fn forget(&mut self, group_id: &str) {
        self.groups.remove(group_id);
    }

    /// How often a group has rebalanced, whichever kinds of group it has been.
    pub(super) fn counts(&self, group_id: &str) -> RebalanceCounts {
        self.groups.get(group_id).map(|group| group.counts).unwrap_or_default()
    }

    /// The counts of all groups that have rebalanced.
    pub(super) fn all_counts(&self) -> impl Iterator<Item = (&Arc<str>, &RebalanceCounts)> {
        self.groups.iter().map(|(group_id, group)| (group_id, &group.counts))
    }

    /// A rebalance of a consumer group begins, unless one is under way that has now become longer.
    pub(super) fn begin(&mut self, group_id: &Arc<str>, under_way: impl FnOnce() -> UnderWay) {
        self.groups.entry(Arc::clone(group_id)).or_default().under_way.get_or_insert_with(under_way);
    }

    /// Ends the rebalance that is under way.
    pub(super) fn end(&mut self, group_id: &str) -> Option<UnderWay> {
        self.groups.get_mut(group_id)?.under_way.take()
    }

    #[cfg(test)]
    pub(super) fn group_ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.groups.keys()
    }
}
