//! Batches on their way: made, sent, answered.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse, TopicName, TransactionalId};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::batch::NewBatch;
use super::client::Client;
use super::codec::Codec;
use super::connection::{Connection, Lost};
use super::random::Random;
use super::topics::Topic;
use crate::history::{Answer, Call, OperationId, SentBatch, Sequence, Transaction, Value};

/// The version that names topics by id.
pub(super) const BY_ID: i16 = 13;
/// A version that names topics by name.
pub(super) const BY_NAME: i16 = 9;

const TIMEOUT_MS: i32 = 10_000;

/// Most batches in one request, and records in one batch.
const BATCHES_MAX: u64 = 3;
const RECORDS_MAX: u64 = 8;
/// How many keys there are; few, so that compaction finds much to remove.
const KEYS: u64 = 40;
/// How far a record's timestamp lies before or after the clock, so that times do not rise with offsets.
const TIME_SPREAD_MS: u64 = 60_000;

/// A batch with the topic that it goes to.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) topic: Topic,
    pub(super) batch: SentBatch,
    pub(super) records: Bytes,
}

/// Makes batches whose values count up.
pub(super) struct Maker {
    producer: u32,
    next: u64,
    /// The transaction that the next batches are part of.
    pub(super) transaction: Option<Transaction>,
}

impl Maker {
    pub(super) fn new(producer: u32) -> Self {
        Self { producer, next: 1, transaction: None }
    }

    /// The next batch for a partition. `sequence` gets the number of records.
    pub(super) fn make(
        &mut self,
        random: &mut Random,
        (topic, index): (&Topic, i32),
        acks: i16,
        sequence: impl FnOnce(u32) -> Option<Sequence>,
    ) -> Option<Prepared> {
        let count = 1 + u32::try_from(random.below(RECORDS_MAX)).ok()?;
        let now = now_ms();
        let spread = TIME_SPREAD_MS * 2;
        let time = |random: &mut Random| {
            now.saturating_add_unsigned(random.below(spread)).saturating_sub_unsigned(TIME_SPREAD_MS)
        };
        let times: Vec<i64> = (0..count).map(|_| time(random)).collect();
        let keys: Vec<u32> = (0..if topic.keyed { count } else { 0 })
            .filter_map(|_| u32::try_from(random.below(KEYS)).ok())
            .collect();
        let (producer, first, sequence) = (self.producer, self.next, sequence(count));
        self.next += u64::from(count);
        let codec = Codec::any(random);
        let value = Value { producer, number: first };
        let transaction = self.transaction;
        let transactional = transaction.is_some();
        let (records, crc) =
            NewBatch { first: value, times: &times, keys: &keys, sequence, transactional, codec }.encode()?;
        let partition = topic.partition(index);
        let batch = SentBatch { partition, producer, first, count, keys, crc, acks, sequence, transaction };
        Some(Prepared { topic: topic.clone(), batch, records })
    }
}

/// The wall clock in milliseconds.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or_default()
}

/// Different partitions of these topics for one request.
pub(super) fn choose_partitions(random: &mut Random, topics: &[Topic]) -> Vec<(Topic, i32)> {
    let mut chosen: Vec<(Topic, i32)> = Vec::new();
    for _ in 0..=random.below(BATCHES_MAX) {
        let Some(topic) = random.pick(topics) else { break };
        let index = i32::try_from(random.below(topic.partitions.unsigned_abs().into())).unwrap_or_default();
        if !chosen.iter().any(|(other, other_index)| other.id == topic.id && *other_index == index) {
            chosen.push((topic.clone(), index));
        }
    }
    chosen
}

/// A request on its way: its batches in order, each with its operation.
pub(super) struct InFlight {
    pub(super) version: i16,
    pub(super) parts: Vec<(Prepared, OperationId)>,
}

/// What became of one batch.
pub(super) type Settled = (Prepared, Result<(), i16>);

/// Sends batches in one request. The connection may be lost; the operations are under way then all the same.
pub(super) fn post(
    client: &Client,
    connection: &mut Connection,
    version: i16,
    batches: Vec<Prepared>,
) -> (InFlight, Result<(), Lost>) {
    post_as(client, connection, version, None, batches)
}

/// As [`post`], for the producer of this transactional id.
pub(super) fn post_as(
    client: &Client,
    connection: &mut Connection,
    version: i16,
    transactional: Option<&str>,
    batches: Vec<Prepared>,
) -> (InFlight, Result<(), Lost>) {
    let acks = batches.first().map_or(-1, |prepared| prepared.batch.acks);
    let id = transactional.map(|id| TransactionalId(StrBytes::from_string(id.to_owned())));
    let request = request(version, acks, &batches).with_transactional_id(id);
    let parts: Vec<_> = batches
        .into_iter()
        .map(|prepared| {
            let operation = client.invoke(Call::Send(prepared.batch.clone()));
            (prepared, operation)
        })
        .collect();
    let sent = match acks {
        0 => connection.post_unanswered(version, &request),
        _ => connection.post(version, &request),
    };
    (InFlight { version, parts }, sent)
}

fn request(version: i16, acks: i16, batches: &[Prepared]) -> ProduceRequest {
    let mut topics: Vec<TopicProduceData> = Vec::new();
    for Prepared { topic, batch, records } in batches {
        let partition = PartitionProduceData::default()
            .with_index(batch.partition.index)
            .with_records(Some(records.clone()));
        let mut data = TopicProduceData::default().with_partition_data(vec![partition]);
        if version >= BY_ID {
            data.topic_id = Uuid::from_u128(topic.id.0);
        } else {
            data.name = TopicName(StrBytes::from_string(topic.name.clone()));
        }
        let same = |other: &&mut TopicProduceData| other.topic_id == data.topic_id && other.name == data.name;
        match topics.iter_mut().find(same) {
            Some(other) => other.partition_data.append(&mut data.partition_data),
            None => topics.push(data),
        }
    }
    ProduceRequest::default().with_acks(acks).with_timeout_ms(TIMEOUT_MS).with_topic_data(topics)
}

/// Waits for the response to the oldest request and notes what became of each batch. The request comes back when the
/// connection is lost, its outcomes noted as unknown.
pub(super) fn settle(
    client: &Client,
    connection: &mut Connection,
    flight: InFlight,
) -> Result<Vec<Settled>, InFlight> {
    let Ok(response) = connection.receive::<ProduceRequest>(flight.version) else {
        give_up(client, &flight);
        return Err(flight);
    };
    let settle = |(prepared, operation): (Prepared, OperationId)| {
        let result = find(&response, flight.version, &prepared);
        match result {
            Ok((offset, log_start)) => client.ok(operation, Answer::Sent { offset, log_start }),
            Err(error) => client.refused(operation, error),
        }
        (prepared, result.map(drop))
    };
    Ok(flight.parts.into_iter().map(settle).collect())
}

/// Notes that nobody will know what became of a request.
pub(super) fn give_up(client: &Client, flight: &InFlight) {
    for (_, operation) in &flight.parts {
        client.unknown(*operation);
    }
}

/// The outcome of one batch; one that the response leaves out is answered as with an unknown error.
fn find(response: &ProduceResponse, version: i16, prepared: &Prepared) -> Result<(i64, i64), i16> {
    let topics = response.responses.iter().filter(|topic| {
        let by_id = topic.topic_id.as_u128() == prepared.topic.id.0;
        if version >= BY_ID { by_id } else { topic.name.as_str() == prepared.topic.name }
    });
    let mut partitions = topics.flat_map(|topic| &topic.partition_responses);
    match partitions.find(|part| part.index == prepared.batch.partition.index) {
        Some(part) if part.error_code == 0 => Ok((part.base_offset, part.log_start_offset)),
        Some(part) => Err(part.error_code),
        None => Err(-1),
    }
}
