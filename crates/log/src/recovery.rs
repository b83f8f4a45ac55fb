//! Opening the files of a log (`LogLoader`).
//!
//! After a clean stop the newest producer snapshot and the tail of the last segment are read. After a crash
//! every batch from the recovery point on is read and judged: the log is cut at the first bad one, indexes,
//! producers and epochs are made from what is left, and that is synced before anyone can read it. Doing it
//! twice gives the same bytes.

mod directory;
mod producers;
mod segments;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use crate::config::LogConfig;
use crate::epochs::Epochs;
use crate::error::LogError;
use crate::log::{Identity, Open};
use crate::names::LEADER_EPOCH_CHECKPOINT;
use crate::producers::Producers;
use crate::segment::{Place, Segment};

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
    /// True when bytes before the recovery point, which were on disk once, were lost.
    pub lost_synced_bytes: bool,
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
    fn nothing() -> Self {
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
    let epochs = load_epochs(place)?;
    let mut recovery = segments::Recovery::new(place, config, open, epochs.is_none());
    let mut loaded = Loaded { epochs: epochs.unwrap_or_default(), ..Loaded::nothing() };
    loaded.segments = recovery.recover(&files, &mut loaded.epochs, &mut loaded.report)?;
    loaded.start_offset = loaded.segments.first().map_or(0, Segment::base_offset);
    loaded.end_offset = recovery.end_offset;
    loaded.epochs.truncate_from_end(loaded.end_offset);
    producers::load(place, config, open, &files, &mut loaded)?;
    loaded.report.segments = loaded.segments.len();
    // What was synced before, or is about to be, is the whole log.
    loaded.recovery_point = loaded.end_offset;
    if recovery.judged {
        sync(place, &mut loaded)?;
    }
    loaded.segments.iter_mut().for_each(Segment::cool);
    Ok(loaded)
}

/// The epochs in the checkpoint; `None` when it is missing or damaged.
fn load_epochs(place: &Place) -> io::Result<Option<Epochs>> {
    match place.disk.read(&place.path(LEADER_EPOCH_CHECKPOINT)) {
        Ok(bytes) => Ok(str::from_utf8(&bytes).ok().and_then(Epochs::parse)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
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
        for file in segment.unsynced_indexes()? {
            file.sync()?;
        }
        segment.mark_indexes_synced();
    }
    if let Some(text) = loaded.epochs.take_unwritten() {
        place.disk.replace(&place.path(LEADER_EPOCH_CHECKPOINT), text.as_bytes())?;
    }
    place.disk.sync_dir(&place.dir)
}

/// Segment files by their base offset, with their lengths.
type Lengths = BTreeMap<Offset, u64>;
