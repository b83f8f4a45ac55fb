//! Bytes of a segment that are no good batches, and how the rest of it is read around them.
//!
//! Damage is found in two places. Recovery judges what a crash may have hurt, and a read that comes to bytes
//! which cannot be right has the whole segment judged once ([`Segment::diagnose`]). Either way the segment
//! remembers it: walks step over it, reads end before it, and only a read of its own offsets is refused.
//!
//! Nothing about it is written down. The bytes stay where they are, and whoever looks at them again comes to
//! the same result, so there is no file that could be lost or be wrong about it.

use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use ottla_model::Offset;

use super::judge::{Judge, Verdict};
use super::{Scan, Scanned, Segment};
use crate::batch::BatchHeader;
use crate::error::ReadError;

/// How far behind the end of the active segment a read may begin to be hot, in bytes.
const HOT_BYTES: u64 = 64 * 1024 * 1024;

/// Bad bytes between good batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where they are in the segment.
    pub(crate) positions: Range<u64>,
    /// The offsets that were there, as the good batches around tell.
    pub(crate) offsets: Range<Offset>,
}

/// How far bytes that were read are good batches.
pub(crate) struct CheckedBytes {
    /// Bytes of the good ones.
    pub(crate) length: usize,
    /// The offset after the last good one.
    pub(crate) next: Offset,
}

impl Segment {
    /// The damage that is known, in order.
    pub(crate) fn damage(&self) -> Arc<[Damage]> {
        let known = self.damage.read().unwrap_or_else(PoisonError::into_inner);
        known.clone().unwrap_or_default()
    }

    /// Notes damage that recovery found.
    pub(crate) fn set_damage(&self, damage: Vec<Damage>) {
        let damage = (!damage.is_empty()).then(|| damage.into());
        *self.damage.write().unwrap_or_else(PoisonError::into_inner) = damage;
    }

    /// The damage that holds `offset`.
    pub(crate) fn damage_at(&self, offset: Offset) -> Option<Damage> {
        self.damage().iter().find(|damage| damage.offsets.contains(&offset)).cloned()
    }

    /// True when nothing good follows the last damage. Nothing is appended there: bytes behind a batch that was
    /// cut off could be taken for the rest of it.
    pub(super) fn ends_damaged(&self) -> bool {
        self.damage().last().is_some_and(|damage| damage.positions.end >= self.size)
    }

    /// The first damage at or after a position.
    pub(super) fn damage_after(&self, position: u64) -> Option<Damage> {
        self.damage().iter().find(|damage| damage.positions.start >= position).cloned()
    }

    /// Judges all batches of the segment and remembers which are bad. It reads the whole segment, which is
    /// why it is done only when something is wrong.
    pub(crate) fn diagnose(&self) -> io::Result<()> {
        let scan =
            Scan::new(self.file()?.as_ref(), self.base_offset, 0..self.size, Scan::BATCHES_WINDOW_BYTES);
        let mut judge = Judge::new(scan, self.end_offset);
        let mut found = Vec::new();
        loop {
            match judge.next()? {
                Verdict::Good(_) => {}
                Verdict::End => break,
                Verdict::Bad(bad) => {
                    let after = judge.resync(&bad)?;
                    let (position, offset) = match &after {
                        Some(batch) => (batch.position, batch.header.base_offset),
                        None => (self.size, self.end_offset),
                    };
                    found.push(Damage {
                        positions: bad.position..position,
                        offsets: bad.offset..offset.max(bad.offset),
                    });
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        self.set_damage(found);
        Ok(())
    }

    /// Runs `act`; when it comes to bytes that cannot be right, finds out which ones those are and runs it
    /// again, so that only they are in its way.
    pub(crate) fn around_damage<T>(&self, act: impl Fn() -> Result<T, ReadError>) -> Result<T, ReadError> {
        match act() {
            Err(ReadError::Corrupt { .. }) => {
                self.diagnose()?;
                act()
            }
            other => other,
        }
    }

    /// The error of a read that comes to bad bytes.
    pub(crate) fn corrupt_at(&self, position: u64) -> ReadError {
        ReadError::Corrupt { segment: self.base_offset, position }
    }

    /// True when what is at a position has to be checked before it is served, and may not be in memory: the
    /// segment is sealed, or nobody checked those bytes since the log was opened or idle, or they lie more than
    /// [`HOT_BYTES`] before its end.
    pub(crate) fn is_cold(&self, position: u64) -> bool {
        self.is_unchecked(position) || self.size.saturating_sub(position) > HOT_BYTES
    }

    /// True when nobody checked what is at a position since the log was opened or idle.
    pub(crate) fn is_unchecked(&self, position: u64) -> bool {
        self.is_sealed || position < self.checked_from.position
    }

    /// Checks batches that were read at `position`: their CRC, which is known to be right of the first `good`
    /// bytes, and that their offsets follow each other up to those of the batch behind them.
    ///
    /// # Errors
    /// [`ReadError::Corrupt`] when the offsets contradict each other; which batch is at fault is for
    /// [`Segment::diagnose`] to tell.
    pub(crate) fn check(&self, position: u64, bytes: &Bytes, good: usize) -> Result<CheckedBytes, ReadError> {
        let mut checked = CheckedBytes { length: 0, next: self.base_offset };
        while checked.length < bytes.len() {
            let at = position.saturating_add(checked.length as u64);
            let contradiction = self.corrupt_at(at);
            let rest = bytes.get(checked.length..).unwrap_or_default();
            let is_good = checked.length < good;
            let Some((header, size)) = whole_batch(rest, is_good) else { break };
            if header.base_offset < checked.next {
                return Err(contradiction);
            }
            let next = header.last_offset().saturating_add(1);
            let behind = match rest.get(size..).filter(|behind| !behind.is_empty()) {
                Some(behind) => BatchHeader::parse(behind).map(|header| header.base_offset),
                None => self.base_offset_at(at.saturating_add(size as u64))?,
            };
            if behind.is_some_and(|behind| behind < next) {
                return Err(contradiction);
            }
            checked = CheckedBytes { length: checked.length.saturating_add(size), next };
        }
        Ok(checked)
    }

    /// An error when a batch reaches over the one behind it, or over the end of the segment.
    pub(crate) fn expect_order(&self, batch: &Scanned) -> Result<(), ReadError> {
        let behind = self.base_offset_at(batch.position.saturating_add(batch.size))?;
        match behind.filter(|&behind| behind <= batch.header.last_offset()) {
            Some(_) => Err(self.corrupt_at(batch.position)),
            None => Ok(()),
        }
    }

    /// Base offset of the batch at a position, or the end of the segment; `None` when it cannot be told.
    fn base_offset_at(&self, position: u64) -> io::Result<Option<Offset>> {
        if position >= self.size {
            return Ok(Some(self.end_offset));
        }
        if self.damage_after(position).is_some_and(|damage| damage.positions.start == position) {
            return Ok(None);
        }
        Ok(self.header_at(position)?.map(|batch| batch.header.base_offset))
    }

    /// True when the CRC of a batch is that of its bytes.
    pub(crate) fn has_good_crc(&self, batch: &Scanned) -> io::Result<bool> {
        self.scan(batch.position, Scan::BATCHES_WINDOW_BYTES)?.has_good_crc(batch)
    }
}

/// The batch at the front of `bytes` and its size, when its CRC is right or known to be.
fn whole_batch(bytes: &[u8], is_good: bool) -> Option<(BatchHeader, usize)> {
    let header = BatchHeader::parse(bytes)?;
    let size = header.size_in_bytes()?;
    let body = bytes.get(crate::batch::HEADER_BYTES..size)?;
    (is_good || header.computed_crc(body) == header.crc).then_some((header, size))
}

/// How many of the bytes are batches whose CRC is right, up to the first one that is not.
pub(crate) fn good_bytes(bytes: &[u8]) -> usize {
    let mut good: usize = 0;
    while let Some((_, size)) = bytes.get(good..).and_then(|rest| whole_batch(rest, false)) {
        good = good.saturating_add(size);
    }
    good
}
