//! Timestamp to offset (`TimeIndex`): the largest timestamp so far, and the last offset of the first batch
//! that has it.

use bytes::Bytes;
use ottla_model::{NONE, Offset};

use super::entries::Entries;

/// Bytes of an entry: timestamp in 64 bits, relative offset in 32.
const ENTRY_BYTES: usize = 12;

/// One entry: no batch up to the one that ends at `offset` has a larger timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimestampOffset {
    pub(crate) timestamp: i64,
    pub(crate) offset: Offset,
}

/// The time index of one segment.
#[derive(Debug, Clone)]
pub(crate) struct TimeIndex {
    base_offset: Offset,
    entries: Entries<ENTRY_BYTES>,
}

impl TimeIndex {
    pub(crate) fn new(base_offset: Offset) -> Self {
        Self { base_offset, entries: Entries::new() }
    }

    /// Takes the bytes of a file. `None` when they cannot be the index of a segment: the caller rebuilds it.
    /// What is inside an entry is checked when it is used, against the batch that it names.
    pub(crate) fn load(base_offset: Offset, bytes: Bytes) -> Option<Self> {
        let index = Self { base_offset, entries: Entries::load(bytes)? };
        let ordered = index.entries.all().is_sorted_by(|one, next| {
            let (one, next) = (index.parse(one), index.parse(next));
            one.timestamp < next.timestamp && one.offset <= next.offset
        });
        ordered.then_some(index)
    }

    fn parse(&self, entry: &[u8; ENTRY_BYTES]) -> TimestampOffset {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *entry;
        TimestampOffset {
            timestamp: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            offset: self.base_offset.saturating_add(i64::from(u32::from_be_bytes([i, j, k, l]))),
        }
    }

    /// Adds an entry when its timestamp is larger than the last one's (`TimeIndex.maybeAppend`).
    pub(crate) fn push(&mut self, largest: TimestampOffset) {
        if largest.timestamp <= self.last().timestamp {
            return;
        }
        let relative = u32::try_from(largest.offset.saturating_sub(self.base_offset)).unwrap_or(u32::MAX);
        let [a, b, c, d, e, f, g, h] = largest.timestamp.to_be_bytes();
        let [i, j, k, l] = relative.to_be_bytes();
        self.entries.push([a, b, c, d, e, f, g, h, i, j, k, l]);
    }

    /// The entry before the last one whose timestamp is smaller than `timestamp`: everything up to its batch is
    /// too old, and both entries say so, so that one of them may be wrong.
    pub(crate) fn lookup_before(&self, timestamp: i64) -> Option<TimestampOffset> {
        let count = self.entries.all().partition_point(|entry| self.parse(entry).timestamp < timestamp);
        self.entry(count.checked_sub(2)?)
    }

    /// The entry before the last one.
    pub(crate) fn before_last(&self) -> Option<TimestampOffset> {
        self.entry(self.entries.all().len().checked_sub(2)?)
    }

    fn entry(&self, place: usize) -> Option<TimestampOffset> {
        self.entries.all().get(place).map(|entry| self.parse(entry))
    }

    /// The last entry, or "no timestamp" at the base offset.
    pub(crate) fn last(&self) -> TimestampOffset {
        let none = TimestampOffset { timestamp: NONE, offset: self.base_offset };
        self.entries.all().last().map_or(none, |entry| self.parse(entry))
    }

    /// True when only the entry that is written when the segment is sealed still fits.
    pub(crate) fn is_full(&self, bytes_max: u64) -> bool {
        (self.entries.all().len() as u64).saturating_add(1) >= bytes_max / ENTRY_BYTES as u64
    }

    /// The bytes of the file.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.entries.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_larger_timestamps_are_added() {
        let mut index = TimeIndex::new(100);
        assert_eq!(index.last(), TimestampOffset { timestamp: -1, offset: 100 });
        for (timestamp, offset) in [(-1, 100), (1000, 109), (1000, 119), (900, 129), (3000, 139)] {
            index.push(TimestampOffset { timestamp, offset });
        }
        assert_eq!(index.as_bytes().len(), 24);
        assert_eq!(index.as_bytes()[..12], [0, 0, 0, 0, 0, 0, 3, 0xe8, 0, 0, 0, 9]);
        assert_eq!(index.lookup_before(1000), None);
        assert_eq!(index.lookup_before(3000), None, "one entry alone is not believed");
        assert_eq!(index.lookup_before(9999), Some(TimestampOffset { timestamp: 1000, offset: 109 }));
        assert_eq!(index.before_last(), Some(TimestampOffset { timestamp: 1000, offset: 109 }));
    }

    #[test]
    fn files_that_cannot_be_an_index_are_refused() {
        assert!(TimeIndex::load(0, vec![0; 24].into()).is_none(), "zeros that a crash left");
        assert!(TimeIndex::load(0, vec![1; 11].into()).is_none(), "a part of an entry");
        assert!(TimeIndex::load(0, Bytes::new()).is_some());
    }
}
