//! The value of a committed offset (`OffsetCommitValue`, versions 0 to 4).

use bytes::Bytes;
use ottla_model::{LeaderEpoch, NO_LEADER_EPOCH, NONE, Offset, TopicId};

use super::{DecodeError, EncodeError, Reader, Writer};

/// A committed offset as its record holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetCommitValue<'a> {
    /// The offset that the consumer wants to read next.
    pub offset: Offset,
    /// Leader epoch of the last consumed record, or -1.
    pub leader_epoch: LeaderEpoch,
    /// Whatever the client wants to keep with it.
    pub metadata: &'a str,
    /// When it was committed, in milliseconds since the Unix epoch.
    pub commit_timestamp_ms: i64,
    /// When it expires, or -1: only for commits that brought a retention time of their own (version 1).
    pub expire_timestamp_ms: i64,
    /// The topic's id, or zero when the commit named the topic only.
    pub topic_id: TopicId,
}

const VERSION_MAX: i16 = 4;
/// The version that Kafka 4.3.1 writes. It is flexible, so that later releases can add tagged fields.
const VERSION_WRITTEN: i16 = 4;
/// The only version with an expiry of its own, written for commits that bring one.
const VERSION_WITH_EXPIRY: i16 = 1;
const TAG_TOPIC_ID: u32 = 0;
/// Bytes of a value without its metadata, at most: version, offset, epoch or expiry, length, time, and the topic's id with
/// its tag.
const FIXED_BYTES_MAX: usize = 2 + 8 + 8 + 5 + 8 + 3 + 16;

impl<'a> OffsetCommitValue<'a> {
    /// Reads a value of any version. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.i16()?;
        if !(0..=VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnknownVersion(version));
        }
        let flexible = version >= 4;
        let offset = reader.i64()?;
        let leader_epoch = if version >= 3 { reader.i32()? } else { NO_LEADER_EPOCH };
        let metadata = if flexible { reader.compact_string()? } else { reader.string()? };
        let commit_timestamp_ms = reader.i64()?;
        let expire_timestamp_ms = if version == VERSION_WITH_EXPIRY { reader.i64()? } else { NONE };
        let mut topic_id = TopicId::ZERO;
        if flexible {
            reader.tagged_fields(|tag, field| {
                if tag == TAG_TOPIC_ID {
                    topic_id = field.uuid()?;
                }
                Ok(())
            })?;
        }
        Ok(Self { offset, leader_epoch, metadata, commit_timestamp_ms, expire_timestamp_ms, topic_id })
    }

    /// Writes the value in the version that Kafka 4.3.1 chooses: 1 when it has an expiry, else 4
    /// (`GroupCoordinatorRecordHelpers.offsetCommitValueVersion`).
    ///
    /// # Errors
    /// [`EncodeError`] when the metadata is longer than 32767 bytes.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::with_capacity(self.metadata.len().saturating_add(FIXED_BYTES_MAX));
        if self.expire_timestamp_ms != NONE {
            writer.i16(VERSION_WITH_EXPIRY);
            writer.i64(self.offset);
            writer.string(self.metadata);
            writer.i64(self.commit_timestamp_ms);
            writer.i64(self.expire_timestamp_ms);
            return writer.finish();
        }
        writer.i16(VERSION_WRITTEN);
        writer.i64(self.offset);
        writer.i32(self.leader_epoch);
        writer.compact_string(self.metadata);
        writer.i64(self.commit_timestamp_ms);
        if self.topic_id.is_zero() {
            writer.no_tagged_fields();
        } else {
            writer.tagged_fields(&[(TAG_TOPIC_ID, &self.topic_id.0)]);
        }
        writer.finish()
    }
}
