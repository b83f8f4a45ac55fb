//! What a request is charged for when there are quotas, and how long its connection is muted for it.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ottla_control::catalog::QuotaKey;
use ottla_wire::set_throttle_time;

use crate::api::{Client, PRODUCE};
use crate::shard::Shard;

/// A request that will be charged when it is answered.
pub(super) struct Charge {
    api_key: i16,
    version: i16,
    client_id: String,
    request_bytes: usize,
    /// What threads have spent on it.
    spent: Duration,
}

impl Charge {
    /// Begins with the frame of a request, if there are any quotas.
    pub(super) fn begin(shard: &Shard, frame: &Bytes) -> Option<Self> {
        if !shard.quotas().are_in_force() {
            return None;
        }
        let mut header = frame.clone();
        // A header that cannot be read closes the connection.
        let header = ottla_wire::parse_header(&mut header).ok()?;
        Some(Self {
            api_key: header.api_key,
            version: header.version,
            client_id: header.client_id.map_or_else(String::new, |id| id.to_string()),
            request_bytes: frame.len(),
            spent: Duration::ZERO,
        })
    }

    /// Does some of the request's work, and notes the time that it takes.
    pub(super) fn spend<T>(charge: &mut Option<Self>, work: impl FnOnce() -> T) -> T {
        let Some(charge) = charge else { return work() };
        let begun = Instant::now();
        let done = work();
        charge.spent = charge.spent.saturating_add(begun.elapsed());
        done
    }

    /// Charges for the request, tells the client in its answer how long it is muted, and gives that time.
    pub(super) fn settle(self, shard: &Shard, client: &Client, parts: &mut [Bytes]) -> Duration {
        let quotas = shard.quotas();
        let mut throttle = client.take_throttle();
        if self.api_key == PRODUCE {
            let produced =
                quotas.record(QuotaKey::ProducerByteRate, &self.client_id, self.request_bytes as f64);
            throttle = throttle.max(produced);
        }
        // In percent of a second.
        let percent = self.spent.as_secs_f64() * 100.0;
        let spent = quotas.record(QuotaKey::RequestPercentage, &self.client_id, percent);
        throttle = throttle.max(spent.min(quotas.request_throttle_max()));
        if let Some(first) = parts.first_mut().filter(|_| !throttle.is_zero()) {
            let throttle_ms = i32::try_from(throttle.as_millis()).unwrap_or(i32::MAX);
            let mut frame = BytesMut::from(&first[..]);
            if set_throttle_time(self.api_key, self.version, &mut frame, throttle_ms) {
                *first = frame.freeze();
            }
        }
        throttle
    }
}
