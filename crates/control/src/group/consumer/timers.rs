//! What a consumer group has due: the soft half of all of them.
//!
//! It is kept apart from the groups, as in Kafka, since a member's timers are set by the call that asks for its first
//! record, before the group may be there. A timer of a member that does not come to be finds nobody when it fires.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ottla_model::Monotonic;

use crate::group::wakes::Wakes;

/// A member's time for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::group) enum Timer {
    /// To show that it lives.
    Session,
    /// To give partitions back.
    Rebalance,
    /// To join again, of a classic member that was told to.
    Join,
    /// To ask for its assignment, of a classic member that has joined.
    Sync,
}

/// The metadata that a group was last compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) struct Refreshed {
    /// Version of the topics' image.
    pub(in crate::group) version: i64,
    /// The group's epoch after that. One that is lower now means that the record of it was lost.
    pub(in crate::group) epoch: i32,
}

/// What is due of one group.
#[derive(Debug, Default)]
pub(in crate::group) struct Due {
    /// Whose time is up, the earliest first.
    pub(in crate::group) members: Vec<(Monotonic, Timer, Arc<str>)>,
    /// Expressions to resolve.
    pub(in crate::group) regexes: BTreeSet<Arc<str>>,
}

/// The soft state of all consumer groups.
#[derive(Debug, Default)]
pub(in crate::group) struct Timers {
    groups: HashMap<Arc<str>, GroupTimers>,
    wakes: Wakes,
}

#[derive(Debug, Default)]
struct GroupTimers {
    members: BTreeMap<Arc<str>, BTreeMap<Timer, Monotonic>>,
    refreshed: Option<Refreshed>,
    /// Expressions that the next tick resolves.
    regexes: BTreeSet<Arc<str>>,
    wake: Option<Monotonic>,
}

impl Timers {
    /// Starts a timer, or starts it anew. Costs no change of the queue when it moves away, as most do.
    pub(super) fn set(&mut self, group_id: &Arc<str>, member_id: &Arc<str>, timer: Timer, at: Monotonic) {
        let group = self.groups.entry(Arc::clone(group_id)).or_default();
        group.members.entry(Arc::clone(member_id)).or_default().insert(timer, at);
        self.wakes.bring_forward(group_id, &mut group.wake, Some(at));
    }

    /// Starts a timer that does not run yet.
    pub(super) fn set_if_absent(
        &mut self,
        group_id: &Arc<str>,
        member_id: &Arc<str>,
        timer: Timer,
        at: Monotonic,
    ) {
        if !self.runs(group_id, member_id, timer) {
            self.set(group_id, member_id, timer, at);
        }
    }

    /// True while the timer runs.
    pub(super) fn runs(&self, group_id: &str, member_id: &str, timer: Timer) -> bool {
        let member = self.groups.get(group_id).and_then(|group| group.members.get(member_id));
        member.is_some_and(|timers| timers.contains_key(&timer))
    }

    /// Stops a timer.
    pub(super) fn cancel(&mut self, group_id: &str, member_id: &str, timer: Timer) {
        let Some(group) = self.groups.get_mut(group_id) else { return };
        if let Some(timers) = group.members.get_mut(member_id) {
            timers.remove(&timer);
            if timers.is_empty() {
                group.members.remove(member_id);
            }
        }
    }

    /// Stops all timers of a member.
    pub(super) fn cancel_member(&mut self, group_id: &str, member_id: &str) {
        if let Some(group) = self.groups.get_mut(group_id) {
            group.members.remove(member_id);
        }
    }

    /// Forgets a group.
    pub(in crate::group) fn forget(&mut self, group_id: &Arc<str>) {
        if let Some(group) = self.groups.remove(group_id) {
            self.wakes.remove(group_id, group.wake);
        }
    }

    /// The metadata that the group was last compared with.
    pub(super) fn refreshed(&self, group_id: &str) -> Option<Refreshed> {
        self.groups.get(group_id)?.refreshed
    }

    /// Remembers the metadata that the group was compared with.
    pub(super) fn set_refreshed(&mut self, group_id: &Arc<str>, refreshed: Refreshed) {
        // A group without timers has no place here, which somebody would have to take away again.
        if let Some(group) = self.groups.get_mut(group_id) {
            group.refreshed = Some(refreshed);
        }
    }

    /// Has the next tick resolve expressions, which is at once.
    pub(super) fn resolve(&mut self, group_id: &Arc<str>, regexes: BTreeSet<Arc<str>>, now: Monotonic) {
        let group = self.groups.entry(Arc::clone(group_id)).or_default();
        group.regexes = regexes;
        self.wakes.bring_forward(group_id, &mut group.wake, Some(now));
    }

    /// True while expressions are to be resolved.
    pub(super) fn is_resolving(&self, group_id: &str) -> bool {
        self.groups.get(group_id).is_some_and(|group| !group.regexes.is_empty())
    }

    /// The earliest moment at which something may be due.
    pub(in crate::group) fn first(&self) -> Option<Monotonic> {
        self.wakes.first()
    }

    /// Takes what is due, and stops those timers.
    pub(in crate::group) fn take_due(&mut self, now: Monotonic) -> Vec<(Arc<str>, Due)> {
        let mut taken = Vec::new();
        for group_id in self.wakes.take_due(now) {
            let Some(group) = self.groups.get_mut(&group_id) else { continue };
            let due = group.take_due(now);
            let soonest = group.members.values().flat_map(BTreeMap::values).min().copied();
            match soonest {
                Some(_) => self.wakes.bring_forward(&group_id, &mut group.wake, soonest),
                None => drop(self.groups.remove(&group_id)),
            }
            taken.push((group_id, due));
        }
        taken
    }
}

impl GroupTimers {
    fn take_due(&mut self, now: Monotonic) -> Due {
        self.wake = None;
        let mut due = Due { members: Vec::new(), regexes: std::mem::take(&mut self.regexes) };
        self.members.retain(|member_id, timers| {
            timers.retain(|timer, at| {
                if *at <= now {
                    due.members.push((*at, *timer, Arc::clone(member_id)));
                }
                *at > now
            });
            !timers.is_empty()
        });
        due.members.sort_unstable();
        due
    }
}
