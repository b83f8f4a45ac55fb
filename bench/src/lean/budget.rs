//! How much load there is to be, over all connections and threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After so many requests, or bytes where bytes are counted.
    Count(u64),
    /// After this time.
    Time(Duration),
}

/// What is left of a load.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU64,
    deadline: Option<Instant>,
}

impl Budget {
    /// Begins now.
    pub(super) fn new(until: Until) -> Self {
        match until {
            Until::Count(count) => Self { left: AtomicU64::new(count), deadline: None },
            Until::Time(time) => {
                Self { left: AtomicU64::new(u64::MAX), deadline: Some(Instant::now() + time) }
            }
        }
    }

    /// Whether there is anything left.
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Takes so much, or what is left; false when there is nothing left.
    pub(super) fn take(&self, count: u64) -> bool {
        if self.is_spent() {
            return false;
        }
        let taken = |left: u64| if left == 0 { None } else { Some(left.saturating_sub(count)) };
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }
}
