//! One partition's log.

mod aborted;
mod append;
mod batches;
mod cleaning;
mod cold;
mod deleted;
mod flush;
mod outline;
mod quarantine;
mod read;
mod removal;
mod restore;
mod retention;
mod roll;
mod swap;
mod time;
mod together;
mod transactions;
mod unread;

use std::io;
use std::path::Path;
use std::sync::Arc;

use ottla_model::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, WallMillis};

use crate::config::LogConfig;
use crate::disk::Disk;
use crate::epochs::Epochs;
use crate::error::{LogError, is_transient};
use crate::producers::Producers;
use crate::recovery::{self, RecoveryReport};
use crate::segment::{Place, Segment};

pub use aborted::Isolation;
pub use append::{Append, Appended};
pub use batches::Batches;
pub use cold::{Cold, Warm};
pub use deleted::DeletedFiles;
pub use flush::{Closed, Flush};
pub use outline::SegmentOutline;
pub use quarantine::Quarantined;
pub(crate) use quarantine::quarantined;
pub use read::{Read, ReadLimit};
pub use retention::{ExpiredSegment, RetentionReason, RetentionReport};
pub use swap::CleanReport;
pub use time::TimedOffset;
pub use unread::{CountedSegment, NextRecord, UncountedSegment, Unread, UnreadBatches, UnreadLook};

/// Whose log it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The topic.
    pub topic: TopicName,
    /// The partition of it.
    pub partition: PartitionIndex,
    /// The topic's id, which a topic that is created again does not share (KIP-516).
    pub topic_id: TopicId,
}

/// What is known about a log's files before they are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// True when the data directory was closed by a broker that finished (`.kafka_cleanshutdown`).
    pub clean: bool,
    /// Everything before this offset is known to be on disk (`recovery-point-offset-checkpoint`).
    pub recovery_point: Offset,
    /// True when the whole file system was synced since the last one who wrote to the log ended: what is kept as it is
    /// needs no sync then. A start with many logs takes as long as its syncs do.
    pub synced: bool,
    /// The time, for producers that expire and for segments without timestamps.
    pub now: WallMillis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Closed by its owner; it can still be read.
    Closed,
    /// Closed by an error that is not transient, or deleted.
    Offline,
}

/// One partition's log (`UnifiedLog`).
///
/// It is written through `&mut self` and read through `&self`, also while slices of it are being sent. Until
/// the first append it has no files, so a partition that nobody uses costs nothing on disk.
#[derive(Debug)]
pub struct Log {
    place: Arc<Place>,
    identity: Identity,
    config: LogConfig,
    /// In the order of their offsets; empty until the first append. The last one is written.
    segments: Vec<Segment>,
    start_offset: Offset,
    end_offset: Offset,
    /// Everything before it survives a power loss.
    recovery_point: Offset,
    epochs: Epochs,
    producers: Producers,
    /// Offset of the newest producer snapshot.
    snapshot_offset: Option<Offset>,
    state: State,
    /// When the first tombstone may go, as the last compaction left it.
    tombstones_until: Option<WallMillis>,
    /// True when the directory itself was made and its parent not synced since.
    directory_unsynced: bool,
    /// True until its directory is made, when nobody has looked for one.
    is_new: bool,
    /// True when names in the directory were added or removed since it was synced.
    names_unsynced: bool,
}

impl Log {
    /// A log in a directory that is not there, as that of a topic which has just been made. It is not looked for: should it
    /// be there when the first batch comes, nothing is written and the log is closed by an error.
    #[must_use]
    pub fn create(disk: Arc<dyn Disk>, dir: &Path, identity: Identity, config: LogConfig) -> Self {
        let place = Arc::new(Place { disk, dir: dir.to_owned() });
        Self { is_new: true, ..Self::over(place, identity, config, recovery::Loaded::nothing()).0 }
    }

    /// Opens the log in `dir`, recovering it when the broker did not stop cleanly. A directory that is not
    /// there is made at the first append.
    ///
    /// # Errors [`LogError::OtherTopic`] when the directory is of another topic, else [`LogError::Storage`].
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        identity: Identity,
        config: LogConfig,
        open: Open,
    ) -> Result<(Self, RecoveryReport), LogError> {
        let place = Arc::new(Place { disk, dir: dir.to_owned() });
        let loaded = recovery::load(&place, &identity, &config, open)?;
        Ok(Self::over(place, identity, config, loaded))
    }

    fn over(
        place: Arc<Place>,
        identity: Identity,
        config: LogConfig,
        loaded: recovery::Loaded,
    ) -> (Self, RecoveryReport) {
        let log = Self {
            place,
            identity,
            config,
            segments: loaded.segments,
            start_offset: loaded.start_offset,
            end_offset: loaded.end_offset,
            recovery_point: loaded.recovery_point,
            epochs: loaded.epochs,
            producers: loaded.producers,
            snapshot_offset: loaded.snapshot_offset,
            state: State::Open,
            tombstones_until: None,
            directory_unsynced: false,
            names_unsynced: false,
            is_new: false,
        };
        (log, loaded.report)
    }

    /// Whose log it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Changes the settings, from the next append on.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }

    /// The first offset that can be read.
    #[must_use]
    pub fn start_offset(&self) -> Offset {
        self.start_offset
    }

    /// The offset that the next record will have.
    #[must_use]
    pub fn end_offset(&self) -> Offset {
        self.end_offset
    }

    /// Everything before it survives a power loss: what the recovery point checkpoint may say.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Bytes of the newest segment that a power loss could take.
    #[must_use]
    pub fn newest_unsynced_bytes(&self) -> u64 {
        self.segments.last().map_or(0, Segment::unsynced_bytes)
    }

    /// Bytes of all segments, without their indexes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(Segment::size).fold(0, u64::saturating_add)
    }

    /// Bytes of segments that a power loss could take.
    #[must_use]
    pub fn unsynced_bytes(&self) -> u64 {
        self.segments.iter().map(Segment::unsynced_bytes).fold(0, u64::saturating_add)
    }

    /// How many segments there are.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// How many producers are remembered.
    #[must_use]
    pub fn producer_count(&self) -> usize {
        self.producers.len()
    }

    /// False once an error has closed the log, or its owner has.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Where the largest leader epoch that is not above `requested` ends, and which that is; -1 and -1 when
    /// unknown (`LeaderEpochFileCache.endOffsetFor`). `current` is the leader's epoch, which counts from the
    /// end of the log when nothing was appended in it.
    #[must_use]
    pub fn epoch_end_offset(&self, requested: LeaderEpoch, current: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.epochs.end_offset_for(requested, current, self.end_offset)
    }

    /// The leader epoch in which the record at `offset` was appended.
    #[must_use]
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.epoch_at(offset)
    }

    /// The leader epoch of the newest record, or -1.
    #[must_use]
    pub fn latest_epoch(&self) -> LeaderEpoch {
        self.epochs.latest()
    }

    /// Forgets producers that have written nothing for `producer.id.expiration.ms`.
    pub fn expire_producers(&mut self, now: WallMillis) {
        self.producers.expire(now, self.config.producer_id_expiration_ms);
    }

    /// Closes files and drops maps and indexes, for a log that is not used for now. The next read or append
    /// opens them again. The last map may take long to go: call it where a thread may block.
    pub fn cool(&mut self) {
        self.segments.iter_mut().for_each(Segment::cool);
    }

    /// True when no segment is open. Also after [`Self::cool`] one may be, whose bytes are not synced.
    #[must_use]
    pub fn is_cold(&self) -> bool {
        self.segments.iter().all(Segment::is_closed)
    }

    /// Notes an error of a write or sync: one that is not transient closes the log for good.
    fn note(&mut self, error: io::Error) -> io::Error {
        if !is_transient(&error) {
            self.state = State::Offline;
        }
        error
    }

    fn check_open(&self) -> Result<(), LogError> {
        if self.state == State::Open { Ok(()) } else { Err(LogError::Offline) }
    }
}
