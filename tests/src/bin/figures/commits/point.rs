//! What was measured of one broker with one number of committers.

use std::fmt;

use ottla_tests::measure::{Percentiles, Usage};
use serde_json::{Value, json};

/// One measurement.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) contender: &'static str,
    pub(super) round: usize,
    pub(super) committers: usize,
    /// From the first commit until the last answer.
    pub(super) seconds: f64,
    pub(super) latency: Percentiles,
    /// Of the broker, meanwhile.
    pub(super) usage: Usage,
    /// Of this program, which commits.
    pub(super) client: Usage,
    pub(super) load_average: String,
}

impl Point {
    /// Commits a second.
    pub(super) fn rate(&self) -> f64 {
        self.latency.count as f64 / self.seconds
    }

    /// The broker's processor time for one commit, in microseconds.
    pub(super) fn cpu_micros(&self) -> f64 {
        self.usage.cpu_seconds() * 1e6 / self.latency.count as f64
    }

    /// The broker's context switches for one commit.
    pub(super) fn switches(&self) -> f64 {
        self.usage.context_switches as f64 / self.latency.count as f64
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "broker": self.contender,
            "round": self.round,
            "committers": self.committers,
            "seconds": self.seconds,
            "commits_per_second": self.rate(),
            "latency": self.latency.json(),
            "cpu_us_per_commit": self.cpu_micros(),
            "usage": self.usage.json(),
            "usage_of_client": self.client.json(),
            "load_average_after": self.load_average,
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { contender, committers, latency, .. } = self;
        let (rate, cpu) = (self.rate(), self.cpu_micros());
        write!(
            formatter,
            "{committers} committers, {contender}: {rate:.0}/s, p50 {:.3} ms, p99 {:.3} ms, {cpu:.2} µs of CPU",
            latency.p50, latency.p99
        )
    }
}
