//! Fetch responses.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, TopicId};

use super::{FLEXIBLE_FROM, KEY, TOPIC_ID_FROM, VERSION_MAX, VERSION_MIN};
use crate::encode::{begin_frame, set_frame_length};
use crate::message::{CurrentLeader, NodeEndpoint, check_encodable};
use crate::writer::Writer;
use crate::{Rope, Unencodable};

/// Records, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchResponse {
    /// How long the client is throttled, in milliseconds.
    pub throttle_time_ms: i32,
    /// What is wrong with the request as a whole; written from version 7.
    pub error: ErrorCode,
    /// The fetch session (KIP-227), or 0; written from version 7.
    pub session_id: i32,
    /// The records by topic.
    pub topics: Vec<FetchTopicResponse>,
    /// Addresses of the nodes in [`FetchPartitionResponse::current_leader`]; written from version 16.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// Records of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchTopicResponse {
    /// Name of the topic; written up to version 12, where it must be set.
    pub name: Option<StrBytes>,
    /// Id of the topic; written from version 13.
    pub topic_id: TopicId,
    /// The records by partition.
    pub partitions: Vec<FetchPartitionResponse>,
}

/// Records of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchPartitionResponse {
    /// The partition.
    pub index: i32,
    /// What went wrong, if anything.
    pub error: ErrorCode,
    /// The high watermark, or -1.
    pub high_watermark: i64,
    /// The last stable offset, or -1.
    pub last_stable_offset: i64,
    /// First offset of the log, or -1; written from version 5.
    pub log_start_offset: i64,
    /// Where the client's log parts from this one (KIP-320); written from version 12.
    pub diverging_epoch: Option<EpochEndOffset>,
    /// Where the leader is, for NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH; written from version 12.
    pub current_leader: CurrentLeader,
    /// Transactions that were aborted in the range, for readers of committed records; null otherwise.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica to read from instead (KIP-392), or -1; written from version 11.
    pub preferred_read_replica: i32,
    /// Record batches, as they are stored. Nothing is written as zero bytes, not as null, which some clients
    /// do not take.
    pub records: Bytes,
}

impl Default for FetchPartitionResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error: ErrorCode::None,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: None,
            current_leader: CurrentLeader::default(),
            aborted_transactions: None,
            preferred_read_replica: -1,
            records: Bytes::new(),
        }
    }
}

/// The end of a leader epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEndOffset {
    /// The largest epoch that both logs share.
    pub epoch: i32,
    /// Its end offset.
    pub end_offset: i64,
}

/// A transaction that was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Its producer.
    pub producer_id: i64,
    /// Its first offset.
    pub first_offset: i64,
}

/// A whole response: length, header and body. The records are not copied.
///
/// # Errors
/// As [`encode_response`], and [`Unencodable::TooLong`] for a frame of 2 GiB.
pub fn encode_response_frame(
    version: i16,
    correlation_id: i32,
    response: &FetchResponse,
) -> Result<Rope, Unencodable> {
    let mut rope = Rope::new();
    rope.buffer_mut().reserve(FRAME_BYTES + response.topics.len().saturating_mul(TOPIC_BYTES));
    begin_frame(rope.buffer_mut(), KEY, version, correlation_id);
    encode_response(version, response, &mut rope)?;
    let length = rope.len();
    set_frame_length(rope.buffer_mut(), length)?;
    Ok(rope)
}

/// Room for what surrounds the topics, in bytes; a guess that saves growing.
const FRAME_BYTES: usize = 32;
/// Room for one topic with one partition, without its records.
const TOPIC_BYTES: usize = 128;

/// Appends the body of a response to `rope`; the records become pieces of their own.
///
/// # Errors
/// [`Unencodable`] when `version` is unknown, a name is missing where the version needs it, or a text is too
/// long.
pub fn encode_response(version: i16, response: &FetchResponse, rope: &mut Rope) -> Result<(), Unencodable> {
    check_encodable(version, VERSION_MIN, VERSION_MAX)?;
    let flexible = version >= FLEXIBLE_FROM;
    // The writer borrows the buffer of the rope, so the slices are put in when it is done.
    let mut slices = Vec::new();
    let mut writer = Writer::new(rope.buffer_mut(), flexible);
    writer.int32(response.throttle_time_ms);
    if version >= 7 {
        writer.error(response.error);
        writer.int32(response.session_id);
    }
    writer.elements(&response.topics, |writer, topic| {
        writer.topic(version >= TOPIC_ID_FROM, topic.name.as_deref(), topic.topic_id);
        writer.elements(&topic.partitions, |writer, partition| {
            write_partition(version, partition, writer);
            writer.length(Some(partition.records.len()));
            slices.push((writer.position(), partition.records.clone()));
            write_tagged_fields(version, partition, writer);
        });
        writer.no_tagged_fields();
    });
    if version >= 16 {
        NodeEndpoint::write_all(&response.node_endpoints, &mut writer);
    } else {
        writer.no_tagged_fields();
    }
    writer.finish()?;
    for (position, slice) in slices {
        rope.insert(position, slice);
    }
    Ok(())
}

fn write_partition(version: i16, partition: &FetchPartitionResponse, writer: &mut Writer<'_>) {
    writer.int32(partition.index);
    writer.error(partition.error);
    writer.int64(partition.high_watermark);
    writer.int64(partition.last_stable_offset);
    if version >= 5 {
        writer.int64(partition.log_start_offset);
    }
    writer.nullable_elements(partition.aborted_transactions.as_deref(), |writer, transaction| {
        writer.int64(transaction.producer_id);
        writer.int64(transaction.first_offset);
        writer.no_tagged_fields();
    });
    if version >= 11 {
        writer.int32(partition.preferred_read_replica);
    }
}

fn write_tagged_fields(version: i16, partition: &FetchPartitionResponse, writer: &mut Writer<'_>) {
    if version < FLEXIBLE_FROM {
        return;
    }
    let leader = partition.current_leader;
    writer.tagged_field_count(u32::from(partition.diverging_epoch.is_some()) + u32::from(leader.is_known()));
    if let Some(diverging) = partition.diverging_epoch {
        writer.tagged_field(0, |writer| {
            writer.int32(diverging.epoch);
            writer.int64(diverging.end_offset);
            writer.no_tagged_fields();
        });
    }
    if leader.is_known() {
        leader.write(1, writer);
    }
}
