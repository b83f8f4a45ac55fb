//! Offsets that are committed in transactions, over sockets: they count from the end of the transaction on, in both versions
//! of the protocol, through restarts, and for members only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Instant;

use bytes::BytesMut;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{OffsetDeleteRequest, WriteTxnMarkersRequest};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_broker::private::OffsetChange;
use ottla_control::group::partition_for;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use ottla_wire::private::{GroupHistory, GroupOffsetsAt};
use support::groups::{ask, commit_as, group_id, join_alone, next_millisecond};
use support::producer::{PATIENCE, Producer};
use support::*;

const GROUP: &str = "readers";

/// A broker with `orders` of two partitions, and a producer.
fn with_producer(bumps_epoch: bool) -> (Broker, Producer) {
    let broker = broker();
    let producer = prepare(&broker, bumps_epoch);
    (broker, producer)
}

fn prepare(broker: &Broker, bumps_epoch: bool) -> Producer {
    let mut client = client(broker);
    create(&mut client, "orders", 2, &[]);
    find_coordinator(&mut client, GROUP);
    Producer::begin(broker, bumps_epoch)
}

/// The offsets of partitions 0 and 1; an error instead of one that is not stable.
fn stable(client: &mut Client) -> [Result<i64, ErrorCode>; 2] {
    use ottla_wire::offset_fetch::{Request, RequestGroup, RequestTopic, decode_response, encode_request};
    let topic = RequestTopic {
        name: Some(StrBytes::from_static_str("orders")),
        partitions: vec![0, 1],
        ..RequestTopic::default()
    };
    let group_id = StrBytes::from_static_str(GROUP);
    let group = RequestGroup { group_id, topics: Some(vec![topic]), ..RequestGroup::default() };
    let mut body = BytesMut::new();
    encode_request(9, &Request { groups: vec![group], require_stable: true }, &mut body).unwrap();
    let answer = client.send_body(9, 9, &body).unwrap();
    let parts = decode_response(9, &answer).unwrap().groups.remove(0).topics.remove(0).partitions;
    [0, 1].map(|place| {
        let part = &parts[place];
        if part.error.is_error() { Err(part.error) } else { Ok(part.committed_offset) }
    })
}

/// Waits until no offset is open.
fn until_stable(client: &mut Client) -> [i64; 2] {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match stable(client) {
            [Ok(one), Ok(other)] => return [one, other],
            open => assert!(Instant::now() < deadline, "{open:?}"),
        }
        std::thread::yield_now();
    }
}

const UNSTABLE: Result<i64, ErrorCode> = Err(ErrorCode::UnstableOffsetCommit);
const DONE: [ErrorCode; 2] = [ErrorCode::None; 2];

#[test]
fn with_version_2_offsets_need_nothing_before_them() {
    let (broker, mut producer) = with_producer(true);
    let mut reader = client(&broker);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5), (1, 6)]), DONE);
    assert_eq!((committed(&mut reader, GROUP, "orders"), stable(&mut reader)), (-1, [UNSTABLE; 2]));
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(until_stable(&mut reader), [5, 6]);
    // The next transaction begins while the markers of this one are perhaps being written.
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 7)]), [ErrorCode::None]);
    assert_eq!(producer.send("with a record"), ErrorCode::None);
    assert_eq!(producer.end(false), ErrorCode::None);
    assert_eq!(until_stable(&mut reader), [5, 6]);
    producer.until("CompleteAbort");
    // An old request, late: its transaction is over.
    producer.epoch -= 1;
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 8)]), [ErrorCode::InvalidProducerEpoch]);
    producer.epoch += 1;
    assert_eq!(stable(&mut reader), [Ok(5), Ok(6)]);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 9)]), [ErrorCode::None]);
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(until_stable(&mut reader), [9, 6]);
}

#[test]
fn with_version_1_the_group_is_added_first() {
    let (broker, mut producer) = with_producer(false);
    let mut reader = client(&broker);
    let request = producer.offsets_request(GROUP, &[(0, 5)]);
    assert_eq!(producer.send_offsets(4, &request), [ErrorCode::TransactionAbortable]);
    assert_eq!(producer.send_offsets(3, &request), [ErrorCode::InvalidTxnState]);
    for committed in [true, false] {
        assert_eq!(producer.add_offsets(4, GROUP), ErrorCode::None);
        assert_eq!(producer.commit_offsets(GROUP, &[(0, 5 + i64::from(!committed))]), [ErrorCode::None]);
        assert_eq!(stable(&mut reader)[0], UNSTABLE);
        assert_eq!(producer.end(committed), ErrorCode::None);
        producer.until(if committed { "CompleteCommit" } else { "CompleteAbort" });
        assert_eq!(stable(&mut reader), [Ok(5), Ok(-1)]);
    }
    // Older versions say less, and mean the same.
    assert_eq!(producer.add_offsets(0, GROUP), ErrorCode::None);
    for version in 0..=4 {
        let request = producer.offsets_request(GROUP, &[(1, version.into())]);
        assert_eq!(producer.send_offsets(version, &request), [ErrorCode::None], "v{version}");
    }
    assert_eq!(producer.end(true), ErrorCode::None);
    producer.until("CompleteCommit");
    assert_eq!(stable(&mut reader), [Ok(5), Ok(4)]);
    // What is told of a fenced producer differs by version.
    producer.epoch = -1;
    assert_eq!(producer.add_offsets(1, GROUP), ErrorCode::InvalidProducerEpoch);
    assert_eq!(producer.add_offsets(2, GROUP), ErrorCode::ProducerFenced);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5)]), [ErrorCode::InvalidProducerEpoch]);
}

#[test]
fn a_producer_may_name_a_group_before_anybody_looked_for_its_coordinator() {
    let broker = broker();
    create(&mut client(&broker), "orders", 1, &[]);
    let mut producer = Producer::begin(&broker, false);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5)]), [ErrorCode::NotCoordinator]);
    assert_eq!(producer.add_offsets(4, GROUP), ErrorCode::None);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5)]), [ErrorCode::None]);
    assert_eq!(producer.end(true), ErrorCode::None);
    producer.until("CompleteCommit");
    assert_eq!(committed(&mut client(&broker), GROUP, "orders"), 5);
}

#[test]
fn each_wrong_request_gets_its_code_and_harms_nobody() {
    let (broker, mut producer) = with_producer(true);
    let mut reader = client(&broker);
    let member = join_alone(&mut reader, GROUP, "orders", &[0, 1]);
    let mut refused = |change: &dyn Fn(&mut kafka_protocol::messages::TxnOffsetCommitRequest)| {
        let mut request = producer.offsets_request(GROUP, &[(0, 5)]);
        change(&mut request);
        producer.send_offsets(5, &request)[0]
    };
    let as_member = |request: &mut kafka_protocol::messages::TxnOffsetCommitRequest| {
        request.member_id = member.id.clone();
        request.generation_id = member.generation;
    };
    assert_eq!(refused(&|request| request.group_id = group_id("")), ErrorCode::InvalidGroupId);
    assert_eq!(refused(&|request| request.topics[0].name = name("none")), ErrorCode::UnknownTopicOrPartition);
    let another = |request: &mut kafka_protocol::messages::TxnOffsetCommitRequest| {
        request.topics[0].partitions[0].partition_index = 2;
    };
    assert_eq!(refused(&another), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(refused(&|request| request.member_id = "x".into()), ErrorCode::UnknownMemberId);
    let late = |request: &mut kafka_protocol::messages::TxnOffsetCommitRequest| {
        as_member(request);
        request.generation_id += 1;
    };
    assert_eq!(refused(&late), ErrorCode::IllegalGeneration);
    let unknown_group = |request: &mut kafka_protocol::messages::TxnOffsetCommitRequest| {
        request.group_id = group_id("none");
        request.generation_id = 1;
    };
    assert_eq!(refused(&unknown_group), ErrorCode::IllegalGeneration);
    let long = |request: &mut kafka_protocol::messages::TxnOffsetCommitRequest| {
        request.topics[0].partitions[0].committed_metadata = Some("m".repeat(4097).into());
    };
    assert_eq!(refused(&long), ErrorCode::OffsetMetadataTooLarge);
    assert_eq!(refused(&|request| request.producer_id = 999.into()), ErrorCode::InvalidProducerIdMapping);
    assert_eq!(refused(&|request| request.producer_epoch += 1), ErrorCode::InvalidProducerEpoch);
    assert_eq!(refused(&as_member), ErrorCode::None);
    let no_topics = producer.offsets_request(GROUP, &[]).with_topics(Vec::new());
    assert_eq!(producer.send_offsets(5, &no_topics), []);
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(until_stable(&mut reader), [5, -1]);
}

#[test]
fn what_is_open_survives_a_restart_and_a_prepared_transaction_ends_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Broker::builder().data_dir(dir.path()).start().unwrap();
    let broker = start();
    let mut producer = prepare(&broker, true);
    assert_eq!(commit(&mut client(&broker), GROUP, "orders", 1), 0);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5), (1, 6)]), DONE);
    drop(broker);
    let broker = start();
    let mut reader = client(&broker);
    assert_eq!(stable(&mut reader), [UNSTABLE; 2]);
    assert_eq!(committed(&mut reader, GROUP, "orders"), 1);
    producer.client = client(&broker);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 7)]), [ErrorCode::None], "the log knows that it is open");
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(until_stable(&mut reader), [7, 6]);
    broker.stop();
    let broker = start();
    assert_eq!(stable(&mut client(&broker)), [Ok(7), Ok(6)]);
}

#[test]
fn an_ordinary_commit_or_a_deletion_in_between_wins() {
    let (broker, mut producer) = with_producer(true);
    let mut reader = client(&broker);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5), (1, 6)]), DONE);
    assert_eq!(commit(&mut reader, GROUP, "orders", 3), 0);
    delete_offset(&mut reader, 1);
    assert_eq!(stable(&mut reader), [UNSTABLE, Ok(-1)]);
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(until_stable(&mut reader), [3, -1]);
}

fn delete_offset(client: &mut Client, partition: i32) {
    use kafka_protocol::messages::offset_delete_request::{
        OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
    };
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(partition);
    let topic =
        OffsetDeleteRequestTopic::default().with_name(name("orders")).with_partitions(vec![partition]);
    let request = OffsetDeleteRequest::default().with_group_id(group_id(GROUP)).with_topics(vec![topic]);
    assert_eq!(client.send(0, &request).unwrap().error_code, 0);
}

#[test]
fn compaction_takes_no_offset_that_counts_and_none_that_may() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let builder = Broker::builder().data_dir(dir.path());
        let settings = [
            ("log.cleaner.backoff.ms", "20"),
            ("offsets.topic.segment.bytes", "1048576"),
            ("offsets.topic.num.partitions", "1"),
            ("ottla.offsets.history.bytes", "0"),
        ];
        let set = settings.iter().try_fold(builder, |builder, (name, value)| builder.set(name, value));
        set.unwrap().start().unwrap()
    };
    let broker = start();
    let mut producer = prepare(&broker, true);
    for round in 0..40 {
        for at in 0..10 {
            let mut request = producer.offsets_request(GROUP, &[(0, round * 10 + at)]);
            request.topics[0].partitions[0].committed_metadata = Some("m".repeat(4_000).into());
            assert_eq!(producer.send_offsets(5, &request), [ErrorCode::None]);
        }
        // The last two are aborted.
        let committed = round < 38 && round % 3 != 0;
        assert_eq!(producer.end(committed), ErrorCode::None);
        producer.until(if committed { "CompleteCommit" } else { "CompleteAbort" });
    }
    assert_eq!(producer.commit_offsets(GROUP, &[(1, 6)]), [ErrorCode::None]);
    let size = || {
        let files = std::fs::read_dir(dir.path().join("__consumer_offsets-0")).unwrap();
        let logs =
            files.map(|file| file.unwrap()).filter(|file| file.path().extension() == Some("log".as_ref()));
        logs.filter_map(|log| log.metadata().ok()).map(|about| about.len()).sum::<u64>()
    };
    let deadline = Instant::now() + PATIENCE;
    while size() > 1_100_000 {
        assert!(Instant::now() < deadline, "{} bytes", size());
        std::thread::yield_now();
    }
    assert_eq!(stable(&mut client(&broker)), [Ok(379), UNSTABLE]);
    broker.stop();
    let broker = start();
    producer.client = client(&broker);
    assert_eq!(stable(&mut producer.client), [Ok(379), UNSTABLE]);
    assert_eq!(producer.end(true), ErrorCode::None);
    assert_eq!(until_stable(&mut producer.client), [379, 6]);
}

#[test]
fn a_marker_from_outside_ends_it_for_the_group_too() {
    let (broker, mut producer) = with_producer(true);
    let mut reader = client(&broker);
    for (committed, offset) in [(true, 5), (false, 6)] {
        assert_eq!(producer.commit_offsets(GROUP, &[(0, offset)]), [ErrorCode::None]);
        let topic = WritableTxnMarkerTopic::default()
            .with_name(name("__consumer_offsets"))
            .with_partition_indexes(vec![partition_for(GROUP, 50)]);
        let marker = WritableTxnMarker::default()
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch)
            .with_transaction_result(committed)
            .with_topics(vec![topic]);
        let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
        let answered = reader.send(1, &request).unwrap();
        assert_eq!(answered.markers[0].topics[0].partitions[0].error_code, 0);
        assert_eq!(stable(&mut reader)[0], Ok(5), "as soon as it is answered");
        // The coordinator does not know, and its own marker finds nothing to end.
        assert_eq!(producer.end(!committed), ErrorCode::None);
        producer.until(if committed { "CompleteAbort" } else { "CompleteCommit" });
        assert_eq!(stable(&mut reader)[0], Ok(5));
    }
}

#[test]
fn what_takes_too_long_is_aborted_with_its_offsets() {
    let (broker, mut producer) = with_producer(true);
    let mut reader = client(&broker);
    assert_eq!(producer.init(200), ErrorCode::None);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5)]), [ErrorCode::None]);
    assert_eq!(until_stable(&mut reader), [-1, -1]);
    producer.until("CompleteAbort");
}

fn line(change: &OffsetChange) -> String {
    let print = |offset: Option<i64>| offset.map_or("none".to_owned(), |offset| offset.to_string());
    let backward = if change.went_backward { ", backward" } else { "" };
    let cause = change.cause.as_deref().unwrap_or("unknown");
    format!("orders-{} {}->{} {cause}{backward}", change.partition, print(change.old), print(change.new))
}

#[test]
fn the_history_tells_what_counted_when_it_did() {
    let (broker, mut producer) = with_producer(true);
    let mut second = Producer::named(&broker, "second", true);
    let mut reader = client(&broker);
    assert_eq!(commit_as(&mut reader, GROUP, None, ("orders", 0, 1)), 0);
    let begun = next_millisecond();
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 5), (1, 6)]), DONE);
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 7)]), [ErrorCode::None]);
    assert_eq!(second.commit_offsets(GROUP, &[(0, 4)]), [ErrorCode::None]);
    let before = next_millisecond();
    assert_eq!(producer.end(true), ErrorCode::None);
    producer.until("CompleteCommit");
    next_millisecond();
    assert_eq!(producer.commit_offsets(GROUP, &[(0, 99)]), [ErrorCode::None]);
    assert_eq!(producer.end(false), ErrorCode::None);
    producer.until("CompleteAbort");
    assert_eq!(second.end(true), ErrorCode::None);
    second.until("CompleteCommit");
    assert_eq!(until_stable(&mut reader), [4, 6]);
    let told = ask(&mut reader, &GroupHistory { group: GROUP.into(), topic: None, since_ms: None }).unwrap();
    let changes: Vec<_> = told.changes.entries.iter().rev().collect();
    assert_eq!(
        changes.iter().map(|change| line(change)).collect::<Vec<_>>(),
        [
            "orders-0 none->1 commit",
            "orders-1 none->6 transactional commit",
            "orders-0 1->7 transactional commit",
            "orders-0 7->4 transactional commit, backward",
        ]
    );
    assert!(changes[1].time_ms >= before && begun < before, "at the end of the transaction");
    let offsets_at = |reader: &mut Client, at_ms| {
        let told = ask(reader, &GroupOffsetsAt { group: GROUP.into(), at_ms }).unwrap();
        told.offsets.entries.into_iter().map(|one| (one.partition, one.offset)).collect::<Vec<_>>()
    };
    assert_eq!(offsets_at(&mut reader, before - 1), [(0, Some(1))]);
    assert_eq!(offsets_at(&mut reader, changes[2].time_ms), [(0, Some(7)), (1, Some(6))]);
}
