//! Enforcing the quotas of clients (`ClientQuotaManager`). Without any quota a request costs one load of an atomic.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use ottla_control::catalog::{ClientQuotas, QuotaKey};
use ottla_control::quota::{Limit, Meters, Windows, limit_for, limit_for_ip};

use crate::clock::Clock;
use crate::settings::Settings;

/// Who everybody is without authentication (`KafkaPrincipal.ANONYMOUS`).
const USER: &str = "ANONYMOUS";

/// The quotas in force, and how much of them was used lately.
#[derive(Debug)]
pub(crate) struct Quotas {
    /// A bit for each quota that somebody has.
    in_force: AtomicU8,
    quotas: RwLock<Arc<ClientQuotas>>,
    meters: Mutex<Meters>,
    /// Of partitions created and deleted, over windows of their own.
    mutations: Mutex<Meters>,
    window: Duration,
    clock: Arc<dyn Clock>,
}

const fn bit(key: QuotaKey) -> u8 {
    match key {
        QuotaKey::ConnectionCreationRate => 1,
        QuotaKey::ConsumerByteRate => 1 << 1,
        QuotaKey::ControllerMutationRate => 1 << 2,
        QuotaKey::ProducerByteRate => 1 << 3,
        QuotaKey::RequestPercentage => 1 << 4,
    }
}

fn windows(count: i32, seconds: i32) -> Windows {
    let of = |number: i32| u32::try_from(number).unwrap_or(1).max(1);
    Windows { count: of(count), length_ms: u64::from(of(seconds)).saturating_mul(1000) }
}

impl Quotas {
    /// These quotas, of which nothing is used.
    pub(crate) fn new(clock: Arc<dyn Clock>, settings: &Settings, quotas: Arc<ClientQuotas>) -> Self {
        let meters = windows(settings.quota_window_num, settings.quota_window_size_seconds);
        let mutations =
            windows(settings.controller_quota_window_num, settings.controller_quota_window_size_seconds);
        let made = Self {
            in_force: AtomicU8::new(0),
            quotas: RwLock::default(),
            meters: Mutex::new(Meters::new(meters)),
            mutations: Mutex::new(Meters::new(mutations)),
            window: Duration::from_millis(meters.length_ms),
            clock,
        };
        made.set(quotas);
        made
    }

    /// Other quotas are in force from now on.
    pub(crate) fn set(&self, quotas: Arc<ClientQuotas>) {
        let bits = quotas.iter().flat_map(|(_, values)| values.keys()).fold(0, |bits, key| bits | bit(*key));
        if bits == 0 {
            self.meters().clear();
            self.mutations().clear();
        }
        *self.quotas.write().unwrap_or_else(PoisonError::into_inner) = quotas;
        self.in_force.store(bits, Ordering::Release);
    }

    /// True when somebody has any quota.
    pub(crate) fn are_in_force(&self) -> bool {
        self.in_force.load(Ordering::Relaxed) != 0
    }

    /// True when somebody has this quota.
    pub(crate) fn has(&self, key: QuotaKey) -> bool {
        self.in_force.load(Ordering::Relaxed) & bit(key) != 0
    }

    /// Counts what a client has used, and gives how long it has to wait.
    pub(crate) fn record(&self, key: QuotaKey, client_id: &str, amount: f64) -> Duration {
        let Some(limit) = self.limit(key, client_id) else { return Duration::ZERO };
        Duration::from_millis(self.meters().record(&limit, amount, self.clock.monotonic()))
    }

    /// As [`Self::record`], but what has to wait is not counted.
    pub(crate) fn record_if_free(&self, key: QuotaKey, client_id: &str, amount: f64) -> Duration {
        let Some(limit) = self.limit(key, client_id) else { return Duration::ZERO };
        self.record_unless_over(&limit, amount)
    }

    /// Counts a connection from an address, and gives how long it has to wait; one that has to is not counted.
    pub(crate) fn record_connection(&self, ip: IpAddr) -> Duration {
        let key = QuotaKey::ConnectionCreationRate;
        if !self.has(key) {
            return Duration::ZERO;
        }
        match limit_for_ip(&self.quotas(), key, &ip.to_canonical().to_string()) {
            Some(limit) => self.record_unless_over(&limit, 1.0),
            None => Duration::ZERO,
        }
    }

    fn record_unless_over(&self, limit: &Limit, amount: f64) -> Duration {
        let (mut meters, now) = (self.meters(), self.clock.monotonic());
        let wait_ms = meters.record(limit, amount, now);
        if wait_ms > 0 {
            meters.take_back(limit, amount, now);
        }
        Duration::from_millis(wait_ms)
    }

    /// Takes tokens, or gives how long it takes until there are some.
    ///
    /// # Errors
    /// The time.
    pub(crate) fn take(&self, key: QuotaKey, client_id: &str, amount: f64) -> Result<(), Duration> {
        let Some(limit) = self.limit(key, client_id) else { return Ok(()) };
        self.mutations().take(&limit, amount, self.clock.monotonic()).map_err(Duration::from_millis)
    }

    /// Takes tokens in any case, and gives how long the client has to wait.
    pub(crate) fn owe(&self, key: QuotaKey, client_id: &str, amount: f64) -> Duration {
        let Some(limit) = self.limit(key, client_id) else { return Duration::ZERO };
        Duration::from_millis(self.mutations().owe(&limit, amount, self.clock.monotonic()))
    }

    /// Longest time that a client waits for having used up threads: a window (`ClientRequestQuotaManager.maxThrottleTimeMs`).
    pub(crate) fn request_throttle_max(&self) -> Duration {
        self.window
    }

    /// The most that a client can use at once without waiting; nothing without a quota.
    pub(crate) fn most_at_once(&self, key: QuotaKey, client_id: &str) -> Option<f64> {
        let limit = self.limit(key, client_id)?;
        Some(limit.bound * self.meters().windows().ahead_seconds())
    }

    fn limit(&self, key: QuotaKey, client_id: &str) -> Option<Limit> {
        if !self.has(key) {
            return None;
        }
        limit_for(&self.quotas(), key, USER, client_id)
    }

    fn quotas(&self) -> Arc<ClientQuotas> {
        Arc::clone(&self.quotas.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn mutations(&self) -> MutexGuard<'_, Meters> {
        self.mutations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meters(&self) -> MutexGuard<'_, Meters> {
        self.meters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
