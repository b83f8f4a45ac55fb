//! The figures as a table and as JSON.

use std::time::Duration;

use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use crate::memory::Memory;

/// All that was measured of one broker.
pub(crate) struct Figures {
    pub(crate) broker: String,
    pub(crate) machine: Value,
    pub(crate) exec_to_ready: Spread,
    pub(crate) exec_to_first_produce: Spread,
    pub(crate) memory_after_start: Memory,
    pub(crate) memory_idle: Memory,
    pub(crate) binary_bytes: Option<u64>,
}

/// Several measurements of one time.
pub(crate) struct Spread {
    /// In ascending order.
    sorted_ms: Vec<f64>,
    median_ms: f64,
    min_ms: f64,
    max_ms: f64,
}

impl Spread {
    /// Sorts the measurements, of which there must be at least one.
    pub(crate) fn of(times: Vec<Duration>) -> Result<Self, Problem> {
        let mut sorted_ms: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        sorted_ms.sort_by(f64::total_cmp);
        let at =
            |index: usize| sorted_ms.get(index).copied().ok_or_else(|| Problem::new("nothing was measured"));
        let last = sorted_ms.len().saturating_sub(1);
        let median_ms = f64::midpoint(at(last / 2)?, at(last.div_ceil(2))?);
        let (min_ms, max_ms) = (at(0)?, at(last)?);
        Ok(Self { median_ms, min_ms, max_ms, sorted_ms })
    }

    fn row(&self) -> String {
        let Self { median_ms, min_ms, max_ms, sorted_ms } = self;
        format!("{median_ms:.1} ms ({min_ms:.1} to {max_ms:.1}, median of {})", sorted_ms.len())
    }

    fn json(&self) -> Value {
        let Self { median_ms, min_ms, max_ms, sorted_ms } = self;
        json!({"median": median_ms, "min": min_ms, "max": max_ms, "sorted": sorted_ms})
    }
}

impl Memory {
    fn row(self) -> String {
        let mib = |kib: u64| kib as f64 / 1024.0;
        format!("{:.1} MiB, {:.1} MiB of it anonymous", mib(self.resident_kib), mib(self.anonymous_kib))
    }

    fn json(self) -> Value {
        json!({"resident": self.resident_kib, "anonymous": self.anonymous_kib})
    }
}

impl Figures {
    /// A markdown table for people.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![
            ("exec to ready", self.exec_to_ready.row()),
            ("exec to first acknowledged produce", self.exec_to_first_produce.row()),
            ("resident memory after start", self.memory_after_start.row()),
            ("resident memory, idle", self.memory_idle.row()),
        ];
        if let Some(bytes) = self.binary_bytes {
            rows.push(("binary", format!("{:.1} MiB", bytes as f64 / 1024.0 / 1024.0)));
        }
        let heading = format!("| {}, empty data directory | |\n|---|---|\n", self.broker);
        rows.iter().fold(heading, |table, (name, value)| table + &format!("| {name} | {value} |\n"))
    }

    /// `figures-BROKER-DATE.json`: one file a broker and day, so that figures can be compared over time.
    pub(crate) fn file_name(&self) -> String {
        let date = self.machine.get("date").and_then(Value::as_str).unwrap_or("undated");
        format!("figures-{}-{date}.json", self.broker.to_lowercase().replace(' ', "-"))
    }

    /// Everything, each single run too.
    pub(crate) fn json(&self) -> Result<String, Problem> {
        let value = json!({
            "command": "cargo run --release -p ottla-tests --bin figures",
            "broker": self.broker,
            "machine": self.machine,
            "exec_to_ready_ms": self.exec_to_ready.json(),
            "exec_to_first_acknowledged_produce_ms": self.exec_to_first_produce.json(),
            "memory_after_start_kib": self.memory_after_start.json(),
            "memory_idle_kib": self.memory_idle.json(),
            "binary_bytes": self.binary_bytes,
        });
        Ok(serde_json::to_string_pretty(&value).doing("write JSON")? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let median = |times: &[u64]| Spread::of(times.iter().copied().map(Duration::from_millis).collect());
        assert!((median(&[9, 1, 2]).unwrap().median_ms - 2.0).abs() < 1e-9);
        assert!((median(&[9, 1, 2, 4]).unwrap().median_ms - 3.0).abs() < 1e-9);
        assert!(median(&[]).is_err());
    }
}
