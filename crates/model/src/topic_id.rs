//! Topic ids (KIP-516).

use std::fmt;

/// A topic's unique id: 16 bytes. A topic that is deleted and created again has a new one (KIP-516).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicId(pub [u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl TopicId {
    /// The id that stands for "none" on the wire.
    pub const ZERO: Self = Self([0; 16]);

    /// A new id from random bits. Kafka never hands out 0 or 1, which are reserved, nor an id whose text begins
    /// with a dash, which command lines would take for a flag (`Uuid.randomUuid`).
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        let mut bytes = bits.to_be_bytes();
        // Version and variant of a random UUID, so that the id is valid for `java.util.UUID` too.
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        if bytes[0] >> 2 == 62 {
            bytes[0] ^= 0x80;
        }
        Self(bytes)
    }

    /// Parses the 22 characters of unpadded base64url that Kafka prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 22 {
            return None;
        }
        let mut bits: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            let value = ALPHABET.iter().position(|&letter| letter == byte)? as u128;
            // 21 letters carry 126 bits; the last one carries 2 bits and 4 of padding.
            bits = if place < 21 { (bits << 6) | value } else { (bits << 2) | (value >> 4) };
        }
        Some(Self(bits.to_be_bytes()))
    }

    /// True for the id that stands for "none".
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for place in 0..22u32 {
            let value = if place < 21 { (bits >> (122 - 6 * place)) & 0x3f } else { (bits & 0x3) << 4 };
            let letter = ALPHABET.get(value as usize).copied().unwrap_or(b'A');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for bits in [0u128, 1, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let id = TopicId(bits.to_be_bytes());
            let text = id.to_string();
            assert_eq!(text.len(), 22);
            assert_eq!(TopicId::parse(&text), Some(id), "{text}");
        }
        assert_eq!(TopicId::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(TopicId::parse("short"), None);
    }

    #[test]
    fn random_ids_never_begin_with_a_dash() {
        for high in 0..=u8::MAX {
            let id = TopicId::from_random(u128::from(high) << 120);
            assert!(!id.to_string().starts_with('-'), "{high}");
        }
    }
}
