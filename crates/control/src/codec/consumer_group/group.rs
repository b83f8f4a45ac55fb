//! Values about a consumer group as a whole.

use bytes::Bytes;
use ottla_model::{PartitionIndex, TopicId};

use super::{read_array, tagged_field, value_reader, value_writer, write_array};
use crate::codec::{DecodeError, EncodeError};

/// `ConsumerGroupMetadataValue`: the epoch of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerGroupMetadataValue {
    /// The group's epoch, raised whenever a new target assignment is due.
    pub epoch: i32,
    /// Hash of the subscribed topics (KIP-1101), or 0 when there are none or a release before 4.1 wrote the record.
    pub metadata_hash: i64,
}

const TAG_METADATA_HASH: u32 = 0;

impl ConsumerGroupMetadataValue {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let epoch = reader.i32()?;
        let mut metadata_hash = 0;
        reader.tagged_fields(|tag, field| {
            if tag == TAG_METADATA_HASH {
                metadata_hash = field.i64()?;
            }
            Ok(())
        })?;
        Ok(Self { epoch, metadata_hash })
    }

    /// Writes the value.
    ///
    /// # Errors
    /// None in practice: the value has a fixed size.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        writer.i32(self.epoch);
        if self.metadata_hash == 0 {
            writer.no_tagged_fields();
        } else {
            tagged_field(&mut writer, |field| field.i64(self.metadata_hash))?;
        }
        writer.finish()
    }
}

/// `ConsumerGroupPartitionMetadataValue`: the topics that a group of Kafka 4.0 or older knew. Kafka 4.3.1 reads it,
/// and writes nothing but its tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupPartitionMetadataValue<'a> {
    /// The topics.
    pub topics: Vec<SubscribedTopicMetadata<'a>>,
}

/// A topic in a [`ConsumerGroupPartitionMetadataValue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedTopicMetadata<'a> {
    /// Its id.
    pub topic_id: TopicId,
    /// Its name.
    pub topic_name: &'a str,
    /// How many partitions it had.
    pub partition_count: i32,
    /// Racks of each partition; not used after 4.0.
    pub partition_racks: Vec<PartitionRacks<'a>>,
}

/// The racks that hold a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRacks<'a> {
    /// The partition.
    pub partition: PartitionIndex,
    /// Racks of its replicas.
    pub racks: Vec<&'a str>,
}

/// Id, empty name, partition count, empty array, no tagged fields.
const TOPIC_BYTES_MIN: usize = 16 + 1 + 4 + 1 + 1;
/// Partition, empty array, no tagged fields.
const RACKS_BYTES_MIN: usize = 4 + 1 + 1;

impl<'a> ConsumerGroupPartitionMetadataValue<'a> {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let topics = read_array(&mut reader, TOPIC_BYTES_MIN, |reader| {
            let topic = SubscribedTopicMetadata {
                topic_id: reader.uuid()?,
                topic_name: reader.compact_string()?,
                partition_count: reader.i32()?,
                partition_racks: read_array(reader, RACKS_BYTES_MIN, |reader| {
                    let partition = reader.i32()?;
                    let racks = read_array(reader, 1, |reader| reader.compact_string())?;
                    reader.skip_tagged_fields()?;
                    Ok(PartitionRacks { partition, racks })
                })?,
            };
            reader.skip_tagged_fields()?;
            Ok(topic)
        })?;
        reader.skip_tagged_fields()?;
        Ok(Self { topics })
    }

    /// Writes the value as Kafka 4.0 does.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        write_array(&mut writer, &self.topics, |writer, topic| {
            writer.uuid(topic.topic_id);
            writer.compact_string(topic.topic_name);
            writer.i32(topic.partition_count);
            write_array(writer, &topic.partition_racks, |writer, partition| {
                writer.i32(partition.partition);
                write_array(writer, &partition.racks, |writer, rack| writer.compact_string(rack));
                writer.no_tagged_fields();
            });
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
        writer.finish()
    }
}
