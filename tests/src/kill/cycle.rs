//! When the kill of a cycle comes.

use std::time::Duration;

use crate::load::Random;

/// A kill under load comes so many milliseconds after the broker was ready.
pub const KILL_AFTER_MS: std::ops::RangeInclusive<u64> = 5..=800;

/// After a kill during the start, the next one comes during the start too, once in so many times: recovery meets what a
/// recovery that was killed has left.
const DURING_START_AGAIN_ONCE_IN: u64 = 2;

/// Of 20 cycles, so many are killed while the broker starts, and so many only once it serves everybody.
const OF: u64 = 20;
const DURING_START: u64 = 5;
const CALM: u64 = 2;

/// How a cycle ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cycle {
    /// The kill comes so long after the start of the process, most often before it serves.
    DuringStart(Duration),
    /// The kill comes so long after the broker was ready.
    UnderLoad(Duration),
    /// The kill comes once every client was served.
    Calm,
}

impl Cycle {
    /// The cycle after this one, when a start took `start` at last.
    #[must_use]
    pub fn next(self, random: &mut Random, start: Duration) -> Self {
        let kind = random.below(OF);
        let again = matches!(self, Self::DuringStart(_)) && random.once_in(DURING_START_AGAIN_ONCE_IN);
        if again || kind < DURING_START {
            let start = u64::try_from(start.as_micros()).unwrap_or(u64::MAX);
            // A little later, too, when the first clients come.
            return Self::DuringStart(Duration::from_micros(random.below(start.saturating_add(start / 4))));
        }
        if kind < DURING_START + CALM {
            return Self::Calm;
        }
        let span = KILL_AFTER_MS.end().saturating_sub(*KILL_AFTER_MS.start()).saturating_mul(1000);
        let after = KILL_AFTER_MS.start().saturating_mul(1000).saturating_add(random.below(span));
        Self::UnderLoad(Duration::from_micros(after))
    }
}
