//! How much of a log a reader has not seen: the records that it would really receive, the bytes of their batches,
//! and the time of the next one.
//!
//! What is asked for is answered from numbers that are kept for each segment ([`crate::segment`]), so that the cost
//! does not grow with the distance. Two things are left for after the lock of the log is let go of: a look into the
//! batch in the middle of which the reader stands, and, once for each segment that was there before this process,
//! reading the headers of its batches.
//!
//! ```text
//!   Log::unread ─┬─ Known ──────► UnreadBatches::count ──► Unread
//!        ▲       └─ Uncounted ──► UncountedSegment::count ──┐
//!        └────────────────────── Log::note_counted ◄─────────┘
//! ```

use std::io;

use bytes::Bytes;
use ottla_model::Offset;

use super::Log;
use super::aborted::{AbortedBatches, Isolation};
use crate::batch::{BatchHeader, HEADER_BYTES, TimestampType, Walk};
use crate::error::ReadError;
use crate::segment::{CountedPart, Scanned, Segment, Tally, Uncounted, records_before};

/// What a reader has not seen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Where counting began: the offset that was asked for, or the start of the log when that lies behind it.
    pub from: Offset,
    /// Where it ended.
    pub upper: Offset,
    /// Records that the reader would receive.
    pub records: u64,
    /// Bytes of the batches that they are in, as they are stored.
    pub bytes: u64,
    /// The first of them; `None` when there is none.
    pub next: Option<NextRecord>,
}

/// The record that a reader would receive next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRecord {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, in milliseconds since the Unix epoch, or -1 when it has none.
    pub timestamp: i64,
}

/// What [`Log::unread`] knows.
#[derive(Debug)]
pub enum UnreadLook {
    /// The answer, but for a look into a batch or two.
    Known(UnreadBatches),
    /// Nothing yet: this has to be counted first.
    Uncounted(UncountedSegment),
}

/// What is unread, down to the batches in which it begins.
#[derive(Debug)]
pub struct UnreadBatches {
    from: Offset,
    upper: Offset,
    /// Of all data batches that end at or behind `from`.
    tally: Tally,
    /// The batch in the middle of which the reader stands.
    across: Option<Bytes>,
    /// The first data batch behind that.
    next: Option<Bytes>,
    pub(super) aborted: AbortedBatches,
}

/// A segment of which the headers have to be read once.
#[derive(Debug)]
pub struct UncountedSegment(Uncounted);

/// What counting a segment gave, for [`Log::note_counted`].
#[derive(Debug)]
pub struct CountedSegment(CountedPart);

impl UncountedSegment {
    /// Reads the headers of all batches, from the disk when they are not in memory. It takes no lock.
    ///
    /// # Errors
    /// What is wrong with the disk.
    pub fn count(self) -> io::Result<CountedSegment> {
        self.0.count().map(CountedSegment)
    }
}

impl Log {
    /// Looks up what lies between `from` and `upper`, which is the high watermark or the last stable offset. A batch
    /// that holds `upper` does not count, since no reader gets it.
    ///
    /// # Errors
    /// What is wrong with the disk or its bytes; [`ReadError::Closed`] when the log cannot be read.
    pub fn unread(
        &mut self,
        from: Offset,
        upper: Offset,
        isolation: Isolation,
    ) -> Result<UnreadLook, ReadError> {
        let upper = self.check_readable()?.min(upper);
        let from = from.max(self.start_offset);
        if from >= upper {
            return Ok(UnreadLook::Known(UnreadBatches::nothing(from, upper)));
        }
        if let Some(uncounted) = self.uncounted_between(from, upper)? {
            return Ok(UnreadLook::Uncounted(UncountedSegment(uncounted)));
        }
        let mut found = UnreadBatches::nothing(from, upper);
        for (place, segment) in self.segments_between(from, upper) {
            let behind = match self.segment_end(place) > upper {
                true => segment.tally_before(upper)?,
                false => segment.tally(),
            };
            let before =
                if segment.base_offset() < from { segment.tally_before(from)? } else { Tally::default() };
            found.tally = found.tally.plus(behind.minus(before));
        }
        found.across =
            self.readable_batch(from, from.saturating_add(1), upper, Segment::data_batch_across)?;
        found.next = self.readable_batch(from, upper, upper, Segment::first_data_batch)?;
        found.aborted = self.aborted_batches(from, upper, isolation)?;
        Ok(UnreadLook::Known(found))
    }

    /// Takes what counting gave. A segment that was replaced or removed meanwhile stays as it is.
    ///
    /// # Errors
    /// What is wrong with the disk.
    pub fn note_counted(&mut self, counted: CountedSegment) -> Result<(), ReadError> {
        let CountedSegment(part) = counted;
        let of = |segment: &&mut Segment| segment.base_offset() == part.base_offset;
        match self.segments.iter_mut().find(of) {
            Some(segment) => Ok(segment.note_counted(part)?),
            None => Ok(()),
        }
    }

    fn uncounted_between(&mut self, from: Offset, upper: Offset) -> Result<Option<Uncounted>, ReadError> {
        let first = self.first_segment_of(from);
        for segment in self.segments.iter_mut().skip(first) {
            if segment.base_offset() >= upper {
                break;
            }
            if let Some(uncounted) = segment.uncounted(from)? {
                return Ok(Some(uncounted));
            }
        }
        Ok(None)
    }

    fn first_segment_of(&self, offset: Offset) -> usize {
        self.segments.partition_point(|segment| segment.base_offset() <= offset).saturating_sub(1)
    }

    /// The segments that hold offsets of a range, with their places.
    pub(super) fn segments_between(
        &self,
        from: Offset,
        upper: Offset,
    ) -> impl Iterator<Item = (usize, &Segment)> {
        let all = self.segments.iter().enumerate().skip(self.first_segment_of(from));
        all.take_while(move |(_, segment)| segment.base_offset() < upper)
    }

    /// The bytes of the first batch that `find` finds in a segment of the range, when it ends before `upper`.
    pub(super) fn readable_batch(
        &self,
        from: Offset,
        to: Offset,
        upper: Offset,
        find: impl Fn(&Segment, Offset) -> Result<Option<Scanned>, ReadError>,
    ) -> Result<Option<Bytes>, ReadError> {
        for (_, segment) in self.segments_between(from, to) {
            if let Some(batch) = find(segment, from)? {
                let is_readable = batch.header.last_offset() < upper;
                return is_readable.then(|| segment.bytes_of(&batch)).transpose().map_err(Into::into);
            }
        }
        Ok(None)
    }
}

impl UnreadBatches {
    fn nothing(from: Offset, upper: Offset) -> Self {
        let (tally, aborted) = (Tally::default(), AbortedBatches::default());
        Self { from, upper, tally, across: None, next: None, aborted }
    }

    /// Looks into the batches in which the unread records begin. It takes no lock.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when a batch cannot be read, else what is wrong with the disk.
    pub fn count(self) -> io::Result<Unread> {
        let Self { from, upper, mut tally, across, next, aborted } = self;
        let mut aborted = aborted.count()?;
        tally = tally.minus(aborted.tally);
        let mut first = None;
        if let Some(batch) = across.filter(|batch| !aborted.hides(batch)) {
            let entered = Entered::new(&batch, from)?;
            tally.records = tally.records.saturating_sub(entered.records_before);
            if entered.next.is_none() {
                tally.bytes = tally.bytes.saturating_sub(batch.len() as u64);
            }
            first = entered.next;
        }
        if first.is_none() && tally.records > 0 {
            let batch = aborted.next.take().unwrap_or(next);
            first = batch.map_or(Ok(None), |batch| Entered::new(&batch, from).map(|entered| entered.next))?;
        }
        Ok(Unread { from, upper, records: tally.records, bytes: tally.bytes, next: first })
    }
}

/// A batch as one sees it who enters it at an offset.
struct Entered {
    /// Records before that offset.
    records_before: u64,
    /// The first record from there on.
    next: Option<NextRecord>,
}

impl Entered {
    fn new(batch: &Bytes, from: Offset) -> io::Result<Self> {
        let malformed = || io::Error::from(io::ErrorKind::InvalidData);
        let header = BatchHeader::parse(batch).ok_or_else(malformed)?;
        if header.timestamp_type() == TimestampType::LogAppendTime
            && let Some(records_before) = records_before(&header, from)
        {
            let next = NextRecord { offset: from.max(header.base_offset), timestamp: header.max_timestamp };
            return Ok(Self { records_before, next: Some(next) });
        }
        let body = batch.slice(HEADER_BYTES.min(batch.len())..);
        let mut records_before = 0;
        for walked in Walk::new(&header, &body).map_err(|_| malformed())? {
            let walked = walked.map_err(|_| malformed())?;
            let offset = header.base_offset.saturating_add(i64::from(walked.offset_delta));
            if offset >= from {
                let timestamp = match header.timestamp_type() {
                    TimestampType::LogAppendTime => header.max_timestamp,
                    TimestampType::CreateTime => header.base_timestamp.wrapping_add(walked.timestamp_delta),
                };
                return Ok(Self { records_before, next: Some(NextRecord { offset, timestamp }) });
            }
            records_before = records_before.saturating_add(1);
        }
        Ok(Self { records_before, next: None })
    }
}
