//! Why a committed offset changed, and who did it: the record header that every change carries.
//!
//! Kafka's decoders of `__consumer_offsets` pass headers over, so the log stays readable to all of its tools. The
//! layout is Ottla's own:
//!
//! | field | type |
//! |---|---|
//! | version | `uint8`, 0 |
//! | cause | `uint8`, [`Cause::code`] |
//! | flags | `uint8`: 1 went backward, 2 past the end, 4 not the owner, 128 there was an offset before |
//! | previous | `varlong`, only with that flag |
//! | generation | `varint`, the member epoch of a KIP-848 group, -1 for none |
//! | member id, instance id, client id, client host | `compact string`, null for none |
//!
//! A later version may add fields behind these; what follows them is passed over.

use bytes::Bytes;
use ottla_model::Offset;

use super::{DecodeError, Reader, Writer};

/// The header's key.
pub const OFFSET_CAUSE_HEADER: &str = "ottla";

/// Longest text that a header keeps, in bytes; a longer one is cut. It fits every member id that Ottla makes.
const TEXT_BYTES_KEPT: usize = 300;

/// Bytes of the fields that are no text, at most, with the lengths of the texts.
const FIXED_BYTES_MAX: usize = 3 + 10 + 5 + 4 * 2;

const VERSION: u8 = 0;
const HAS_PREVIOUS: u8 = 0x80;

/// What led to the change of a committed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// OffsetCommit by a member, or by a consumer that assigns partitions to itself and never had a group.
    Commit,
    /// TxnOffsetCommit, when its transaction was committed.
    TransactionalCommit,
    /// OffsetCommit by nobody in the group, while a group that has had members has none: what resets do.
    Reset,
    /// OffsetDelete.
    OffsetDelete,
    /// DeleteGroups.
    GroupDelete,
    /// The offset was kept for as long as it is to be.
    Expiry,
    /// Its topic was deleted.
    TopicDelete,
    /// An administrative change was taken back.
    Undo,
}

impl Cause {
    const ALL: [Self; 8] = [
        Self::Commit,
        Self::TransactionalCommit,
        Self::Reset,
        Self::OffsetDelete,
        Self::GroupDelete,
        Self::Expiry,
        Self::TopicDelete,
        Self::Undo,
    ];

    /// The number that stands for it in the header.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Commit => 0,
            Self::TransactionalCommit => 1,
            Self::Reset => 2,
            Self::OffsetDelete => 3,
            Self::GroupDelete => 4,
            Self::Expiry => 5,
            Self::TopicDelete => 6,
            Self::Undo => 7,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }

    /// Its name, as the history prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::TransactionalCommit => "transactional commit",
            Self::Reset => "reset",
            Self::OffsetDelete => "offset delete",
            Self::GroupDelete => "group delete",
            Self::Expiry => "expiry",
            Self::TopicDelete => "topic delete",
            Self::Undo => "undo",
        }
    }
}

/// What is odd about a commit. It was taken all the same, as Kafka takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitOddities {
    /// The offset is below the one before.
    pub went_backward: bool,
    /// The offset is past the end of the partition.
    pub past_end: bool,
    /// The committer is a member, but the partition is not assigned to it.
    pub not_owner: bool,
}

impl CommitOddities {
    /// True when there is anything to tell.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }

    fn bits(self) -> u8 {
        u8::from(self.went_backward) | (u8::from(self.past_end) << 1) | (u8::from(self.not_owner) << 2)
    }

    fn from_bits(bits: u8) -> Self {
        Self { went_backward: bits & 1 != 0, past_end: bits & 2 != 0, not_owner: bits & 4 != 0 }
    }
}

/// The header of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetCause<'a> {
    /// What led to it.
    pub cause: Cause,
    /// What is odd about it.
    pub oddities: CommitOddities,
    /// The offset before, if there was one.
    pub previous: Option<Offset>,
    /// The generation, or the member epoch of a KIP-848 group; -1 for none.
    pub generation: i32,
    /// The member's id, empty for none.
    pub member_id: &'a str,
    /// Its instance id, of a static member.
    pub instance_id: Option<&'a str>,
    /// The client id of the request, if it had one.
    pub client_id: Option<&'a str>,
    /// The peer's address as Kafka prints it, or empty when the broker did it by itself.
    pub client_host: &'a str,
}

impl<'a> OffsetCause<'a> {
    /// The header's value.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let texts = [Some(self.member_id), self.instance_id, self.client_id, Some(self.client_host)]
            .map(|text| text.map(cut));
        let text_bytes: usize = texts.iter().flatten().map(|text| text.len()).sum();
        let mut writer = Writer::with_capacity(FIXED_BYTES_MAX.saturating_add(text_bytes));
        writer.u8(VERSION);
        writer.u8(self.cause.code());
        writer.u8(self.oddities.bits() | if self.previous.is_some() { HAS_PREVIOUS } else { 0 });
        if let Some(previous) = self.previous {
            writer.varlong(previous);
        }
        writer.varint(self.generation);
        for text in texts {
            writer.compact_nullable_string(text);
        }
        // The texts were cut, so that all of it fits.
        writer.finish().unwrap_or_default()
    }

    /// Reads a header's value.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed, or from a later version with a cause that is not known here.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(DecodeError::UnknownVersion(version.into()));
        }
        let cause = Cause::from_code(reader.u8()?).ok_or(DecodeError::Illegal("an unknown cause"))?;
        let flags = reader.u8()?;
        let previous = if flags & HAS_PREVIOUS == 0 { None } else { Some(reader.varlong()?) };
        Ok(Self {
            cause,
            oddities: CommitOddities::from_bits(flags),
            previous,
            generation: reader.varint()?,
            member_id: reader.compact_nullable_string()?.unwrap_or_default(),
            instance_id: reader.compact_nullable_string()?,
            client_id: reader.compact_nullable_string()?,
            client_host: reader.compact_nullable_string()?.unwrap_or_default(),
        })
    }
}

/// The text, cut between characters when it is too long to be kept.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_KEPT);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain() -> OffsetCause<'static> {
        OffsetCause {
            cause: Cause::Commit,
            oddities: CommitOddities::default(),
            previous: Some(41),
            generation: 3,
            member_id: "a-1",
            instance_id: None,
            client_id: Some("a"),
            client_host: "/127.0.0.1",
        }
    }

    /// The layout is on disks: it must not change.
    #[test]
    fn the_layout_is_fixed() {
        let expected = b"\0\0\x80\x52\x06\x04a-1\0\x02a\x0b/127.0.0.1";
        assert_eq!(plain().encode().as_ref(), expected);
        assert_eq!(OffsetCause::decode(expected), Ok(plain()));
        for (code, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(cause.code()), code);
        }
    }

    #[test]
    fn later_fields_are_passed_over_and_later_versions_are_not_guessed() {
        let mut bytes = plain().encode().to_vec();
        bytes.push(9);
        assert_eq!(OffsetCause::decode(&bytes), Ok(plain()));
        bytes[0] = 1;
        assert_eq!(OffsetCause::decode(&bytes), Err(DecodeError::UnknownVersion(1)));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "é".repeat(1000);
        let cause = OffsetCause { member_id: &long, client_host: &long, ..plain() };
        let bytes = cause.encode();
        let read = OffsetCause::decode(&bytes).unwrap();
        assert_eq!(read.member_id, "é".repeat(150));
        assert_eq!(read.client_host, read.member_id);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            code in 0u8..8,
            bits in 0u8..8,
            previous in any::<Option<i64>>(),
            generation in any::<i32>(),
            texts in any::<(String, Option<String>, Option<String>, String)>(),
        ) {
            let cause = OffsetCause {
                cause: Cause::from_code(code).unwrap(),
                oddities: CommitOddities::from_bits(bits),
                previous,
                generation,
                member_id: cut(&texts.0),
                instance_id: texts.1.as_deref().map(cut),
                client_id: texts.2.as_deref().map(cut),
                client_host: cut(&texts.3),
            };
            let bytes = cause.encode();
            prop_assert_eq!(OffsetCause::decode(&bytes), Ok(cause));
        }

        #[test]
        fn nonsense_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = OffsetCause::decode(&bytes);
        }
    }
}
