//! Keys of `__consumer_offsets` (`OffsetCommitKey`, `GroupMetadataKey`).

use bytes::Bytes;
use ottla_model::{PartitionIndex, TopicName};

use super::{ConsumerGroupKey, DecodeError, EncodeError, Reader, Writer};

/// A record's key, borrowed from its bytes. The number in front of each key is its type
/// (`CoordinatorRecordType`), which early Kafka called its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key<'a> {
    /// Types 0 and 1: a committed offset. Kafka writes 1; 0 comes from logs of the oldest releases.
    OffsetCommit {
        /// The group.
        group: &'a str,
        /// The topic.
        topic: TopicName,
        /// The partition of it.
        partition: PartitionIndex,
    },
    /// Type 2: a classic group.
    GroupMetadata {
        /// The group.
        group: &'a str,
    },
    /// Types 3 to 8 and 16: a consumer group of the new protocol (KIP-848).
    ConsumerGroup(ConsumerGroupKey<'a>),
    /// Any other type: of a later release, or written by Kafka and not understood yet, such as the records of share
    /// groups.
    Unknown {
        /// The type's number.
        key_type: i16,
    },
}

const LEGACY_OFFSET_COMMIT: i16 = 0;
const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;

/// Bytes of the key of a committed offset without its texts: type, two lengths, partition.
const OFFSET_COMMIT_FIXED_BYTES: usize = 2 + 2 + 2 + 4;

impl<'a> Key<'a> {
    /// Reads a key. Bytes after it are passed over, as in Kafka (`CoordinatorRecordSerde`).
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed; an unknown type is none.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.i16()? {
            LEGACY_OFFSET_COMMIT | OFFSET_COMMIT => {
                let group = reader.string()?;
                let topic = TopicName::new(reader.string()?)
                    .map_err(|_| DecodeError::Illegal("a topic name that Kafka refuses"))?;
                Ok(Self::OffsetCommit { group, topic, partition: reader.i32()? })
            }
            GROUP_METADATA => Ok(Self::GroupMetadata { group: reader.string()? }),
            key_type => Ok(match ConsumerGroupKey::decode(key_type, &mut reader)? {
                Some(key) => Self::ConsumerGroup(key),
                None => Self::Unknown { key_type },
            }),
        }
    }

    /// The key of a committed offset, of type 1.
    ///
    /// # Errors
    /// [`EncodeError`] when the group's id is longer than 32767 bytes.
    pub fn offset_commit(
        group: &str,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> Result<Bytes, EncodeError> {
        // Exactly what is written, so that nothing is moved or cut: there is one of these for every commit.
        let texts = group.len().saturating_add(topic.as_str().len());
        let mut writer = Writer::with_capacity(texts.saturating_add(OFFSET_COMMIT_FIXED_BYTES));
        writer.i16(OFFSET_COMMIT);
        writer.string(group);
        writer.string(topic.as_str());
        writer.i32(partition);
        writer.finish()
    }

    /// The key of a classic group, of type 2.
    ///
    /// # Errors
    /// [`EncodeError`] when the group's id is longer than 32767 bytes.
    pub fn group_metadata(group: &str) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.i16(GROUP_METADATA);
        writer.string(group);
        writer.finish()
    }
}
