//! Why a log is compacted, or is not.

use ottla_model::{Offset, WallMillis};

/// What a compaction of a log would do, and what keeps it from being done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CleanStatus {
    /// Where the part begins that was not compacted yet.
    pub first_dirty_offset: Offset,
    /// True when the checkpoint lies outside the log, so that all of it counts as dirty and the checkpoint is to
    /// be written again.
    pub checkpoint_invalid: bool,
    /// Where the part begins that cannot be compacted yet; the beginning of a segment.
    pub first_uncleanable_offset: Offset,
    /// What ends there.
    pub bound: CleanBound,
    /// Bytes of segments before the dirty part.
    pub clean_bytes: u64,
    /// Bytes of segments from the dirty part up to what cannot be compacted yet.
    pub dirty_bytes: u64,
    /// Bytes that cannot be compacted yet.
    pub uncleanable_bytes: u64,
    /// Dirty bytes to clean and dirty ones together; 0 when there are none.
    pub dirty_ratio: f64,
    /// From when on `max.compaction.lag.ms` asks for compaction whatever the ratio is; `None` when nothing is
    /// dirty or there is no such bound.
    pub forced_from: Option<WallMillis>,
    /// True when that time has come.
    pub forced: bool,
    /// When the first tombstone may go, as far as a run since the log was opened has told;
    /// [`crate::Log::tombstones_until`] looks it up in the log.
    pub tombstones_until: Option<WallMillis>,
    /// Why it is not compacted now; `None` when it is to be.
    pub blocked: Option<CleanBlocked>,
}

/// What ends the part of a log that can be compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanBound {
    /// The active segment, which is never compacted.
    ActiveSegment,
    /// The high watermark: what follows may not be down on all disks.
    HighWatermark,
    /// An open transaction, which began there.
    OpenTransaction {
        /// Its first offset.
        first_offset: Offset,
    },
    /// A segment with a record that is younger than `min.compaction.lag.ms`.
    MinCompactionLag {
        /// When it will be old enough.
        until: WallMillis,
    },
    /// A segment whose timestamps cannot be read, or some of whose batches are known to be bad.
    Unreadable,
}

/// Why a log is not compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanBlocked {
    /// The log was closed, by its owner or by an error.
    Offline,
    /// `cleanup.policy` does not hold `compact`.
    Policy,
    /// All that is dirty lies behind the bound.
    Bound(CleanBound),
    /// There is too little that is dirty (`min.cleanable.dirty.ratio`).
    DirtyRatio,
}
