//! When a connection has been silent for too long.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Longer than any connection lives; a timer cannot be set to just any time.
const LIMIT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Fires when nothing has happened for a time. To move a timer costs more than a small request, so it is left where it is
/// while things happen, and moved when it fires too early.
#[derive(Debug)]
pub(super) struct IdleTimer {
    limit: Duration,
    touched: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl IdleTimer {
    /// Begins now.
    pub(super) fn new(limit: Duration) -> Self {
        let (limit, touched) = (limit.min(LIMIT_MAX), Instant::now());
        Self { limit, touched, sleep: Box::pin(sleep_until(touched + limit)) }
    }

    /// Something has happened.
    pub(super) fn touch(&mut self) {
        self.touched = Instant::now();
    }

    /// Waits until nothing has happened for long enough. May be dropped and called again.
    pub(super) async fn passed(&mut self) {
        loop {
            self.sleep.as_mut().await;
            let due = self.touched + self.limit;
            if Instant::now() >= due {
                return;
            }
            self.sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_event() {
        let begin = Instant::now();
        let mut timer = IdleTimer::new(Duration::from_secs(10));
        for _ in 0..3 {
            // Waiting is given up for an event each time.
            let early = tokio::time::timeout(Duration::from_secs(6), timer.passed()).await;
            assert!(early.is_err());
            timer.touch();
        }
        timer.passed().await;
        assert_eq!(begin.elapsed().as_secs(), 28);
        assert_eq!(IdleTimer::new(Duration::MAX).limit, LIMIT_MAX);
    }
}
