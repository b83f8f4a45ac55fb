//! Finding batches in a segment.
//!
//! An index entry is only a hint: before it is followed, the batch that it points to must say the same as the
//! entry does. A damaged index costs time then, never a wrong answer.

use std::io;

use ottla_model::Offset;

use super::scan::{Scanned, is_sane};
use super::{Scan, Segment};
use crate::batch::{BatchHeader, HEADER_BYTES};
use crate::error::ReadError;
use crate::index::OffsetPosition;

/// Whole batches, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where the first one begins.
    pub(crate) position: u64,
    /// Bytes of all of them.
    pub(crate) length: u64,
    /// The offset after the last one.
    pub(crate) next: Offset,
}

impl Segment {
    /// The header at a position, or `None` when that is no batch.
    pub(super) fn header_at(&self, position: u64) -> io::Result<Option<Scanned>> {
        let mut bytes = [0; HEADER_BYTES];
        let read = self.file()?.read_at(position, &mut bytes)?;
        let header = BatchHeader::parse(bytes.get(..read).unwrap_or_default());
        let room = self.size.saturating_sub(position);
        Ok(header.filter(|header| is_sane(header, self.base_offset, room)).map(|header| {
            let size = header.size_in_bytes().unwrap_or_default() as u64;
            Scanned { position, size, header }
        }))
    }

    /// The batch at a position at which there must be one.
    pub(super) fn batch_at(&self, position: u64) -> Result<Scanned, ReadError> {
        self.header_at(position)?.ok_or(ReadError::Corrupt { segment: self.base_offset, position })
    }

    /// The batch that an entry points to, when the two agree.
    fn follow(&self, hint: Option<OffsetPosition>) -> io::Result<Option<Scanned>> {
        let Some(hint) = hint else { return Ok(None) };
        Ok(self.header_at(hint.position)?.filter(|batch| batch.header.last_offset() == hint.offset))
    }

    /// The batch that holds `offset`, or the first one after it when compaction has left a gap there
    /// (`FileRecords.searchForOffsetFromPosition`). `None` past the last batch.
    pub(crate) fn locate(&self, offset: Offset) -> Result<Option<Scanned>, ReadError> {
        let mut position = self.follow(self.offsets()?.lookup(offset))?.map_or(0, |batch| batch.position);
        while position < self.size {
            let batch = self.batch_at(position)?;
            if batch.header.last_offset() >= offset {
                return Ok(Some(batch));
            }
            position = position.saturating_add(batch.size);
        }
        Ok(None)
    }

    /// The batch whose last offset is `offset`, if there is one.
    pub(super) fn batch_ending_at(&self, offset: Offset) -> io::Result<Option<Scanned>> {
        match self.locate(offset) {
            Ok(batch) => Ok(batch.filter(|batch| batch.header.last_offset() == offset)),
            Err(ReadError::Storage(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The batches from `first` on that fit `max_bytes` and end before `upper`. `end` is the offset after the
    /// segment's last batch. `None` when not even the first one does.
    pub(crate) fn span(
        &self,
        first: &Scanned,
        max_bytes: u64,
        upper: Offset,
        end: Offset,
    ) -> Result<Option<Span>, ReadError> {
        let position = first.position;
        if first.size > max_bytes || first.header.last_offset() >= upper {
            return Ok(None);
        }
        if end <= upper && self.size.saturating_sub(position) <= max_bytes {
            return Ok(Some(Span { position, length: self.size.saturating_sub(position), next: end }));
        }
        let limit = position.saturating_add(max_bytes).min(self.size);
        let mut next = first.header.last_offset().saturating_add(1);
        let mut at = position.saturating_add(first.size);
        // All batches before the one that the entry points to are in; from there on they are counted one by
        // one.
        let hint = self.offsets()?.lookup_position(limit, upper).filter(|hint| hint.position >= at);
        if let Some(batch) = self.follow(hint)? {
            at = batch.position;
            next = batch.header.base_offset;
        }
        while at < limit {
            let batch = self.batch_at(at)?;
            let after = at.saturating_add(batch.size);
            if after > limit || batch.header.last_offset() >= upper {
                break;
            }
            at = after;
            next = batch.header.last_offset().saturating_add(1);
        }
        Ok(Some(Span { position, length: at.saturating_sub(position), next }))
    }

    /// The offset after the last batch (`LogSegment.readNextOffset`), found from the last index entry on.
    /// `None` when the batches do not end where the file does.
    pub(crate) fn end_offset(&self) -> io::Result<Option<Offset>> {
        let from = self.follow(self.offsets()?.last())?.map_or(0, |batch| batch.position);
        let mut scan = self.scan(from, Scan::HEADERS_WINDOW_BYTES)?;
        while scan.next()?.is_some() {}
        Ok((scan.position() == self.size).then(|| scan.next_offset()))
    }
}
