//! How long something is tried again.

use std::time::{Duration, Instant};

use crate::client::Problem;
use crate::progress::Progress;

/// The pauses between tries: the first, and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// After so long of trying in vain a person is told.
const SILENCE: Duration = Duration::from_secs(1);

/// How long something is tried.
#[derive(Debug)]
pub(crate) struct Patience {
    began: Instant,
    limit: Duration,
    pause: Duration,
    is_told: bool,
}

impl Patience {
    /// Begins now.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { began: Instant::now(), limit, pause: PAUSE_FIRST, is_told: false }
    }

    /// Pauses before the next try, or gives the problem back when it will not pass or has lasted too long.
    pub(crate) fn wait(&mut self, problem: Problem, progress: &Progress) -> Result<(), Problem> {
        if !problem.is_retriable() {
            return Err(problem);
        }
        let lasted = self.began.elapsed();
        if lasted >= self.limit {
            let seconds = self.limit.as_secs();
            return Err(Problem::Other(format!("{problem} (tried for {seconds} seconds)")));
        }
        if lasted >= SILENCE && !self.is_told {
            progress.tell(&format!("trying again: {problem}"));
            self.is_told = true;
        }
        std::thread::sleep(self.pause.min(self.limit));
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        Ok(())
    }
}
