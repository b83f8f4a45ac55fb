//! A lean transactional producer. It speaks version 2 of transactions (KIP-890): a partition becomes part of the
//! transaction by its Produce, a group by its TxnOffsetCommit, and every transaction has an epoch of its own.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    EndTxnRequest, FindCoordinatorRequest, GroupId, InitProducerIdRequest, ProduceRequest, ProducerId,
    TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::batch::batch_of;
use super::connection::Connection;
use super::latency::Sample;
use super::topics::{check, topic_name};
use crate::load::Gate;
use crate::problem::{Doing, Problem};

const FIND_COORDINATOR_VERSION: i16 = 4;
const INIT_PRODUCER_ID_VERSION: i16 = 5;
/// By name, with partitions added to the transaction by the way.
const PRODUCE_VERSION: i16 = 12;
const TXN_OFFSET_COMMIT_VERSION: i16 = 5;
const END_TXN_VERSION: i16 = 5;

const KEY_TYPE_TRANSACTION: i8 = 1;
const PRODUCE_LIMIT_MS: i32 = 30_000;
const TRANSACTION_TIMEOUT_MS: i32 = 60_000;

/// What stock idempotent producers have under way at most.
const BATCHES_UNDER_WAY: usize = 5;

/// The pause before a request is sent again that found the transaction before it still ending.
const PAUSE: Duration = Duration::from_millis(1);
/// How often it is sent in all.
const ATTEMPTS_MAX: u32 = 60_000;

/// Error codes after which clients ask again: the coordinator is not ready (14, 15 and 16, as Produce tells it 19), or the
/// transaction before is not over (51, CONCURRENT_TRANSACTIONS).
const RETRIABLE: [i16; 5] = [14, 15, 16, 19, 51];

/// What one transaction is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionShape {
    /// Batches that are produced.
    pub batches: usize,
    /// Records in each.
    pub records_per_batch: u32,
    /// Bytes of a record's value.
    pub value_bytes: usize,
    /// Whether an offset is committed, too.
    pub with_offset: bool,
}

/// One producer, on a connection of its own.
#[derive(Debug)]
pub struct Transactor {
    connection: Connection,
    id: String,
    topic: String,
    partition: i32,
    shape: TransactionShape,
    /// A batch without its producer.
    batch: Bytes,
    producer_id: i64,
    producer_epoch: i16,
    next_offset: i64,
    /// Requests that were sent again.
    pub repeated: u64,
}

impl Transactor {
    /// Makes the transactional id. It produces to one partition, and commits offsets of the same for a group named after
    /// itself.
    ///
    /// # Errors
    /// The coordinator refuses it or is not ready, or the connection is lost.
    pub fn begin(
        address: &str,
        id: &str,
        topic: &str,
        partition: i32,
        shape: TransactionShape,
    ) -> Result<Self, Problem> {
        let mut connection = Connection::open(address)?;
        for (key_type, key) in [(KEY_TYPE_TRANSACTION, id), (0, id)] {
            let key = StrBytes::from_string(key.to_owned());
            let request =
                FindCoordinatorRequest::default().with_key_type(key_type).with_coordinator_keys(vec![key]);
            let response = connection.call(FIND_COORDINATOR_VERSION, &request)?;
            check(response.coordinators.iter().map(|found| found.error_code), 1, "FindCoordinator")?;
        }
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id(id)))
            .with_transaction_timeout_ms(TRANSACTION_TIMEOUT_MS)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let response = connection.call(INIT_PRODUCER_ID_VERSION, &request)?;
        check([response.error_code], 1, "InitProducerId")?;
        Ok(Self {
            connection,
            id: id.to_owned(),
            topic: topic.to_owned(),
            partition,
            shape,
            batch: batch_of(shape.records_per_batch, shape.value_bytes)?,
            producer_id: response.producer_id.0,
            producer_epoch: response.producer_epoch,
            next_offset: 1,
            repeated: 0,
        })
    }

    /// Commits one transaction after the other for a time, and gives each. A transaction lasts from its first request to
    /// the answer to EndTxn.
    ///
    /// # Errors
    /// The broker refuses something, or the connection is lost.
    pub fn commit_for(&mut self, time: Duration) -> Result<Vec<Sample>, Problem> {
        let end = Instant::now() + time;
        let mut samples = Vec::new();
        while Instant::now() < end {
            let due = Instant::now();
            self.commit_one()?;
            samples.push(Sample { due, took: due.elapsed() });
        }
        Ok(samples)
    }

    fn commit_one(&mut self) -> Result<(), Problem> {
        // The first batch goes ahead of the others: until it is in, the broker may send it back.
        let produce = self.produce(0)?;
        let commit = self.shape.with_offset.then(|| self.offset_commit());
        self.connection.post(PRODUCE_VERSION, &produce)?;
        if let Some(commit) = &commit {
            self.connection.post(TXN_OFFSET_COMMIT_VERSION, commit)?;
        }
        let produced = self.produced()?;
        let committed = if commit.is_some() { self.committed()? } else { 0 };
        self.until_taken(produced, "Produce", |this| {
            this.connection.post(PRODUCE_VERSION, &produce)?;
            this.produced()
        })?;
        if let Some(commit) = commit {
            self.until_taken(committed, "TxnOffsetCommit", |this| {
                this.connection.post(TXN_OFFSET_COMMIT_VERSION, &commit)?;
                this.committed()
            })?;
        }
        self.produce_rest()?;
        self.end()
    }

    fn produce_rest(&mut self) -> Result<(), Problem> {
        let (mut sent, mut answered) = (1, 1);
        while answered < self.shape.batches {
            while sent < self.shape.batches && sent - answered < BATCHES_UNDER_WAY {
                let produce = self.produce(sent)?;
                self.connection.post(PRODUCE_VERSION, &produce)?;
                sent += 1;
            }
            check([self.produced()?], 1, "Produce")?;
            answered += 1;
        }
        Ok(())
    }

    /// Sends a request again for as long as its answer says that this may help.
    fn until_taken(
        &mut self,
        mut error_code: i16,
        what: &str,
        mut again: impl FnMut(&mut Self) -> Result<i16, Problem>,
    ) -> Result<(), Problem> {
        for _ in 0..ATTEMPTS_MAX {
            if !RETRIABLE.contains(&error_code) {
                break;
            }
            self.repeated = self.repeated.saturating_add(1);
            Gate::default().pause(PAUSE);
            error_code = again(self)?;
        }
        check([error_code], 1, what)
    }

    fn produced(&mut self) -> Result<i16, Problem> {
        let response = self.connection.receive::<ProduceRequest>(PRODUCE_VERSION)?;
        let mut partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
        let found =
            partitions.next().ok_or_else(|| Problem::new("Produce was answered without a partition"))?;
        Ok(found.error_code)
    }

    fn committed(&mut self) -> Result<i16, Problem> {
        let response = self.connection.receive::<TxnOffsetCommitRequest>(TXN_OFFSET_COMMIT_VERSION)?;
        let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        let found =
            partitions.next().ok_or_else(|| Problem::new("TxnOffsetCommit was answered for nothing"))?;
        Ok(found.error_code)
    }

    /// The Produce of a batch of this transaction. Sequences begin anew with every epoch.
    fn produce(&self, place: usize) -> Result<ProduceRequest, Problem> {
        let place = i32::try_from(place).doing("count batches")?;
        let per_batch = i32::try_from(self.shape.records_per_batch).doing("count records")?;
        let sequence = place.saturating_mul(per_batch);
        let batch = of_producer(&self.batch, self.producer_id, self.producer_epoch, sequence)?;
        let data = PartitionProduceData::default().with_index(self.partition).with_records(Some(batch));
        let topic =
            TopicProduceData::default().with_name(topic_name(&self.topic)).with_partition_data(vec![data]);
        Ok(ProduceRequest::default()
            .with_transactional_id(Some(transactional_id(&self.id)))
            .with_acks(-1)
            .with_timeout_ms(PRODUCE_LIMIT_MS)
            .with_topic_data(vec![topic]))
    }

    fn offset_commit(&mut self) -> TxnOffsetCommitRequest {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(self.partition)
            .with_committed_offset(self.next_offset)
            .with_committed_leader_epoch(0)
            .with_committed_metadata(Some(StrBytes::default()));
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(topic_name(&self.topic))
            .with_partitions(vec![partition]);
        // There are at least as many records as transactions.
        self.next_offset = self.next_offset.saturating_add(1);
        TxnOffsetCommitRequest::default()
            .with_transactional_id(transactional_id(&self.id))
            .with_group_id(GroupId(StrBytes::from_string(self.id.clone())))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.producer_epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic])
    }

    fn end(&mut self) -> Result<(), Problem> {
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional_id(&self.id))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.producer_epoch)
            .with_committed(true);
        let ended = self.ended(&request)?;
        self.until_taken(ended, "EndTxn", |this| this.ended(&request))
    }

    fn ended(&mut self, request: &EndTxnRequest) -> Result<i16, Problem> {
        let response = self.connection.call(END_TXN_VERSION, request)?;
        if response.error_code == 0 {
            (self.producer_id, self.producer_epoch) = (response.producer_id.0, response.producer_epoch);
        }
        Ok(response.error_code)
    }
}

fn transactional_id(id: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(id.to_owned()))
}

/// The batch as a transactional one of a producer.
fn of_producer(batch: &Bytes, id: i64, epoch: i16, sequence: i32) -> Result<Bytes, Problem> {
    const CRC: usize = 17;
    const ATTRIBUTES: usize = 21;
    const PRODUCER_ID: usize = 43;
    const TRANSACTIONAL: i16 = 0x10;
    let mut batch = BytesMut::from(batch.as_ref());
    let mut put = |place: usize, bytes: &[u8]| {
        let field = batch.get_mut(place..place.saturating_add(bytes.len()));
        field.ok_or_else(|| Problem::new("a batch is too short")).map(|field| field.copy_from_slice(bytes))
    };
    put(ATTRIBUTES, &TRANSACTIONAL.to_be_bytes())?;
    put(PRODUCER_ID, &id.to_be_bytes())?;
    put(PRODUCER_ID + 8, &epoch.to_be_bytes())?;
    put(PRODUCER_ID + 10, &sequence.to_be_bytes())?;
    let crc = crc32c::crc32c(batch.get(ATTRIBUTES..).unwrap_or_default());
    if let Some(field) = batch.get_mut(CRC..ATTRIBUTES) {
        field.copy_from_slice(&crc.to_be_bytes());
    }
    Ok(batch.freeze())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::records::RecordBatchDecoder;

    use super::*;

    #[test]
    fn a_batch_gets_its_producer() {
        let mut batch = of_producer(&batch_of(3, 10).unwrap(), 1234, 5, 60).unwrap();
        let records = RecordBatchDecoder::decode(&mut batch).unwrap().records;
        assert_eq!(records.len(), 3);
        for (record, sequence) in records.iter().zip(60..) {
            assert!(record.transactional);
            assert_eq!((record.producer_id, record.producer_epoch), (1234, 5));
            assert_eq!(record.sequence, sequence);
        }
    }
}
