//! A transactional producer over a socket.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest,
    FindCoordinatorRequest, InitProducerIdRequest, ProduceRequest, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_log::{BatchBuilder, BatchHeader, NewRecord};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use super::groups::group_id;
use super::{FETCH, client, fetch_request, name, only_partition, produce_request};

/// How long something may take that happens behind the scenes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const TRANSACTION: i8 = 1;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A transactional producer, of one version of the protocol or the other.
pub(crate) struct Producer {
    pub(crate) client: Client,
    pub(crate) bumps_epoch: bool,
    pub(crate) transactional_id: TransactionalId,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequence: i32,
}

impl Producer {
    /// One of transactional id `t`.
    pub(crate) fn begin(broker: &Broker, bumps_epoch: bool) -> Self {
        Self::named(broker, "t", bumps_epoch)
    }

    pub(crate) fn named(broker: &Broker, transactional_id: &str, bumps_epoch: bool) -> Self {
        let mut client = client(broker);
        let request = FindCoordinatorRequest::default()
            .with_key_type(TRANSACTION)
            .with_coordinator_keys(vec![text(transactional_id)]);
        assert_eq!(client.send(4, &request).unwrap().coordinators[0].error_code, 0);
        let transactional_id = TransactionalId(text(transactional_id));
        let mut producer = Self { client, bumps_epoch, transactional_id, id: -1, epoch: -1, sequence: 0 };
        assert_eq!(producer.init(60_000), ErrorCode::None);
        producer
    }

    fn id(&self) -> TransactionalId {
        self.transactional_id.clone()
    }

    pub(crate) fn init(&mut self, timeout_ms: i32) -> ErrorCode {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(self.id()))
            .with_transaction_timeout_ms(timeout_ms)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let answered = self.client.send(5, &request).unwrap();
        if answered.error_code == 0 {
            (self.id, self.epoch, self.sequence) = (answered.producer_id.0, answered.producer_epoch, 0);
        }
        ErrorCode::from_code(answered.error_code).unwrap()
    }

    pub(crate) fn batch(&self, value: &str) -> Bytes {
        let mut builder = BatchBuilder::new().producer(self.id, self.epoch, self.sequence).transactional();
        builder.push(NewRecord { timestamp: 1000, key: None, value: Some(value.as_bytes()), headers: &[] });
        builder.build()
    }

    pub(crate) fn request(&self, value: &str) -> ProduceRequest {
        produce_request("orders", 0, -1, self.batch(value)).with_transactional_id(Some(self.id()))
    }

    pub(crate) fn send(&mut self, value: &str) -> ErrorCode {
        self.send_as(if self.bumps_epoch { 12 } else { 11 }, value)
    }

    pub(crate) fn send_as(&mut self, version: i16, value: &str) -> ErrorCode {
        let request = self.request(value);
        let answered = self.client.send(version, &request).unwrap();
        let error = answered.responses[0].partition_responses[0].error_code;
        if error == 0 {
            self.sequence += 1;
        }
        ErrorCode::from_code(error).unwrap()
    }

    pub(crate) fn add(&mut self, version: i16, topics: &[(&str, i32)]) -> Vec<ErrorCode> {
        let topics = topics.iter().map(|(topic, partition)| {
            AddPartitionsToTxnTopic::default().with_name(name(topic)).with_partitions(vec![*partition])
        });
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.id())
            .with_v3_and_below_producer_id(self.id.into())
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(topics.collect());
        let answered = self.client.send(version, &request).unwrap();
        let results = answered.results_by_topic_v3_and_below.iter();
        let codes = results.map(|topic| topic.results_by_partition[0].partition_error_code);
        codes.map(|code| ErrorCode::from_code(code).unwrap()).collect()
    }

    pub(crate) fn end(&mut self, committed: bool) -> ErrorCode {
        self.end_as(if self.bumps_epoch { 5 } else { 4 }, committed)
    }

    pub(crate) fn end_as(&mut self, version: i16, committed: bool) -> ErrorCode {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id())
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(committed);
        let answered = self.client.send(version, &request).unwrap();
        if answered.error_code == 0 && version >= 5 {
            (self.id, self.epoch, self.sequence) = (answered.producer_id.0, answered.producer_epoch, 0);
        }
        ErrorCode::from_code(answered.error_code).unwrap()
    }

    pub(crate) fn describe(&mut self) -> TransactionState {
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![self.id()]);
        self.client.send(0, &request).unwrap().transaction_states.remove(0)
    }

    /// AddOffsetsToTxn of the producer's version.
    pub(crate) fn add_offsets(&mut self, version: i16, group: &str) -> ErrorCode {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.id())
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_group_id(group_id(group));
        ErrorCode::from_code(self.client.send(version, &request).unwrap().error_code).unwrap()
    }

    /// Commits offsets of `orders` in the transaction, as nobody. Gives what becomes of each.
    pub(crate) fn commit_offsets(&mut self, group: &str, offsets: &[(i32, i64)]) -> Vec<ErrorCode> {
        let request = self.offsets_request(group, offsets);
        self.send_offsets(if self.bumps_epoch { 5 } else { 4 }, &request)
    }

    pub(crate) fn offsets_request(&self, group: &str, offsets: &[(i32, i64)]) -> TxnOffsetCommitRequest {
        let partitions = offsets.iter().map(|(partition, offset)| {
            TxnOffsetCommitRequestPartition::default()
                .with_partition_index(*partition)
                .with_committed_offset(*offset)
                .with_committed_metadata(Some(text("kept")))
        });
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(name("orders"))
            .with_partitions(partitions.collect());
        TxnOffsetCommitRequest::default()
            .with_transactional_id(self.id())
            .with_group_id(group_id(group))
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic])
    }

    pub(crate) fn send_offsets(&mut self, version: i16, request: &TxnOffsetCommitRequest) -> Vec<ErrorCode> {
        let answered = self.client.send(version, request).unwrap();
        let parts = answered.topics.iter().flat_map(|topic| &topic.partitions);
        parts.map(|part| ErrorCode::from_code(part.error_code).unwrap()).collect()
    }

    /// Waits until the transaction has that state.
    pub(crate) fn until(&mut self, state: &str) {
        let deadline = Instant::now() + PATIENCE;
        while &*self.describe().transaction_state != state {
            assert!(Instant::now() < deadline, "{:?} is not {state}", self.describe());
            std::thread::yield_now();
        }
    }

    /// What readers of committed data are told: the last stable offset, and where aborted transactions begin.
    pub(crate) fn stable(&mut self) -> (i64, Vec<i64>) {
        let (mut offset, mut aborted) = (0, BTreeSet::new());
        loop {
            let request = fetch_request("orders", offset, 0, 0).with_isolation_level(1);
            let answered = self.client.send(FETCH, &request).unwrap();
            let partition = only_partition(&answered);
            aborted
                .extend(partition.aborted_transactions.iter().flatten().map(|aborted| aborted.first_offset));
            let mut bytes = partition.records.clone().unwrap_or_default();
            if bytes.is_empty() {
                return (partition.last_stable_offset, aborted.into_iter().collect());
            }
            while let Some(header) = BatchHeader::parse(&bytes) {
                offset = header.base_offset + i64::from(header.last_offset_delta) + 1;
                bytes.advance(header.size_in_bytes().unwrap());
            }
        }
    }
}
