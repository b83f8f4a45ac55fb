//! SipHash-2-4 with 128 bits: what the key map knows keys by.
//!
//! Kafka uses MD5. Both are wide enough that two keys of one log do not meet by chance: among a billion keys
//! the odds are one in 10^20. MD5 has no secret, so that somebody who writes to a topic could make two keys
//! meet on purpose, and the older one's value would be lost; a keyed hash gives them nothing to aim at.

/// A key's hash.
pub(crate) type KeyHash = [u64; 2];

/// Hashes one key that comes in pieces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHasher {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
    /// Bytes that do not fill a word yet, the first one lowest.
    tail: u64,
    length: u64,
}

const WORD_BYTES: usize = 8;

impl KeyHasher {
    pub(crate) fn new(seed: [u64; 2]) -> Self {
        let [k0, k1] = seed;
        Self {
            v0: k0 ^ 0x736f_6d65_7073_6575,
            v1: k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573,
            tail: 0,
            length: 0,
        }
    }

    fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.v0 = self.v0.wrapping_add(self.v1);
            self.v1 = self.v1.rotate_left(13) ^ self.v0;
            self.v0 = self.v0.rotate_left(32);
            self.v2 = self.v2.wrapping_add(self.v3);
            self.v3 = self.v3.rotate_left(16) ^ self.v2;
            self.v0 = self.v0.wrapping_add(self.v3);
            self.v3 = self.v3.rotate_left(21) ^ self.v0;
            self.v2 = self.v2.wrapping_add(self.v1);
            self.v1 = self.v1.rotate_left(17) ^ self.v2;
            self.v2 = self.v2.rotate_left(32);
        }
    }

    fn word(&mut self, word: u64) {
        self.v3 ^= word;
        self.rounds(2);
        self.v0 ^= word;
    }

    fn byte(&mut self, byte: u8) {
        let place = self.length % WORD_BYTES as u64;
        self.tail |= u64::from(byte) << (8 * place);
        self.length = self.length.wrapping_add(1);
        if place == WORD_BYTES as u64 - 1 {
            self.word(self.tail);
            self.tail = 0;
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.length.is_multiple_of(WORD_BYTES as u64)
            && let Some((&byte, after)) = rest.split_first()
        {
            self.byte(byte);
            rest = after;
        }
        let (words, bytes) = rest.as_chunks::<WORD_BYTES>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
            self.length = self.length.wrapping_add(WORD_BYTES as u64);
        }
        bytes.iter().for_each(|&byte| self.byte(byte));
    }

    pub(crate) fn finish(mut self) -> KeyHash {
        self.word((self.length << 56) | self.tail);
        self.v2 ^= 0xee;
        self.rounds(4);
        let first = self.v0 ^ self.v1 ^ self.v2 ^ self.v3;
        self.v1 ^= 0xdd;
        self.rounds(4);
        [first, self.v0 ^ self.v1 ^ self.v2 ^ self.v3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> [u8; 16] {
        let seed = [
            u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7]),
            u64::from_le_bytes([8, 9, 10, 11, 12, 13, 14, 15]),
        ];
        let mut hasher = KeyHasher::new(seed);
        hasher.write(bytes);
        let [first, second] = hasher.finish();
        (u128::from(first) | (u128::from(second) << 64)).to_le_bytes()
    }

    #[test]
    fn the_vectors_of_the_reference_implementation() {
        let empty =
            [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93];
        assert_eq!(hash(&[]), empty);
        let one =
            [0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45];
        assert_eq!(hash(&[0]), one);
    }

    #[test]
    fn pieces_make_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in 0..bytes.len() {
            let (mut whole, mut pieces) = (KeyHasher::new([7, 8]), KeyHasher::new([7, 8]));
            whole.write(&bytes);
            pieces.write(&bytes[..cut]);
            pieces.write(&bytes[cut..]);
            assert_eq!(whole.finish(), pieces.finish(), "cut at {cut}");
        }
        assert_ne!(KeyHasher::new([7, 8]).finish(), KeyHasher::new([7, 9]).finish());
    }
}
