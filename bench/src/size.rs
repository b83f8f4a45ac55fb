//! How much is measured.

use std::time::Duration;

/// The size of every load of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What the published figures are measured with.
    Full,
    /// A quarter, for somebody who waits for it.
    Quick,
    /// So little that it only shows that everything works.
    Smoke,
    /// What a broker gets unmeasured before it counts as warm, again and again.
    WarmUp,
}

impl Size {
    /// The part of the full size.
    #[must_use]
    pub fn part(self) -> f64 {
        match self {
            Self::Full => 1.0,
            Self::Quick | Self::WarmUp => 0.25,
            Self::Smoke => 0.002,
        }
    }

    /// So many things or bytes at this size, at least as many as given.
    #[must_use]
    pub fn count(self, full: u64, least: u64) -> u64 {
        // A float that is cast to an integer saturates, so any product will do.
        ((full as f64 * self.part()).round() as u64).max(least)
    }

    /// A time at this size, at least 50 ms.
    #[must_use]
    pub fn time(self, full: Duration) -> Duration {
        full.mul_f64(self.part()).max(Duration::from_millis(50))
    }

    /// How long a virtual machine gets load before it counts as warm.
    #[must_use]
    pub fn warm_up(self) -> Duration {
        match self {
            Self::Full => Duration::from_secs(20),
            Self::Quick => Duration::from_secs(10),
            Self::Smoke | Self::WarmUp => Duration::ZERO,
        }
    }

    /// Its name in raw results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Quick => "quick",
            Self::Smoke => "smoke",
            Self::WarmUp => "warm-up",
        }
    }
}
