//! What every member has, and whether that makes a stable group.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// What a member says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Said {
    /// The generation or epoch; 0 before the first.
    epoch: i32,
    partitions: Vec<i32>,
}

#[derive(Debug)]
struct State {
    /// By place; nothing of those who are gone.
    said: Vec<Option<Said>>,
    /// When a member last said something new.
    changed: Instant,
    problem: Option<Problem>,
}

/// Where members say what they have.
#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<State>,
    change: Condvar,
    partitions: i32,
}

impl Board {
    pub(super) fn new(members: usize, partitions: i32) -> Self {
        let said = vec![Some(Said::default()); members];
        let state = State { said, changed: Instant::now(), problem: None };
        Self { state: Mutex::new(state), change: Condvar::new(), partitions }
    }

    /// A member has these partitions from now on.
    pub(super) fn say(&self, place: usize, epoch: i32, partitions: Vec<i32>) {
        let mut state = self.state();
        let said = Said { epoch, partitions };
        if let Some(Some(before)) = state.said.get_mut(place)
            && *before != said
        {
            *before = said;
            state.changed = Instant::now();
            self.change.notify_all();
        }
    }

    /// A member is gone, and has nothing any more.
    pub(super) fn forget(&self, place: usize) {
        if let Some(said) = self.state().said.get_mut(place) {
            *said = None;
        }
    }

    /// True for a member that is not gone.
    pub(super) fn knows(&self, place: usize) -> bool {
        matches!(self.state().said.get(place), Some(Some(_)))
    }

    /// A member can not go on.
    pub(super) fn fail(&self, problem: &Problem) {
        self.state().problem.get_or_insert_with(|| problem.clone());
        self.change.notify_all();
    }

    /// Waits until all have the same epoch, fair shares, and together every partition once. Gives the time of the last change.
    pub(super) fn wait_until_stable(&self, limit: Duration) -> Result<Instant, Problem> {
        let mut state = self.state();
        let deadline = Instant::now() + limit;
        loop {
            if let Some(problem) = &state.problem {
                return Err(problem.clone());
            }
            if state.is_stable(self.partitions) {
                return Ok(state.changed);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Problem::new(format!("the group was not stable within {limit:?}")));
            }
            state = self.change.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_stable(&self, partitions: i32) -> bool {
        let mut members = self.said.iter().flatten();
        let Some(first) = members.next() else { return false };
        if first.epoch == 0 || members.any(|member| member.epoch != first.epoch) {
            return false;
        }
        // Who has come last may have to wait for a fair share.
        let members = i32::try_from(self.said.iter().flatten().count()).unwrap_or(i32::MAX);
        let least = usize::try_from(partitions / members.max(1)).unwrap_or_default();
        let fair = least..=least.saturating_add(1);
        if !self.said.iter().flatten().all(|member| fair.contains(&member.partitions.len())) {
            return false;
        }
        let mut all: Vec<i32> =
            self.said.iter().flatten().flat_map(|member| member.partitions.iter().copied()).collect();
        all.sort_unstable();
        all.into_iter().eq(0..partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_stable_when_all_agree_and_share_fairly_and_nothing_is_missing_or_doubled() {
        let board = Board::new(2, 2);
        let stable = || board.state().is_stable(2);
        board.say(0, 1, vec![0, 1]);
        assert!(!stable());
        board.say(1, 2, vec![1]);
        board.say(0, 2, vec![0, 1]);
        assert!(!stable());
        board.say(1, 2, vec![]);
        assert!(!stable());
        board.say(0, 2, vec![0]);
        board.say(1, 2, vec![1]);
        assert!(stable());
        board.forget(1);
        assert!(!stable());
        board.say(0, 3, vec![1, 0]);
        assert!(stable() && board.wait_until_stable(Duration::ZERO).is_ok());
    }
}
