//! When which transactional id has something due.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ottla_model::Monotonic;

/// One entry an id, at or before the moment when something of it is due.
///
/// Nearly every moment moves away before it comes, with each transaction. So an entry is only ever brought forward; one
/// that comes too early costs a look at the id.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    queue: BTreeSet<(Monotonic, Arc<str>)>,
    wakes: HashMap<Arc<str>, Monotonic>,
}

impl Schedule {
    /// Sees to it that the id is looked at, at `moment` or before.
    pub(super) fn bring_forward(&mut self, transactional_id: &Arc<str>, moment: Monotonic) {
        match self.wakes.get_mut(transactional_id) {
            Some(present) if *present <= moment => return,
            Some(present) => {
                self.queue.remove(&(*present, Arc::clone(transactional_id)));
                *present = moment;
            }
            None => {
                self.wakes.insert(Arc::clone(transactional_id), moment);
            }
        }
        self.queue.insert((moment, Arc::clone(transactional_id)));
    }

    /// The earliest entry.
    pub(super) fn first(&self) -> Option<Monotonic> {
        self.queue.first().map(|(moment, _)| *moment)
    }

    /// Takes at most `max` entries that are due, in their order.
    pub(super) fn take_due(&mut self, now: Monotonic, max: usize) -> Vec<Arc<str>> {
        let mut due = Vec::new();
        while due.len() < max && self.first().is_some_and(|moment| moment <= now) {
            let Some((_, transactional_id)) = self.queue.pop_first() else { break };
            self.wakes.remove(&transactional_id);
            due.push(transactional_id);
        }
        due
    }

    #[cfg(test)]
    pub(super) fn contains(&self, transactional_id: &str) -> bool {
        self.wakes.contains_key(transactional_id)
    }
}
