//! Making a log survive a power loss, and closing it.
//!
//! A sync that fails takes the log offline, whatever the error was, and is never tried again. The checkpoint of
//! epochs is another matter: it is a new file each time, so when the disk is too full for it, nothing is
//! lost and the next flush writes it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_model::{Offset, WallMillis};

use super::{Log, State};
use crate::disk::{DiskFile, OpenFile};
use crate::error::{LogError, is_transient};
use crate::names::{LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA};
use crate::segment::Place;

/// A sync that was begun: it can run without the log, on a thread that may block, while the log is appended
/// to. A log has one at a time.
#[derive(Debug)]
#[must_use = "its outcome goes to `Log::end_flush`, or the log never learns of it"]
pub struct Flush {
    place: Arc<Place>,
    segments: Vec<SegmentFile>,
    /// Indexes and the like, which are synced with the batches that they are about.
    small: Vec<Arc<dyn DiskFile>>,
    /// Segments whose indexes are among them.
    indexed: Vec<Offset>,
    epochs: Option<String>,
    names: bool,
    directory: bool,
    end_offset: Offset,
    /// Set when it ended at a file that did not fit, and not at a sync that failed.
    did_not_fit: AtomicBool,
}

#[derive(Debug)]
struct SegmentFile {
    base_offset: Offset,
    file: Arc<dyn DiskFile>,
    size: u64,
}

/// What a closed log tells its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Everything before it is on disk: what the recovery point checkpoint is to say.
    pub recovery_point: Offset,
}

impl Flush {
    /// Does it, once. An error must be given to [`Log::end_flush`] like success.
    ///
    /// # Errors
    /// What the disk says.
    pub fn run(&self) -> io::Result<()> {
        for file in self.segments.iter().map(|segment| &segment.file).chain(&self.small) {
            file.sync()?;
        }
        if let Some(text) = &self.epochs {
            let path = self.place.path(LEADER_EPOCH_CHECKPOINT);
            self.place.disk.replace(&path, text.as_bytes()).inspect_err(|error| {
                self.did_not_fit.store(is_transient(error), Ordering::Relaxed);
            })?;
        }
        if self.names {
            self.place.disk.sync_dir(&self.place.dir)?;
        }
        if self.directory
            && let Some(parent) = self.place.dir.parent()
        {
            self.place.disk.sync_dir(parent)?;
        }
        Ok(())
    }

    /// True when there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
            && self.small.is_empty()
            && self.epochs.is_none()
            && !self.names
            && !self.directory
    }
}

impl Log {
    /// Makes everything that was appended survive a power loss.
    ///
    /// # Errors Those of [`Log::begin_flush`] and [`Log::end_flush`].
    pub fn sync(&mut self) -> Result<(), LogError> {
        let flush = self.begin_flush()?;
        let result = flush.run();
        self.end_flush(flush, result)
    }

    /// Begins a sync of what was appended until now. Its [`Flush::run`] needs no access to the log; its
    /// outcome goes to [`Log::end_flush`].
    ///
    /// # Errors [`LogError::Offline`], or [`LogError::Storage`] when a file cannot be opened.
    pub fn begin_flush(&mut self) -> Result<Flush, LogError> {
        self.check_open()?;
        let mut segments = Vec::new();
        let mut small = Vec::new();
        let mut indexed = Vec::new();
        for segment in &self.segments {
            if let Some((file, size)) = segment.unsynced()? {
                segments.push(SegmentFile { base_offset: segment.base_offset(), file, size });
            }
            let files = segment.unsynced_indexes()?;
            if !files.is_empty() {
                indexed.push(segment.base_offset());
            }
            small.extend(files);
        }
        if self.directory_unsynced {
            // Its bytes were written when the directory was made, and are synced with the first records.
            small.push(self.open_small(PARTITION_METADATA)?);
        }
        Ok(Flush {
            place: Arc::clone(&self.place),
            segments,
            small,
            indexed,
            epochs: self.epochs.take_unwritten(),
            names: std::mem::take(&mut self.names_unsynced),
            directory: std::mem::take(&mut self.directory_unsynced),
            end_offset: self.end_offset,
            did_not_fit: AtomicBool::new(false),
        })
    }

    fn open_small(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.place.disk.open(&self.place.path(name), OpenFile { create: false, capacity: 0 })
    }

    /// Takes the outcome of a sync.
    ///
    /// # Errors
    /// [`LogError::Storage`] when it failed. A failed sync takes the log offline, whatever the error was; only
    /// when a small file did not fit on the disk is the log still open ([`Log::is_open`]), and the next flush
    /// begins from where this one did.
    pub fn end_flush(&mut self, flush: Flush, result: io::Result<()>) -> Result<(), LogError> {
        if let Err(error) = result {
            if flush.did_not_fit.load(Ordering::Relaxed) {
                self.epochs.mark_unwritten();
                self.names_unsynced |= flush.names;
                self.directory_unsynced |= flush.directory;
            } else {
                self.state = State::Offline;
            }
            return Err(error.into());
        }
        for done in &flush.segments {
            let segment = self.segments.iter_mut().find(|segment| segment.base_offset() == done.base_offset);
            if let Some(segment) = segment {
                segment.mark_synced(done.size);
            }
        }
        for segment in &mut self.segments {
            if flush.indexed.contains(&segment.base_offset()) {
                segment.mark_indexes_synced();
            }
        }
        self.recovery_point = self.recovery_point.max(flush.end_offset);
        self.producers.forget_ended(self.recovery_point);
        Ok(())
    }

    /// Closes the log: writes its indexes and producers and syncs everything, so that it can be opened
    /// without reading batches. It can be read, but not written from then on.
    ///
    /// # Errors [`LogError::Offline`] when it was closed by an error, [`LogError::Storage`] when something
    /// could not be written. The log is closed all the same, and the directory must not be marked as closed
    /// cleanly.
    pub fn close(&mut self, now: WallMillis) -> Result<Closed, LogError> {
        if self.state == State::Closed {
            return Ok(Closed { recovery_point: self.recovery_point });
        }
        self.check_open()?;
        self.expire_producers(now);
        let result = self.write_all().map_err(|error| LogError::Storage(self.note(error)));
        let result = result.and_then(|()| self.sync());
        if self.state == State::Open {
            self.state = State::Closed;
        }
        self.cool();
        result.map(|()| Closed { recovery_point: self.recovery_point })
    }

    /// Makes the active segment survive a power loss, before the one behind it is begun. Of a log that is
    /// compacted, a gap between segments may be meant, so recovery could not tell that the end of one was lost.
    ///
    /// # Errors What the disk says. The log is offline then.
    pub(super) fn sync_active_of_compacted(&mut self) -> io::Result<()> {
        let Some(active) = self.segments.last_mut().filter(|_| self.config.compacted) else { return Ok(()) };
        let Some((file, size)) = active.unsynced()? else { return Ok(()) };
        file.sync().inspect_err(|_| self.state = State::Offline)?;
        active.mark_synced(size);
        Ok(())
    }

    fn write_all(&mut self) -> io::Result<()> {
        let Some(active) = self.segments.last_mut() else { return Ok(()) };
        active.seal()?;
        self.write_snapshot()?.map_or(Ok(()), |file| file.sync())
    }
}
