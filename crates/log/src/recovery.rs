//! Opening the files of a log (`LogLoader`).
//!
//! **After a clean stop** the newest producer snapshot and the tail of the last segment are read, no batches.
//! The mark of a clean stop is believed of a log whose last segment ends with a whole batch, at the offset
//! that is the name of the snapshot which closing it wrote.
//!
//! **After a crash** the segment that holds the recovery point and those behind it are read. Behind the
//! recovery point the log is cut at the first bad batch even if good ones follow: nobody was promised those
//! bytes by a sync, and a log with a hole would lie about what is missing. *Before* it, bytes were on
//! disk once and consumers have seen them. Bad ones are kept and quarantined ([`crate::Quarantined`]), and good
//! ones behind them are found again, so that a bit that flipped costs one batch and not the rest of the
//! log. Their offsets are never given out again: when the end of the log is bad, it ends at the recovery
//! point. Only bytes that are not there at all leave nothing to keep; the log is then shorter than its
//! recovery point, which is reported.
//!
//! Which bytes those are is not written down. The same bytes lead to the same result each time, so there is no
//! file that could be lost or be wrong about them, and recovering twice gives the same bytes.
//!
//! **Small files.** Indexes, snapshots of producers, the checkpoint of epochs and the file with the topic id
//! are made again when they are missing, too long, or cannot be right. What has no checksum in Kafka's format
//! is held against the batches: an entry of an index when it is followed, an epoch when the log is opened. The index
//! of aborted transactions has a checksum, as an entry that Kafka passes over.
//!
//! **Order.** What is kept is synced before anyone can read it. Segments are removed from the last to the first,
//! and that is synced before the one before them is cut, so that a crash during recovery leaves a log that
//! is cut at the same place the next time.

mod aborted;
mod directory;
mod epochs;
mod producers;
mod segments;
mod swap;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use crate::config::LogConfig;
use crate::disk::OpenFile;
use crate::epochs::Epochs;
use crate::error::LogError;
use crate::log::{Identity, Open, Quarantined};
use crate::names::{LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA};
use crate::producers::Producers;
use crate::segment::{Place, Segment};

pub(crate) use aborted::aborted;
use directory::Files;

/// What opening a log found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segments that the log has.
    pub segments: usize,
    /// Batches whose bytes were read and judged.
    pub batches_read: u64,
    /// Bytes that were cut because they are no good batch, or follow one that is none, removed segments
    /// included.
    pub bytes_cut: u64,
    /// Segments that were removed because they follow bytes that were cut.
    pub segments_removed: usize,
    /// Segments whose indexes were made from their batches.
    pub indexes_rebuilt: usize,
    /// Offset of the producer snapshot that was loaded.
    pub producer_snapshot: Option<Offset>,
    /// Batches whose headers were read to bring producers from there to the end.
    pub producer_batches: u64,
    /// True when bytes before the recovery point, which were on disk once, are missing or bad.
    pub lost_synced_bytes: bool,
    /// Those that are bad. They were kept, and their offsets cannot be read.
    pub quarantined: Vec<Quarantined>,
    /// True when the directory was marked clean, but its last segment did not end with a whole batch.
    pub not_clean: bool,
}

/// A log that was loaded.
pub(crate) struct Loaded {
    pub(crate) segments: Vec<Segment>,
    pub(crate) start_offset: Offset,
    pub(crate) end_offset: Offset,
    pub(crate) recovery_point: Offset,
    pub(crate) epochs: Epochs,
    pub(crate) producers: Producers,
    pub(crate) snapshot_offset: Option<Offset>,
    pub(crate) report: RecoveryReport,
}

impl Loaded {
    pub(crate) fn nothing() -> Self {
        Self {
            segments: Vec::new(),
            start_offset: 0,
            end_offset: 0,
            recovery_point: 0,
            epochs: Epochs::default(),
            producers: Producers::default(),
            snapshot_offset: None,
            report: RecoveryReport::default(),
        }
    }
}

/// Loads the log in a directory; an empty one when there is no such directory.
pub(crate) fn load(
    place: &Arc<Place>,
    identity: &Identity,
    config: &LogConfig,
    open: Open,
) -> Result<Loaded, LogError> {
    let Some(files) = directory::look(place)? else { return Ok(Loaded::nothing()) };
    directory::check_topic(place, identity)?;
    let checkpoint = epochs::read(place)?;
    let is_missing = checkpoint.is_none();
    let mut recovery = segments::Recovery::new(place, config, open);
    let mut loaded = Loaded { epochs: checkpoint.unwrap_or_default(), ..Loaded::nothing() };
    loaded.segments = recovery.recover(&files, &mut loaded.epochs, &mut loaded.report)?;
    loaded.start_offset = loaded.segments.first().map_or(0, Segment::base_offset);
    loaded.end_offset = recovery.end_offset;
    let is_longer = loaded.epochs.starts().last().is_some_and(|(_, start)| start >= loaded.end_offset);
    if is_missing || is_longer || !epochs::agree(&mut loaded.epochs, &loaded.segments, loaded.end_offset)? {
        loaded.epochs = epochs::rebuild(&loaded.segments)?;
    }
    producers::load(place, config, open, &files, &mut loaded)?;
    aborted::restore(place, &files, &mut loaded)?;
    loaded.report.segments = loaded.segments.len();
    // What was synced before, or is about to be, is the whole log.
    loaded.recovery_point = loaded.end_offset;
    if recovery.judged {
        sync(place, &mut loaded)?;
    }
    if !open.clean && !open.synced {
        sync_beginnings(place)?;
    }
    loaded.segments.iter_mut().for_each(Segment::release);
    // A broker with many logs keeps them all, and a vector has room for four from its first push on.
    loaded.segments.shrink_to_fit();
    Ok(loaded)
}

/// A small file; `None` when it is missing, or so long that it cannot be right.
fn read_small(place: &Place, name: &str) -> io::Result<Option<Vec<u8>>> {
    match place.disk.read(&place.path(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Makes what was kept survive a power loss: it is about to be read, and must not be gone the next time.
fn sync(place: &Place, loaded: &mut Loaded) -> io::Result<()> {
    for segment in &mut loaded.segments {
        if let Some((file, size)) = segment.unsynced()? {
            file.sync()?;
            segment.mark_synced(size);
        }
        for name in segment.unsynced_indexes()? {
            place.disk.open(&place.path(&name), OpenFile { create: false, capacity: 0 })?.sync()?;
        }
        segment.mark_indexes_synced();
    }
    if let Some(text) = loaded.epochs.take_unwritten() {
        place.disk.replace(&place.path(LEADER_EPOCH_CHECKPOINT), text.as_bytes())?;
    }
    Ok(())
}

/// Syncs what a log is synced with only once, when it is made: whoever made it may have been killed before.
fn sync_beginnings(place: &Place) -> io::Result<()> {
    let open = OpenFile { create: false, capacity: 0 };
    place.disk.open(&place.path(PARTITION_METADATA), open)?.sync()?;
    place.disk.sync_dir(&place.dir)?;
    place.dir.parent().map_or(Ok(()), |parent| place.disk.sync_dir(parent))
}

/// Segment files by their base offset, with their lengths.
type Lengths = BTreeMap<Offset, u64>;
