//! Why a message was refused.

use std::fmt;

/// Longest field path that is kept; schemas nest less deep (a test of the table asserts it).
pub(crate) const PATH_FIELDS_MAX: usize = 6;

/// A message that does not follow its schema, with the place where that showed.
///
/// Its text fits one log line and holds nothing that the peer chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    reason: Reason,
    position: usize,
    /// Names from the innermost field outwards.
    path: [&'static str; PATH_FIELDS_MAX],
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No such API, or no such version of it, in Kafka 4.3.1.
    NoSchema,
    /// A field begins or ends behind the last byte.
    Truncated,
    /// A length below -1, or a compact length beyond 2^31.
    Length,
    /// A string longer than 32,767 bytes, which Kafka does not read either.
    StringTooLong,
    /// Null where the schema has no null.
    Null,
    /// An array that announces more elements than the bytes left could hold.
    Elements,
    /// A string that is not UTF-8.
    NotUtf8,
    /// A varint of more than five bytes, or of more than 32 bits.
    Varint,
    /// The marker of a nullable struct is neither 1 nor -1.
    StructMarker,
    /// A tagged field that is longer or shorter than its content.
    TagLength,
    /// A tagged field that belongs to another version of the message.
    TagVersion,
    /// Bytes are left behind the last field.
    Trailing,
    /// Decoding would take far more memory than the message has bytes.
    Memory,
    /// `kafka-protocol` refused what the schema allows.
    Decoder,
}

impl Reason {
    const fn text(self) -> &'static str {
        match self {
            Self::NoSchema => "no such API or version",
            Self::Truncated => "ends inside a field",
            Self::Length => "impossible length",
            Self::StringTooLong => "string too long",
            Self::Null => "null is not allowed",
            Self::Elements => "more elements announced than bytes left",
            Self::NotUtf8 => "string is not UTF-8",
            Self::Varint => "varint too long",
            Self::StructMarker => "bad marker of a nullable struct",
            Self::TagLength => "length of a tagged field does not fit its content",
            Self::TagVersion => "tagged field of another version",
            Self::Trailing => "bytes left behind the last field",
            Self::Memory => "would take too much memory",
            Self::Decoder => "cannot be decoded",
        }
    }
}

impl Malformed {
    pub(crate) const fn new(reason: Reason, position: usize) -> Self {
        Self { reason, position, path: [""; PATH_FIELDS_MAX] }
    }

    /// Adds the names of the fields around the place, innermost first.
    pub(crate) const fn within(self, path: [&'static str; PATH_FIELDS_MAX]) -> Self {
        Self { path, ..self }
    }

    /// What is wrong.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Where it showed, in bytes from the first byte of the body.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Kafka's names of the fields around the place, outermost first; empty when the place is not in a field.
    pub fn path(&self) -> impl Iterator<Item = &'static str> {
        self.path.into_iter().rev().filter(|name| !name.is_empty())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason.text(), self.position)?;
        for (place, name) in self.path().enumerate() {
            f.write_str(if place == 0 { " in " } else { "." })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl std::error::Error for Malformed {}
