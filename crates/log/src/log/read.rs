//! Reading: whole batches, one contiguous slice of one segment (`LocalLog.read`).
//!
//! **Hot and cold.** A hot read hands out what an append of this process wrote, or what recovery read and
//! judged, a moment ago: it relies on that check, since the bytes are still in memory and nothing but a fault
//! of the memory can have changed them. Every other read is cold: it waits until the disk has read all of its
//! pages, and the CRC of each batch is computed before it is handed out. Hot is what lies in the active segment,
//! was checked since the log was opened or idle, and is at most 64 MiB before its end; after an error of the
//! disk nothing is.
//!
//! [`Log::read_hot`] never waits. [`Log::read`] does both, and [`super::cold`] does what takes long of a cold
//! read without the log.
//!
//! A cold read also judges what the CRC does not cover. Offsets must go on where the batch before ended, and
//! the leader epoch must be that of the checkpoint, unless the neighbours of the batch differ from it as well.
//!
//! A batch that is found to be bad is not served. The batches before it are, and those behind it to who asks
//! for them: see [`crate::Quarantined`].

use bytes::Bytes;
use ottla_model::Offset;

use super::cold::Warm;
use super::{Log, State};
use crate::batch::BatchHeader;
use crate::error::ReadError;
use crate::segment::{Scanned, Segment, Span};

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
    /// # Errors [`ReadError::OutOfRange`] before the start or after the end of the log,
    /// [`ReadError::Corrupt`] when the batch that holds `from` is bad, else what is wrong with the disk.
    pub fn read(&self, from: Offset, limit: ReadLimit) -> Result<Read, ReadError> {
        self.read_warm(from, limit, None)
    }

    /// Reads from `from` on if that is a hot read, and gives `None` if it is not.
    ///
    /// # Errors As [`Log::read`].
    pub fn read_hot(&self, from: Offset, limit: ReadLimit) -> Result<Option<Read>, ReadError> {
        let upper = self.readable_up_to(from, limit)?;
        if from >= upper {
            return Ok(Some(self.read_nothing(from)));
        }
        let Some((active, sealed)) = self.segments.split_last() else {
            return Ok(Some(self.read_nothing(from)));
        };
        if self.state == State::Offline || from < active.base_offset() || !active.is_hot_from(from) {
            return Ok(None);
        }
        match self.read_batches(sealed.len(), active, from, ReadLimit { upper, ..limit }, None) {
            Ok(read) => Ok(Some(read.unwrap_or_else(|| self.read_nothing(from)))),
            // Finding out what is wrong takes long.
            Err(ReadError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads from `from` on. What `warm` holds, if that is what is read, is not read and checked again.
    ///
    /// # Errors As [`Log::read`].
    pub fn read_warm(&self, from: Offset, limit: ReadLimit, warm: Option<&Warm>) -> Result<Read, ReadError> {
        let upper = self.readable_up_to(from, limit)?;
        // A batch after `from` may be in a later segment, when compaction has emptied the rest of this one.
        for (place, segment) in self.segments.iter().enumerate().skip(self.first_segment(from)) {
            if from >= upper {
                break;
            }
            if let Some(read) = self.read_segment(place, segment, from, ReadLimit { upper, ..limit }, warm)? {
                return Ok(read);
            }
        }
        Ok(self.read_nothing(from))
    }

    fn read_nothing(&self, from: Offset) -> Read {
        let last = self.segments.last().map_or((0, 0), |last| (last.base_offset(), last.size()));
        Read { bytes: Bytes::new(), segment: last.0, position: last.1, next: from }
    }

    /// Place of the segment in which a read begins.
    pub(super) fn first_segment(&self, from: Offset) -> usize {
        self.segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1)
    }

    /// The offset before which a read that begins at `from` ends.
    pub(super) fn readable_up_to(&self, from: Offset, limit: ReadLimit) -> Result<Offset, ReadError> {
        let end = self.check_readable()?;
        if from < self.start_offset || from > self.end_offset {
            return Err(ReadError::OutOfRange);
        }
        if from >= end && end < self.end_offset {
            return Err(ReadError::Closed);
        }
        Ok(limit.upper.min(end))
    }

    /// `None` when the segment has no batch at or after `from`.
    fn read_segment(
        &self,
        place: usize,
        segment: &Segment,
        from: Offset,
        limit: ReadLimit,
        warm: Option<&Warm>,
    ) -> Result<Option<Read>, ReadError> {
        let refuse_damaged = || match segment.damage_at(from) {
            Some(damage) => Err(segment.corrupt_at(damage.positions.start)),
            None => Ok(()),
        };
        refuse_damaged()?;
        match self.read_batches(place, segment, from, limit, warm) {
            Err(ReadError::Corrupt { .. }) => {
                segment.diagnose()?;
                refuse_damaged()?;
                self.read_batches(place, segment, from, limit, warm)
            }
            other => other,
        }
    }

    fn read_batches(
        &self,
        place: usize,
        segment: &Segment,
        from: Offset,
        limit: ReadLimit,
        warm: Option<&Warm>,
    ) -> Result<Option<Read>, ReadError> {
        let Some((first, span)) = self.locate_span(place, segment, from, limit)? else { return Ok(None) };
        let position = first.position;
        let Some(Span { length, mut next, .. }) = span else {
            return Ok(Some(Read {
                bytes: Bytes::new(),
                segment: segment.base_offset(),
                position,
                next: from,
            }));
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let file = segment.file()?;
        let mut bytes;
        if self.state != State::Offline && !segment.is_cold(position) {
            bytes = file.slice_resident(position, length)?;
        } else {
            let warm = warm.filter(|warm| warm.is_of(file, position));
            bytes = match warm.and_then(|warm| warm.first(length)) {
                Some(bytes) => bytes,
                None => file.slice(position, length)?,
            };
            let checked = segment.check(position, &bytes, warm.map_or(0, Warm::good_bytes))?;
            let good = self.with_right_epochs(&bytes.slice(..checked.length))?;
            if good == 0 {
                return Err(segment.corrupt_at(position));
            }
            if good < length {
                next = next_of_last(&bytes.slice(..good)).unwrap_or(checked.next);
                bytes.truncate(good);
            }
        }
        Ok(Some(Read { bytes, segment: segment.base_offset(), position, next }))
    }

    /// The first batch that is read, and all that are read with it, if any can be. `None` when the segment has no
    /// batch at or after `from`.
    pub(super) fn locate_span(
        &self,
        place: usize,
        segment: &Segment,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Option<(Scanned, Option<Span>)>, ReadError> {
        let Some(first) = segment.locate(from)? else { return Ok(None) };
        if first.header.base_offset > from || first.header.last_offset() >= limit.upper {
            // Compaction leaves gaps, and so does a base offset that is wrong; a batch may lie behind what can be
            // read, or its last offset is wrong.
            segment.expect_order(&first)?;
        }
        let max_bytes = limit.max_bytes as u64;
        let max_bytes = if limit.at_least_one { max_bytes.max(first.size) } else { max_bytes };
        let span = segment.span(&first, max_bytes, limit.upper, self.segment_end(place))?;
        Ok(Some((first, span)))
    }

    /// How many of the bytes, which are whole batches, come before one whose leader epoch is wrong.
    fn with_right_epochs(&self, bytes: &Bytes) -> Result<usize, ReadError> {
        let mut length = 0;
        while let Some(header) = bytes.get(length..).and_then(BatchHeader::parse) {
            if self.contradicts_epochs(&header) && self.is_alone_in_its_epoch(&header)? {
                break;
            }
            length = length.saturating_add(header.size_in_bytes().unwrap_or(usize::MAX)).min(bytes.len());
        }
        Ok(length)
    }

    fn contradicts_epochs(&self, header: &BatchHeader) -> bool {
        self.epochs.epoch_at(header.base_offset).is_some_and(|epoch| epoch != header.partition_leader_epoch)
    }

    /// True when the neighbours of a batch are of the epochs that the checkpoint says, which it is not. When
    /// they are not either, the checkpoint is what cannot be trusted.
    fn is_alone_in_its_epoch(&self, header: &BatchHeader) -> Result<bool, ReadError> {
        let before = self.header_holding(header.base_offset.saturating_sub(1))?;
        let behind = self.header_holding(header.last_offset().saturating_add(1))?;
        let mut neighbours = [before, behind].into_iter().flatten().peekable();
        Ok(neighbours.peek().is_some() && neighbours.all(|header| !self.contradicts_epochs(&header)))
    }

    /// The header of the batch that holds an offset, when there is one.
    fn header_holding(&self, offset: Offset) -> Result<Option<BatchHeader>, ReadError> {
        let count = self.segments.partition_point(|segment| segment.base_offset() <= offset);
        let segment = count.checked_sub(1).and_then(|place| self.segments.get(place));
        let batch = segment.map_or(Ok(None), |segment| segment.locate(offset))?;
        Ok(batch.map(|batch| batch.header).filter(|header| header.base_offset <= offset))
    }

    /// The offset after the last one of a segment.
    pub(super) fn segment_end(&self, place: usize) -> Offset {
        self.segments.get(place.saturating_add(1)).map_or(self.end_offset, Segment::base_offset)
    }

    /// The offset before which the log can be read. After an error of a write or sync, what a page holds may not
    /// be what is on disk; what was synced before is.
    pub(super) fn check_readable(&self) -> Result<Offset, ReadError> {
        match self.state {
            State::Open | State::Closed => Ok(self.end_offset),
            State::Offline if self.segments.is_empty() || self.recovery_point <= self.start_offset => {
                Err(ReadError::Closed)
            }
            State::Offline => Ok(self.recovery_point),
        }
    }
}

/// The offset after the last of whole batches.
fn next_of_last(bytes: &[u8]) -> Option<Offset> {
    let mut next = None;
    let mut rest = bytes;
    while let Some(header) = BatchHeader::parse(rest) {
        next = Some(header.last_offset().saturating_add(1));
        rest = rest.get(header.size_in_bytes()?..)?;
    }
    next
}
