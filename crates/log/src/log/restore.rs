//! Telling a log that was opened where it begins, as its owner's checkpoint says.

use ottla_model::Offset;

use super::Log;
use crate::error::LogError;
use crate::producers::Producers;

impl Log {
    /// Moves the start of a log that was just opened to what the checkpoint of its owner says
    /// (`log-start-offset-checkpoint`).
    ///
    /// A start past the end means that a power loss took the records behind it. Their offsets were given out,
    /// so the log begins there, empty, and does not give them out again (`UnifiedLog.truncateFullyAndStartAt`).
    ///
    /// # Errors
    /// [`LogError::Offline`], or [`LogError::Storage`] when files could not be removed.
    pub fn restore_start_offset(&mut self, offset: Offset) -> Result<(), LogError> {
        if offset <= self.end_offset {
            return self.advance_start_offset(offset);
        }
        self.check_open()?;
        self.names_unsynced = !self.segments.is_empty();
        for segment in self.segments.drain(..) {
            segment.remove().map_err(LogError::Storage)?;
        }
        self.producers = Producers::default();
        self.epochs.truncate_from_end(0);
        self.snapshot_offset = None;
        self.start_offset = offset;
        self.end_offset = offset;
        self.recovery_point = offset;
        Ok(())
    }
}
