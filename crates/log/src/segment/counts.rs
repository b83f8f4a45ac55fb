//! How many records a segment holds for readers, in a few numbers that are kept while it is written.
//!
//! A [`Run`] counts consecutive batches together. One that is dense, with a data record at every offset, answers
//! for any part of itself by subtraction, however long it is. Where control batches or gaps are, runs are at most
//! [`RUN_BYTES`] long, so that a part of one is counted by reading that much of headers. Two neighbours are longer
//! than that together, which bounds how many runs a segment has.

use ottla_model::Offset;

use crate::batch::BatchHeader;

/// Most bytes of a run that is not dense and has more than one batch.
const RUN_BYTES: u64 = 256 * 1024;

/// Data records, and the bytes of the batches that hold some.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// What one batch of that size holds. Control records and what compaction has emptied count for nothing.
    pub(crate) fn of(header: &BatchHeader, size: u64) -> Self {
        let records = if header.is_control() { 0 } else { u64::try_from(header.record_count).unwrap_or(0) };
        Self { records, bytes: if records == 0 { 0 } else { size } }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            records: self.records.saturating_add(other.records),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            records: self.records.saturating_sub(other.records),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// Consecutive batches that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Offset of the first batch.
    pub(crate) first_offset: Offset,
    /// The offset after the last batch.
    pub(crate) end_offset: Offset,
    /// Where the first batch begins.
    pub(crate) position: u64,
    /// Where the last one ends.
    end_position: u64,
    pub(crate) tally: Tally,
    /// True when each offset is that of a data record.
    pub(crate) is_dense: bool,
}

impl Run {
    fn of(header: &BatchHeader, position: u64, size: u64) -> Self {
        Self {
            first_offset: header.base_offset,
            end_offset: header.last_offset().saturating_add(1),
            position,
            end_position: position.saturating_add(size),
            tally: Tally::of(header, size),
            is_dense: is_dense(header),
        }
    }

    fn length(&self) -> u64 {
        self.end_position.saturating_sub(self.position)
    }

    /// Takes the batches of `next` in, if that leaves the run short or dense.
    fn extend(&mut self, next: &Self) -> bool {
        let touches = self.end_offset == next.first_offset && self.end_position == next.position;
        let is_dense = self.is_dense && next.is_dense && touches;
        if !is_dense && self.length().saturating_add(next.length()) > RUN_BYTES {
            return false;
        }
        self.end_offset = next.end_offset;
        self.end_position = next.end_position;
        self.tally = self.tally.plus(next.tally);
        self.is_dense = is_dense;
        true
    }
}

/// True when the batch has a data record at each of its offsets.
pub(crate) fn is_dense(header: &BatchHeader) -> bool {
    !header.is_control() && i64::from(header.record_count) == i64::from(header.last_offset_delta) + 1
}

/// The counts of consecutive batches of a segment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    runs: Vec<Run>,
    total: Tally,
}

impl Counts {
    /// Takes note of the batch that follows.
    pub(crate) fn add(&mut self, header: &BatchHeader, position: u64, size: u64) {
        self.push(Run::of(header, position, size));
    }

    fn push(&mut self, run: Run) {
        self.total = self.total.plus(run.tally);
        if !self.runs.last_mut().is_some_and(|last| last.extend(&run)) {
            self.runs.push(run);
        }
    }

    /// Puts the counts of the batches before these in front of them.
    pub(crate) fn prepend(&mut self, mut before: Self) {
        std::mem::take(&mut self.runs).into_iter().for_each(|run| before.push(run));
        *self = before;
    }

    /// All of it.
    pub(crate) fn total(&self) -> Tally {
        self.total
    }

    /// The offset of the first batch that is counted.
    pub(crate) fn first_offset(&self) -> Option<Offset> {
        self.runs.first().map(|run| run.first_offset)
    }

    /// What the runs hold that lie wholly before `offset`, and the runs from there on.
    pub(crate) fn split(&self, offset: Offset) -> (Tally, &[Run]) {
        let count = self.runs.partition_point(|run| run.end_offset <= offset);
        let (before, rest) = self.runs.split_at_checked(count).unwrap_or((&self.runs, &[]));
        (before.iter().fold(Tally::default(), |sum, run| sum.plus(run.tally)), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchBuilder, NewRecord};

    fn header(base_offset: Offset, records: i32) -> BatchHeader {
        let mut builder = BatchBuilder::new();
        (0..records).for_each(|_| builder.push(NewRecord::default()));
        BatchHeader { base_offset, ..BatchHeader::parse(&builder.build()).expect("header") }
    }

    #[test]
    fn plain_batches_are_one_run_and_gaps_make_few() {
        let mut counts = Counts::default();
        for number in 0..10_000 {
            counts.add(&header(number * 2, 2), number as u64 * 100, 100);
        }
        assert_eq!(counts.runs.len(), 1);
        assert_eq!(counts.total(), Tally { records: 20_000, bytes: 1_000_000 });
        // Every second offset is missing from here on.
        for number in 0..10_000 {
            counts.add(&header(20_001 + number * 2, 1), (10_000 + number as u64) * 100, 100);
        }
        assert_eq!(counts.total(), Tally { records: 30_000, bytes: 2_000_000 });
        let most = 2 + 2 * 1_000_000_u64.div_ceil(RUN_BYTES) as usize;
        assert!(counts.runs.len() <= most && counts.runs.len() > 2, "{}", counts.runs.len());
        assert!(counts.runs.iter().all(|run| run.is_dense || run.length() <= RUN_BYTES));
        assert_eq!(counts.split(20_000).0, Tally { records: 20_000, bytes: 1_000_000 });
    }

    #[test]
    fn counting_in_two_parts_is_counting_once() {
        let batches: Vec<BatchHeader> =
            (0..9_000).map(|number| header(number * 3, 1 + number as i32 % 3)).collect();
        let count = |range: std::ops::Range<usize>| {
            let mut counts = Counts::default();
            for number in range {
                counts.add(&batches[number], number as u64 * 90, 90);
            }
            counts
        };
        let whole = count(0..9_000);
        for cut in [0, 1, 4_500, 9_000] {
            let mut counts = count(cut..9_000);
            counts.prepend(count(0..cut));
            assert_eq!(counts.total(), whole.total());
            let (before, rest) = counts.split(20_000);
            let joined = rest.iter().fold(before, |sum, run| sum.plus(run.tally));
            assert_eq!(joined, whole.total());
        }
    }
}
