//! Old segments go, whole and from the beginning of the log on (`UnifiedLog.deleteOldSegments`).

use ottla_model::{Offset, WallMillis};

use super::Log;
use super::cleaning::age_timestamp;
use super::deleted::DeletedFiles;
use crate::error::{LogError, ReadError, is_transient};
use crate::names::Kind;
use crate::segment::Segment;

/// Why a segment goes (`SegmentDeletionReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionReason {
    /// All of it lies before the start of the log, which DeleteRecords has moved.
    StartOffset,
    /// The log has more than `retention.bytes` without it.
    Size,
    /// Its newest record is older than `retention.ms`.
    Time,
}

/// A segment that is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiredSegment {
    /// Its first offset.
    pub base_offset: Offset,
    /// The offset after its last one.
    pub end_offset: Offset,
    /// Bytes of its batches.
    pub size_bytes: u64,
    /// Why it goes.
    pub reason: RetentionReason,
}

/// What retention has done.
#[derive(Debug)]
pub struct RetentionReport {
    /// The segments that went.
    pub segments: Vec<ExpiredSegment>,
    /// The start of the log now: what its checkpoint is to say before the files are removed.
    pub start_offset: Offset,
    /// Their files.
    pub deleted: DeletedFiles,
}

impl Log {
    /// The segments that are to go now, from the oldest on. `upper` is the high watermark, which none of them
    /// reaches over. The active segment is among them when all before it are and its own records are too old or
    /// too many, as in Kafka: it is sealed before it goes.
    ///
    /// # Errors
    /// What is wrong with the disk.
    pub fn expired_segments(&self, now: WallMillis, upper: Offset) -> Result<Vec<ExpiredSegment>, ReadError> {
        let mut expired = Vec::new();
        let mut size = self.size_bytes();
        let mut rest = self.segments.iter().enumerate().peekable();
        let mut take = |reason, goes: &mut dyn FnMut(usize, &Segment) -> Result<bool, ReadError>| {
            while let Some(&(place, segment)) = rest.peek() {
                let end_offset = self.segment_end(place);
                if end_offset > upper
                    || segment.size() == 0 && self.is_active(place)
                    || !goes(place, segment)?
                {
                    break;
                }
                let (base_offset, size_bytes) = (segment.base_offset(), segment.size());
                size = size.saturating_sub(size_bytes);
                expired.push(ExpiredSegment { base_offset, end_offset, size_bytes, reason });
                rest.next();
            }
            Ok::<u64, ReadError>(size)
        };
        let mut size = take(RetentionReason::StartOffset, &mut |place, _| {
            Ok(!self.is_active(place) && self.segment_end(place) <= self.start_offset)
        })?;
        if self.config.deletes {
            if let Ok(allowed) = u64::try_from(self.config.retention_bytes) {
                take(RetentionReason::Size, &mut |_, segment| {
                    let left = size.checked_sub(segment.size()).filter(|&left| left >= allowed);
                    size = left.unwrap_or(size);
                    Ok(left.is_some())
                })?;
            }
            if self.config.retention_ms >= 0 {
                take(RetentionReason::Time, &mut |_, segment| {
                    Ok(now.0.saturating_sub(age_timestamp(segment)?) > self.config.retention_ms)
                })?;
            }
        }
        Ok(expired)
    }

    fn is_active(&self, place: usize) -> bool {
        place.saturating_add(1) == self.segments.len()
    }

    /// Takes away the segments that [`Log::expired_segments`] names, and moves the start of the log behind them.
    /// Slices of them that readers hold stay good.
    ///
    /// # Errors [`LogError::Offline`], or [`LogError::Storage`]; those before the one that failed are gone then.
    pub fn delete_expired(&mut self, now: WallMillis, upper: Offset) -> Result<RetentionReport, LogError> {
        self.check_open()?;
        let mut segments = self.expired_segments(now, upper)?;
        if !segments.is_empty() && segments.len() == self.segments.len() {
            match self.roll(now) {
                // No room for a new segment: the one that is written stays, and the others make room.
                Err(error) if is_transient(&error) => drop(segments.pop()),
                rolled => rolled.map_err(|error| self.note(error))?,
            }
        }
        let mut deleted = DeletedFiles::new(&self.place);
        for (count, expired) in segments.iter().enumerate() {
            // The file of the batches is the first: without it, the others belong to nothing.
            let kinds = Kind::OF_SEGMENT.into_iter().chain([Kind::Snapshot]);
            for kind in kinds {
                if let Err(error) = deleted.add(expired.base_offset, kind) {
                    self.drop_segments(count.saturating_add(usize::from(kind != Kind::Log)));
                    // Nobody else does before the next start, and a full disk needs the space now.
                    let _ = deleted.remove();
                    return Err(self.note(error).into());
                }
            }
        }
        self.drop_segments(segments.len());
        Ok(RetentionReport { segments, start_offset: self.start_offset, deleted })
    }

    /// Forgets the first segments, whose files are gone.
    fn drop_segments(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.names_unsynced = true;
        self.segments.drain(..count);
        let first = self.segments.first().map_or(self.end_offset, Segment::base_offset);
        if first > self.start_offset {
            self.start_offset = first;
            self.recovery_point = self.recovery_point.max(first);
            self.epochs.truncate_from_start(first);
        }
    }
}
