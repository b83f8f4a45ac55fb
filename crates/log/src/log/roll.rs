//! Making segments: the first one, and the next when one is full (`UnifiedLog.maybeRoll`, `LocalLog.roll`).

use std::io;
use std::sync::Arc;

use ottla_model::WallMillis;

use super::Log;
use crate::batch::ValidBatch;
use crate::error::LogError;
use crate::metadata;
use crate::names::{Kind, PARTITION_METADATA, file_name};
use crate::segment::{Limits, Segment};

impl Log {
    /// The segment that the batch goes to. After an error the log is what it was, but for files that the next
    /// attempt replaces.
    pub(super) fn segment_for(&mut self, batch: &ValidBatch, now: WallMillis) -> io::Result<&mut Segment> {
        let limits = Limits::new(&self.config, self.segment_ms());
        let roll = match self.segments.last() {
            Some(active) => active.should_roll(batch, limits, now)?,
            None => {
                self.make_directory()?;
                true
            }
        };
        if roll {
            self.roll(now)?;
        }
        self.segments.last_mut().ok_or_else(|| io::Error::other("a log has a segment once it is written"))
    }

    /// How old the active segment gets.
    fn segment_ms(&self) -> i64 {
        let base_offset = self.segments.last().map_or(self.end_offset, Segment::base_offset);
        self.config.segment_ms_jittered(&self.identity, base_offset)
    }

    /// Makes the directory and says in it whose it is.
    fn make_directory(&mut self) -> io::Result<()> {
        if !self.place.disk.exists(&self.place.dir)? {
            self.place.disk.create_dir_all(&self.place.dir)?;
            self.directory_unsynced = true;
        } else if self.is_new {
            // Whose it is is not known, and what is in it is not to be mixed with what is appended.
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.is_new = false;
        self.place.write_small(PARTITION_METADATA, metadata::to_text(self.identity.topic_id).as_bytes())?;
        Ok(())
    }

    /// Begins a new segment when the active one has waited for longer than `segment.ms`, as an append would: what
    /// is in it can only then be compacted, or deleted without the records that follow. True when it did.
    ///
    /// # Errors [`LogError::Offline`], or [`LogError::Storage`]; nothing has changed then.
    pub fn roll_if_due(&mut self, now: WallMillis) -> Result<bool, LogError> {
        self.check_open()?;
        let segment_ms = self.segment_ms();
        let due = self.segments.last().map_or(Ok(false), |active| active.is_due(segment_ms, now))?;
        if due {
            self.roll(now).map_err(|error| self.note(error))?;
        }
        Ok(due)
    }

    /// Seals the active segment, remembers the producers at its end, and begins a new one there.
    pub(super) fn roll(&mut self, now: WallMillis) -> io::Result<()> {
        if let Some(active) = self.segments.last_mut() {
            active.seal()?;
            self.write_snapshot()?;
            self.sync_active_of_compacted()?;
        }
        let capacity = self.config.segment_bytes_bounded();
        let segment = Segment::create(Arc::clone(&self.place), self.end_offset, capacity, now)?;
        if self.segments.is_empty() {
            // Most logs of a broker with many are small; a vector makes room for four at its first push.
            self.segments.reserve_exact(1);
        }
        self.segments.push(segment);
        self.names_unsynced = true;
        Ok(())
    }

    /// Writes what is remembered of producers, unless that was done at this offset: false then. It is not synced: a
    /// damaged snapshot is noticed, and an older one or the log itself takes its place.
    pub(super) fn write_snapshot(&mut self) -> io::Result<bool> {
        if self.snapshot_offset == Some(self.end_offset) {
            return Ok(false);
        }
        let name = file_name(self.end_offset, Kind::Snapshot);
        self.place.write_small(&name, &self.producers.to_snapshot())?;
        self.snapshot_offset = Some(self.end_offset);
        self.names_unsynced = true;
        Ok(true)
    }
}
