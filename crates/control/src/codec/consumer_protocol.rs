//! The topics in what consumers put into the opaque bytes of a classic group (`ConsumerProtocolSubscription`).
//!
//! It is read as its version 0, which is a prefix of every later one. That is what Kafka's coordinator does too, so
//! that a new client version never makes a group unreadable.

use super::{DecodeError, Reader};

/// The first version, and the lowest that is valid.
const VERSION_MIN: i16 = 0;

/// What a member wants to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSubscription<'a> {
    /// The topics that it is subscribed to, as it named them.
    pub topics: Vec<&'a str>,
}

impl<'a> ConsumerSubscription<'a> {
    /// Reads a member's metadata.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are no subscription.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = versioned(bytes)?;
        let count = reader.count(2)?;
        let mut topics = Vec::with_capacity(count);
        for _ in 0..count {
            topics.push(reader.string()?);
        }
        // The client's own data follows in every version: bytes that end before it are no subscription.
        reader.nullable_bytes()?;
        Ok(Self { topics })
    }
}

fn versioned(bytes: &[u8]) -> Result<Reader<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    if version < VERSION_MIN {
        return Err(DecodeError::UnknownVersion(version));
    }
    Ok(reader)
}
