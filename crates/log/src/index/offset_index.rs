//! Offset to position (`OffsetIndex`): the last offset of a batch, and where in the segment that batch
//! begins.

use bytes::Bytes;
use ottla_model::Offset;

use super::entries::Entries;

/// Bytes of an entry: relative offset and position, both 32 bits.
const ENTRY_BYTES: usize = 8;

/// One entry: the batch whose last offset is `offset` begins at `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetPosition {
    pub(crate) offset: Offset,
    pub(crate) position: u64,
}

/// The offset index of one segment.
#[derive(Debug, Clone)]
pub(crate) struct OffsetIndex {
    base_offset: Offset,
    entries: Entries<ENTRY_BYTES>,
}

impl OffsetIndex {
    pub(crate) fn new(base_offset: Offset) -> Self {
        Self { base_offset, entries: Entries::new() }
    }

    /// Takes the bytes of a file. `None` when they cannot be the index of a segment of that size: the caller
    /// rebuilds it. What is inside an entry is checked when it is used, against the batch that it points to.
    pub(crate) fn load(base_offset: Offset, bytes: Bytes, segment_size: u64) -> Option<Self> {
        let index = Self { base_offset, entries: Entries::load(bytes)? };
        let ordered = index.entries.all().is_sorted_by(|one, next| {
            let (one, next) = (index.parse(one), index.parse(next));
            one.offset < next.offset && one.position < next.position
        });
        let inside = index.last().is_none_or(|last| last.position < segment_size);
        (ordered && inside).then_some(index)
    }

    fn parse(&self, entry: &[u8; ENTRY_BYTES]) -> OffsetPosition {
        let [a, b, c, d, e, f, g, h] = *entry;
        OffsetPosition {
            offset: self.base_offset.saturating_add(i64::from(u32::from_be_bytes([a, b, c, d]))),
            position: u64::from(u32::from_be_bytes([e, f, g, h])),
        }
    }

    /// Adds an entry for the batch at `position`. The caller has checked that both fit 31 bits.
    pub(crate) fn push(&mut self, offset: Offset, position: u64) {
        let relative = u32::try_from(offset.saturating_sub(self.base_offset)).unwrap_or(u32::MAX);
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let [a, b, c, d] = relative.to_be_bytes();
        let [e, f, g, h] = position.to_be_bytes();
        self.entries.push([a, b, c, d, e, f, g, h]);
    }

    fn before(&self, count: usize) -> Option<OffsetPosition> {
        self.entries.all().get(count.checked_sub(1)?).map(|entry| self.parse(entry))
    }

    /// The last entry that is not after `offset`.
    pub(crate) fn lookup(&self, offset: Offset) -> Option<OffsetPosition> {
        self.before(self.entries.all().partition_point(|entry| self.parse(entry).offset <= offset))
    }

    /// The last entry whose batch begins at or before `position` and ends before `upper`.
    pub(crate) fn lookup_position(&self, position: u64, upper: Offset) -> Option<OffsetPosition> {
        self.before(self.entries.all().partition_point(|entry| {
            let entry = self.parse(entry);
            entry.position <= position && entry.offset < upper
        }))
    }

    /// The last entry.
    pub(crate) fn last(&self) -> Option<OffsetPosition> {
        self.before(self.len())
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.all().len()
    }

    /// True when no entry fits any more.
    pub(crate) fn is_full(&self, bytes_max: u64) -> bool {
        self.len() as u64 >= bytes_max / ENTRY_BYTES as u64
    }

    /// The bytes of the file.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.entries.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> OffsetIndex {
        let mut index = OffsetIndex::new(100);
        for (offset, position) in [(109, 5000), (119, 10_000), (129, 15_000)] {
            index.push(offset, position);
        }
        index
    }

    fn at(offset: Offset, position: u64) -> Option<OffsetPosition> {
        Some(OffsetPosition { offset, position })
    }

    #[test]
    fn lookups_find_the_entry_at_or_before() {
        let index = index();
        assert_eq!(index.lookup(108), None);
        assert_eq!(index.lookup(109), at(109, 5000));
        assert_eq!(index.lookup(128), at(119, 10_000));
        assert_eq!(index.lookup(i64::MAX), at(129, 15_000));
        assert_eq!(index.lookup_position(14_999, i64::MAX), at(119, 10_000));
        assert_eq!(index.lookup_position(20_000, 119), at(109, 5000));
        assert_eq!(index.lookup_position(4_999, i64::MAX), None);
    }

    #[test]
    fn the_bytes_are_kafkas() {
        assert_eq!(index().as_bytes()[..8], [0, 0, 0, 9, 0, 0, 0x13, 0x88]);
        let loaded = OffsetIndex::load(100, Bytes::copy_from_slice(index().as_bytes()), 15_001);
        assert_eq!(loaded.expect("sane").lookup(119), at(119, 10_000));
    }

    #[test]
    fn files_that_cannot_be_an_index_are_refused() {
        let bytes = Bytes::copy_from_slice(index().as_bytes());
        assert!(OffsetIndex::load(100, bytes.clone(), 15_000).is_none(), "points past the segment");
        assert!(OffsetIndex::load(100, bytes.slice(..20), 99_999).is_none(), "a part of an entry");
        assert!(OffsetIndex::load(100, vec![0; 16].into(), 99_999).is_none(), "zeros that a crash left");
        assert!(OffsetIndex::load(100, Bytes::new(), 0).is_some());
    }
}
