//! The numbers of one scrape, and how they are written.
//!
//! The text is OpenMetrics 1.0, which the library `prometheus-client` writes. It does not escape what labels say,
//! and the names of groups may hold anything, so that is done here.

use std::borrow::Cow;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::catalog::{Id, Kind, METRICS, Metric};

/// What answers to a scrape say of themselves.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A number.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A whole number, of a counter.
    Count(u64),
    /// A whole number, of a gauge.
    Whole(i64),
    /// Any number.
    Real(f64),
    /// The sum of what was observed, and how often it was at most so much and more than the bound before.
    Histogram(f64, Vec<(f64, u64)>),
}

/// One line, or those of one histogram.
#[derive(Debug)]
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: Value,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Samples {
    /// Of each row of the table.
    of_metrics: Vec<Vec<Sample>>,
}

impl Samples {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { of_metrics: METRICS.iter().map(|_| Vec::new()).collect() }
    }

    /// Adds one. The values of labels come in the order of the table.
    pub(crate) fn add(&mut self, id: Id, labels: &[&str], value: Value) {
        let place = id as usize;
        let names = METRICS.get(place).map_or(&[][..], |metric| metric.labels);
        debug_assert_eq!(names.len(), labels.len(), "{id:?} has other labels");
        let labels = names.iter().zip(labels).map(|(name, value)| (*name, escaped(value).into_owned()));
        if let Some(samples) = self.of_metrics.get_mut(place) {
            samples.push(Sample { labels: labels.collect(), value });
        }
    }

    /// The text.
    pub(crate) fn into_text(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut written = String::new();
        text::encode(&mut written, &registry)?;
        Ok(written)
    }
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (metric, samples) in METRICS.iter().zip(&self.of_metrics) {
            if samples.is_empty() {
                continue;
            }
            let Metric { name, help, kind, .. } = metric;
            let kind = match kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for sample in samples {
                if sample.labels.is_empty() {
                    write(&mut family, metric.kind, &sample.value)?;
                } else {
                    write(&mut family.encode_family(&sample.labels)?, metric.kind, &sample.value)?;
                }
            }
        }
        Ok(())
    }
}

fn write(encoder: &mut MetricEncoder<'_>, kind: Kind, value: &Value) -> fmt::Result {
    match (kind, value) {
        (Kind::Counter, Value::Count(count)) => encoder.encode_counter::<NoLabelSet, _, u64>(count, None),
        (Kind::Counter, Value::Real(real)) => encoder.encode_counter::<NoLabelSet, _, u64>(real, None),
        (_, Value::Count(count)) => encoder.encode_gauge(count),
        (_, Value::Whole(whole)) => encoder.encode_gauge(whole),
        (_, Value::Real(real)) => encoder.encode_gauge(real),
        (_, Value::Histogram(sum, buckets)) => {
            let count = buckets.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
            encoder.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
    }
}

fn escaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_labels_are_written_as_openmetrics_has_them() {
        let mut samples = Samples::new();
        samples.add(Id::Requests, &["Fetch"], Value::Count(7));
        samples.add(Id::GroupMembers, &["a \"group\"\\\n"], Value::Whole(2));
        samples.add(Id::ProcessCpu, &[], Value::Real(1.5));
        samples.add(Id::Connections, &[], Value::Whole(-1));
        samples.add(Id::RequestSeconds, &["Fetch"], Value::Histogram(0.5, vec![(0.1, 1), (f64::MAX, 2)]));
        let text = samples.into_text().expect("written");
        for line in [
            "# TYPE ottla_requests counter",
            "ottla_requests_total{api=\"Fetch\"} 7",
            "ottla_group_members{group=\"a \\\"group\\\"\\\\\\n\"} 2",
            "process_cpu_seconds_total 1.5",
            "ottla_connections -1",
            "ottla_request_duration_seconds_sum{api=\"Fetch\"} 0.5",
            "ottla_request_duration_seconds_count{api=\"Fetch\"} 3",
            "ottla_request_duration_seconds_bucket{le=\"0.1\",api=\"Fetch\"} 1",
            "ottla_request_duration_seconds_bucket{le=\"+Inf\",api=\"Fetch\"} 3",
        ] {
            assert!(text.lines().any(|written| written == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
