//! Counting what a segment holds: while it is written, and of what was there before by reading its headers once.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::Offset;

use super::counts::{Counts, Tally, is_dense};
use super::damage::Damage;
use super::{Scan, Scanned, Segment};
use crate::batch::BatchHeader;
use crate::disk::DiskFile;
use crate::error::ReadError;

/// The counts of a segment, as far as they are known.
#[derive(Debug)]
pub(super) struct Counted {
    /// Position from which on batches are counted.
    from: u64,
    counts: Counts,
    /// How many places were known to be damaged.
    damage: usize,
    /// Tells this segment from one that took its place.
    identity: Arc<()>,
}

impl Counted {
    /// Nothing is counted of what lies before a position.
    pub(super) fn behind(position: u64) -> Self {
        Self { from: position, counts: Counts::default(), damage: 0, identity: Arc::default() }
    }

    /// All is counted.
    pub(super) fn whole(counts: Counts) -> Self {
        Self { counts, ..Self::behind(0) }
    }

    /// Takes note of the batch that was appended.
    pub(super) fn add(&mut self, header: &BatchHeader, position: u64, size: u64) {
        self.counts.add(header, position, size);
    }
}

/// A segment of which the headers have to be read once to count it.
#[derive(Debug)]
pub(crate) struct Uncounted {
    pub(crate) base_offset: Offset,
    file: Arc<dyn DiskFile>,
    range: Range<u64>,
    damage: Arc<[Damage]>,
    identity: Arc<()>,
}

/// What counting one gave.
#[derive(Debug)]
pub(crate) struct CountedPart {
    pub(crate) base_offset: Offset,
    /// `None` when not all of it is batches.
    counts: Option<Counts>,
    damage: usize,
    identity: Arc<()>,
}

impl Uncounted {
    /// Reads the headers. It takes no lock: bytes that were written never change.
    pub(crate) fn count(self) -> io::Result<CountedPart> {
        let scan = Scan::new(&*self.file, self.base_offset, self.range, Scan::HEADERS_WINDOW_BYTES);
        let mut scan = scan.around(Arc::clone(&self.damage));
        let mut counts = Counts::default();
        while let Some(batch) = scan.next()? {
            counts.add(&batch.header, batch.position, batch.size);
        }
        let counts = scan.is_at_end().then_some(counts);
        let (base_offset, damage) = (self.base_offset, self.damage.len());
        Ok(CountedPart { base_offset, counts, damage, identity: self.identity })
    }
}

impl Segment {
    /// Nothing is known of its counts any more, but for what is appended from now on.
    fn forget_counts(&mut self) {
        self.counted = Counted::behind(self.size);
    }

    /// Says what has to be read before [`Segment::tally_before`] can tell of `from` and all behind it.
    pub(crate) fn uncounted(&mut self, from: Offset) -> io::Result<Option<Uncounted>> {
        let damage = self.damage();
        if self.counted.damage != damage.len() {
            // Records that cannot be read any more are not received by anybody.
            self.forget_counts();
            self.counted.damage = damage.len();
        }
        let is_counted =
            self.counted.from == 0 || self.counted.counts.first_offset().unwrap_or(self.end_offset) <= from;
        if is_counted {
            return Ok(None);
        }
        Ok(Some(Uncounted {
            base_offset: self.base_offset,
            file: Arc::clone(self.file()?),
            range: 0..self.counted.from,
            damage,
            identity: Arc::clone(&self.counted.identity),
        }))
    }

    /// Takes what counting gave. What belongs to files that were replaced meanwhile is dropped. When the bytes turn
    /// out to be bad, finds out which ones, so that the next count goes around them.
    pub(crate) fn note_counted(&mut self, part: CountedPart) -> io::Result<()> {
        if !Arc::ptr_eq(&part.identity, &self.counted.identity) || self.counted.from == 0 {
            return Ok(());
        }
        let Some(counts) = part.counts else { return self.diagnose() };
        if part.damage == self.counted.damage {
            self.counted.counts.prepend(counts);
            self.counted.from = 0;
        }
        Ok(())
    }

    /// Everything that is counted.
    pub(crate) fn tally(&self) -> Tally {
        self.counted.counts.total()
    }

    /// What is counted of the batches that end before `offset`. Of the batch that holds it nothing is.
    pub(crate) fn tally_before(&self, offset: Offset) -> Result<Tally, ReadError> {
        let (before, rest) = self.counted.counts.split(offset);
        let Some(run) = rest.first().filter(|run| run.first_offset < offset) else { return Ok(before) };
        if run.is_dense {
            let Some(batch) = self.locate(offset)? else { return Ok(before.plus(run.tally)) };
            let records = batch.header.base_offset.saturating_sub(run.first_offset);
            return Ok(before.plus(Tally {
                records: u64::try_from(records).unwrap_or(0),
                bytes: batch.position.saturating_sub(run.position),
            }));
        }
        let mut sum = before;
        let mut scan = self.scan(run.position, Scan::HEADERS_WINDOW_BYTES)?;
        while let Some(batch) = scan.next()?.filter(|batch| batch.header.last_offset() < offset) {
            sum = sum.plus(Tally::of(&batch.header, batch.size));
        }
        Ok(sum)
    }

    /// The first batch with data records that begins at or after `from`.
    pub(crate) fn first_data_batch(&self, from: Offset) -> Result<Option<Scanned>, ReadError> {
        let (_, rest) = self.counted.counts.split(from);
        for run in rest.iter().filter(|run| run.tally.records > 0) {
            let first = match self.locate(from.max(run.first_offset))? {
                Some(batch) if batch.position > run.position => batch.position,
                _ => run.position,
            };
            let mut scan = self.scan(first, Scan::HEADERS_WINDOW_BYTES)?;
            while let Some(batch) = scan.next()?.filter(|batch| batch.header.base_offset < run.end_offset) {
                let holds_data = Tally::of(&batch.header, batch.size).records > 0;
                if holds_data && batch.header.base_offset >= from {
                    return Ok(Some(batch));
                }
            }
        }
        Ok(None)
    }

    /// All bytes of a batch.
    pub(crate) fn bytes_of(&self, batch: &Scanned) -> io::Result<Bytes> {
        let length = usize::try_from(batch.size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.file()?.slice(batch.position, length)
    }

    /// The batch that begins before `offset` and ends at or behind it, when it holds data records.
    pub(crate) fn data_batch_across(&self, offset: Offset) -> Result<Option<Scanned>, ReadError> {
        let batch = self.locate(offset)?.filter(|batch| batch.header.base_offset < offset);
        Ok(batch.filter(|batch| Tally::of(&batch.header, batch.size).records > 0))
    }
}

/// How many records of a dense batch come before `offset`; `None` when that takes a look at them.
pub(crate) fn records_before(header: &BatchHeader, offset: Offset) -> Option<u64> {
    is_dense(header).then(|| u64::try_from(offset.saturating_sub(header.base_offset)).unwrap_or(0))
}
