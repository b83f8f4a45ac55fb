//! ListOffsets (API 2), versions 1 to 11.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::ErrorCode;

use super::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, Unencodable};

/// The API key of ListOffsets.
pub const KEY: i16 = 2;
/// Oldest version.
pub const VERSION_MIN: i16 = 1;
/// Newest version.
pub const VERSION_MAX: i16 = 11;

const FLEXIBLE_FROM: i16 = 6;

/// Asks for the latest offset.
pub const LATEST_TIMESTAMP: i64 = -1;
/// Asks for the earliest offset.
pub const EARLIEST_TIMESTAMP: i64 = -2;
/// Asks for the offset of the record with the largest timestamp; from version 7 (KIP-734).
pub const MAX_TIMESTAMP: i64 = -3;
/// Asks for the earliest offset on the local disk; from version 8 (KIP-405).
pub const EARLIEST_LOCAL_TIMESTAMP: i64 = -4;
/// Asks for the latest offset in remote storage; from version 9 (KIP-1005).
pub const LATEST_TIERED_TIMESTAMP: i64 = -5;
/// Asks for the earliest offset that is not in remote storage yet; from version 11 (KIP-1023).
pub const EARLIEST_PENDING_UPLOAD_TIMESTAMP: i64 = -6;

/// A question for offsets by time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Node id of a follower, or -1 for a client.
    pub replica_id: i32,
    /// 0 reads what is written, 1 what is committed; from version 2.
    pub isolation_level: i8,
    /// How long to wait for remote storage, in milliseconds; from version 10.
    pub timeout_ms: i32,
    /// The partitions by topic.
    pub topics: Vec<RequestTopic>,
}

/// The question for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestTopic {
    /// Name of the topic.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<RequestPartition>,
}

/// The question for one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPartition {
    /// The partition.
    pub index: i32,
    /// Leader epoch that the client believes in, or -1; from version 4.
    pub current_leader_epoch: i32,
    /// A time in milliseconds, or one of the negative constants of this module.
    pub timestamp: i64,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// How long the client is throttled, in milliseconds; from version 2.
    pub throttle_time_ms: i32,
    /// The answer by topic.
    pub topics: Vec<ResponseTopic>,
}

/// The answer for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseTopic {
    /// Name of the topic.
    pub name: StrBytes,
    /// The answer by partition.
    pub partitions: Vec<ResponsePartition>,
}

/// The answer for one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponsePartition {
    /// The partition.
    pub index: i32,
    /// What went wrong, if anything.
    pub error: ErrorCode,
    /// Timestamp of the record, or -1.
    pub timestamp: i64,
    /// The offset, or -1 when there is none.
    pub offset: i64,
    /// Leader epoch of the offset, or -1; from version 4.
    pub leader_epoch: i32,
}

impl Default for ResponsePartition {
    fn default() -> Self {
        Self { index: 0, error: ErrorCode::None, timestamp: -1, offset: -1, leader_epoch: -1 }
    }
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
    let replica_id = reader.int32()?;
    let isolation_level = if version >= 2 { reader.int8()? } else { 0 };
    let topics = reader.elements(3, |reader| {
        let name = reader.string()?;
        let partitions = reader.elements(12, |reader| {
            let index = reader.int32()?;
            let current_leader_epoch = if version >= 4 { reader.int32()? } else { -1 };
            let timestamp = reader.int64()?;
            reader.skip_tagged_fields()?;
            Ok(RequestPartition { index, current_leader_epoch, timestamp })
        })?;
        reader.skip_tagged_fields()?;
        Ok(RequestTopic { name, partitions })
    })?;
    let timeout_ms = if version >= 10 { reader.int32()? } else { 0 };
    reader.skip_tagged_fields()?;
    Ok(Request { replica_id, isolation_level, timeout_ms, topics })
}

/// Encodes the body of a request, for clients.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown or a text is too long.
pub fn encode_request(version: i16, request: &Request, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    writer.int32(request.replica_id);
    if version >= 2 {
        writer.int8(request.isolation_level);
    }
    writer.elements(&request.topics, |writer, topic| {
        writer.string(&topic.name);
        writer.elements(&topic.partitions, |writer, partition| {
            writer.int32(partition.index);
            if version >= 4 {
                writer.int32(partition.current_leader_epoch);
            }
            writer.int64(partition.timestamp);
            writer.no_tagged_fields();
        });
        writer.no_tagged_fields();
    });
    if version >= 10 {
        writer.int32(request.timeout_ms);
    }
    writer.no_tagged_fields();
    writer.finish()
}

/// Encodes the body of a response.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown or a text is too long.
pub fn encode_response(version: i16, response: &Response, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    if version >= 2 {
        writer.int32(response.throttle_time_ms);
    }
    writer.elements(&response.topics, |writer, topic| {
        writer.string(&topic.name);
        writer.elements(&topic.partitions, |writer, partition| {
            writer.int32(partition.index);
            writer.error(partition.error);
            writer.int64(partition.timestamp);
            writer.int64(partition.offset);
            if version >= 4 {
                writer.int32(partition.leader_epoch);
            }
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
    let throttle_time_ms = if version >= 2 { reader.int32()? } else { 0 };
    let topics = reader.elements(3, |reader| {
        let name = reader.string()?;
        let partitions = reader.elements(22, |reader| {
            let index = reader.int32()?;
            let error = reader.error()?;
            let timestamp = reader.int64()?;
            let offset = reader.int64()?;
            let leader_epoch = if version >= 4 { reader.int32()? } else { -1 };
            reader.skip_tagged_fields()?;
            Ok(ResponsePartition { index, error, timestamp, offset, leader_epoch })
        })?;
        reader.skip_tagged_fields()?;
        Ok(ResponseTopic { name, partitions })
    })?;
    reader.skip_tagged_fields()?;
    Ok(Response { throttle_time_ms, topics })
}
