//! Finding batches in a segment.
//!
//! An index entry is only a hint: before it is followed, the batch that it points to must say the same as the
//! entry does. A damaged index costs time then, never a wrong answer.

use std::io;

use ottla_model::Offset;

use super::scan::{Scanned, is_sane, too_short};
use super::{Checked, Scan, Segment};
use crate::batch::{BatchHeader, HEADER_BYTES};
use crate::error::ReadError;
use crate::index::{OffsetIndex, OffsetPosition};

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

/// Where a walk through batches begins.
enum WalkFrom {
    /// At a batch that is known.
    Batch(Checked),
    /// At what an entry of the index points to, or at the beginning.
    Entry(Option<OffsetPosition>),
}

impl Segment {
    /// The header at a position, or `None` when that is no batch.
    pub(super) fn header_at(&self, position: u64) -> io::Result<Option<Scanned>> {
        let mut bytes = [0; HEADER_BYTES];
        let file = self.file()?;
        let read = if self.is_cold(position) {
            file.read_at(position, &mut bytes)
        } else {
            file.read_resident(position, &mut bytes)
        }?;
        let header = BatchHeader::parse(bytes.get(..read).unwrap_or_default());
        let room = self.size.saturating_sub(position);
        if read < HEADER_BYTES && room >= HEADER_BYTES as u64 {
            return Err(too_short());
        }
        Ok(header.filter(|header| is_sane(header, self.base_offset, room)).map(|header| {
            let size = header.size_in_bytes().unwrap_or_default() as u64;
            Scanned { position, size, header }
        }))
    }

    /// The batch at a position at which there must be one.
    fn batch_at(&self, position: u64) -> Result<Scanned, ReadError> {
        self.header_at(position)?.ok_or_else(|| self.corrupt_at(position))
    }

    /// The batch that an entry points to, when the two agree. What is known to be damaged agrees with nothing.
    fn follow(&self, hint: Option<OffsetPosition>) -> io::Result<Option<Scanned>> {
        let Some(hint) = hint.filter(|hint| self.damage_at(hint.offset).is_none()) else { return Ok(None) };
        Ok(self.header_at(hint.position)?.filter(|batch| batch.header.last_offset() == hint.offset))
    }

    /// The batch at a position, or the first one behind the damage there; `None` at the end. Its offsets may
    /// not begin before `least`.
    pub(super) fn step(&self, position: u64, least: Offset) -> Result<Option<Scanned>, ReadError> {
        let mut position = position;
        for damage in self.damage().iter() {
            if damage.positions.start == position {
                position = damage.positions.end;
            }
        }
        if position >= self.size {
            return Ok(None);
        }
        let batch = self.batch_at(position)?;
        if batch.header.base_offset < least {
            return Err(self.corrupt_at(position));
        }
        Ok(Some(batch))
    }

    /// The batch that holds `offset`, or the first one after it when compaction has left a gap there
    /// (`FileRecords.searchForOffsetFromPosition`). `None` past the last batch.
    pub(crate) fn locate(&self, offset: Offset) -> Result<Option<Scanned>, ReadError> {
        let (mut position, mut least) = match self.walk_from(self.offsets()?, offset) {
            WalkFrom::Batch(checked) => (checked.position, checked.offset),
            WalkFrom::Entry(hint) => (self.follow(hint)?.map_or(0, |batch| batch.position), self.base_offset),
        };
        while let Some(batch) = self.step(position, least)? {
            if batch.header.last_offset() >= offset {
                return Ok(Some(batch));
            }
            position = batch.position.saturating_add(batch.size);
            least = batch.header.last_offset().saturating_add(1);
        }
        Ok(None)
    }

    /// Where the walk to an offset begins. What comes before bytes that were checked is not looked at when the
    /// offset is among those.
    fn walk_from(&self, offsets: &OffsetIndex, offset: Offset) -> WalkFrom {
        let hint = offsets.lookup(offset);
        let checked = self.checked_from;
        if offset >= checked.offset && hint.is_none_or(|hint| hint.position < checked.position) {
            WalkFrom::Batch(checked)
        } else {
            WalkFrom::Entry(hint)
        }
    }

    /// True when a read from `offset` on is hot: it needs neither the disk nor a check.
    pub(crate) fn is_hot_from(&self, offset: Offset) -> bool {
        let (Some(_), Some(offsets)) = (self.log.get(), self.offsets.get()) else { return false };
        let position = match self.walk_from(offsets, offset) {
            WalkFrom::Batch(checked) => checked.position,
            WalkFrom::Entry(hint) => hint.map_or(0, |hint| hint.position),
        };
        !self.is_cold(position) && self.damage().is_empty()
    }

    /// The batch whose last offset is `offset`, if there is one.
    pub(super) fn batch_ending_at(&self, offset: Offset) -> Result<Option<Scanned>, ReadError> {
        Ok(self.locate(offset)?.filter(|batch| batch.header.last_offset() == offset))
    }

    /// The batches from `first` on that fit `max_bytes` and end before `upper` and before any damage. `end` is
    /// the offset after the segment's last batch. `None` when not even the first one does.
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
        let (stop, end) = match self.damage_after(position) {
            Some(damage) => (damage.positions.start, damage.offsets.start),
            None => (self.size, end),
        };
        if end <= upper && stop.saturating_sub(position) <= max_bytes {
            return Ok(Some(Span { position, length: stop.saturating_sub(position), next: end }));
        }
        let limit = position.saturating_add(max_bytes).min(stop);
        let mut next = first.header.last_offset().saturating_add(1);
        let mut at = position.saturating_add(first.size);
        // All batches before the one that the entry points to are in; from there on they are counted one by
        // one.
        let hint = self.offsets()?.lookup_position(limit, upper).filter(|hint| hint.position >= at);
        let hint = hint.filter(|hint| hint.position < limit);
        if let Some(batch) = self.follow(hint)? {
            at = batch.position;
            next = batch.header.base_offset;
        }
        while at < limit {
            let Some(batch) = self.step(at, next)? else { break };
            let after = batch.position.saturating_add(batch.size);
            if after > limit || batch.header.last_offset() >= upper {
                break;
            }
            at = after;
            next = batch.header.last_offset().saturating_add(1);
        }
        Ok(Some(Span { position, length: at.saturating_sub(position), next }))
    }

    /// The offset after the last batch (`LogSegment.readNextOffset`), found from the last index entry on.
    /// `None` when the batches do not end where the file does, or when some are known to be bad.
    pub(crate) fn end_offset(&self) -> io::Result<Option<Offset>> {
        let from = self.follow(self.offsets()?.last())?.map_or(0, |batch| batch.position);
        let mut scan = self.scan(from, Scan::HEADERS_WINDOW_BYTES)?;
        while scan.next()?.is_some() {}
        Ok((scan.is_at_end() && self.damage().is_empty()).then(|| scan.next_offset()))
    }
}
