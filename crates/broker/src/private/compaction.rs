//! What `ottla inspect compaction` shows. Times are milliseconds since 1970, sizes are bytes.

use serde::{Deserialize, Serialize};

use super::List;

/// How far logs are compacted, and what keeps them from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compaction {
    /// The time by which the compactor goes. It never runs ahead of the time that has passed since the start.
    pub now_ms: i64,
    /// Whether the compactor runs (`log.cleaner.enable`).
    pub cleaner_enabled: bool,
    /// Set for a data directory that no broker uses.
    #[serde(default)]
    pub stopped: Option<Stopped>,
    /// The partitions, by name and number.
    pub partitions: List<PartitionCompaction>,
}

/// A data directory that no broker uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// False when the broker did not stop cleanly. What is told then is what recovery will make of the logs.
    pub cleanly: bool,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionCompaction {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// The first offset that can be read.
    pub start_offset: i64,
    /// The offset that the next record will have.
    pub end_offset: i64,
    /// Where the part begins that was not compacted yet.
    pub first_dirty_offset: i64,
    /// Where the part begins that cannot be compacted yet.
    pub first_uncleanable_offset: i64,
    /// True when the checkpoint of the compactor lies outside the log, so that all of it counts as dirty.
    pub checkpoint_invalid: bool,
    /// Size of what is compacted.
    pub clean_bytes: u64,
    /// Size of what can be compacted.
    pub dirty_bytes: u64,
    /// Size of what cannot be compacted yet.
    pub uncleanable_bytes: u64,
    /// Dirty bytes to clean and dirty ones together.
    pub dirty_ratio: f64,
    /// What that ratio has to exceed (`min.cleanable.dirty.ratio`).
    pub min_dirty_ratio: f64,
    /// From when on it is compacted whatever the ratio is (`max.compaction.lag.ms`).
    pub forced_from_ms: Option<i64>,
    /// Why it is not compacted now; nothing when it is the compactor's turn.
    pub blocked: Option<CompactionReason>,
    /// What ends the part that can be compacted.
    pub bound: CompactionReason,
    /// What the compacted part holds.
    pub cleaned: Option<CleanedRecords>,
    /// What the whole log holds, for a data directory that no broker uses.
    pub all: Option<AllRecords>,
    /// Why there is no count, in words.
    pub not_counted: Option<String>,
}

/// What the compacted part of a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanedRecords {
    /// Keys, those included that have a tombstone.
    pub keys: u64,
    /// False when keys may be counted more than once, since there are records of transactions.
    pub keys_exact: bool,
    /// Tombstones that wait until they may go.
    pub tombstones: u64,
    /// When the first of them may go, at the first compaction after that.
    pub tombstones_from_ms: Option<i64>,
    /// When the last of them may go.
    pub tombstones_until_ms: Option<i64>,
}

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllRecords {
    /// Records, without the markers of transactions.
    pub records: u64,
    /// Different keys.
    pub keys: u64,
    /// False when there are more keys than were told apart.
    pub keys_exact: bool,
    /// Tombstones.
    pub tombstones: u64,
}

/// What stands in the way of compaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum CompactionReason {
    /// The compactor does not run (`log.cleaner.enable=false`).
    CleanerOff,
    /// The log is closed, by an error of its disk.
    Offline,
    /// `cleanup.policy` does not hold `compact`.
    Policy,
    /// There are no records.
    Empty,
    /// There is too little that is dirty.
    DirtyRatio,
    /// What is dirty is in the active segment, which is never compacted.
    ActiveSegment,
    /// What is dirty is not committed yet.
    HighWatermark,
    /// A transaction is open.
    OpenTransaction {
        /// Where it begins.
        first_offset: i64,
    },
    /// Records are too young (`min.compaction.lag.ms`).
    MinCompactionLag {
        /// When they will be old enough.
        until_ms: i64,
    },
    /// A segment is damaged, or its timestamps cannot be read.
    Unreadable,
    /// Something that this reader does not know yet.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_document_of_a_newer_broker_can_be_read() {
        let text = r#"{"now_ms": 7, "cleaner_enabled": true, "more": [], "partitions": {"entries": [], "left_out": 2}}"#;
        let document: Compaction = serde_json::from_str(text).unwrap();
        assert_eq!((document.now_ms, document.stopped, document.partitions.left_out), (7, None, 2));
        for (text, reason) in [
            (r#"{"reason": "policy"}"#, CompactionReason::Policy),
            (
                r#"{"reason": "open_transaction", "first_offset": 3}"#,
                CompactionReason::OpenTransaction { first_offset: 3 },
            ),
            (r#"{"reason": "moon", "phase": "full"}"#, CompactionReason::Other),
        ] {
            assert_eq!(serde_json::from_str::<CompactionReason>(text).unwrap(), reason);
        }
    }
}
