//! Values about what members of a consumer group shall have and what they have.

use bytes::Bytes;
use ottla_model::{PartitionIndex, TopicId};

use super::{read_array, tagged_field, value_reader, value_writer, write_array};
use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// `ConsumerGroupTargetAssignmentMetadataValue`: the epoch of the target assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    /// The group's epoch that it was made for.
    pub assignment_epoch: i32,
    /// When it was made, in milliseconds since the Unix epoch (KIP-1263), or 0 when a release before 4.3 wrote it.
    pub assignment_timestamp_ms: i64,
}

const TAG_ASSIGNMENT_TIMESTAMP: u32 = 0;

impl ConsumerGroupTargetAssignmentMetadataValue {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let assignment_epoch = reader.i32()?;
        let mut assignment_timestamp_ms = 0;
        reader.tagged_fields(|tag, field| {
            if tag == TAG_ASSIGNMENT_TIMESTAMP {
                assignment_timestamp_ms = field.i64()?;
            }
            Ok(())
        })?;
        Ok(Self { assignment_epoch, assignment_timestamp_ms })
    }

    /// Writes the value.
    ///
    /// # Errors
    /// None in practice: the value has a fixed size.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        writer.i32(self.assignment_epoch);
        if self.assignment_timestamp_ms == 0 {
            writer.no_tagged_fields();
        } else {
            tagged_field(&mut writer, |field| field.i64(self.assignment_timestamp_ms))?;
        }
        writer.finish()
    }
}

/// `ConsumerGroupTargetAssignmentMemberValue`: what a member shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupTargetAssignmentMemberValue {
    /// Topics with their partitions.
    pub topic_partitions: Vec<(TopicId, Vec<PartitionIndex>)>,
}

/// Id, empty array, no tagged fields.
const TOPIC_BYTES_MIN: usize = 16 + 1 + 1;

impl ConsumerGroupTargetAssignmentMemberValue {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let topic_partitions = read_array(&mut reader, TOPIC_BYTES_MIN, |reader| {
            let topic_id = reader.uuid()?;
            let partitions = read_array(reader, 4, Reader::i32)?;
            reader.skip_tagged_fields()?;
            Ok((topic_id, partitions))
        })?;
        reader.skip_tagged_fields()?;
        Ok(Self { topic_partitions })
    }

    /// Writes the value.
    ///
    /// # Errors
    /// [`EncodeError`] when there are more topics or partitions than a count can say.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        write_array(&mut writer, &self.topic_partitions, |writer, (topic_id, partitions)| {
            writer.uuid(*topic_id);
            write_array(writer, partitions, |writer, partition| writer.i32(*partition));
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
        writer.finish()
    }
}

/// `ConsumerGroupCurrentMemberAssignmentValue`: what a member has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// The epoch that the member is expected to send.
    pub member_epoch: i32,
    /// The epoch that it may still send when the answer with the new one was lost.
    pub previous_member_epoch: i32,
    /// The number of its state (`MemberState`): 0 stable, 1 to give partitions back, 2 waiting for partitions of
    /// others, 127 unknown.
    pub state: i8,
    /// The partitions that it has.
    pub assigned_partitions: Vec<AssignedPartitions>,
    /// The partitions that it still has and must give back.
    pub partitions_pending_revocation: Vec<AssignedPartitions>,
}

/// Partitions of a topic that a member has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignedPartitions {
    /// The topic.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<PartitionIndex>,
    /// The epoch at which each partition came to the member, by which late commits are fenced (KIP-1251). Empty when
    /// a release that did not keep them wrote the record.
    pub assignment_epochs: Vec<i32>,
}

const TAG_ASSIGNMENT_EPOCHS: u32 = 0;

impl AssignedPartitions {
    /// The partitions, each with the epoch at which it came to the member. Where there is not one epoch a partition,
    /// `default_epoch` (but at least 0) stands for all, as in Kafka (`Utils.assignmentFromTopicPartitions`).
    pub fn with_epochs(&self, default_epoch: i32) -> impl Iterator<Item = (PartitionIndex, i32)> + '_ {
        let known = self.assignment_epochs.len() == self.partitions.len();
        self.partitions.iter().enumerate().map(move |(place, partition)| {
            let epoch = self.assignment_epochs.get(place).filter(|_| known);
            (*partition, epoch.copied().unwrap_or(default_epoch.max(0)))
        })
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_id = reader.uuid()?;
        let partitions = read_array(reader, 4, Reader::i32)?;
        let mut assignment_epochs = Vec::new();
        reader.tagged_fields(|tag, field| {
            if tag == TAG_ASSIGNMENT_EPOCHS {
                let count = field.compact_nullable_count(4)?.unwrap_or(0);
                assignment_epochs = (0..count).map(|_| field.i32()).collect::<Result<_, _>>()?;
            }
            Ok(())
        })?;
        Ok(Self { topic_id, partitions, assignment_epochs })
    }

    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.uuid(self.topic_id);
        write_array(writer, &self.partitions, |writer, partition| writer.i32(*partition));
        if self.assignment_epochs.is_empty() {
            writer.no_tagged_fields();
            return Ok(());
        }
        tagged_field(writer, |field| {
            write_array(field, &self.assignment_epochs, |field, epoch| field.i32(*epoch));
        })
    }
}

impl ConsumerGroupCurrentMemberAssignmentValue {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let value = Self {
            member_epoch: reader.i32()?,
            previous_member_epoch: reader.i32()?,
            state: reader.i8()?,
            assigned_partitions: read_array(&mut reader, TOPIC_BYTES_MIN, AssignedPartitions::decode)?,
            partitions_pending_revocation: read_array(
                &mut reader,
                TOPIC_BYTES_MIN,
                AssignedPartitions::decode,
            )?,
        };
        reader.skip_tagged_fields()?;
        Ok(value)
    }

    /// Writes the value.
    ///
    /// # Errors
    /// [`EncodeError`] when there are more topics or partitions than a count can say.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        writer.i32(self.member_epoch);
        writer.i32(self.previous_member_epoch);
        writer.i8(self.state);
        for topics in [&self.assigned_partitions, &self.partitions_pending_revocation] {
            writer.compact_count(topics.len());
            for topic in topics {
                topic.encode(&mut writer)?;
            }
        }
        writer.no_tagged_fields();
        writer.finish()
    }
}
