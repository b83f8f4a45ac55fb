//! Produce (API 0), versions 3 to 13.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, TopicId};

use super::{CurrentLeader, NodeEndpoint, check_encodable, check_version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, Reason, Unencodable};

/// The API key of Produce.
pub const KEY: i16 = 0;
/// Oldest version; Kafka advertises 0 all the same (KAFKA-18659).
pub const VERSION_MIN: i16 = 3;
/// Newest version.
pub const VERSION_MAX: i16 = 13;

const FLEXIBLE_FROM: i16 = 9;
const TOPIC_ID_FROM: i16 = 13;

/// Records for partitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceRequest {
    /// Transactional id of the producer, if it has one.
    pub transactional_id: Option<StrBytes>,
    /// Who must have the records before the answer: 0 nobody (and no answer), 1 the leader, -1 all in sync.
    pub acks: i16,
    /// How long to wait for `acks`, in milliseconds.
    pub timeout_ms: i32,
    /// The records by topic.
    pub topics: Vec<ProduceTopic>,
}

/// Records for partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceTopic {
    /// Name of the topic, up to version 12.
    pub name: Option<StrBytes>,
    /// Id of the topic from version 13, zero before.
    pub topic_id: TopicId,
    /// The records by partition.
    pub partitions: Vec<ProducePartition>,
}

/// Records for one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducePartition {
    /// The partition.
    pub index: i32,
    /// Record batches as they came, a slice of the frame, not looked into. Clients send no null, but may.
    pub records: Option<Bytes>,
}

/// What became of a [`ProduceRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceResponse {
    /// The outcome by topic.
    pub topics: Vec<ProduceTopicResponse>,
    /// How long the client is throttled, in milliseconds.
    pub throttle_time_ms: i32,
    /// Addresses of the nodes in [`ProducePartitionResponse::current_leader`]; written from version 10.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// The outcome for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceTopicResponse {
    /// Name of the topic; written up to version 12, where it must be set.
    pub name: Option<StrBytes>,
    /// Id of the topic; written from version 13.
    pub topic_id: TopicId,
    /// The outcome by partition.
    pub partitions: Vec<ProducePartitionResponse>,
}

/// The outcome for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducePartitionResponse {
    /// The partition.
    pub index: i32,
    /// What went wrong, if anything.
    pub error: ErrorCode,
    /// Offset of the first record, or -1.
    pub base_offset: i64,
    /// Timestamp that the broker gave to the records (LogAppendTime), in milliseconds, or -1.
    pub log_append_time_ms: i64,
    /// First offset of the log, or -1; written from version 5.
    pub log_start_offset: i64,
    /// The records that caused the batch to be dropped (KIP-467); written from version 8.
    pub record_errors: Vec<RecordError>,
    /// Why the batch was dropped, in words; written from version 8.
    pub error_message: Option<StrBytes>,
    /// Where the leader is, for NOT_LEADER_OR_FOLLOWER; written from version 10.
    pub current_leader: CurrentLeader,
}

impl Default for ProducePartitionResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error: ErrorCode::None,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: CurrentLeader::default(),
        }
    }
}

/// One record that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordError {
    /// Place of the record in its batch, from 0.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: Option<StrBytes>,
}

/// Decodes a request; records are slices of `body`.
///
/// # Errors
/// [`Malformed`] when the body does not follow the schema.
pub fn decode_request(version: i16, body: &Bytes) -> Result<ProduceRequest, Malformed> {
    check_version(version, VERSION_MIN, VERSION_MAX)?;
    Reader::read(body, version >= FLEXIBLE_FROM, |reader| read_request(version, reader))
}

fn read_request(version: i16, reader: &mut Reader<'_>) -> Result<ProduceRequest, Reason> {
    let transactional_id = reader.nullable_string()?;
    let acks = reader.int16()?;
    let timeout_ms = reader.int32()?;
    let topic_bytes_min = if version >= FLEXIBLE_FROM { 3 } else { 6 };
    let topics = reader.elements(topic_bytes_min, |reader| read_topic(version, reader))?;
    reader.skip_tagged_fields()?;
    Ok(ProduceRequest { transactional_id, acks, timeout_ms, topics })
}

fn read_topic(version: i16, reader: &mut Reader<'_>) -> Result<ProduceTopic, Reason> {
    let (name, topic_id) = reader.topic(version >= TOPIC_ID_FROM)?;
    let partitions = reader.elements(5, |reader| {
        let index = reader.int32()?;
        let records = reader.nullable_bytes()?;
        reader.skip_tagged_fields()?;
        Ok(ProducePartition { index, records })
    })?;
    reader.skip_tagged_fields()?;
    Ok(ProduceTopic { name, topic_id, partitions })
}

/// Encodes the body of a response.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown, a name is missing where the version needs it, or a text is too
/// long.
pub fn encode_response(
    version: i16,
    response: &ProduceResponse,
    buffer: &mut BytesMut,
) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let mut writer = Writer::new(buffer, version >= FLEXIBLE_FROM);
    writer.elements(&response.topics, |writer, topic| {
        writer.topic(version >= TOPIC_ID_FROM, topic.name.as_deref(), topic.topic_id);
        writer.elements(&topic.partitions, |writer, partition| write_partition(version, partition, writer));
        writer.no_tagged_fields();
    });
    writer.int32(response.throttle_time_ms);
    if version >= 10 {
        NodeEndpoint::write_all(&response.node_endpoints, &mut writer);
    } else {
        writer.no_tagged_fields();
    }
    writer.finish()
}

fn write_partition(version: i16, partition: &ProducePartitionResponse, writer: &mut Writer<'_>) {
    writer.int32(partition.index);
    writer.error(partition.error);
    writer.int64(partition.base_offset);
    writer.int64(partition.log_append_time_ms);
    if version >= 5 {
        writer.int64(partition.log_start_offset);
    }
    if version >= 8 {
        writer.elements(&partition.record_errors, |writer, record| {
            writer.int32(record.batch_index);
            writer.nullable_string(record.message.as_deref());
            writer.no_tagged_fields();
        });
        writer.nullable_string(partition.error_message.as_deref());
    }
    if version >= 10 && partition.current_leader.is_known() {
        writer.tagged_field_count(1);
        partition.current_leader.write(0, writer);
    } else {
        writer.no_tagged_fields();
    }
}
