//! A consumer that assigns partitions to itself and reads them from the beginning, by long polls.

use std::collections::HashMap;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::batch::decode;
use super::client::Client;
use super::connection::{Connection, Lost};
use super::prober::{EARLIEST, offset_at};
use super::topics::Topic;
use crate::history::{Aborted, Answer, Batch, Bounds, Call, OperationId, Partition};

pub(super) const OFFSET_OUT_OF_RANGE: i16 = 1;

const BY_ID: i16 = 17;
const BY_NAME: i16 = 12;

/// How long a fetch waits for new records, in milliseconds.
const WAIT_MS: u64 = 100;
const RESPONSE_BYTES_MAX: i32 = 32 << 20;
/// Most bytes of one partition, each more than the largest batch of the load.
const PARTITION_BYTES: [i32; 2] = [32 << 10, 1 << 20];
/// Fewer than any batch has, which gives one batch of the first partition that has one.
const ONE_BATCH_BYTES: i32 = 1;
const ONE_BATCH_ONCE_IN: u64 = 3;
/// Once in so many fetches only what is committed is wanted.
const COMMITTED_ONCE_IN: u64 = 2;
const READ_COMMITTED: i8 = 1;
/// Rests between two fetches, in milliseconds.
const REST_MS: u64 = 20;
/// Once in so many turns a partition is left out.
const LEFT_OUT_ONCE_IN: u64 = 4;

pub(super) fn run(mut client: Client) {
    let mut positions: HashMap<Partition, i64> = HashMap::new();
    client.keep_connected(|client, connection| {
        while !client.is_stopped() {
            let mut reads = Vec::new();
            for topic in client.world.stable.clone() {
                for index in 0..topic.partitions {
                    if !client.random.once_in(LEFT_OUT_ONCE_IN) {
                        let offset = positions.get(&topic.partition(index)).copied().unwrap_or_default();
                        reads.push(Read { topic: topic.clone(), index, offset });
                    }
                }
            }
            let wait_ms = client.random.below(WAIT_MS);
            for (read, got) in fetch(client, connection, reads, wait_ms, false)? {
                let next = match got {
                    Ok((_, batches)) => batches.last().map(|batch| batch.last.saturating_add(1)),
                    // As with auto.offset.reset=earliest.
                    Err(OFFSET_OUT_OF_RANGE) => {
                        offset_at(connection, &read.topic, read.index, EARLIEST)?.ok()
                    }
                    Err(_) => None,
                };
                if let Some(next) = next {
                    positions.insert(read.topic.partition(read.index), next);
                }
            }
            client.rest(REST_MS);
        }
        Ok(())
    });
}

/// A partition to be read, and from where.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) topic: Topic,
    pub(super) index: i32,
    pub(super) offset: i64,
}

/// What was read, or Kafka's error code.
pub(super) type Got = Result<(Bounds, Vec<Batch>), i16>;

/// Reads partitions in one request. With `details` the batches have their timestamps and keys.
pub(super) fn fetch(
    client: &mut Client,
    connection: &mut Connection,
    reads: Vec<Read>,
    wait_ms: u64,
    details: bool,
) -> Result<Vec<(Read, Got)>, Lost> {
    let passing = reads.iter().any(|read| read.topic.passing);
    let version = if passing || client.random.once_in(2) { BY_ID } else { BY_NAME };
    // Of several partitions all but the first would get nothing, so that is for reads of one.
    let one_batch = reads.len() == 1 && client.random.once_in(ONE_BATCH_ONCE_IN);
    let bytes =
        client.random.pick(&PARTITION_BYTES).copied().filter(|_| !one_batch).unwrap_or(ONE_BATCH_BYTES);
    // The whole log is what a dump holds.
    let committed = !details && client.random.once_in(COMMITTED_ONCE_IN);
    let isolation = if committed { READ_COMMITTED } else { 0 };
    let request = request(version, &reads, bytes, wait_ms).with_isolation_level(isolation);
    let reads: Vec<(Read, OperationId)> = reads
        .into_iter()
        .map(|read| {
            let partition = read.topic.partition(read.index);
            let operation = client.invoke(Call::Poll { partition, offset: read.offset, committed });
            (read, operation)
        })
        .collect();
    let response = connection.call(version, &request);
    let response = response.inspect_err(|_| {
        for (_, operation) in &reads {
            client.unknown(*operation);
        }
    })?;
    let settle = |(read, operation): (Read, OperationId)| {
        let data = find(&response, version, &read);
        let aborted = data.map(aborted_in).unwrap_or_default();
        let got = data.map(|data| take(data, details));
        match &got {
            Ok((bounds, batches)) => {
                let batches = without_details(batches);
                client.ok(operation, Answer::Polled { bounds: *bounds, batches, aborted });
            }
            Err(error) => client.refused(operation, *error),
        }
        (read, got)
    };
    Ok(reads.into_iter().map(settle).collect())
}

fn request(version: i16, reads: &[Read], partition_bytes: i32, wait_ms: u64) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for Read { topic, index, offset } in reads {
        let partition = FetchPartition::default()
            .with_partition(*index)
            .with_fetch_offset(*offset)
            .with_partition_max_bytes(partition_bytes);
        let mut wanted = FetchTopic::default().with_partitions(vec![partition]);
        if version >= BY_ID {
            wanted.topic_id = Uuid::from_u128(topic.id.0);
        } else {
            wanted.topic = TopicName(StrBytes::from_string(topic.name.clone()));
        }
        let same = |other: &&mut FetchTopic| other.topic_id == wanted.topic_id && other.topic == wanted.topic;
        match topics.iter_mut().find(same) {
            Some(other) => other.partitions.append(&mut wanted.partitions),
            None => topics.push(wanted),
        }
    }
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(i32::try_from(wait_ms).unwrap_or_default())
        .with_min_bytes(1)
        .with_max_bytes(RESPONSE_BYTES_MAX)
        .with_session_epoch(-1)
        .with_topics(topics)
}

/// A partition's part of a response; one that is left out is answered as with an unknown error.
fn find<'a>(response: &'a FetchResponse, version: i16, read: &Read) -> Result<&'a PartitionData, i16> {
    if response.error_code != 0 {
        return Err(response.error_code);
    }
    let topics = response.responses.iter().filter(|topic| {
        let by_id = topic.topic_id.as_u128() == read.topic.id.0;
        if version >= BY_ID { by_id } else { topic.topic.as_str() == read.topic.name }
    });
    let mut partitions = topics.flat_map(|topic| &topic.partitions);
    let data = partitions.find(|data| data.partition_index == read.index).ok_or(-1i16)?;
    if data.error_code == 0 { Ok(data) } else { Err(data.error_code) }
}

fn aborted_in(data: &PartitionData) -> Vec<Aborted> {
    let listed = data.aborted_transactions.iter().flatten();
    listed.map(|one| Aborted { id: one.producer_id.0, first: one.first_offset }).collect()
}

fn take(data: &PartitionData, details: bool) -> (Bounds, Vec<Batch>) {
    let bounds = Bounds {
        log_start: data.log_start_offset,
        last_stable: data.last_stable_offset,
        high_watermark: data.high_watermark,
    };
    (bounds, decode(data.records.as_deref().unwrap_or_default(), details))
}

/// Timestamps and keys are for dumps.
fn without_details(batches: &[Batch]) -> Vec<Batch> {
    let plain = |batch: &Batch| Batch { times: Vec::new(), keys: Vec::new(), ..batch.clone() };
    batches.iter().map(plain).collect()
}
