//! Transactional producers, and a naive replay of a log that says what readers are to see of them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ottla_log::{
    AbortedTransaction, Append, AppendError, Appended, BatchBuilder, BatchHeader, EndMarker, FirstBatch, Log,
    NewRecord, Origin, Outcome, records,
};
use ottla_model::Offset;

use super::{NOW, client};

/// A transactional producer that does everything right.
#[derive(Debug, Clone)]
pub struct Transactor {
    pub id: i64,
    pub epoch: i16,
    pub sequence: i32,
    /// True when the epoch rises with each transaction.
    pub bumps_epochs: bool,
}

impl Transactor {
    pub fn new(id: i64) -> Self {
        Self { id, epoch: 0, sequence: 0, bumps_epochs: false }
    }

    pub fn batch(&self, records: &[(&str, Option<&str>)]) -> Bytes {
        let mut builder = BatchBuilder::new().producer(self.id, self.epoch, self.sequence).transactional();
        for (key, value) in records {
            let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
            builder.push(NewRecord { timestamp: NOW.0, key, value, headers: &[] });
        }
        builder.build()
    }

    pub fn first(&self) -> FirstBatch {
        FirstBatch {
            producer_id: self.id,
            producer_epoch: self.epoch,
            base_sequence: self.sequence,
            bumps_epochs: self.bumps_epochs,
        }
    }

    pub fn append(&self, log: &mut Log, batch: Bytes) -> Result<Appended, AppendError> {
        let guard = log.begin_verification(self.first(), NOW)?;
        log.append(batch, Append { guard, ..client() })
    }

    /// Sends the next batch of a transaction, which begins with it when none is open.
    pub fn send(&mut self, log: &mut Log, records: &[(&str, Option<&str>)]) -> Appended {
        let appended = self.append(log, self.batch(records)).expect("appended");
        self.sequence += i32::try_from(records.len()).expect("few");
        appended
    }

    /// Ends the transaction.
    pub fn end(&mut self, log: &mut Log, outcome: Outcome) -> Appended {
        if self.bumps_epochs {
            self.epoch += 1;
            self.sequence = 0;
        }
        log.append(marker(self.id, self.epoch, outcome), coordinator(self.bumps_epochs)).expect("appended")
    }
}

pub fn marker(id: i64, epoch: i16, outcome: Outcome) -> Bytes {
    EndMarker { outcome, coordinator_epoch: 0, timestamp: NOW.0 }.to_batch(id, epoch)
}

pub fn coordinator(bumps_epochs: bool) -> Append {
    let transaction_version = if bumps_epochs { 2 } else { 1 };
    Append { origin: Origin::Coordinator, transaction_version, ..client() }
}

/// What a replay of batches that knows nothing of indexes says.
#[derive(Debug, Default)]
pub struct Naive {
    pub aborted: Vec<AbortedTransaction>,
    /// First offsets of open transactions by producer.
    pub open: BTreeMap<i64, Offset>,
    /// Offsets of records that readers of committed data see, once all is decided.
    pub committed: BTreeSet<Offset>,
    undecided: BTreeMap<i64, Vec<Offset>>,
}

pub fn header(batch: &Bytes) -> BatchHeader {
    BatchHeader::parse(batch).expect("header")
}

impl Naive {
    pub fn of<'a>(batches: impl IntoIterator<Item = &'a Bytes>) -> Self {
        let mut naive = Self::default();
        for batch in batches {
            naive.add(batch);
        }
        naive
    }

    fn add(&mut self, batch: &Bytes) {
        let header = header(batch);
        let records = records(batch).expect("batch").map(|record| record.expect("record"));
        if !header.is_control() {
            let offsets: Vec<Offset> = records.map(|record| record.offset).collect();
            if !header.is_transactional() {
                self.committed.extend(offsets);
                return;
            }
            self.open.entry(header.producer_id).or_insert(header.base_offset);
            self.undecided.entry(header.producer_id).or_default().extend(offsets);
            return;
        }
        let Some(marker) = records.last().as_ref().and_then(EndMarker::parse) else { return };
        let Some(first_offset) = self.open.remove(&header.producer_id) else { return };
        let offsets = self.undecided.remove(&header.producer_id).unwrap_or_default();
        if marker.outcome == Outcome::Commit {
            self.committed.extend(offsets);
            return;
        }
        let last_offset = header.base_offset;
        self.aborted.push(AbortedTransaction {
            producer_id: header.producer_id,
            first_offset,
            last_offset,
            last_stable_offset: self.open.values().min().copied().unwrap_or(last_offset + 1),
        });
    }

    pub fn stable(&self, end: Offset) -> Offset {
        self.open.values().min().copied().unwrap_or(end)
    }

    /// The aborted transactions that a fetch of `from..upper` has to name.
    pub fn aborted_in(&self, from: Offset, upper: Offset) -> Vec<AbortedTransaction> {
        let reaches =
            |aborted: &&AbortedTransaction| aborted.last_offset >= from && aborted.first_offset < upper;
        self.aborted.iter().filter(reaches).copied().collect()
    }
}

/// Offsets that a consumer with `read_committed` hands to its user, fetching a few batches at a time
/// (`CompletedFetch.nextFetchedRecord`).
pub fn read_committed(log: &Log, from: Offset, max_bytes: usize) -> Vec<Offset> {
    let upper = log.last_stable_offset(log.end_offset());
    let (mut next, mut seen) = (from, Vec::new());
    while next < upper {
        let limit = ottla_log::ReadLimit { max_bytes, at_least_one: true, upper };
        let read = log.read(next, limit).expect("read");
        if read.bytes.is_empty() {
            break;
        }
        let mut aborted = log.aborted_transactions(next, read.next).expect("looked up");
        aborted.sort_by_key(|aborted| aborted.first_offset);
        let mut ahead = aborted.into_iter().peekable();
        let mut inside = BTreeSet::new();
        let mut rest = read.bytes;
        while !rest.is_empty() {
            let header = header(&rest);
            let batch = rest.split_to(header.size_in_bytes().expect("size"));
            while let Some(begun) = ahead.next_if(|aborted| aborted.first_offset <= header.last_offset()) {
                inside.insert(begun.producer_id);
            }
            let records = records(&batch).expect("batch").map(|record| record.expect("record"));
            if header.is_control() {
                let is_abort = |marker: EndMarker| marker.outcome == Outcome::Abort;
                if records.last().as_ref().and_then(EndMarker::parse).is_some_and(is_abort) {
                    inside.remove(&header.producer_id);
                }
            } else if !header.is_transactional() || !inside.contains(&header.producer_id) {
                seen.extend(records.map(|record| record.offset).filter(|&offset| offset >= next));
            }
        }
        next = read.next;
    }
    seen
}

/// All batches from the beginning of the log on.
pub fn batches(log: &Log) -> Vec<Bytes> {
    log.batches(log.start_offset()).map(|batch| batch.expect("batch")).collect()
}

/// What a log that a crash has left says of transactions is what a naive replay of the batches says that it kept. They
/// are all that were ever appended before its end, and those before its start may be gone.
pub fn check_surviving<'a>(log: &Log, kept: impl Iterator<Item = &'a Bytes> + Clone, what: &str) {
    let (start, end) = (log.start_offset(), log.end_offset());
    let naive = Naive::of(kept.clone());
    let stable = log.last_stable_offset(end);
    let of_rest = Naive::of(kept.filter(|batch| header(batch).last_offset() >= start));
    // A transaction all of whose records were deleted may be forgotten, and may not.
    let expected = [naive.stable(end).max(start), of_rest.stable(end).max(start)];
    assert!(expected.contains(&stable), "{what}: the last stable offset is {stable}, not {expected:?}");
    let committed: Vec<Offset> = naive.committed.range(start..stable.max(start)).copied().collect();
    assert_eq!(read_committed(log, start, 5000), committed, "{what}: what readers of committed data see");
    if start == 0 {
        let found = log.aborted_transactions(0, Offset::MAX).expect("looked up");
        assert_eq!(found, naive.aborted, "{what}: aborted transactions");
        assert_eq!(open_transactions(log), naive.open, "{what}: open transactions");
    }
}

fn open_transactions(log: &Log) -> BTreeMap<i64, Offset> {
    let all = log.active_producers().into_iter();
    all.filter_map(|producer| Some((producer.producer_id, producer.transaction_first_offset?))).collect()
}

/// Everything that the log says of transactions is what a naive replay of it says.
pub fn check_transactions(log: &Log, what: &str) {
    let naive = Naive::of(&batches(log));
    let end = log.end_offset();
    assert_eq!(log.last_stable_offset(end), naive.stable(end), "{what}: last stable offset");
    let open = open_transactions(log);
    assert_eq!(open, naive.open, "{what}: open transactions");
    let all = log.aborted_transactions(0, Offset::MAX).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(all, naive.aborted, "{what}: aborted transactions");
    for from in (0..=end).step_by(1 + usize::try_from(end / 16).expect("small")) {
        for upper in [from + 1, from + 7, end] {
            let found = log.aborted_transactions(from, upper).expect("looked up");
            let first_segment = naive.aborted_in(from, upper);
            assert_eq!(found, first_segment, "{what}: aborted in {from}..{upper}");
        }
    }
    let stable = naive.stable(end);
    let expected: Vec<Offset> = naive.committed.range(..stable).copied().collect();
    for max_bytes in [1, 600, usize::MAX] {
        assert_eq!(read_committed(log, log.start_offset(), max_bytes), expected, "{what}: what is read");
    }
}
