//! Latencies of requests, as percentiles.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::problem::Problem;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it was to be sent.
    pub due: Instant,
    /// From then until its response, so that a request which had to wait for others counts its wait.
    pub took: Duration,
}

/// Percentiles of latencies, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// How many requests there were.
    pub count: usize,
    /// Half of them took at most this.
    pub p50: f64,
    /// 99 of 100 took at most this.
    pub p99: f64,
    /// 999 of 1,000 took at most this.
    pub p99_9: f64,
    /// None took more.
    pub max: f64,
}

impl Percentiles {
    /// Those of the requests that were due in a time.
    ///
    /// # Errors
    /// None was.
    pub fn between(samples: &[Sample], from: Instant, to: Instant) -> Result<Self, Problem> {
        let within = samples.iter().filter(|sample| (from..to).contains(&sample.due));
        let mut sorted: Vec<f64> = within.map(|sample| sample.took.as_secs_f64() * 1000.0).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |per_mille: usize| {
            let rank = sorted.len().saturating_mul(per_mille).div_ceil(1000).saturating_sub(1);
            sorted.get(rank).copied().ok_or_else(|| Problem::new("no request was sent in a time"))
        };
        Ok(Self { count: sorted.len(), p50: at(500)?, p99: at(990)?, p99_9: at(999)?, max: at(1000)? })
    }

    /// For the raw figures.
    #[must_use]
    pub fn json(&self) -> Value {
        let Self { count, p50, p99, p99_9, max } = self;
        json!({"count": count, "p50_ms": p50, "p99_ms": p99, "p99.9_ms": p99_9, "max_ms": max})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_time_that_was_asked_for() {
        let begin = Instant::now();
        let sample = |n: u64| Sample { due: begin + Duration::from_secs(n), took: Duration::from_millis(n) };
        let samples: Vec<Sample> = (0..2000).rev().map(sample).collect();
        let to = begin + Duration::from_secs(1000);
        let found = Percentiles::between(&samples, begin, to).unwrap();
        assert_eq!((found.count, found.p50, found.p99, found.p99_9), (1000, 499.0, 989.0, 998.0));
        assert!((found.max - 999.0).abs() < 1e-9);
        assert!(Percentiles::between(&samples, begin, begin).is_err());
    }
}
