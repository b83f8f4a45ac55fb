//! Named numbers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lean::Histogram;

/// What a measurement came to. Names end with their units.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Sets a figure. What is no number, since nothing was done, is left out.
    pub fn set(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Sets the percentiles of latencies, where there are any.
    pub fn set_latency(&mut self, histogram: &Histogram) {
        if histogram.count() == 0 {
            return;
        }
        for (name, part) in Histogram::PARTS {
            self.set(name, histogram.at(part));
        }
        self.set("latencies", histogram.count() as f64);
    }

    /// A figure.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Takes all figures of another measurement, with a word in front of their names.
    pub fn add_all(&mut self, prefix: &str, others: &Self) {
        let named = others.0.iter().map(|(name, value)| (format!("{prefix}{name}"), *value));
        self.0.extend(named);
    }

    /// For the raw results.
    #[must_use]
    pub fn json(&self) -> Value {
        json!(self.0)
    }

    /// From the raw results.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        let figures = value.as_object().into_iter().flatten();
        Self(figures.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect())
    }
}

/// Millions of bytes, from KiB.
#[must_use]
pub fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}
