//! Making a log survive a power loss, and closing it.
//!
//! A sync that fails takes the log offline, whatever the error was, and is never tried again. The checkpoint of
//! epochs is another matter: it is a new file each time, so when the disk is too full for it, nothing is
//! lost and the next flush writes it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_model::{Offset, WallMillis};

use super::{Log, State};
use crate::disk::{DiskFile, OpenFile};
use crate::error::{LogError, is_out_of_descriptors, is_transient};
use crate::names::{Kind, LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA, file_name};
use crate::segment::Place;

/// A sync that was begun: it can run without the log, on a thread that may block, while the log is appended
/// to. A log has one at a time.
#[derive(Debug)]
#[must_use = "its outcome goes to `Log::end_flush`, or the log never learns of it"]
pub struct Flush {
    pub(super) place: Arc<Place>,
    segments: Vec<SegmentFile>,
    /// Names of indexes and the like, which are synced with the batches that they are about. They are opened one
    /// after the other, so that many flushes that were begun do not hold a descriptor for each.
    small: Vec<String>,
    /// Segments whose indexes are among them.
    indexed: Vec<Offset>,
    /// What the checkpoint of epochs is to say, when it is not what it says.
    pub(super) epochs: Option<String>,
    names: bool,
    directory: bool,
    end_offset: Offset,
    /// Set when it ended at a file that did not fit, and not at a sync that failed.
    pub(super) did_not_fit: AtomicBool,
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
        for segment in &self.segments {
            segment.file.sync()?;
        }
        for name in &self.small {
            match self.place.disk.open(&self.place.path(name), OpenFile { create: false, capacity: 0 }) {
                Ok(file) => file.sync()?,
                // Its segment was removed since, or another file has taken its place and is synced by itself.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.noted(error)),
            }
        }
        if let Some(text) = &self.epochs {
            let path = self.place.path(LEADER_EPOCH_CHECKPOINT);
            self.place.disk.replace(&path, text.as_bytes()).map_err(|error| self.noted(error))?;
        }
        if self.names {
            self.sync_directory(&self.place.dir)?;
        }
        if self.directory
            && let Some(parent) = self.place.dir.parent()
        {
            self.sync_directory(parent)?;
        }
        Ok(())
    }

    /// A directory that could not be opened was not synced, which is no sync that failed.
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let synced = self.place.disk.sync_dir(directory);
        synced.map_err(|error| if is_out_of_descriptors(&error) { self.noted(error) } else { error })
    }

    /// Notes of an error that is not a sync's whether the same may be done again.
    pub(super) fn noted(&self, error: io::Error) -> io::Error {
        self.did_not_fit.store(is_transient(&error), Ordering::Relaxed);
        error
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
    /// # Errors [`LogError::Offline`], or [`LogError::Storage`] when a file cannot be opened; the log is as it was.
    pub fn begin_flush(&mut self) -> Result<Flush, LogError> {
        self.check_open()?;
        let mut segments = Vec::new();
        let mut small = Vec::new();
        let mut indexed = Vec::new();
        for segment in &self.segments {
            if let Some((file, size)) = segment.unsynced()? {
                segments.push(SegmentFile { base_offset: segment.base_offset(), file, size });
            }
            let names = segment.unsynced_indexes();
            if !names.is_empty() {
                indexed.push(segment.base_offset());
            }
            small.extend(names);
        }
        if self.directory_unsynced {
            // Its bytes were written when the directory was made, and are synced with the first records.
            small.push(PARTITION_METADATA.to_owned());
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

    /// Takes the outcome of a sync.
    ///
    /// # Errors
    /// [`LogError::Storage`] when it failed, [`LogError::Offline`] when something else did meanwhile. A failed sync
    /// takes the log offline, whatever the error was; only when a small file did not fit on the disk is the log
    /// still open ([`Log::is_open`]), and the next flush begins from where this one did.
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
        // A roll may have synced the same file meanwhile, and of two syncs that share a descriptor the kernel tells only
        // one that bytes are lost.
        if self.state == State::Offline {
            return Err(LogError::Offline);
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
        let flush = self.begin_close(now)?;
        let result = flush.run();
        self.end_close(flush, result)
    }

    /// Begins to close the log, as [`Log::close`] does it: writes everything, and leaves the sync to its caller,
    /// who may do that of many logs at once ([`Flush::run_together`]). Its outcome goes to [`Log::end_close`].
    ///
    /// # Errors As [`Log::close`]. The log is closed all the same.
    pub fn begin_close(&mut self, now: WallMillis) -> Result<Flush, LogError> {
        self.check_open()?;
        self.expire_producers(now);
        let snapshot = self.write_all().map_err(|error| LogError::Storage(self.note(error)));
        let begun = snapshot.and_then(|snapshot| {
            let mut flush = self.begin_flush()?;
            flush.small.extend(snapshot);
            Ok(flush)
        });
        if self.state == State::Open {
            self.state = State::Closed;
        }
        if begun.is_err() {
            self.cool();
        }
        begun
    }

    /// Takes the outcome of the sync of [`Log::begin_close`].
    ///
    /// # Errors [`LogError::Storage`] when it failed.
    pub fn end_close(&mut self, flush: Flush, result: io::Result<()>) -> Result<Closed, LogError> {
        let ended = self.end_flush(flush, result);
        self.cool();
        ended.map(|()| Closed { recovery_point: self.recovery_point })
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

    /// Writes the indexes of the active segment and a snapshot of producers, whose name it gives.
    fn write_all(&mut self) -> io::Result<Option<String>> {
        let Some(active) = self.segments.last_mut() else { return Ok(None) };
        active.seal()?;
        let is_new = self.write_snapshot()?;
        Ok(is_new.then(|| file_name(self.end_offset, Kind::Snapshot)))
    }
}
