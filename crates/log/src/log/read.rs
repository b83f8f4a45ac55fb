//! Reading: whole batches, one contiguous slice of one segment (`LocalLog.read`).

use bytes::Bytes;
use ottla_model::Offset;

use super::{Log, State};
use crate::error::ReadError;
use crate::segment::Segment;

/// How much a read may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// Most bytes.
    pub max_bytes: usize,
    /// True when the first batch is returned even if it alone is larger than that (KIP-74).
    pub at_least_one: bool,
    /// Nothing at or past it is read: the high watermark, or the last stable offset. A batch that holds it is
    /// not returned.
    pub upper: Offset,
}

/// What a read returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Whole batches. The first one may begin before the offset that was asked for. Empty at the end.
    pub bytes: Bytes,
    /// Base offset of the segment that they are in.
    pub segment: Offset,
    /// Where in it they begin, in bytes.
    pub position: u64,
    /// The offset from which to read on.
    pub next: Offset,
}

impl Log {
    /// Reads from `from` on. The bytes are a slice of the log, not a copy, on a disk that can do so.
    ///
    /// # Errors [`ReadError::OutOfRange`] before the start or after the end of the log, else what is wrong
    /// with the disk or its bytes.
    pub fn read(&self, from: Offset, limit: ReadLimit) -> Result<Read, ReadError> {
        self.check_readable()?;
        if from < self.start_offset || from > self.end_offset {
            return Err(ReadError::OutOfRange);
        }
        let upper = limit.upper.min(self.end_offset);
        let first = self.segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        // A batch after `from` may be in a later segment, when compaction has emptied the rest of this one.
        for (place, segment) in self.segments.iter().enumerate().skip(first) {
            if from >= upper {
                break;
            }
            if let Some(read) = self.read_segment(place, segment, from, ReadLimit { upper, ..limit })? {
                return Ok(read);
            }
        }
        let (segment, position) =
            self.segments.last().map_or((0, 0), |last| (last.base_offset(), last.size()));
        Ok(Read { bytes: Bytes::new(), segment, position, next: from })
    }

    /// `None` when the segment has no batch at or after `from`.
    fn read_segment(
        &self,
        place: usize,
        segment: &Segment,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Option<Read>, ReadError> {
        let Some(first) = segment.locate(from)? else { return Ok(None) };
        let max_bytes = limit.max_bytes as u64;
        let max_bytes = if limit.at_least_one { max_bytes.max(first.size) } else { max_bytes };
        let span = segment.span(&first, max_bytes, limit.upper, self.segment_end(place))?;
        let (bytes, next) = match span {
            Some(span) => {
                let length = usize::try_from(span.length).unwrap_or(usize::MAX);
                (segment.file()?.slice(span.position, length)?, span.next)
            }
            None => (Bytes::new(), from),
        };
        Ok(Some(Read { bytes, segment: segment.base_offset(), position: first.position, next }))
    }

    /// The offset after the last one of a segment.
    pub(super) fn segment_end(&self, place: usize) -> Offset {
        self.segments.get(place.saturating_add(1)).map_or(self.end_offset, Segment::base_offset)
    }

    /// After an error of a write or sync, what a page holds may not be what is on disk.
    pub(super) fn check_readable(&self) -> Result<(), ReadError> {
        if self.state == State::Offline {
            return Err(ReadError::Closed);
        }
        Ok(())
    }
}
