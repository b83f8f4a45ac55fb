//! Transactions as a producer goes through them, in both versions, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, DeleteTopicsRequest, DescribeTransactionsRequest, EndTxnRequest,
    FindCoordinatorRequest, InitProducerIdRequest, ListTransactionsRequest, ProduceRequest, TransactionalId,
    WriteTxnMarkersRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_log::{BatchBuilder, BatchHeader, NewRecord};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use support::*;

/// How long something may take that happens behind the scenes.
const PATIENCE: Duration = Duration::from_secs(30);
const TRANSACTION: i8 = 1;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn id() -> TransactionalId {
    TransactionalId(text("t"))
}

/// A transactional producer of id `t`, of one version of the protocol or the other.
struct Producer {
    client: Client,
    bumps_epoch: bool,
    id: i64,
    epoch: i16,
    sequence: i32,
}

impl Producer {
    fn begin(broker: &Broker, bumps_epoch: bool) -> Self {
        let mut client = client(broker);
        let request = FindCoordinatorRequest::default()
            .with_key_type(TRANSACTION)
            .with_coordinator_keys(vec![text("t")]);
        assert_eq!(client.send(4, &request).unwrap().coordinators[0].error_code, 0);
        let mut producer = Self { client, bumps_epoch, id: -1, epoch: -1, sequence: 0 };
        assert_eq!(producer.init(60_000), ErrorCode::None);
        producer
    }

    fn init(&mut self, timeout_ms: i32) -> ErrorCode {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(id()))
            .with_transaction_timeout_ms(timeout_ms)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let answered = self.client.send(5, &request).unwrap();
        if answered.error_code == 0 {
            (self.id, self.epoch, self.sequence) = (answered.producer_id.0, answered.producer_epoch, 0);
        }
        ErrorCode::from_code(answered.error_code).unwrap()
    }

    fn batch(&self, value: &str) -> Bytes {
        let mut builder = BatchBuilder::new().producer(self.id, self.epoch, self.sequence).transactional();
        builder.push(NewRecord { timestamp: 1000, key: None, value: Some(value.as_bytes()), headers: &[] });
        builder.build()
    }

    fn request(&self, value: &str) -> ProduceRequest {
        produce_request("orders", 0, -1, self.batch(value)).with_transactional_id(Some(id()))
    }

    fn send(&mut self, value: &str) -> ErrorCode {
        self.send_as(if self.bumps_epoch { 12 } else { 11 }, value)
    }

    fn send_as(&mut self, version: i16, value: &str) -> ErrorCode {
        let request = self.request(value);
        let answered = self.client.send(version, &request).unwrap();
        let error = answered.responses[0].partition_responses[0].error_code;
        if error == 0 {
            self.sequence += 1;
        }
        ErrorCode::from_code(error).unwrap()
    }

    fn add(&mut self, version: i16, topics: &[(&str, i32)]) -> Vec<ErrorCode> {
        let topics = topics.iter().map(|(topic, partition)| {
            AddPartitionsToTxnTopic::default().with_name(name(topic)).with_partitions(vec![*partition])
        });
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(id())
            .with_v3_and_below_producer_id(self.id.into())
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(topics.collect());
        let answered = self.client.send(version, &request).unwrap();
        let results = answered.results_by_topic_v3_and_below.iter();
        let codes = results.map(|topic| topic.results_by_partition[0].partition_error_code);
        codes.map(|code| ErrorCode::from_code(code).unwrap()).collect()
    }

    fn end(&mut self, committed: bool) -> ErrorCode {
        self.end_as(if self.bumps_epoch { 5 } else { 4 }, committed)
    }

    fn end_as(&mut self, version: i16, committed: bool) -> ErrorCode {
        let request = EndTxnRequest::default()
            .with_transactional_id(id())
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(committed);
        let answered = self.client.send(version, &request).unwrap();
        if answered.error_code == 0 && version >= 5 {
            (self.id, self.epoch, self.sequence) = (answered.producer_id.0, answered.producer_epoch, 0);
        }
        ErrorCode::from_code(answered.error_code).unwrap()
    }

    fn describe(&mut self) -> TransactionState {
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![id()]);
        self.client.send(0, &request).unwrap().transaction_states.remove(0)
    }

    /// Waits until the transaction has that state.
    fn until(&mut self, state: &str) {
        let deadline = Instant::now() + PATIENCE;
        while &*self.describe().transaction_state != state {
            assert!(Instant::now() < deadline, "{:?} is not {state}", self.describe());
            std::thread::yield_now();
        }
    }

    /// What readers of committed data are told: the last stable offset, and where aborted transactions begin.
    fn stable(&mut self) -> (i64, Vec<i64>) {
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

#[test]
fn with_version_2_a_write_begins_and_the_epoch_rises() {
    let broker = broker();
    create(&mut client(&broker), "orders", 1, &[]);
    let mut producer = Producer::begin(&broker, true);
    assert_eq!(producer.send("a"), ErrorCode::None);
    assert_eq!(producer.send("b"), ErrorCode::None);
    assert_eq!((&*producer.describe().transaction_state, producer.stable().0), ("Ongoing", 0));
    let before = producer.epoch;
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(producer.epoch, before + 1);
    // The next transaction begins while the markers of this one are perhaps being written.
    assert_eq!(producer.send("c"), ErrorCode::None);
    assert_eq!(producer.end(false), ErrorCode::None);
    producer.until("CompleteAbort");
    assert_eq!(producer.stable(), (5, vec![3]), "a, b, commit, c, abort");
    // An old request, late: it begins nothing.
    producer.epoch -= 1;
    assert_eq!(producer.send("late"), ErrorCode::InvalidProducerEpoch);
    let list = producer.client.send(1, &ListTransactionsRequest::default().with_duration_filter(-1)).unwrap();
    assert_eq!(
        (list.transaction_states.len(), &*list.transaction_states[0].transaction_state),
        (1, "CompleteAbort")
    );
}

#[test]
fn with_version_1_a_write_is_checked_against_what_was_added() {
    let broker = broker();
    create(&mut client(&broker), "orders", 1, &[]);
    let mut producer = Producer::begin(&broker, false);
    assert_eq!(producer.send_as(11, "a"), ErrorCode::TransactionAbortable);
    assert_eq!(producer.send_as(10, "a"), ErrorCode::InvalidTxnState);
    assert_eq!(producer.end(true), ErrorCode::InvalidTxnState);
    let added = producer.add(3, &[("orders", 0), ("orders", 1), ("none", 0), ("__consumer_offsets", 0)]);
    let (unknown, untried) = (ErrorCode::UnknownTopicOrPartition, ErrorCode::OperationNotAttempted);
    assert_eq!(added, [untried, unknown, unknown, ErrorCode::TopicAuthorizationFailed]);
    for committed in [true, false] {
        assert_eq!(producer.add(3, &[("orders", 0)]), [ErrorCode::None]);
        assert_eq!(producer.send("a"), ErrorCode::None);
        assert_eq!(producer.end(committed), ErrorCode::None);
        producer.until(if committed { "CompleteCommit" } else { "CompleteAbort" });
    }
    assert_eq!((producer.epoch, producer.stable()), (0, (4, vec![2])));
    // What is told of a fenced producer differs by version.
    producer.epoch = -1;
    for (version, error) in [(1, ErrorCode::InvalidProducerEpoch), (2, ErrorCode::ProducerFenced)] {
        assert_eq!(producer.add(version, &[("orders", 0)]), [error]);
        assert_eq!(producer.end_as(version, true), error);
    }
}

#[test]
fn batches_that_belong_to_nobodys_transaction_are_refused() {
    let broker = broker();
    create(&mut client(&broker), "orders", 2, &[]);
    let mut producer = Producer::begin(&broker, true);
    let errors = |producer: &mut Producer, request: &ProduceRequest| {
        let answered = producer.client.send(12, request).unwrap();
        let parts = answered.responses.iter().flat_map(|topic| &topic.partition_responses);
        parts.map(|part| ErrorCode::from_code(part.error_code).unwrap()).collect::<Vec<_>>()
    };
    let without_id = producer.request("a").with_transactional_id(None);
    assert_eq!(errors(&mut producer, &without_id), [ErrorCode::TransactionalIdAuthorizationFailed]);
    let mut of_two = producer.request("a");
    producer.epoch += 1;
    of_two.topic_data.extend(produce_request("orders", 1, -1, producer.batch("b")).topic_data);
    assert_eq!(errors(&mut producer, &of_two), [ErrorCode::InvalidProducerIdMapping; 2]);
    assert_eq!(producer.send("fenced"), ErrorCode::InvalidProducerEpoch);
    producer.epoch -= 1;
    producer.id += 999;
    assert_eq!(producer.send("unknown"), ErrorCode::InvalidProducerIdMapping);
    producer.id -= 999;
    assert_eq!(producer.init(0), ErrorCode::InvalidTransactionTimeout);
    assert_eq!(producer.init(900_001), ErrorCode::InvalidTransactionTimeout);
    assert_eq!(producer.send("a"), ErrorCode::None, "the others' mistakes are not its own");
}

#[test]
fn a_second_producer_fences_the_first() {
    let broker = broker();
    create(&mut client(&broker), "orders", 1, &[]);
    let mut first = Producer::begin(&broker, true);
    assert_eq!(first.send("a"), ErrorCode::None);
    let deadline = Instant::now() + PATIENCE;
    let (epoch, id) = (first.epoch, first.id);
    while first.init(60_000) == ErrorCode::ConcurrentTransactions {
        assert!(Instant::now() < deadline);
    }
    let mut second = Producer { client: client(&broker), ..first };
    assert_eq!((second.id, second.epoch), (id, epoch + 2), "one for the abort, one for the new producer");
    assert_eq!(second.stable(), (2, vec![0]));
    (second.epoch, second.sequence) = (epoch, 1);
    assert_eq!(second.send("b"), ErrorCode::InvalidProducerEpoch);
    assert_eq!(second.end(true), ErrorCode::ProducerFenced);
}

#[test]
fn transactions_survive_a_restart_and_end_without_their_topics() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Broker::builder().data_dir(dir.path()).start().unwrap();
    let broker = start();
    create(&mut client(&broker), "orders", 1, &[]);
    create(&mut client(&broker), "gone", 1, &[]);
    let mut producer = Producer::begin(&broker, false);
    assert_eq!(producer.add(3, &[("orders", 0), ("gone", 0)]), [ErrorCode::None; 2]);
    assert_eq!(producer.send("a"), ErrorCode::None);
    broker.stop();
    let broker = start();
    producer.client = client(&broker);
    assert_eq!((&*producer.describe().transaction_state, producer.stable().0), ("Ongoing", 0));
    assert_eq!(producer.send("b"), ErrorCode::None, "the log knows that it is open");
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name("gone")]).with_timeout_ms(5000);
    assert_eq!(producer.client.send(5, &delete).unwrap().responses[0].error_code, 0);
    assert_eq!(producer.end(true), ErrorCode::None);
    producer.until("CompleteCommit");
    assert_eq!(producer.stable(), (3, vec![]));
}

#[test]
fn what_takes_too_long_is_aborted_and_what_hangs_can_be_ended_by_hand() {
    let broker = broker();
    create(&mut client(&broker), "orders", 1, &[]);
    let mut producer = Producer::begin(&broker, true);
    assert_eq!(producer.init(200), ErrorCode::None);
    assert_eq!(producer.send("a"), ErrorCode::None);
    producer.until("CompleteAbort");
    assert_eq!(producer.stable(), (2, vec![0]));
    // As `kafka-transactions.sh abort` does, behind the coordinator's back.
    while producer.init(60_000) == ErrorCode::ConcurrentTransactions {}
    assert_eq!(producer.send("b"), ErrorCode::None);
    let topics = ["orders", "none"].map(|topic| {
        WritableTxnMarkerTopic::default().with_name(name(topic)).with_partition_indexes(vec![0])
    });
    let marker = WritableTxnMarker::default()
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch)
        .with_coordinator_epoch(i32::MAX)
        .with_topics(topics.to_vec());
    let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
    let answered = producer.client.send(1, &request).unwrap();
    let codes = answered.markers[0].topics.iter().map(|topic| topic.partitions[0].error_code);
    assert_eq!(codes.collect::<Vec<_>>(), [0, ErrorCode::UnknownTopicOrPartition.code()]);
    assert_eq!(producer.stable(), (4, vec![0, 2]));
    // The coordinator knows nothing of it; its own marker comes from an older epoch, and it lets it be.
    assert_eq!(producer.end(true), ErrorCode::None);
    producer.until("CompleteCommit");
}
