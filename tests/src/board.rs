//! Where results are posted by the runs of the programs and awaited by the trials.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::message::Outcome;

/// How one scenario of one client stands when nothing more will happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The program reported it.
    Reported {
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        duration: Duration,
    },
    /// There is no report and will be none; the text says why.
    Missing(String),
    /// It was not tried, since this machine lacks the client's toolchain; the text says what.
    Skipped(String),
}

/// The results so far. A result is posted once and never changes.
#[derive(Debug, Default)]
pub struct Board {
    standings: Mutex<HashMap<(String, String), Standing>>,
    changed: Condvar,
}

impl Board {
    /// Posts a result, unless there is one for this client and scenario already.
    pub fn post(&self, client: &str, scenario: &str, standing: Standing) {
        self.lock().entry((client.to_owned(), scenario.to_owned())).or_insert(standing);
        self.changed.notify_all();
    }

    /// Waits until there is a result for this client and scenario.
    #[must_use]
    pub fn wait(&self, client: &str, scenario: &str) -> Standing {
        let key = (client.to_owned(), scenario.to_owned());
        let mut standings = self.lock();
        loop {
            if let Some(standing) = standings.get(&key) {
                return standing.clone();
            }
            standings = self.changed.wait(standings).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The result for this client and scenario, when there is one.
    #[must_use]
    pub fn get(&self, client: &str, scenario: &str) -> Option<Standing> {
        self.lock().get(&(client.to_owned(), scenario.to_owned())).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_waits_sees_the_first_post() {
        let board = Board::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| board.wait("sarama", "one"));
            board.post("sarama", "two", Standing::Skipped("other".into()));
            board.post("sarama", "one", Standing::Missing("first".into()));
            board.post("sarama", "one", Standing::Missing("second".into()));
            assert_eq!(waiting.join().unwrap(), Standing::Missing("first".into()));
        });
        assert_eq!(board.get("sarama", "three"), None);
    }
}
