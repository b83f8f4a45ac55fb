//! Durations, counted by their size.

use std::time::Duration;

/// Buckets between a power of two and the next: a duration is known within 1/128 of itself.
const BUCKET_BITS: u32 = 7;
const BUCKETS_PER_POWER: u64 = 1 << BUCKET_BITS;

/// Counts durations in buckets of nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Histogram {
    /// The percentiles that tables and plots show: their names, and the parts of all that they are.
    pub const PARTS: [(&'static str, f64); 8] = [
        ("p10_ms", 0.1),
        ("p50_ms", 0.5),
        ("p90_ms", 0.9),
        ("p99_ms", 0.99),
        ("p99.9_ms", 0.999),
        ("p99.99_ms", 0.9999),
        ("p99.999_ms", 0.99999),
        ("max_ms", 1.0),
    ];

    /// Counts a duration.
    pub fn add(&mut self, duration: Duration) {
        let place = bucket(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        if place >= self.counts.len() {
            self.counts.resize(place.saturating_add(1), 0);
        }
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.longest = self.longest.max(duration);
    }

    /// Counts all that another one has.
    pub fn add_all(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.count = self.count.saturating_add(other.count);
        self.longest = self.longest.max(other.longest);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The duration that this part of all (in 0 to 1) did not exceed, in milliseconds, rounded up to the end of its bucket.
    #[must_use]
    pub fn at(&self, part: f64) -> f64 {
        // A float that is cast to an integer saturates.
        let rank = ((self.count as f64 * part).ceil() as u64).max(1);
        let mut seen = 0_u64;
        for (place, count) in self.counts.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return (bucket_end(place) as f64 / 1e6).min(self.longest.as_secs_f64() * 1e3);
            }
        }
        self.longest.as_secs_f64() * 1e3
    }
}

/// Below 128 each number has a bucket of its own, then each power of two has 128.
fn bucket(nanoseconds: u64) -> usize {
    let power = nanoseconds.checked_ilog2().unwrap_or_default().saturating_sub(BUCKET_BITS);
    let within = nanoseconds >> power;
    let place = u64::from(power).saturating_mul(BUCKETS_PER_POWER).saturating_add(within);
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The largest number of a bucket.
fn bucket_end(place: usize) -> u64 {
    let place = place as u64;
    let power = (place / BUCKETS_PER_POWER).saturating_sub(1);
    let within = place.saturating_sub(power.saturating_mul(BUCKETS_PER_POWER));
    within.saturating_add(1).saturating_mul(1 << power.min(63)).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lies_in_its_bucket() {
        let mut numbers: Vec<u64> =
            (0..40).flat_map(|bit| [1 << bit, (1 << bit) + 1, (3 << bit) - 1]).collect();
        numbers.sort_unstable();
        for number in numbers {
            let end = bucket_end(bucket(number));
            assert!(number <= end && end - number <= number / BUCKETS_PER_POWER, "{number}: {end}");
            assert_eq!(bucket(end), bucket(number));
            assert_eq!(bucket(end + 1), bucket(number) + 1);
        }
    }

    #[test]
    fn percentiles_are_found() {
        let mut histogram = Histogram::default();
        let mut other = Histogram::default();
        (1..=600).for_each(|n| histogram.add(Duration::from_millis(n)));
        (601..=1000).for_each(|n| other.add(Duration::from_millis(n)));
        histogram.add_all(&other);
        assert_eq!(histogram.count(), 1000);
        for (part, expected) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = histogram.at(part);
            assert!(found >= expected && found <= expected * 1.01, "{part}: {found}");
        }
    }
}
