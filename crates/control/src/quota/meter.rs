//! Measuring a rate over windows of time, and a bucket of tokens (`Rate` over `WindowedSum`, `TokenBucket`).

use std::collections::VecDeque;

use ottla_model::Monotonic;

/// Over how many windows of which length a rate is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// How many are kept, the one that is being filled included (`quota.window.num`).
    pub count: u32,
    /// How long each is, in milliseconds (`quota.window.size.seconds`).
    pub length_ms: u64,
}

impl Default for Windows {
    fn default() -> Self {
        Self { count: 11, length_ms: 1000 }
    }
}

impl Windows {
    fn span_ms(self) -> u64 {
        self.length_ms.saturating_mul(u64::from(self.count))
    }

    /// The time that a client can use up in advance, in seconds (`ClientQuotaManager.maxValueInQuotaWindow`).
    #[must_use]
    pub fn ahead_seconds(self) -> f64 {
        f64::from(self.count.saturating_sub(1)) * self.length_ms as f64 / 1000.0
    }
}

/// One window.
#[derive(Debug, Clone, Copy)]
struct Sample {
    begun_ms: u64,
    touched_ms: u64,
    sum: f64,
}

/// What was counted lately, and when.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    /// From the oldest on.
    samples: VecDeque<Sample>,
}

fn millis(now: Monotonic) -> u64 {
    u64::try_from(now.0.as_millis()).unwrap_or(u64::MAX)
}

impl Meter {
    /// Counts `amount` and gives the milliseconds that the client has to wait, so that its rate comes down to `bound` a
    /// second. A negative amount takes back what was counted.
    pub fn record(&mut self, windows: Windows, bound: f64, amount: f64, now: Monotonic) -> u64 {
        self.count(windows, amount, now);
        self.wait_ms(windows, bound, now)
    }

    /// Counts `amount`.
    pub fn count(&mut self, windows: Windows, amount: f64, now: Monotonic) {
        let now_ms = millis(now);
        let is_full = |sample: &Sample| now_ms.saturating_sub(sample.begun_ms) >= windows.length_ms;
        if self.samples.back().is_none_or(is_full) {
            self.samples.push_back(Sample { begun_ms: now_ms, touched_ms: now_ms, sum: 0.0 });
        }
        if let Some(last) = self.samples.back_mut() {
            last.sum += amount;
            last.touched_ms = now_ms;
        }
        // Kafka keeps one more than it takes the rate over.
        while self.samples.len() > usize::try_from(windows.count).unwrap_or(usize::MAX).saturating_add(1) {
            self.samples.pop_front();
        }
    }

    /// The rate, a second (`Rate.measure`).
    pub fn rate(&mut self, windows: Windows, now: Monotonic) -> f64 {
        let window_ms = self.window_ms(windows, now);
        self.samples.iter().map(|sample| sample.sum).sum::<f64>() * 1000.0 / window_ms
    }

    /// The time over which the rate is taken, in milliseconds. It begins with the oldest sample, and is never shorter than
    /// all windows but one, so that a burst at the beginning is no high rate (`Rate.windowSize`).
    fn window_ms(&mut self, windows: Windows, now: Monotonic) -> f64 {
        let now_ms = millis(now);
        self.samples.retain(|sample| now_ms.saturating_sub(sample.touched_ms) < windows.span_ms());
        let oldest = self.samples.front().map_or(now_ms, |sample| sample.begun_ms);
        let mut elapsed_ms = now_ms.saturating_sub(oldest);
        let full = elapsed_ms.checked_div(windows.length_ms).unwrap_or(0);
        let missing = u64::from(windows.count.saturating_sub(1)).saturating_sub(full);
        elapsed_ms = elapsed_ms.saturating_add(missing.saturating_mul(windows.length_ms));
        elapsed_ms.max(1) as f64
    }

    /// How long the rate takes to come down to `bound` when nothing is added (`QuotaUtils.throttleTime`).
    fn wait_ms(&mut self, windows: Windows, bound: f64, now: Monotonic) -> u64 {
        let rate = self.rate(windows, now);
        if rate <= bound {
            return 0;
        }
        let wait_ms = (rate - bound) / bound * self.window_ms(windows, now);
        // A float that does not fit becomes the largest number.
        wait_ms.round() as u64
    }

    /// True when nothing of it counts any more.
    #[must_use]
    pub fn is_idle(&self, windows: Windows, now: Monotonic) -> bool {
        let now_ms = millis(now);
        self.samples.iter().all(|sample| now_ms.saturating_sub(sample.touched_ms) >= windows.span_ms())
    }
}

/// Tokens that come back at a rate, up to a full bucket. Who finds it in debt waits; whoever does not may take as many as
/// it wants (KIP-599).
#[derive(Debug, Clone, Default)]
pub struct TokenBucket {
    tokens: f64,
    /// Nothing for a bucket that nobody has used, which is full.
    filled: Option<u64>,
}

impl TokenBucket {
    /// Takes `amount` tokens, or gives the milliseconds after which there are some again. `bound` comes back a second.
    ///
    /// # Errors
    /// The milliseconds.
    pub fn take(&mut self, windows: Windows, bound: f64, amount: f64, now: Monotonic) -> Result<(), u64> {
        let burst = self.fill(windows, bound, now);
        if self.tokens < 0.0 {
            return Err(self.wait_ms(bound));
        }
        self.tokens = (self.tokens - amount).min(burst);
        Ok(())
    }

    /// Takes `amount` tokens in any case, and gives the milliseconds after which there are some again.
    pub fn owe(&mut self, windows: Windows, bound: f64, amount: f64, now: Monotonic) -> u64 {
        let burst = self.fill(windows, bound, now);
        self.tokens = (self.tokens - amount).min(burst);
        if self.tokens < 0.0 { self.wait_ms(bound) } else { 0 }
    }

    fn wait_ms(&self, bound: f64) -> u64 {
        (-self.tokens / bound * 1000.0).round() as u64
    }

    /// Adds the tokens that have come back, and gives how many fit.
    fn fill(&mut self, windows: Windows, bound: f64, now: Monotonic) -> f64 {
        let now_ms = millis(now);
        let burst = windows.span_ms() as f64 / 1000.0 * bound;
        let back = self.filled.map_or(burst, |before| now_ms.saturating_sub(before) as f64 / 1000.0 * bound);
        self.tokens = (self.tokens + back).min(burst);
        self.filled = Some(now_ms);
        burst
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const WINDOWS: Windows = Windows { count: 11, length_ms: 1000 };

    fn at(ms: u64) -> Monotonic {
        Monotonic(Duration::from_millis(ms))
    }

    /// The numbers of Kafka's `ClientQuotaManagerTest.testQuotaViolation`: ten windows of one second.
    #[test]
    fn waits_are_kafkas() {
        let mut meter = Meter::default();
        let mut now = 0;
        for _ in 0..10 {
            assert_eq!(meter.record(WINDOWS, 500.0, 400.0, at(now)), 0);
            now += 1000;
        }
        now += 500;
        assert_eq!(meter.record(WINDOWS, 500.0, 2300.0, at(now)), 2100);
        now += 2100;
        // Ten quiet seconds later the spike no longer counts.
        for _ in 0..10 {
            meter.count(WINDOWS, 400.0, at(now));
            now += 1000;
        }
        assert_eq!(meter.record(WINDOWS, 500.0, 0.0, at(now)), 0);
        assert!(meter.rate(WINDOWS, at(now)) <= 500.0);
    }

    #[test]
    fn a_burst_counts_over_all_windows() {
        let mut meter = Meter::default();
        // 10 seconds' worth at once is allowed, as there are ten windows before the one that is filled.
        assert_eq!(meter.record(WINDOWS, 100.0, 1000.0, at(5)), 0);
        // Another second's worth is one second too much.
        assert_eq!(meter.record(WINDOWS, 100.0, 100.0, at(5)), 1000);
        assert_eq!(meter.record(WINDOWS, 100.0, -1100.0, at(6)), 0, "what was taken back does not count");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut meter = Meter::default();
        meter.count(WINDOWS, 1e6, at(0));
        assert!(!meter.is_idle(WINDOWS, at(10_999)));
        assert!(meter.is_idle(WINDOWS, at(11_000)));
        assert_eq!(meter.record(WINDOWS, 1.0, 0.0, at(11_000)), 0);
    }

    #[test]
    fn who_waits_as_told_keeps_to_the_bound() {
        let mut meter = Meter::default();
        let (mut now, mut sent) = (0_u64, 0.0);
        while now < 600_000 {
            sent += 700.0;
            now += meter.record(WINDOWS, 1000.0, 700.0, at(now)).max(1);
        }
        let rate = sent / 600.0;
        assert!((980.0..=1020.0).contains(&rate), "{rate}");
    }

    #[test]
    fn samples_are_bounded() {
        let mut meter = Meter::default();
        for second in 0..100 {
            meter.count(WINDOWS, 1.0, at(second * 1000));
        }
        assert_eq!(meter.samples.len(), 12);
    }

    #[test]
    fn tokens_come_back() {
        let mut bucket = TokenBucket::default();
        // Full at first: 11 seconds' worth, and one may go into debt.
        assert_eq!(bucket.take(WINDOWS, 2.0, 30.0, at(0)), Ok(()));
        assert_eq!(bucket.take(WINDOWS, 2.0, 1.0, at(0)), Err(4000));
        assert_eq!(bucket.take(WINDOWS, 2.0, 1.0, at(3999)), Err(1));
        assert_eq!(bucket.take(WINDOWS, 2.0, 1.0, at(4000)), Ok(()));
        assert_eq!(bucket.take(WINDOWS, 2.0, 1.0, at(4000)), Err(500));
        assert_eq!(bucket.owe(WINDOWS, 2.0, 3.0, at(4000)), 2000);
        assert_eq!(bucket.owe(WINDOWS, 2.0, 1.0, at(9000)), 0);
    }
}
