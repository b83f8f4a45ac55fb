//! DescribeLogDirs (35): versions 1 to 5 of the response. `kafka-protocol` ends at version 4, which a version 5 request
//! has the fields of.

use bytes::{Bytes, BytesMut};
use ottla_model::ErrorCode;

use super::{check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, StrBytes, Unencodable};

/// Its key.
pub const KEY: i16 = 35;

const VERSION_MIN: i16 = 1;
const VERSION_MAX: i16 = 5;
const FLEXIBLE_FROM: i16 = 2;
const ERROR_FROM: i16 = 3;
const SPACE_FROM: i16 = 4;
const CORDONED_FROM: i16 = 5;

/// A version of the request that `kafka-protocol` knows and that has the same fields as `version`.
#[must_use]
pub fn request_version(version: i16) -> i16 {
    version.min(4)
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// How long the broker holds back the client's next request, in milliseconds.
    pub throttle_time_ms: i32,
    /// What is wrong with all of it.
    pub error: ErrorCode,
    /// The log directories.
    pub results: Vec<LogDir>,
}

/// A log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    /// What is wrong with it.
    pub error: ErrorCode,
    /// Its absolute path.
    pub path: StrBytes,
    /// What was asked for and is in it.
    pub topics: Vec<Topic>,
    /// The size of its file system in bytes, or -1.
    pub total_bytes: i64,
    /// What of that is free, in bytes, or -1.
    pub usable_bytes: i64,
    /// Whether it takes no new partitions (KIP-1066).
    pub is_cordoned: bool,
}

/// A topic in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: StrBytes,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

/// A partition in a log directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// The size of its segments in bytes.
    pub size_bytes: i64,
    /// How far its end is behind its high watermark, which is never for a leader's log.
    pub offset_lag: i64,
    /// Whether it is being moved here.
    pub is_future: bool,
}

/// Encodes the body of a response.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown or a text is too long.
pub fn encode_response(version: i16, response: &Response, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    writer.int32(response.throttle_time_ms);
    if version >= ERROR_FROM {
        writer.error(response.error);
    }
    writer.elements(&response.results, |writer, log_dir| {
        writer.error(log_dir.error);
        writer.string(&log_dir.path);
        writer.elements(&log_dir.topics, write_topic);
        if version >= SPACE_FROM {
            writer.int64(log_dir.total_bytes);
            writer.int64(log_dir.usable_bytes);
        }
        if version >= CORDONED_FROM {
            writer.boolean(log_dir.is_cordoned);
        }
        writer.no_tagged_fields();
    });
    writer.no_tagged_fields();
    writer.finish()
}

fn write_topic(writer: &mut Writer<'_>, topic: &Topic) {
    writer.string(&topic.name);
    writer.elements(&topic.partitions, |writer, partition| {
        writer.int32(partition.index);
        writer.int64(partition.size_bytes);
        writer.int64(partition.offset_lag);
        writer.boolean(partition.is_future);
        writer.no_tagged_fields();
    });
    writer.no_tagged_fields();
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
    let throttle_time_ms = reader.int32()?;
    let error = if version >= ERROR_FROM { reader.error()? } else { ErrorCode::None };
    let results = reader.elements(5, |reader| {
        let error = reader.error()?;
        let path = reader.string()?;
        let topics = reader.elements(3, read_topic)?;
        let (total_bytes, usable_bytes) =
            if version >= SPACE_FROM { (reader.int64()?, reader.int64()?) } else { (-1, -1) };
        let is_cordoned = version >= CORDONED_FROM && reader.boolean()?;
        reader.skip_tagged_fields()?;
        Ok(LogDir { error, path, topics, total_bytes, usable_bytes, is_cordoned })
    })?;
    reader.skip_tagged_fields()?;
    Ok(Response { throttle_time_ms, error, results })
}

fn read_topic(reader: &mut Reader<'_>) -> Result<Topic, Reason> {
    let name = reader.string()?;
    let partitions = reader.elements(21, |reader| {
        let index = reader.int32()?;
        let (size_bytes, offset_lag) = (reader.int64()?, reader.int64()?);
        let is_future = reader.boolean()?;
        reader.skip_tagged_fields()?;
        Ok(Partition { index, size_bytes, offset_lag, is_future })
    })?;
    reader.skip_tagged_fields()?;
    Ok(Topic { name, partitions })
}
