//! When records are due: an open loop, which does not wait for anybody.

use std::time::{Duration, Instant};

/// So many records at even distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// When the first is due.
    pub start: Instant,
    /// Records a second.
    pub rate: f64,
    /// How many there are.
    pub count: u64,
    /// How many of them come before latencies count.
    pub lead_in: u64,
}

impl Schedule {
    /// When a record is due, by its number from 0 on.
    #[must_use]
    pub fn due(&self, number: u64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / self.rate)
    }

    /// How many records are due until now.
    #[must_use]
    pub fn due_until(&self, now: Instant) -> u64 {
        let Some(elapsed) = now.checked_duration_since(self.start) else { return 0 };
        // A float that is cast to an integer saturates.
        let passed = (elapsed.as_secs_f64() * self.rate).floor() as u64;
        passed.saturating_add(1).min(self.count)
    }

    /// How late a record is now, if that counts.
    pub(super) fn late(&self, number: u64, now: Instant) -> Option<Duration> {
        (number >= self.lead_in).then(|| now.saturating_duration_since(self.due(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_due_at_even_distances() {
        let start = Instant::now();
        let schedule = Schedule { start, rate: 100.0, count: 50, lead_in: 10 };
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(schedule.due(5), after(50));
        let due: Vec<u64> = [0, 5, 15, 5000].map(after).map(|now| schedule.due_until(now)).to_vec();
        assert_eq!(due, [1, 1, 2, 50]);
        assert_eq!(schedule.due_until(start - Duration::from_millis(1)), 0);
        assert_eq!(schedule.late(20, after(230)), Some(Duration::from_millis(30)));
        assert_eq!(schedule.late(9, after(230)), None);
    }
}
