//! What was measured of one compaction.

use std::time::{Duration, Instant};

use ottla_tests::measure::{Memory, Peak, Percentiles, Usage};
use serde_json::{Value, json};

use super::watch::Files;

/// When things happened.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// The time whose latencies are those without a compaction.
    pub(super) quiet_from: Instant,
    pub(super) quiet_to: Instant,
    /// The log became due. The compactor looks every 100 ms.
    pub(super) due: Instant,
    pub(super) first_file: Option<Instant>,
    /// The last segment was in its place.
    pub(super) end: Instant,
}

impl Times {
    /// How long the compaction took.
    pub(super) fn took(&self) -> Duration {
        self.end.saturating_duration_since(self.due)
    }
}

/// One compaction.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) broker: &'static str,
    /// From the exec until the coordinator had read the log, before the compaction and after it.
    pub(super) loaded: Duration,
    pub(super) reloaded: Duration,
    pub(super) times: Times,
    pub(super) before: Files,
    pub(super) after: Files,
    pub(super) memory_before: Memory,
    pub(super) peak: Peak,
    pub(super) usage_quiet: Usage,
    /// From shortly before the log became due until the compaction had ended.
    pub(super) usage: Usage,
    pub(super) quiet: Percentiles,
    pub(super) busy: Percentiles,
    pub(super) told: Vec<String>,
}

impl Round {
    /// Anonymous memory that the compaction took at most, beyond what there was before, in MiB.
    pub(super) fn memory_mib(&self) -> f64 {
        self.peak.anonymous_kib.saturating_sub(self.memory_before.anonymous_kib) as f64 / 1024.0
    }

    pub(super) fn json(&self) -> Value {
        let times = &self.times;
        let from_due = |at: Instant| at.saturating_duration_since(times.due).as_secs_f64();
        let files = |files: &Files| json!({"segments": files.count(), "bytes": files.bytes()});
        json!({
            "broker": self.broker,
            "exec_to_offsets_read_s": self.loaded.as_secs_f64(),
            "exec_to_offsets_read_after_compaction_s": self.reloaded.as_secs_f64(),
            "compaction_s": times.took().as_secs_f64(),
            "first_file_of_the_compactor_s": times.first_file.map(from_due),
            "log_before": files(&self.before),
            "log_after": files(&self.after),
            "memory_before_kib": self.memory_before.json(),
            "peak_kib": {"anonymous": self.peak.anonymous_kib, "resident": self.peak.resident_kib},
            "usage_quiet": self.usage_quiet.json(),
            "quiet_s": times.quiet_to.saturating_duration_since(times.quiet_from).as_secs_f64(),
            "usage_compaction": self.usage.json(),
            "latency_quiet": self.quiet.json(),
            "latency_while_compacting": self.busy.json(),
            "its_log": self.told,
        })
    }
}
