//! When which group has something due.

use std::collections::BTreeSet;
use std::sync::Arc;

use ottla_model::Monotonic;

/// One entry a group, at or before its earliest deadline.
///
/// Nearly every deadline moves away before it comes, with each heartbeat and each commit. So an entry is only ever
/// brought forward; one that comes too early costs a look at the group's members, about once a session timeout, while
/// a heartbeat costs no change here at all.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    queue: BTreeSet<(Monotonic, Arc<str>)>,
}

impl Wakes {
    /// Sees to it that the group wakes at `soonest` or before. `wake` is the group's entry.
    pub(super) fn bring_forward(
        &mut self,
        group_id: &Arc<str>,
        wake: &mut Option<Monotonic>,
        soonest: Option<Monotonic>,
    ) {
        let Some(soonest) = soonest else { return };
        match *wake {
            Some(present) if present <= soonest => return,
            Some(present) => self.remove(group_id, Some(present)),
            None => {}
        }
        self.queue.insert((soonest, Arc::clone(group_id)));
        *wake = Some(soonest);
    }

    /// Forgets a group's entry.
    pub(super) fn remove(&mut self, group_id: &Arc<str>, wake: Option<Monotonic>) {
        if let Some(wake) = wake {
            self.queue.remove(&(wake, Arc::clone(group_id)));
        }
    }

    /// The earliest entry.
    pub(super) fn first(&self) -> Option<Monotonic> {
        self.queue.first().map(|(at, _)| *at)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Takes the entries that are due, in their order.
    pub(super) fn take_due(&mut self, now: Monotonic) -> Vec<Arc<str>> {
        let mut due = Vec::new();
        while self.first().is_some_and(|at| at <= now) {
            due.extend(self.queue.pop_first().map(|(_, group_id)| group_id));
        }
        due
    }
}
