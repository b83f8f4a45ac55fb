//! OffsetFetch responses.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, TopicId};

use super::{FLEXIBLE_FROM, GROUPS_FROM, TOPIC_ID_FROM, VERSION_MAX, VERSION_MIN};
use crate::message::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, Unencodable};

/// Committed offsets of groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// How long the client is throttled, in milliseconds; from version 3.
    pub throttle_time_ms: i32,
    /// The answer by group; exactly one up to version 7.
    pub groups: Vec<ResponseGroup>,
}

/// Committed offsets of one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseGroup {
    /// The group; from version 8.
    pub group_id: StrBytes,
    /// The offsets by topic.
    pub topics: Vec<ResponseTopic>,
    /// What is wrong with the group as a whole; from version 2. Version 1 tells it by partition only, so the
    /// caller has to list the partitions that were asked for, each with the error.
    pub error: ErrorCode,
}

/// Committed offsets of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseTopic {
    /// Name of the topic; written up to version 9, where it must be set.
    pub name: Option<StrBytes>,
    /// Id of the topic; written from version 10.
    pub topic_id: TopicId,
    /// The offsets by partition.
    pub partitions: Vec<ResponsePartition>,
}

/// The committed offset of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsePartition {
    /// The partition.
    pub index: i32,
    /// The next offset to read, or -1 when none was committed, which is no error.
    pub committed_offset: i64,
    /// Leader epoch that was committed with it, or -1; from version 5.
    pub committed_leader_epoch: i32,
    /// What the client kept with the offset; Kafka answers empty, not null, when there is no offset.
    pub metadata: Option<StrBytes>,
    /// What went wrong, if anything.
    pub error: ErrorCode,
}

impl Default for ResponsePartition {
    fn default() -> Self {
        Self {
            index: 0,
            committed_offset: -1,
            committed_leader_epoch: -1,
            metadata: Some(StrBytes::new()),
            error: ErrorCode::None,
        }
    }
}

/// Encodes the body of a response.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown, when it has room for one group and there are not exactly one, when
/// a name is missing where the version needs it, or a text is too long.
pub fn encode_response(version: i16, response: &Response, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    if version >= 3 {
        writer.int32(response.throttle_time_ms);
    }
    if version >= GROUPS_FROM {
        writer.elements(&response.groups, |writer, group| {
            writer.string(&group.group_id);
            write_topics(version, &group.topics, writer);
            writer.error(group.error);
            writer.no_tagged_fields();
        });
    } else if let [group] = response.groups.as_slice() {
        write_topics(version, &group.topics, &mut writer);
        if version >= 2 {
            writer.error(group.error);
        }
    } else {
        writer.fail(Unencodable::Field);
    }
    writer.no_tagged_fields();
    writer.finish()
}

fn write_topics(version: i16, topics: &[ResponseTopic], writer: &mut Writer<'_>) {
    writer.elements(topics, |writer, topic| {
        writer.topic(version >= TOPIC_ID_FROM, topic.name.as_deref(), topic.topic_id);
        writer.elements(&topic.partitions, |writer, partition| {
            writer.int32(partition.index);
            writer.int64(partition.committed_offset);
            if version >= 5 {
                writer.int32(partition.committed_leader_epoch);
            }
            writer.nullable_string(partition.metadata.as_deref());
            writer.error(partition.error);
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
    });
}

/// Decodes a response, for clients.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_response(version: i16, body: &Bytes) -> Result<Response, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, version >= FLEXIBLE_FROM, |reader| read_response(version, reader))
}

fn read_response(version: i16, reader: &mut Reader<'_>) -> Result<Response, Reason> {
    let throttle_time_ms = if version >= 3 { reader.int32()? } else { 0 };
    let groups = if version >= GROUPS_FROM {
        reader.elements(5, |reader| {
            let group_id = reader.string()?;
            let topics = read_topics(version, reader)?;
            let error = reader.error()?;
            reader.skip_tagged_fields()?;
            Ok(ResponseGroup { group_id, topics, error })
        })?
    } else {
        let topics = read_topics(version, reader)?;
        let error = if version >= 2 { reader.error()? } else { ErrorCode::None };
        vec![ResponseGroup { group_id: StrBytes::new(), topics, error }]
    };
    reader.skip_tagged_fields()?;
    Ok(Response { throttle_time_ms, groups })
}

fn read_topics(version: i16, reader: &mut Reader<'_>) -> Result<Vec<ResponseTopic>, Reason> {
    reader.elements(3, |reader| {
        let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
        let partitions = reader.elements(16, |reader| read_partition(version, reader))?;
        reader.skip_tagged_fields()?;
        Ok(ResponseTopic { name, topic_id, partitions })
    })
}

fn read_partition(version: i16, reader: &mut Reader<'_>) -> Result<ResponsePartition, Reason> {
    let index = reader.int32()?;
    let committed_offset = reader.int64()?;
    let committed_leader_epoch = if version >= 5 { reader.int32()? } else { -1 };
    let metadata = reader.nullable_string()?;
    let error = reader.error()?;
    reader.skip_tagged_fields()?;
    Ok(ResponsePartition { index, committed_offset, committed_leader_epoch, metadata, error })
}
