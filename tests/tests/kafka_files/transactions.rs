//! Transactions that were written to Apache Kafka, and what readers of committed data are told of them afterwards.

use std::collections::BTreeSet;

use bytes::Bytes;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, EndTxnRequest, FetchRequest, FindCoordinatorRequest, InitProducerIdRequest,
    ProduceRequest, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::Compression;
use ottla_tests::broker::Broker;

use super::codec::Codec;
use super::records::{Plain, Producer, encode};
use super::wire::Connection;
use super::workload::{TOPICS, name, until_ready};

/// The versions of transactions: from Produce 12 on they are of version 2, and need no AddPartitionsToTxn.
const PRODUCE: [i16; 2] = [11, 12];
const END_TRANSACTION: [i16; 2] = [3, 5];
const ADD_PARTITIONS: i16 = 3;
const FETCH: i16 = 12;
const FIND_COORDINATOR: i16 = 4;
const INIT_PRODUCER_ID: i16 = 4;
const TRANSACTION_COORDINATOR: i8 = 1;
const READ_COMMITTED: i8 = 1;
const ROUNDS: usize = 24;

/// Where the attributes of a batch are, and its CRC.
const CRC: std::ops::Range<usize> = 17..21;
const ATTRIBUTES: usize = 22;
const TRANSACTIONAL: u8 = 0x10;

/// A transactional producer.
struct Transactor {
    id: TransactionalId,
    producer: Producer,
    sequence: i32,
    /// Index into the versions above.
    flavour: usize,
}

impl Transactor {
    fn begin(broker: &mut Broker, connection: &mut Connection, flavour: usize) -> Self {
        let id = StrBytes::from_string(format!("transactor-{flavour}"));
        let find = FindCoordinatorRequest::default()
            .with_key_type(TRANSACTION_COORDINATOR)
            .with_coordinator_keys(vec![id.clone()]);
        until_ready(broker, || {
            (connection.call(FIND_COORDINATOR, &find).coordinators.first().unwrap().error_code, ())
        });
        let id = TransactionalId(id);
        let init = InitProducerIdRequest::default()
            .with_transactional_id(Some(id.clone()))
            .with_transaction_timeout_ms(600_000);
        let producer = until_ready(broker, || {
            let answer = connection.call(INIT_PRODUCER_ID, &init);
            (answer.error_code, Producer { id: answer.producer_id.0, epoch: answer.producer_epoch })
        });
        Self { id, producer, sequence: 0, flavour }
    }

    fn send(&mut self, broker: &mut Broker, connection: &mut Connection, index: i32, count: i32) {
        if self.flavour == 0 {
            let topic = AddPartitionsToTxnTopic::default()
                .with_name(name(TOPICS[0].name))
                .with_partitions(vec![index]);
            let add = AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(self.id.clone())
                .with_v3_and_below_producer_id(self.producer.id.into())
                .with_v3_and_below_producer_epoch(self.producer.epoch)
                .with_v3_and_below_topics(vec![topic]);
            until_ready(broker, || {
                let answer = connection.call(ADD_PARTITIONS, &add);
                let topic = answer.results_by_topic_v3_and_below.first().unwrap();
                (topic.results_by_partition.first().unwrap().partition_error_code, ())
            });
        }
        let batch = transactional(self.producer, self.sequence, count);
        let data = PartitionProduceData::default().with_index(index).with_records(Some(batch));
        let topic =
            TopicProduceData::default().with_name(name(TOPICS[0].name)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_transactional_id(Some(self.id.clone()))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![topic]);
        until_ready(broker, || {
            let answer = connection.call(PRODUCE[self.flavour], &request);
            (answer.responses.first().unwrap().partition_responses.first().unwrap().error_code, ())
        });
        self.sequence += count;
    }

    fn end(&mut self, broker: &mut Broker, connection: &mut Connection, committed: bool) {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id.clone())
            .with_producer_id(self.producer.id.into())
            .with_producer_epoch(self.producer.epoch)
            .with_committed(committed);
        let producer = until_ready(broker, || {
            let answer = connection.call(END_TRANSACTION[self.flavour], &request);
            (answer.error_code, Producer { id: answer.producer_id.0, epoch: answer.producer_epoch })
        });
        if self.flavour == 1 {
            self.producer = producer;
            self.sequence = 0;
        }
    }
}

fn transactional(producer: Producer, sequence: i32, count: i32) -> Bytes {
    let record = |place: i32| Plain { sequence: sequence + place, ..Plain::new(place.into(), false) };
    let records: Vec<Plain> = (0..count).map(record).collect();
    let mut bytes = encode(&records, Some(producer), Codec::framed(Compression::None)).to_vec();
    bytes[ATTRIBUTES] |= TRANSACTIONAL;
    let crc = crc32c::crc32c(&bytes[CRC.end..]);
    bytes[CRC].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

/// Writes interleaved transactions of both versions to the first partition of the first topic, some of them committed,
/// and leaves one open in the second.
pub(crate) fn write(broker: &mut Broker) {
    let mut connection = Connection::open(&broker.address());
    let mut all = [0, 1].map(|flavour| Transactor::begin(broker, &mut connection, flavour));
    for round in 0..ROUNDS {
        let [one, two] = &mut all;
        one.send(broker, &mut connection, 0, 1 + i32::try_from(round % 3).unwrap());
        two.send(broker, &mut connection, 0, 2);
        if round % 2 == 0 {
            two.end(broker, &mut connection, round % 8 == 0);
        }
        if round % 3 == 0 {
            one.end(broker, &mut connection, round % 9 == 0);
        }
    }
    let [one, two] = &mut all;
    two.end(broker, &mut connection, false);
    one.end(broker, &mut connection, false);
    one.send(broker, &mut connection, 1, 3);
}

/// What a fetch of committed data is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) from: i64,
    pub(crate) stable: i64,
    pub(crate) bytes: Bytes,
    /// Producers and first offsets.
    pub(crate) aborted: BTreeSet<(i64, i64)>,
}

/// Reads both partitions as far as readers of committed data may.
pub(crate) fn read(broker: &mut Broker) -> Vec<Told> {
    let mut connection = Connection::open(&broker.address());
    let mut all = Vec::new();
    for index in 0..2 {
        let mut from = 0;
        loop {
            let partition = FetchPartition::default()
                .with_partition(index)
                .with_fetch_offset(from)
                .with_partition_max_bytes(1 << 20);
            let topic =
                FetchTopic::default().with_topic(name(TOPICS[0].name)).with_partitions(vec![partition]);
            let request = FetchRequest::default()
                .with_max_bytes(1 << 20)
                .with_isolation_level(READ_COMMITTED)
                .with_topics(vec![topic]);
            let partition = until_ready(broker, || {
                let answer = connection.call(FETCH, &request);
                let partition = answer.responses.first().unwrap().partitions.first().unwrap().clone();
                // The markers come after the answer to EndTxn.
                let waits = index == 0 && partition.last_stable_offset < partition.high_watermark;
                (if waits { 5 } else { partition.error_code }, partition)
            });
            let bytes = partition.records.clone().unwrap_or_default();
            let next = end_of(&bytes).unwrap_or(from);
            // Kafka names some that begin behind what it gives: it looks no closer than its index of offsets does.
            let reaches = |first: &(i64, i64)| first.1 < next;
            let aborted = partition.aborted_transactions.unwrap_or_default().into_iter();
            let aborted =
                aborted.map(|aborted| (aborted.producer_id.0, aborted.first_offset)).filter(reaches);
            let stable = partition.last_stable_offset;
            all.push(Told { from, stable, bytes, aborted: aborted.collect() });
            if next == from {
                break;
            }
            from = next;
        }
    }
    all
}

/// The offset after the last of whole batches. What a fetch cuts off at its end is not one.
fn end_of(bytes: &Bytes) -> Option<i64> {
    let (mut rest, mut end) = (&bytes[..], None);
    while rest.len() > 61 {
        let base = i64::from_be_bytes(rest[..8].try_into().unwrap());
        let length = usize::try_from(i32::from_be_bytes(rest[8..12].try_into().unwrap())).unwrap() + 12;
        let delta = i32::from_be_bytes(rest[23..27].try_into().unwrap());
        let Some(after) = rest.get(length..) else { break };
        end = Some(base + i64::from(delta) + 1);
        rest = after;
    }
    end
}
