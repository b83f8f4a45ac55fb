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
    /// The partitions, by name and number.
    pub partitions: List<PartitionCompaction>,
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
