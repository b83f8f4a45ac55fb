//! Tells good batches of a segment from bad bytes, and finds where good ones begin again.
//!
//! The CRC of a batch does not cover its base offset, its length and its leader epoch, so those are judged
//! by the batches around: offsets rise, and a batch begins no earlier than the one before it ends. When two
//! batches contradict each other, the one that left a gap before it is at fault, since a base offset that
//! has become larger makes a gap, and one that has become smaller makes none.

use std::io;

use ottla_model::Offset;

use super::scan::{Scan, Scanned};
use crate::batch::{BatchHeader, HEADER_BYTES};

/// Where good batches end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bad {
    /// Position of the first bad byte.
    pub(crate) position: u64,
    /// The first offset that is not in a good batch.
    pub(crate) offset: Offset,
}

/// What comes next in a segment.
pub(crate) enum Verdict {
    /// A good batch, which was stepped over.
    Good(Scanned),
    /// Bytes that are none. [`Judge::resync`] steps over them.
    Bad(Bad),
    /// Nothing.
    End,
}

/// Steps through a segment and judges each batch.
pub(crate) struct Judge<'a> {
    scan: Scan<'a>,
    /// The offset at which the segment ends at the latest.
    end: Offset,
    /// The CRC of batches that end before it is not looked at.
    trusted_before: Offset,
    /// A batch that reaches to it or beyond begins where the one before it ends.
    dense_from: Offset,
}

impl<'a> Judge<'a> {
    /// Judges the range of a scan by the CRC of each batch. `end` is the offset at which it ends at the latest.
    pub(crate) fn new(scan: Scan<'a>, end: Offset) -> Self {
        Self { scan, end, trusted_before: Offset::MIN, dense_from: Offset::MAX }
    }

    /// Does not look at the CRC of batches that end before `offset`.
    pub(crate) fn trusting_before(self, offset: Offset) -> Self {
        Self { trusted_before: offset, ..self }
    }

    /// Takes a gap before a batch that reaches to `offset` or beyond for damage: nothing there was ever
    /// compacted.
    pub(crate) fn dense_from(self, offset: Offset) -> Self {
        Self { dense_from: offset, ..self }
    }

    /// The end of the last good batch, and the offset after it.
    pub(crate) fn place(&self) -> (u64, Offset) {
        (self.scan.position(), self.scan.next_offset())
    }

    /// True when the CRC of a batch is looked at.
    pub(crate) fn distrusts(&self, header: &BatchHeader) -> bool {
        header.last_offset() >= self.trusted_before
    }

    /// Judges what comes next and steps over it when it is good.
    pub(crate) fn next(&mut self) -> io::Result<Verdict> {
        let (position, offset) = self.place();
        if self.scan.is_at_end() {
            return Ok(Verdict::End);
        }
        let bad = Verdict::Bad(Bad { position, offset });
        let Some(batch) = self.scan.peek()? else { return Ok(bad) };
        let base_offset = batch.header.base_offset;
        let has_gap = base_offset > offset;
        let last_offset = batch.header.last_offset();
        if last_offset >= self.end || (has_gap && last_offset >= self.dense_from) {
            return Ok(bad);
        }
        if self.distrusts(&batch.header) {
            self.scan.read_ahead(Scan::BATCHES_WINDOW_BYTES);
            if !self.scan.has_good_crc(&batch)? {
                return Ok(bad);
            }
        }
        if has_gap && self.is_contradicted(&batch, offset)? {
            return Ok(bad);
        }
        self.scan.accept(&batch);
        Ok(Verdict::Good(batch))
    }

    /// True when the batch behind one that left a gap fits into that gap.
    fn is_contradicted(&mut self, batch: &Scanned, offset: Offset) -> io::Result<bool> {
        let behind = self.scan.header_at(batch.position.saturating_add(batch.size))?;
        let Some(behind) = behind else { return Ok(false) };
        let next = batch.header.last_offset().saturating_add(1);
        Ok((offset..next).contains(&behind.header.base_offset) && self.scan.has_good_crc(&behind)?)
    }

    /// Finds the first good batch after bad bytes and goes on there. `None` when there is none.
    ///
    /// When the header of the bad batch tells where it ends, and a good one begins there, that is the one.
    /// Otherwise each byte is tried. Records may hold the bytes of batches, so one that is found that way
    /// must have another one or the end behind it.
    pub(crate) fn resync(&mut self, bad: &Bad) -> io::Result<Option<Scanned>> {
        self.scan.read_ahead(Scan::BATCHES_WINDOW_BYTES);
        let found = match self.behind_header(bad)? {
            Some(batch) => Some(batch),
            None => self.behind_bytes(bad)?,
        };
        if let Some(batch) = &found {
            self.scan.skip_to(batch.position, batch.header.base_offset);
        }
        Ok(found)
    }

    /// Stands before bad bytes again, when what follows them is of no use.
    pub(crate) fn go_back(&mut self, bad: &Bad) {
        self.scan.skip_to(bad.position, bad.offset);
    }

    fn behind_header(&mut self, bad: &Bad) -> io::Result<Option<Scanned>> {
        let Some(header) = self.scan.header_at(bad.position)? else { return Ok(None) };
        if header.header.base_offset != bad.offset {
            return Ok(None);
        }
        let next = header.header.last_offset().saturating_add(1);
        let behind = self.good_at(header.position.saturating_add(header.size), bad.offset)?;
        Ok(behind.filter(|behind| behind.header.base_offset == next))
    }

    fn behind_bytes(&mut self, bad: &Bad) -> io::Result<Option<Scanned>> {
        let mut position = bad.position.saturating_add(1);
        while self.scan.room(position) >= HEADER_BYTES as u64 {
            if let Some(batch) = self.good_at(position, bad.offset)? {
                let behind = position.saturating_add(batch.size);
                let next = batch.header.last_offset().saturating_add(1);
                let fits = |behind: Scanned| behind.header.base_offset >= next;
                if self.scan.room(behind) == 0 || self.scan.header_at(behind)?.is_some_and(fits) {
                    return Ok(Some(batch));
                }
            }
            position = position.saturating_add(1);
        }
        Ok(None)
    }

    /// The batch at a position, when it is good and comes after `offset`.
    fn good_at(&mut self, position: u64, offset: Offset) -> io::Result<Option<Scanned>> {
        let Some(batch) = self.scan.header_at(position)? else { return Ok(None) };
        let in_order = batch.header.base_offset > offset && batch.header.last_offset() < self.end;
        Ok((in_order && self.scan.has_good_crc(&batch)?).then_some(batch))
    }
}
