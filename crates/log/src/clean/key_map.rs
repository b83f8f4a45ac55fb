//! The newest offset of each key, in memory of a fixed size (`SkimpyOffsetMap`).

use ottla_model::{NONE, Offset};

use super::CleanLimits;
use super::hash::{KeyHash, KeyHasher};

/// Bytes of a slot: a hash and an offset.
const SLOT_BYTES: usize = 24;
/// A search must meet a free slot.
const SLOTS_MIN: usize = 2;

/// Open addressing over the hashes of keys.
#[derive(Debug)]
pub(crate) struct KeyMap {
    /// Both halves of the hash, and the offset plus one: a slot of zeros is free, and memory that the system hands
    /// out zeroed is not touched before it is used.
    slots: Vec<[u64; 3]>,
    keys: usize,
    keys_max: usize,
    seed: [u64; 2],
    latest: Offset,
}

impl KeyMap {
    /// A map for at most `records` records, and of at most the bytes that are allowed.
    pub(crate) fn new(limits: &CleanLimits, records: u64) -> Self {
        let load = limits.load_factor.clamp(0.01, 0.99);
        let allowed = limits.key_map_bytes_max / SLOT_BYTES;
        // A float of this size is exact enough for a bound.
        let needed = usize::try_from(records).unwrap_or(usize::MAX) as f64 / load + 1.0;
        let slots = allowed.min(needed as usize).max(SLOTS_MIN);
        let keys_max = ((slots as f64 * load) as usize).clamp(1, slots - 1);
        Self { slots: vec![[0; 3]; slots], keys: 0, keys_max, seed: limits.hash_seed, latest: NONE }
    }

    /// Hashes a key that comes in pieces.
    pub(crate) fn hasher(&self) -> KeyHasher {
        KeyHasher::new(self.seed)
    }

    /// The slot of a key, or the free one that it would get.
    fn place(&self, [first, second]: KeyHash) -> usize {
        let count = self.slots.len();
        let mut place = (first % count as u64) as usize;
        while let Some([a, b, offset]) = self.slots.get(place)
            && *offset != 0
            && (*a, *b) != (first, second)
        {
            place = if place + 1 == count { 0 } else { place + 1 };
        }
        place
    }

    /// Remembers the newest offset of a key; false when there is no room for it.
    #[must_use]
    pub(crate) fn put(&mut self, key: KeyHash, offset: Offset) -> bool {
        let place = self.place(key);
        let Some(slot) = self.slots.get_mut(place) else { return false };
        let [.., stored] = *slot;
        if stored == 0 {
            if self.keys == self.keys_max {
                return false;
            }
            self.keys += 1;
        }
        let [first, second] = key;
        *slot = [first, second, offset.unsigned_abs().saturating_add(1)];
        self.latest = offset;
        true
    }

    /// The newest offset of a key, or -1.
    pub(crate) fn get(&self, key: KeyHash) -> Offset {
        let stored = self.slots.get(self.place(key)).map_or(0, |[.., offset]| *offset);
        stored.checked_sub(1).and_then(|offset| Offset::try_from(offset).ok()).unwrap_or(NONE)
    }

    /// The last offset up to which the map knows all keys, or -1.
    pub(crate) fn latest(&self) -> Offset {
        self.latest
    }

    /// Notes that there is no key up to that offset that the map does not have.
    pub(crate) fn set_latest(&mut self, offset: Offset) {
        self.latest = self.latest.max(offset);
    }

    /// How many keys it has.
    pub(crate) fn len(&self) -> usize {
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(bytes: usize, load_factor: f64) -> KeyMap {
        let limits = CleanLimits {
            key_map_bytes_max: bytes,
            load_factor,
            hash_seed: [1, 2],
            ..CleanLimits::default()
        };
        KeyMap::new(&limits, u64::MAX)
    }

    fn key(map: &KeyMap, number: i64) -> KeyHash {
        let mut hasher = map.hasher();
        hasher.write(&number.to_be_bytes());
        hasher.finish()
    }

    #[test]
    fn the_newest_offset_of_every_key_up_to_the_load() {
        let mut map = map(24 * 1000, 0.9);
        for number in 0..900 {
            assert!(map.put(key(&map, number), number));
            assert!(map.put(key(&map, number), number + 1));
        }
        assert_eq!(map.len(), 900);
        assert!(!map.put(key(&map, 900), 900), "full");
        assert!(map.put(key(&map, 7), 5000), "a key that is there needs no room");
        for number in 0..900 {
            assert_eq!(map.get(key(&map, number)), if number == 7 { 5000 } else { number + 1 });
        }
        assert_eq!(map.get(key(&map, 901)), -1);
        assert_eq!(map.latest(), 5000);
    }

    #[test]
    fn the_smallest_map_takes_one_key_and_a_short_log_needs_no_large_one() {
        let mut smallest = map(0, 0.9);
        assert!(smallest.put(key(&smallest, 1), 0));
        assert!(!smallest.put(key(&smallest, 2), 1));
        assert_eq!(smallest.get(key(&smallest, 2)), -1);
        let sized = KeyMap::new(&CleanLimits::default(), 90);
        assert!((100..110).contains(&sized.slots.len()), "{}", sized.slots.len());
        assert!(sized.keys_max >= 90, "all keys of the log fit");
    }
}
