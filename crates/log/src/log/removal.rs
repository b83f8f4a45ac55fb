//! Taking records away: the start of the log moves, and a deleted topic goes.

use std::path::PathBuf;

use ottla_model::Offset;

use super::{Log, State};
use crate::error::LogError;
use crate::names::DELETED_DIRECTORY_SUFFIX;
use crate::segment::Segment;

/// Longest name that a file may have.
const NAME_BYTES_MAX: usize = 255;

impl Log {
    /// Moves the start of the log, so that nothing before `offset` can be read (DeleteRecords, KIP-107), and
    /// removes the segments that lie wholly before it. A start that is further already stays. The owner
    /// checkpoints the start, and moves it again after the log is opened.
    ///
    /// # Errors [`LogError::OutOfRange`] past the end, [`LogError::Storage`] when files could not be removed;
    /// the start has moved then.
    pub fn advance_start_offset(&mut self, offset: Offset) -> Result<(), LogError> {
        self.check_open()?;
        if offset > self.end_offset {
            return Err(LogError::OutOfRange { offset, end: self.end_offset });
        }
        if offset <= self.start_offset {
            return Ok(());
        }
        self.start_offset = offset;
        self.recovery_point = self.recovery_point.max(offset);
        self.epochs.truncate_from_start(offset);
        self.remove_segments_before_start()
    }

    fn remove_segments_before_start(&mut self) -> Result<(), LogError> {
        // The active segment stays, even when nothing in it can be read any more.
        let ends: Vec<Offset> = self.segments.iter().skip(1).map(Segment::base_offset).collect();
        let count = ends.partition_point(|&end| end <= self.start_offset);
        if count == 0 {
            return Ok(());
        }
        self.names_unsynced = true;
        for segment in self.segments.drain(..count) {
            segment.remove()?;
        }
        Ok(())
    }

    /// Removes the log from the disk. The directory is renamed first, as Kafka names it, so that a crash
    /// leaves either the whole log or something that is known to be deleted. Slices that were handed out live
    /// on; the log itself can neither be read nor written any more, whatever comes of it.
    ///
    /// # Errors [`LogError::Storage`].
    pub fn delete(&mut self) -> Result<(), LogError> {
        self.state = State::Offline;
        self.segments.clear();
        let disk = &self.place.disk;
        if !disk.exists(&self.place.dir)? {
            return Ok(());
        }
        let gone = self.deleted_directory();
        if disk.exists(&gone)? {
            disk.remove_dir_all(&gone)?;
        }
        disk.rename(&self.place.dir, &gone)?;
        if let Some(parent) = self.place.dir.parent() {
            disk.sync_dir(parent)?;
        }
        disk.remove_dir_all(&gone)?;
        Ok(())
    }

    /// `TOPIC-PARTITION.ID-delete`, with the topic cut so that the name fits (`LocalLog.logDeleteDirName`).
    /// The id is that of the topic, which no other topic ever has.
    fn deleted_directory(&self) -> PathBuf {
        let id: String = self.identity.topic_id.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let suffix = format!("-{}.{id}{DELETED_DIRECTORY_SUFFIX}", self.identity.partition);
        let topic = self.identity.topic.as_str();
        let room = NAME_BYTES_MAX.saturating_sub(suffix.len());
        let topic = topic.get(..room).unwrap_or(topic);
        self.place.dir.with_file_name(format!("{topic}{suffix}"))
    }
}
