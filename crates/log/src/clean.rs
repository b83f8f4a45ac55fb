//! Compaction (`Cleaner`): of the records below a bound only the newest of each key stays, so that a log is as
//! long as what it says and not as its history.
//!
//! It is three steps, of which only the first and the last need the log. [`crate::Log::plan_clean`] takes the
//! sealed segments; [`CleanPlan::run`] reads them and writes what is to take their place into `.cleaned` files,
//! while the log is appended to and read; [`crate::Log::finish_clean`] renames.
//!
//! A run goes over the log twice. First it reads the dirty part, from where the last run ended, into a map from
//! keys to their newest offsets. Then it copies every segment from the beginning up to where the map is
//! complete and leaves out what the map knows a newer value of. When there are more keys than fit, the map ends
//! where it is full, and the next run begins there.
//!
//! **Invariants**
//! - A record keeps its offset, and so does a batch: its first and last offset, its producer's sequence numbers
//!   and its leader epoch say the same when records of it are gone.
//! - A tombstone goes `delete.retention.ms` after the first run that could see all older values of its key, which
//!   writes that time into the batch's header (KIP-534).
//! - The last batch of a producer stays, without records if need be: it tells duplicates.
//! - The last batch before the end of a new segment stays too, so that a segment ends where those end that it
//!   replaces. Recovery can tell then which ones those are, and a gap between segments is always a loss.
//! - Nothing is copied whose CRC is wrong: a new CRC would hide the damage for good.
//! - Records of aborted transactions go, and make no older one go. A marker goes `delete.retention.ms` after the first
//!   run that found nothing of its transaction.

mod census;
mod filter;
mod hash;
mod key_map;
mod plan;
mod read;
mod status;
mod transactions;
mod write;

use std::sync::Arc;

use ottla_model::{Offset, WallMillis};

use crate::error::LogError;
use crate::names::{CLEANED_SUFFIX, Kind, file_name};
use crate::segment::{Counts, Place};

pub use census::{Census, CleanedCount, RecordCount};
pub use plan::CleanPlan;
pub(crate) use plan::{PlanSettings, Source};
pub use status::{CleanBlocked, CleanBound, CleanStatus};

/// What a run may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CleanLimits {
    /// Most bytes of the map of keys (`log.cleaner.dedupe.buffer.size`, of one thread). A key takes 24.
    pub key_map_bytes_max: usize,
    /// Bytes of the buffers that the log is read into and written from, together
    /// (`log.cleaner.io.buffer.size`, of one thread). A batch that is larger than half of it is held whole.
    pub io_buffer_bytes: usize,
    /// How full the map may get (`log.cleaner.io.buffer.load.factor`).
    pub load_factor: f64,
    /// Secret of the hash of keys, from a random source: who knows it could make two keys meet.
    pub hash_seed: [u64; 2],
}

impl Default for CleanLimits {
    fn default() -> Self {
        Self {
            key_map_bytes_max: 128 * 1024 * 1024,
            io_buffer_bytes: 512 * 1024,
            load_factor: 0.9,
            hash_seed: [0, 0],
        }
    }
}

/// What a run read and kept (`CleanerStats`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanStats {
    /// Bytes that were read into the map of keys.
    pub map_bytes_read: u64,
    /// Keys in the map.
    pub keys: usize,
    /// True when the map was full before the dirty part ended.
    pub map_full: bool,
    /// Bytes that were read to be copied.
    pub bytes_read: u64,
    /// Bytes of what was kept.
    pub bytes_written: u64,
    /// Records that were read to be copied.
    pub records_read: u64,
    /// Records that were kept.
    pub records_kept: u64,
    /// Tombstones among them.
    pub tombstones: u64,
    /// Batches that were kept without records.
    pub batches_emptied: u64,
    /// When the first of the tombstones may go.
    pub tombstones_until: Option<WallMillis>,
}

/// The outcome of a run, for [`crate::Log::finish_clean`]. When it is dropped instead, its files stay until the
/// log is opened again; [`Cleaned::discard`] removes them.
#[derive(Debug)]
#[must_use = "its outcome goes to `Log::finish_clean`"]
pub struct Cleaned {
    pub(crate) place: Arc<Place>,
    pub(crate) segments: Vec<CleanedSegment>,
    pub(crate) cleaned_to: Offset,
    pub(crate) stats: CleanStats,
}

/// A segment that is to take the place of others.
#[derive(Debug)]
pub(crate) struct CleanedSegment {
    pub(crate) base_offset: Offset,
    pub(crate) size: u64,
    /// Base offsets and sizes of those others, in their order.
    pub(crate) sources: Vec<(Offset, u64)>,
    /// The files that it has.
    pub(crate) kinds: Vec<Kind>,
    /// How many records it holds for readers.
    pub(crate) counts: Counts,
}

impl Cleaned {
    /// What was read and kept.
    #[must_use]
    pub fn stats(&self) -> &CleanStats {
        &self.stats
    }

    /// Removes the files of the run, which is as if it had not been.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn discard(self) -> Result<(), LogError> {
        self.segments.iter().try_for_each(|segment| remove_cleaned(&self.place, segment.base_offset))?;
        Ok(())
    }
}

/// Removes the files of a segment that was not finished, or is not wanted.
fn remove_cleaned(place: &Place, base_offset: Offset) -> std::io::Result<()> {
    Kind::OF_SEGMENT
        .into_iter()
        .try_for_each(|kind| place.remove(&format!("{}{CLEANED_SUFFIX}", file_name(base_offset, kind))))
}

/// What a run does between two steps: it counts, and asks whether to go on.
struct Progress<'a> {
    throttle: &'a mut dyn FnMut(u64) -> bool,
}

impl Progress<'_> {
    fn add(&mut self, bytes: u64) -> Result<(), LogError> {
        if (self.throttle)(bytes) { Ok(()) } else { Err(LogError::Stopped) }
    }
}
