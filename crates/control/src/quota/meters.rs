//! The meters of all clients that have a quota.

use std::collections::HashMap;

use ottla_model::Monotonic;

use super::limits::{Limit, MeterId};
use super::meter::{Meter, TokenBucket, Windows};

/// Most meters. A client may name itself anew with each connection; beyond this, new names share one meter.
pub const METERS_MAX: usize = 100_000;

/// Meters by whom they count for.
#[derive(Debug)]
pub struct Meters {
    windows: Windows,
    meters_max: usize,
    meters: HashMap<MeterId, Meter>,
    buckets: HashMap<MeterId, TokenBucket>,
}

impl Meters {
    /// No meters yet.
    #[must_use]
    pub fn new(windows: Windows) -> Self {
        Self { windows, meters_max: METERS_MAX, meters: HashMap::new(), buckets: HashMap::new() }
    }

    /// The windows that the rates are taken over.
    #[must_use]
    pub fn windows(&self) -> Windows {
        self.windows
    }

    /// Counts `amount` against a limit and gives the milliseconds to wait; see [`Meter::record`].
    pub fn record(&mut self, limit: &Limit, amount: f64, now: Monotonic) -> u64 {
        let windows = self.windows;
        if self.meters.len() >= self.meters_max && !self.meters.contains_key(&limit.meter) {
            self.meters.retain(|_, meter| !meter.is_idle(windows, now));
        }
        let is_full = self.meters.len() >= self.meters_max;
        let place = self.place(&limit.meter, is_full && !self.meters.contains_key(&limit.meter));
        self.meters.entry(place).or_default().record(windows, limit.bound, amount, now)
    }

    /// Takes back what [`Self::record`] has just counted.
    pub fn take_back(&mut self, limit: &Limit, amount: f64, now: Monotonic) {
        if let Some(meter) = self.meters.get_mut(&limit.meter) {
            meter.count(self.windows, -amount, now);
        }
    }

    /// Takes tokens against a limit; see [`TokenBucket::take`].
    ///
    /// # Errors
    /// The milliseconds to wait.
    pub fn take(&mut self, limit: &Limit, amount: f64, now: Monotonic) -> Result<(), u64> {
        let windows = self.windows;
        self.bucket(limit).take(windows, limit.bound, amount, now)
    }

    /// Takes tokens into debt against a limit; see [`TokenBucket::owe`].
    pub fn owe(&mut self, limit: &Limit, amount: f64, now: Monotonic) -> u64 {
        let windows = self.windows;
        self.bucket(limit).owe(windows, limit.bound, amount, now)
    }

    fn bucket(&mut self, limit: &Limit) -> &mut TokenBucket {
        let is_full = self.buckets.len() >= self.meters_max;
        let place = self.place(&limit.meter, is_full && !self.buckets.contains_key(&limit.meter));
        self.buckets.entry(place).or_default()
    }

    /// Forgets everything, as when there are no quotas any more.
    pub fn clear(&mut self) {
        self.meters.clear();
        self.buckets.clear();
    }

    fn place(&self, meter: &MeterId, is_shared: bool) -> MeterId {
        if is_shared { MeterId { user: None, client_id: None, key: meter.key } } else { meter.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::QuotaKey;

    fn limit(client: &str) -> Limit {
        let meter =
            MeterId { key: QuotaKey::ProducerByteRate, user: None, client_id: Some(client.to_owned()) };
        Limit { meter, bound: 1.0 }
    }

    #[test]
    fn beyond_the_most_new_names_share_a_meter() {
        let mut meters = Meters { meters_max: 2, ..Meters::new(Windows::default()) };
        let at = |ms| Monotonic(Duration::from_millis(ms));
        assert_eq!(meters.record(&limit("a"), 10.0, at(0)), 0);
        assert_eq!(meters.record(&limit("b"), 10.0, at(0)), 0);
        assert_eq!(meters.record(&limit("c"), 10.0, at(0)), 0);
        assert_eq!(meters.record(&limit("d"), 10.0, at(0)), 10_000, "c has used it up");
        assert_eq!(meters.record(&limit("a"), 1.0, at(0)), 1000, "a has its own");
        // Idle ones make room.
        assert_eq!(meters.record(&limit("e"), 10.0, at(20_000)), 0);
        assert_eq!(meters.record(&limit("f"), 10.0, at(20_000)), 0);
        assert_eq!(meters.meters.len(), 2);
    }
}
