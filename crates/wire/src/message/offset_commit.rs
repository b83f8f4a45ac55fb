//! OffsetCommit (API 8), versions 2 to 10.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, TopicId};

use super::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, Unencodable};

/// The API key of OffsetCommit.
pub const KEY: i16 = 8;
/// Oldest version.
pub const VERSION_MIN: i16 = 2;
/// Newest version.
pub const VERSION_MAX: i16 = 10;

const FLEXIBLE_FROM: i16 = 8;
const TOPIC_ID_FROM: i16 = 10;

/// Offsets to remember for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The group.
    pub group_id: StrBytes,
    /// Generation of a classic group or epoch of the member, or -1 when the group only stores offsets.
    pub generation_id_or_member_epoch: i32,
    /// The member, or empty.
    pub member_id: StrBytes,
    /// The member's static identity (KIP-345), if it has one; from version 7.
    pub group_instance_id: Option<StrBytes>,
    /// How long to keep the offsets, in milliseconds, or -1 for the broker's setting; versions 2 to 4.
    pub retention_time_ms: i64,
    /// The offsets by topic.
    pub topics: Vec<RequestTopic>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            group_id: StrBytes::new(),
            generation_id_or_member_epoch: -1,
            member_id: StrBytes::new(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
        }
    }
}

/// Offsets of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestTopic {
    /// Name of the topic, up to version 9.
    pub name: Option<StrBytes>,
    /// Id of the topic from version 10, zero before.
    pub topic_id: TopicId,
    /// The offsets by partition.
    pub partitions: Vec<RequestPartition>,
}

/// The offset of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPartition {
    /// The partition.
    pub index: i32,
    /// The next offset to read.
    pub committed_offset: i64,
    /// Leader epoch of the last record that was read, or -1; from version 6.
    pub committed_leader_epoch: i32,
    /// What the client wants to keep with the offset.
    pub committed_metadata: Option<StrBytes>,
}

/// What became of a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// How long the client is throttled, in milliseconds; from version 3.
    pub throttle_time_ms: i32,
    /// The outcome by topic.
    pub topics: Vec<ResponseTopic>,
}

/// The outcome for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseTopic {
    /// Name of the topic; written up to version 9, where it must be set.
    pub name: Option<StrBytes>,
    /// Id of the topic; written from version 10.
    pub topic_id: TopicId,
    /// The outcome by partition.
    pub partitions: Vec<ResponsePartition>,
}

/// The outcome for one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponsePartition {
    /// The partition.
    pub index: i32,
    /// What went wrong, if anything.
    pub error: ErrorCode,
}

/// Decodes a request.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_request(version: i16, body: &Bytes) -> Result<Request, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, version >= FLEXIBLE_FROM, |reader| read_request(version, reader))
}

fn read_request(version: i16, reader: &mut Reader<'_>) -> Result<Request, Reason> {
    let group_id = reader.string()?;
    let generation_id_or_member_epoch = reader.int32()?;
    let member_id = reader.string()?;
    let group_instance_id = if version >= 7 { reader.nullable_string()? } else { None };
    let retention_time_ms = if version <= 4 { reader.int64()? } else { -1 };
    let topics = reader.elements(3, |reader| {
        let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
        let partitions = reader.elements(14, |reader| read_partition(version, reader))?;
        reader.skip_tagged_fields()?;
        Ok(RequestTopic { name, topic_id, partitions })
    })?;
    reader.skip_tagged_fields()?;
    Ok(Request {
        group_id,
        generation_id_or_member_epoch,
        member_id,
        group_instance_id,
        retention_time_ms,
        topics,
    })
}

fn read_partition(version: i16, reader: &mut Reader<'_>) -> Result<RequestPartition, Reason> {
    let index = reader.int32()?;
    let committed_offset = reader.int64()?;
    let committed_leader_epoch = if version >= 6 { reader.int32()? } else { -1 };
    let committed_metadata = reader.nullable_string()?;
    reader.skip_tagged_fields()?;
    Ok(RequestPartition { index, committed_offset, committed_leader_epoch, committed_metadata })
}

/// Encodes the body of a request, for clients.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown, a name is missing where the version needs it, or a text is too
/// long.
pub fn encode_request(version: i16, request: &Request, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    writer.string(&request.group_id);
    writer.int32(request.generation_id_or_member_epoch);
    writer.string(&request.member_id);
    if version >= 7 {
        writer.nullable_string(request.group_instance_id.as_deref());
    }
    if version <= 4 {
        writer.int64(request.retention_time_ms);
    }
    writer.elements(&request.topics, |writer, topic| {
        writer.topic(version >= TOPIC_ID_FROM, topic.name.as_deref(), topic.topic_id);
        writer.elements(&topic.partitions, |writer, partition| {
            writer.int32(partition.index);
            writer.int64(partition.committed_offset);
            if version >= 6 {
                writer.int32(partition.committed_leader_epoch);
            }
            writer.nullable_string(partition.committed_metadata.as_deref());
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
    });
    writer.no_tagged_fields();
    writer.finish()
}

/// Encodes the body of a response.
///
/// # Errors
/// As [`encode_request`].
pub fn encode_response(version: i16, response: &Response, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    if version >= 3 {
        writer.int32(response.throttle_time_ms);
    }
    writer.elements(&response.topics, |writer, topic| {
        writer.topic(version >= TOPIC_ID_FROM, topic.name.as_deref(), topic.topic_id);
        writer.elements(&topic.partitions, |writer, partition| {
            writer.int32(partition.index);
            writer.error(partition.error);
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
    });
    writer.no_tagged_fields();
    writer.finish()
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
    let topics = reader.elements(3, |reader| {
        let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
        let partitions = reader.elements(6, |reader| {
            let index = reader.int32()?;
            let error = reader.error()?;
            reader.skip_tagged_fields()?;
            Ok(ResponsePartition { index, error })
        })?;
        reader.skip_tagged_fields()?;
        Ok(ResponseTopic { name, topic_id, partitions })
    })?;
    reader.skip_tagged_fields()?;
    Ok(Response { throttle_time_ms, topics })
}
