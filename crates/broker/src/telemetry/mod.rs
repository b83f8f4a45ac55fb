//! Metrics that clients push (KIP-714), told with the broker's own. Apache Kafka hands them to a plug-in and tells clients of
//! these APIs only when it has one; here it takes `ottla.metrics.listener`.

mod otlp;
mod series;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ottla_control::catalog::Configs;
use ottla_control::telemetry::{ClientTraits, Instances, Offer, Push, Subscription};
use ottla_log::Compression;
use ottla_log::batch::decompress;
use ottla_model::ErrorCode;
use tracing::{debug, warn};

use crate::clock::{Clock, SystemRandom};
use crate::settings::Settings;
use otlp::POINTS_MAX;
use series::Series;

/// Who pushes what.
#[derive(Debug)]
pub(crate) struct Telemetry {
    clock: Arc<dyn Clock>,
    /// Most bytes of one push, before and after decompression (`telemetry.max.bytes`).
    bytes_max: usize,
    /// Whether there is a listener that tells of it.
    is_told: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    instances: Instances,
    series: Series,
    random: SystemRandom,
    counted: Counted,
}

/// What is counted of pushes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    /// Clients that were heard of lately.
    pub(crate) instances: u64,
    /// Pushes that were taken.
    pub(crate) pushes: u64,
    /// Numbers in them that there was no room for.
    pub(crate) left_out: u64,
}

/// What a client pushes.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// What it was told.
    pub(crate) subscription_id: i32,
    /// Whether it ends.
    pub(crate) is_terminating: bool,
    /// How the metrics are compressed; nothing for a codec that is not known.
    pub(crate) compression: Option<Compression>,
    /// OTLP's `MetricsData`.
    pub(crate) metrics: Bytes,
}

impl Telemetry {
    /// Nobody pushes anything yet.
    pub(crate) fn new(clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        let state = State {
            instances: Instances::default(),
            series: Series::default(),
            random: SystemRandom::new(),
            counted: Counted::default(),
        };
        Self {
            clock,
            bytes_max: usize::try_from(settings.telemetry_max_bytes).unwrap_or(0),
            is_told: !settings.ottla_metrics_listener.is_empty(),
            state: Mutex::new(state),
        }
    }

    /// Most bytes of one push.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Whether there is a listener that tells of what is pushed.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told
    }

    /// Makes these the subscriptions, each with its name.
    pub(crate) fn subscribe<'a>(&self, subscriptions: impl Iterator<Item = (&'a str, Arc<Configs>)>) {
        let made = subscriptions.filter_map(|(name, configs)| {
            let made = Subscription::new(&configs);
            if made.is_none() {
                warn!(name, "a subscription to client metrics matches nobody: its pattern cannot be read");
            }
            made
        });
        let made = made.collect();
        self.lock().instances.subscribe(made);
    }

    /// GetTelemetrySubscriptions.
    ///
    /// # Errors
    /// As [`Instances::get`].
    pub(crate) fn get(&self, client: &ClientTraits<'_>) -> Result<Offer, ErrorCode> {
        let mut state = self.lock();
        let State { instances, random, .. } = &mut *state;
        instances.get(client, random, self.clock.monotonic())
    }

    /// PushTelemetry.
    ///
    /// # Errors
    /// As [`Instances::push`], and INVALID_RECORD for what cannot be read.
    pub(crate) fn push(&self, client: &ClientTraits<'_>, pushed: Pushed) -> Result<(), ErrorCode> {
        let push = Push {
            subscription_id: pushed.subscription_id,
            is_terminating: pushed.is_terminating,
            is_codec_known: pushed.compression.is_some(),
            bytes: pushed.metrics.len(),
        };
        let now = self.clock.monotonic();
        let kept = self.lock().instances.push(client, &push, self.bytes_max, now)?;
        if pushed.metrics.is_empty() || !self.is_told {
            return Ok(());
        }
        // Not under the lock: this is what takes time.
        let refused = |why: &str| {
            debug!(instance = %client.instance_id, client = client.client_id, why, "pushed metrics cannot be read");
            ErrorCode::InvalidRecord
        };
        let metrics = decompress(pushed.compression.unwrap_or_default(), pushed.metrics, self.bytes_max)
            .map_err(|error| refused(&error.to_string()))?;
        let (points, more) = otlp::read(&metrics, POINTS_MAX).map_err(|_| refused("it is not OTLP"))?;
        let mut state = self.lock();
        let left_out = state.series.take(client, points, now, kept).saturating_add(more);
        state.counted.pushes = state.counted.pushes.saturating_add(1);
        state.counted.left_out = state.counted.left_out.saturating_add(left_out);
        Ok(())
    }

    /// What is counted, and what was pushed lately.
    pub(crate) fn collect(&self, mut visit: impl FnMut(&ClientMetric<'_>)) -> Counted {
        let mut state = self.lock();
        let State { instances, series, counted, .. } = &mut *state;
        let now = self.clock.monotonic();
        instances.expire(now);
        series.expire(now);
        counted.instances = instances.len() as u64;
        series.visit(&mut visit);
        *counted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number and whose it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ClientMetric<'a> {
    /// The client's instance, as it is printed.
    pub(crate) instance: &'a str,
    /// The id that it gives itself.
    pub(crate) client_id: &'a str,
    /// The name of the metric, as the client writes it.
    pub(crate) name: &'a str,
    /// What tells it apart from others of the name.
    pub(crate) attributes: &'a str,
    /// Whether it only rises.
    pub(crate) is_counter: bool,
    /// The last value, or the sum of all for what is pushed as differences.
    pub(crate) value: f64,
}
