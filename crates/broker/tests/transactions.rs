//! Transactions as a producer goes through them, in both versions, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Instant;

use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{
    DeleteTopicsRequest, ListTransactionsRequest, ProduceRequest, WriteTxnMarkersRequest,
};
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use support::producer::{PATIENCE, Producer};
use support::*;

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

#[test]
fn transactions_are_listed_by_expression() {
    let broker = broker();
    let mut client = client(&broker);
    for id in ["orders-1", "orders-2", "zahlung-ä"] {
        Producer::named(&broker, id, true);
    }
    let mut listed = |pattern: &str| {
        let request = ListTransactionsRequest::default()
            .with_duration_filter(-1)
            .with_transactional_id_pattern(Some(pattern.to_owned().into()));
        let answered = client.send(2, &request).unwrap();
        let ids = answered.transaction_states.iter().map(|state| state.transactional_id.to_string());
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        (ErrorCode::from_code(answered.error_code).unwrap(), ids.join(" "))
    };
    let found = |ids: &str| (ErrorCode::None, ids.to_owned());
    assert_eq!(listed(""), found("orders-1 orders-2 zahlung-ä"));
    assert_eq!(listed("orders-.*"), found("orders-1 orders-2"));
    assert_eq!(listed("orders"), found(""), "the whole id matches or none of it");
    assert_eq!(listed(r"\w+-[^\w]"), found("zahlung-ä"));
    assert_eq!(listed("("), (ErrorCode::InvalidRegularExpression, String::new()));
}

#[test]
fn a_marker_of_version_2_has_an_epoch_of_its_own() {
    use ottla_wire::write_txn_markers::{KEY, Marker, MarkerTopic, Request, decode_response, encode_request};
    let broker = broker();
    create(&mut client(&broker), "orders", 1, &[]);
    let mut producer = Producer::begin(&broker, true);
    assert_eq!(producer.send("a"), ErrorCode::None);
    let write = |producer: &mut Producer, producer_epoch| {
        let marker = Marker {
            producer_id: producer.id,
            producer_epoch,
            committed: true,
            topics: vec![MarkerTopic { name: "orders".into(), partitions: vec![0] }],
            coordinator_epoch: 0,
            transaction_version: 2,
        };
        let mut body = bytes::BytesMut::new();
        encode_request(2, &Request { markers: vec![marker] }, &mut body).unwrap();
        let answer = producer.client.send_body(KEY, 2, &body).unwrap();
        decode_response(2, &answer).unwrap().markers[0].topics[0].partitions[0].1
    };
    let epoch = producer.epoch;
    assert_eq!(write(&mut producer, epoch), ErrorCode::InvalidProducerEpoch);
    assert_eq!(producer.stable(), (0, vec![]));
    assert_eq!(write(&mut producer, epoch + 1), ErrorCode::None);
    assert_eq!(producer.stable(), (2, vec![]));
}
