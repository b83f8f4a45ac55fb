//! Which partition a record goes to: as Kafka's Java producer decides (`BuiltInPartitioner`).

/// Bytes of records without a key that go to one partition before the next one's turn.
const STICKY_BYTES: usize = 64 * 1024;

/// Chooses partitions.
#[derive(Debug)]
pub(super) struct Partitioner {
    fixed: Option<i32>,
    count: i32,
    /// Where records without a key go now.
    sticky: i32,
    sticky_bytes: usize,
}

impl Partitioner {
    /// Of a topic with so many partitions, at least one; `fixed` is the answer whatever the key is.
    pub(super) fn new(fixed: Option<i32>, count: i32) -> Self {
        Self { fixed, count: count.max(1), sticky: 0, sticky_bytes: 0 }
    }

    /// The partition of a record with that key and size.
    pub(super) fn partition(&mut self, key: Option<&[u8]>, bytes: usize) -> i32 {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        if let Some(key) = key {
            return (murmur2(key) & i32::MAX) % self.count;
        }
        if self.sticky_bytes >= STICKY_BYTES {
            self.sticky = (self.sticky + 1) % self.count;
            self.sticky_bytes = 0;
        }
        self.sticky_bytes = self.sticky_bytes.saturating_add(bytes);
        self.sticky
    }
}

/// `Utils.murmur2`: 32 bits, as signed as Java's.
fn murmur2(bytes: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    // Java counts the length in 32 bits.
    let mut hash = SEED ^ u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut groups = bytes.chunks_exact(4);
    for group in &mut groups {
        let mut k = u32::from_le_bytes(group.try_into().unwrap_or_default());
        k = k.wrapping_mul(M);
        k ^= k >> R;
        k = k.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = groups.remainder();
    for (place, byte) in rest.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * place);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 15;
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Kafka's `UtilsTest.testMurmur2`.
    #[test]
    fn the_hash_is_kafkas() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn records_without_a_key_take_turns() {
        let mut partitioner = Partitioner::new(None, 3);
        let chosen: Vec<i32> = (0..8).map(|_| partitioner.partition(None, STICKY_BYTES / 2)).collect();
        assert_eq!(chosen, [0, 0, 1, 1, 2, 2, 0, 0]);
        assert_eq!(Partitioner::new(Some(7), 3).partition(Some(b"k"), 1), 7);
    }
}
