//! Reads the commits and the groups' epochs in `__consumer_offsets`, in the order of its log.

use bytes::{Buf, Bytes};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{Record as LogRecord, RecordBatchDecoder};

use super::event::{Event, Fact};
use super::record::{Record, now};
use crate::measure::Connection;
use crate::problem::{Doing, Problem};

const OFFSETS_TOPIC: &str = "__consumer_offsets";
const MICROSECONDS_PER_MS: u64 = 1_000;
const FETCH_VERSION: i16 = 11;
const FETCH_BYTES: i32 = 4 << 20;
/// There is no such partition.
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
/// Versions of a key that names a group, a topic and a partition.
const COMMIT_KEYS: std::ops::RangeInclusive<i16> = 0..=1;
/// The versions of the keys of a classic group and of the epoch of a group of the consumer protocol.
const CLASSIC_GROUP_KEY: i16 = 2;
const MODERN_GROUP_KEY: i16 = 3;
/// The first version of a classic group's value with compact strings.
const COMPACT_GROUP_SINCE: i16 = 4;
/// The first version of a commit's value with a leader epoch, and the first one with compact strings.
const LEADER_EPOCH_SINCE: i16 = 3;
const COMPACT_SINCE: i16 = 4;

/// Notes every commit and every epoch that is in the log.
pub(super) fn read_offsets_log(address: &str, record: &Record) -> Result<(), Problem> {
    let mut connection = Connection::open(address)?;
    let mut partition = 0;
    while read_partition(&mut connection, partition, record)? {
        partition += 1;
    }
    if partition == 0 {
        return Err(Problem::new(format!("{OFFSETS_TOPIC} can not be read")));
    }
    Ok(())
}

/// Reads one partition; false when there is none.
fn read_partition(connection: &mut Connection, partition: i32, record: &Record) -> Result<bool, Problem> {
    let mut offset = 0;
    loop {
        let wanted = FetchPartition::default()
            .with_partition(partition)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(FETCH_BYTES);
        let topic = FetchTopic::default()
            .with_topic(TopicName(StrBytes::from_static_str(OFFSETS_TOPIC)))
            .with_partitions(vec![wanted]);
        let request = FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_bytes(FETCH_BYTES)
            .with_topics(vec![topic]);
        let answer = connection.call(FETCH_VERSION, &request)?;
        let found = answer.responses.iter().flat_map(|topic| &topic.partitions).next();
        let found = found.ok_or_else(|| Problem::new("a fetch was answered without a partition"))?;
        match found.error_code {
            0 => {}
            UNKNOWN_TOPIC_OR_PARTITION => return Ok(false),
            error => return Err(Problem::new(format!("a fetch was answered with error code {error}"))),
        }
        let mut bytes = found.records.clone().unwrap_or_default();
        let batches = RecordBatchDecoder::decode_all(&mut bytes).doing("decode the offsets log")?;
        let before = offset;
        for read in batches.iter().flat_map(|batch| &batch.records).filter(|read| read.offset >= before) {
            offset = read.offset.saturating_add(1);
            if let Some(event) = event(read) {
                record.take(event);
            }
        }
        if offset == before {
            return Ok(true);
        }
    }
}

/// What a record says; none when it is something else, or the end of it. A commit is known now, and an epoch since it was
/// written.
fn event(read: &LogRecord) -> Option<Event> {
    let (mut key, value) = (read.key.clone()?, read.value.clone()?);
    let kind = key.try_get_i16().ok()?;
    if COMMIT_KEYS.contains(&kind) {
        return Some(Event { at: now(), fact: commit(key, value)? });
    }
    let modern = match kind {
        CLASSIC_GROUP_KEY => false,
        MODERN_GROUP_KEY => true,
        _ => return None,
    };
    let group = string(&mut key)?;
    let epoch = if modern { modern_epoch(value) } else { generation(value) }?;
    let at = u64::try_from(read.timestamp).ok()?.checked_mul(MICROSECONDS_PER_MS)?;
    Some(Event { at, fact: Fact::Epoch { group, modern, epoch } })
}

fn modern_epoch(mut value: Bytes) -> Option<i32> {
    value.try_get_i16().ok()?;
    value.try_get_i32().ok()
}

fn generation(mut value: Bytes) -> Option<i32> {
    let version = value.try_get_i16().ok()?;
    let _protocol_type =
        if version >= COMPACT_GROUP_SINCE { compact(&mut value) } else { string(&mut value) }?;
    value.try_get_i32().ok()
}

fn commit(mut key: Bytes, mut value: Bytes) -> Option<Fact> {
    let group = string(&mut key)?;
    let _topic = string(&mut key)?;
    let partition = key.try_get_i32().ok()?;
    let version = value.try_get_i16().ok()?;
    let offset = value.try_get_i64().ok()?;
    if version >= LEADER_EPOCH_SINCE {
        value.try_get_i32().ok()?;
    }
    let metadata = if version >= COMPACT_SINCE { compact(&mut value) } else { string(&mut value) }?;
    Some(Fact::Logged { group, partition, offset, metadata })
}

fn string(bytes: &mut Bytes) -> Option<String> {
    let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
    cut(bytes, length)
}

/// Lengths above 126 have more than one byte; the metadata of a run is shorter.
fn compact(bytes: &mut Bytes) -> Option<String> {
    let length = usize::from(bytes.try_get_u8().ok()?).checked_sub(1)?;
    cut(bytes, length)
}

fn cut(bytes: &mut Bytes, length: usize) -> Option<String> {
    let text = (length <= bytes.len()).then(|| bytes.split_to(length))?;
    String::from_utf8(text.to_vec()).ok()
}
