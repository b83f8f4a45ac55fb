//! Fetch requests.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use ottla_model::TopicId;

use super::{FLEXIBLE_FROM, TOPIC_ID_FROM, VERSION_MAX, VERSION_MIN};
use crate::message::check_version;
use crate::reader::Reader;
use crate::{Malformed, Reason};

/// A request for records.
///
/// What only a follower of Kafka's own replication sends (log start offset, directory id, high watermark, replica
/// epoch, cluster id) is checked and dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// Node id of a follower, or -1 for a consumer. A tagged field from version 15.
    pub replica_id: i32,
    /// How long to wait for `min_bytes`, in milliseconds.
    pub max_wait_ms: i32,
    /// Answer as soon as this many bytes of records are there.
    pub min_bytes: i32,
    /// At most so many bytes of records, but at least one batch (KIP-74).
    pub max_bytes: i32,
    /// 0 reads what is written, 1 what is committed.
    pub isolation_level: i8,
    /// The fetch session (KIP-227), or 0; from version 7.
    pub session_id: i32,
    /// The place in the session: -1 none, 0 a new one; from version 7.
    pub session_epoch: i32,
    /// The partitions to read, or those that change in a session.
    pub topics: Vec<FetchTopic>,
    /// The partitions to take out of the session.
    pub forgotten_topics: Vec<ForgottenTopic>,
    /// The consumer's rack, or empty; from version 11.
    pub rack_id: StrBytes,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            replica_id: -1,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics: Vec::new(),
            rack_id: StrBytes::new(),
        }
    }
}

/// Partitions of one topic to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchTopic {
    /// Name of the topic, up to version 12.
    pub name: Option<StrBytes>,
    /// Id of the topic from version 13, zero before.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<FetchPartition>,
}

/// One partition to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPartition {
    /// The partition.
    pub index: i32,
    /// Leader epoch that the client believes in, or -1; from version 9.
    pub current_leader_epoch: i32,
    /// First offset to return.
    pub fetch_offset: i64,
    /// Leader epoch of the last record that the client has, or -1; from version 12.
    pub last_fetched_epoch: i32,
    /// At most so many bytes of this partition, but at least one batch (KIP-74).
    pub max_bytes: i32,
}

/// Partitions of one topic to take out of the session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForgottenTopic {
    /// Name of the topic, up to version 12.
    pub name: Option<StrBytes>,
    /// Id of the topic from version 13, zero before.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// Decodes a request.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_request(version: i16, body: &Bytes) -> Result<FetchRequest, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, version >= FLEXIBLE_FROM, |reader| read_request(version, reader))
}

fn read_request(version: i16, reader: &mut Reader<'_>) -> Result<FetchRequest, Reason> {
    let topic_bytes_min = if version >= FLEXIBLE_FROM { 3 } else { 6 };
    let mut request = FetchRequest::default();
    if version <= 14 {
        request.replica_id = reader.int32()?;
    }
    request.max_wait_ms = reader.int32()?;
    request.min_bytes = reader.int32()?;
    request.max_bytes = reader.int32()?;
    request.isolation_level = reader.int8()?;
    if version >= 7 {
        request.session_id = reader.int32()?;
        request.session_epoch = reader.int32()?;
    }
    request.topics = reader.elements(topic_bytes_min, |reader| read_topic(version, reader))?;
    if version >= 7 {
        request.forgotten_topics =
            reader.elements(topic_bytes_min, |reader| read_forgotten(version, reader))?;
    }
    if version >= 11 {
        request.rack_id = reader.string()?;
    }
    reader.tagged_fields(|tag, reader| read_tagged_field(version, tag, reader, &mut request))?;
    Ok(request)
}

fn read_tagged_field(
    version: i16,
    tag: u32,
    reader: &mut Reader<'_>,
    request: &mut FetchRequest,
) -> Result<bool, Reason> {
    match tag {
        // The cluster id.
        0 => reader.nullable_string()?,
        1 if version >= 15 => {
            request.replica_id = reader.int32()?;
            let _replica_epoch = reader.int64()?;
            reader.skip_tagged_fields()?;
            return Ok(true);
        }
        1 => return Err(Reason::TagVersion),
        _ => return Ok(false),
    };
    Ok(true)
}

fn read_topic(version: i16, reader: &mut Reader<'_>) -> Result<FetchTopic, Reason> {
    let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
    let partitions = reader.elements(16, |reader| read_partition(version, reader))?;
    reader.skip_tagged_fields()?;
    Ok(FetchTopic { name, topic_id, partitions })
}

fn read_partition(version: i16, reader: &mut Reader<'_>) -> Result<FetchPartition, Reason> {
    let index = reader.int32()?;
    let current_leader_epoch = if version >= 9 { reader.int32()? } else { -1 };
    let fetch_offset = reader.int64()?;
    let last_fetched_epoch = if version >= 12 { reader.int32()? } else { -1 };
    if version >= 5 {
        let _log_start_offset = reader.int64()?;
    }
    let max_bytes = reader.int32()?;
    reader.tagged_fields(|tag, reader| {
        match (tag, version) {
            (0, 17..) => drop(reader.topic_id()?),
            (1, 18..) => drop(reader.int64()?),
            (0 | 1, _) => return Err(Reason::TagVersion),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(FetchPartition { index, current_leader_epoch, fetch_offset, last_fetched_epoch, max_bytes })
}

fn read_forgotten(version: i16, reader: &mut Reader<'_>) -> Result<ForgottenTopic, Reason> {
    let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
    let partitions = reader.elements(4, Reader::int32)?;
    reader.skip_tagged_fields()?;
    Ok(ForgottenTopic { name, topic_id, partitions })
}
