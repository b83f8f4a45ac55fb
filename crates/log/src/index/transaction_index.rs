//! Aborted transactions, in the order of their markers (`TransactionIndex`).
//!
//! **The file** has Kafka's entries, and one at the end that says that they are all there: it carries their CRC and
//! offsets that no record has, so that Kafka's readers pass over it. A wrong or missing entry would show aborted
//! records to readers of committed data, and nothing in a segment tells it short of reading all of it. A file without
//! a right last entry, such as one that Kafka wrote, is made again from the batches.

use bytes::{Buf, BufMut};
use ottla_model::{NONE, Offset, ProducerId};

/// Bytes of an entry (`AbortedTxn.TOTAL_SIZE`).
pub(crate) const TRANSACTION_ENTRY_BYTES: usize = 34;
const VERSION: i16 = 0;

/// A transaction whose records readers of committed data do not see (`AbortedTxn`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Offset of its first record.
    pub first_offset: Offset,
    /// Offset of the marker that ended it.
    pub last_offset: Offset,
    /// The last stable offset when it had ended, as far as it was known then.
    pub last_stable_offset: Offset,
}

impl AbortedTransaction {
    fn write(&self, into: &mut Vec<u8>) {
        into.put_i16(VERSION);
        into.put_i64(self.producer_id);
        into.put_i64(self.first_offset);
        into.put_i64(self.last_offset);
        into.put_i64(self.last_stable_offset);
    }

    fn parse(mut entry: &[u8]) -> Option<Self> {
        if entry.try_get_i16().ok()? != VERSION {
            return None;
        }
        Some(Self {
            producer_id: entry.try_get_i64().ok()?,
            first_offset: entry.try_get_i64().ok()?,
            last_offset: entry.try_get_i64().ok()?,
            last_stable_offset: entry.try_get_i64().ok()?,
        })
    }

    /// The last entry of a file, behind `entries`.
    fn seal(entries: &[u8]) -> Self {
        Self {
            producer_id: crc32c::crc32c(entries).into(),
            first_offset: Offset::MAX,
            last_offset: Offset::MAX,
            last_stable_offset: NONE,
        }
    }
}

/// The transactions whose abort markers are in one segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TransactionIndex {
    entries: Vec<AbortedTransaction>,
}

impl TransactionIndex {
    /// Those, which are in the order of their markers.
    pub(crate) fn new(entries: Vec<AbortedTransaction>) -> Self {
        Self { entries }
    }

    /// Takes the bytes of a file. `None` when they are not all that was written.
    pub(crate) fn load(bytes: &[u8]) -> Option<Self> {
        let (entries, seal) = bytes.split_at_checked(bytes.len().checked_sub(TRANSACTION_ENTRY_BYTES)?)?;
        let is_whole = entries.len().is_multiple_of(TRANSACTION_ENTRY_BYTES);
        if !is_whole || AbortedTransaction::parse(seal)? != AbortedTransaction::seal(entries) {
            return None;
        }
        let entries = entries.chunks_exact(TRANSACTION_ENTRY_BYTES).map(AbortedTransaction::parse);
        entries.collect::<Option<_>>().map(Self::new)
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let count = self.entries.len().saturating_add(1);
        let mut bytes = Vec::with_capacity(count.saturating_mul(TRANSACTION_ENTRY_BYTES));
        self.entries.iter().for_each(|entry| entry.write(&mut bytes));
        AbortedTransaction::seal(&bytes).write(&mut bytes);
        bytes
    }

    pub(crate) fn push(&mut self, aborted: AbortedTransaction) {
        self.entries.push(aborted);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds those that reach into `from..upper`. True when no later segment can have any
    /// (`TransactionIndex.collectAbortedTxns`).
    pub(crate) fn collect(&self, from: Offset, upper: Offset, found: &mut Vec<AbortedTransaction>) -> bool {
        for entry in &self.entries {
            if entry.last_offset >= from && entry.first_offset < upper {
                found.push(*entry);
            }
            if entry.last_stable_offset >= upper {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aborted(producer_id: ProducerId, first: Offset, last: Offset, stable: Offset) -> AbortedTransaction {
        AbortedTransaction { producer_id, first_offset: first, last_offset: last, last_stable_offset: stable }
    }

    fn index() -> TransactionIndex {
        TransactionIndex::new(vec![aborted(1, 0, 10, 2), aborted(2, 2, 20, 21), aborted(1, 30, 40, 41)])
    }

    #[test]
    fn the_bytes_are_kafkas_and_round_trip() {
        let bytes = index().to_bytes();
        assert_eq!(bytes.len(), 4 * TRANSACTION_ENTRY_BYTES);
        let second = [&[0, 0][..], &2i64.to_be_bytes(), &2i64.to_be_bytes(), &20i64.to_be_bytes()].concat();
        assert_eq!(bytes[34..60], second);
        assert_eq!(bytes[60..68], 21i64.to_be_bytes());
        assert_eq!(TransactionIndex::load(&bytes), Some(index()));
        let empty = TransactionIndex::default();
        assert_eq!(TransactionIndex::load(&empty.to_bytes()), Some(empty));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = index().to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(TransactionIndex::load(&flipped), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(TransactionIndex::load(&bytes[..length]), None, "cut at {length}");
        }
        assert_eq!(TransactionIndex::load(&bytes[..102]), None, "as Kafka writes it");
    }

    #[test]
    fn only_what_reaches_into_the_range_is_found() {
        let collect = |from, upper| {
            let mut found = Vec::new();
            let is_complete = index().collect(from, upper, &mut found);
            (found.iter().map(|entry| entry.last_offset).collect::<Vec<_>>(), is_complete)
        };
        assert_eq!(collect(0, 100), (vec![10, 20, 40], false));
        assert_eq!(collect(0, 2), (vec![10], true));
        assert_eq!(collect(0, 3), (vec![10, 20], true));
        assert_eq!(collect(11, 30), (vec![20], true));
        assert_eq!(collect(40, 41), (vec![40], true));
        assert_eq!(collect(41, 100), (vec![], false));
    }
}
