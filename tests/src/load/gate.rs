//! Tells threads to stop, and lets them pause without missing it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Open until it is closed.
#[derive(Debug, Default)]
pub struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// Closes it for good and wakes who pauses.
    pub fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pauses for this long, or until it is closed.
    pub fn pause(&self, duration: Duration) {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(closed, duration, |closed| !*closed));
    }
}
