//! The seams of a shard, driven by twins: a router that says "somebody else", and a commit stage that takes its time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Encodable, Request, StrBytes};
use ottla_log::{Append, BatchBuilder, EndMarker, FirstBatch, MemoryDisk, NewRecord, Origin, Outcome};
use ottla_model::{ErrorCode, Monotonic, Offset, PartitionIndex, TopicName, WallMillis};
use ottla_wire::{decode, response_header_version};

use super::partition::{CommitStage, Needs};
use super::router::{Route, Router};
use super::{Lock, Partition, Place, Seams, Shard};
use crate::api::{Client, Started, start};
use crate::clock::{Clock, SystemClock};
use crate::settings::Settings;

/// Somebody else serves everything.
#[derive(Debug)]
struct Elsewhere;

impl Router for Elsewhere {
    fn partition(&self, _topic: &TopicName, _partition: PartitionIndex) -> Route {
        Route::Remote(2)
    }

    fn group(&self, _group_id: &str) -> Route {
        Route::Remote(2)
    }

    fn transaction(&self, _transactional_id: &str) -> Route {
        Route::Remote(2)
    }
}

/// Commits nothing while it holds; the test commits then.
#[derive(Debug, Default)]
pub(super) struct Holding(AtomicBool);

impl CommitStage for Holding {
    fn appended(&self, partition: &Arc<Partition>, end: Offset, _sync: Needs) {
        if !self.0.load(Ordering::Acquire) {
            partition.commit(end);
        }
    }
}

fn shard(seams: Seams) -> Arc<Shard> {
    let place =
        Place { disk: Arc::new(MemoryDisk::default()), path: PathBuf::from("/test"), lock: Lock::None };
    Shard::open(Settings::default(), place, Arc::new(SystemClock::new()), seams).expect("opens")
}

/// A request as it arrives, without its length.
pub(super) fn frame<R: Request>(version: i16, request: &R) -> Bytes {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(1)
        .with_client_id(Some("test".into()));
    let mut frame = BytesMut::new();
    header.encode(&mut frame, R::header_version(version)).expect("header");
    request.encode(&mut frame, version).expect("body");
    frame.freeze()
}

pub(super) fn client() -> Arc<Client> {
    let peer = "127.0.0.1:1".parse().expect("address");
    Arc::new(Client::new(peer, ("127.0.0.1".into(), 9092)))
}

fn begin<R: Request>(shard: &Arc<Shard>, version: i16, request: &R) -> Started {
    start(shard, &client(), frame(version, request)).unwrap_or_else(|closed| panic!("{}", closed.reason))
}

async fn finish<R: Request>(version: i16, started: Started) -> R::Response {
    let mut started = started;
    let answer = std::future::poll_fn(|context| started.poll(context)).await;
    let parts = answer.unwrap_or_else(|closed| panic!("{}", closed.reason));
    let frame: Vec<u8> = parts.concat();
    let header = if response_header_version(R::KEY, version) >= 1 { 9 } else { 8 };
    decode(version, &mut Bytes::from(frame).slice(header..)).expect("decodes")
}

pub(super) async fn ask<R: Request>(shard: &Arc<Shard>, version: i16, request: &R) -> R::Response {
    let started = begin(shard, version, request);
    finish::<R>(version, started).await
}

pub(super) fn orders() -> kafka_protocol::messages::TopicName {
    StrBytes::from_static_str("orders").into()
}

fn produce(acks: i16, timeout_ms: i32) -> ProduceRequest {
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"v"), headers: &[] });
    let data = PartitionProduceData::default().with_index(0).with_records(Some(builder.build()));
    let topic = TopicProduceData::default().with_name(orders()).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(timeout_ms).with_topic_data(vec![topic])
}

fn fetch() -> FetchRequest {
    let partition = FetchPartition::default().with_partition_max_bytes(1000);
    let topic = FetchTopic::default().with_topic(orders()).with_partitions(vec![partition]);
    FetchRequest::default().with_max_bytes(1000).with_topics(vec![topic])
}

fn commit() -> OffsetCommitRequest {
    use kafka_protocol::messages::offset_commit_request::*;
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(5);
    let topic = OffsetCommitRequestTopic::default().with_name(orders()).with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(GroupId("readers".into()))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic])
}

fn offset_fetch() -> OffsetFetchRequest {
    use kafka_protocol::messages::offset_fetch_request::*;
    let topic = OffsetFetchRequestTopics::default().with_name(orders()).with_partition_indexes(vec![0]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId("readers".into()))
        .with_topics(Some(vec![topic]));
    OffsetFetchRequest::default().with_groups(vec![group])
}

pub(super) async fn create_orders(shard: &Arc<Shard>) {
    let metadata = metadata_request::MetadataRequestTopic::default().with_name(Some(orders()));
    let request =
        MetadataRequest::default().with_topics(Some(vec![metadata])).with_allow_auto_topic_creation(true);
    assert_eq!(ask(shard, 9, &request).await.topics[0].error_code, 0);
    shard.ensure_groups().await.expect("groups");
}

#[tokio::test]
async fn what_another_node_serves_is_refused_by_every_api() {
    let shard = shard(Seams { router: Arc::new(Elsewhere), stage: Arc::new(Holding::default()) });
    create_orders(&shard).await;
    let error = |code: i16| ErrorCode::from_code(code).expect("known");
    let leader = ErrorCode::NotLeaderOrFollower;
    let produced = ask(&shard, 9, &produce(-1, 1000)).await;
    assert_eq!(error(produced.responses[0].partition_responses[0].error_code), leader);
    let fetched = ask(&shard, 12, &fetch()).await;
    assert_eq!(error(fetched.responses[0].partitions[0].error_code), leader);
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let topic = ListOffsetsTopic::default().with_name(orders()).with_partitions(vec![partition]);
    let listed = ask(&shard, 7, &ListOffsetsRequest::default().with_topics(vec![topic])).await;
    assert_eq!(error(listed.topics[0].partitions[0].error_code), leader);
    let topic = OffsetForLeaderTopic::default()
        .with_topic(orders())
        .with_partitions(vec![OffsetForLeaderPartition::default()]);
    let ended = ask(&shard, 4, &OffsetForLeaderEpochRequest::default().with_topics(vec![topic])).await;
    assert_eq!(error(ended.topics[0].partitions[0].error_code), leader);

    let coordinator = ErrorCode::NotCoordinator;
    let group = GroupId("readers".into());
    let protocol = join_group_request::JoinGroupRequestProtocol::default().with_name("range".into());
    let join = JoinGroupRequest::default()
        .with_group_id(group.clone())
        .with_session_timeout_ms(10_000)
        .with_protocols(vec![protocol]);
    assert_eq!(error(ask(&shard, 3, &join).await.error_code), coordinator);
    let sync = SyncGroupRequest::default().with_group_id(group.clone());
    assert_eq!(error(ask(&shard, 3, &sync).await.error_code), coordinator);
    let heartbeat = HeartbeatRequest::default().with_group_id(group.clone());
    assert_eq!(error(ask(&shard, 3, &heartbeat).await.error_code), coordinator);
    let leave = LeaveGroupRequest::default().with_group_id(group.clone());
    assert_eq!(error(ask(&shard, 2, &leave).await.error_code), coordinator);
    let committed = ask(&shard, 8, &commit()).await;
    assert_eq!(error(committed.topics[0].partitions[0].error_code), coordinator);
    assert_eq!(error(ask(&shard, 8, &offset_fetch()).await.groups[0].error_code), coordinator);
    let describe = DescribeGroupsRequest::default().with_groups(vec![group]);
    assert_eq!(error(ask(&shard, 5, &describe).await.groups[0].error_code), coordinator);
}

fn is_waiting(started: &mut Started) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    matches!(started, Started::Waiting(_)) && started.poll(&mut context).is_pending()
}

#[tokio::test]
async fn nothing_is_seen_or_acknowledged_before_it_is_committed() {
    let stage = Arc::new(Holding::default());
    let shard = shard(Seams::one_node(Arc::clone(&stage) as Arc<dyn CommitStage>));
    create_orders(&shard).await;
    stage.0.store(true, Ordering::Release);

    let mut all = begin(&shard, 9, &produce(-1, 60_000));
    assert!(is_waiting(&mut all), "acks=all waits for the commit");
    let leader = ask(&shard, 9, &produce(1, 60_000)).await;
    assert_eq!(leader.responses[0].partition_responses[0].base_offset, 1, "acks=1 does not");
    let fetched = ask(&shard, 12, &fetch()).await;
    assert_eq!(fetched.responses[0].partitions[0].high_watermark, 0);
    assert!(fetched.responses[0].partitions[0].records.as_ref().is_none_or(Bytes::is_empty));

    let partition = shard.partition(&shard.topic("orders").expect("topic"), 0).expect("local");
    partition.commit(2);
    let produced = finish::<ProduceRequest>(9, all).await;
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    assert_eq!(ask(&shard, 12, &fetch()).await.responses[0].partitions[0].high_watermark, 2);
}

#[tokio::test]
async fn groups_answer_only_what_is_committed() {
    let stage = Arc::new(Holding::default());
    let shard = shard(Seams::one_node(Arc::clone(&stage) as Arc<dyn CommitStage>));
    create_orders(&shard).await;
    stage.0.store(true, Ordering::Release);
    let mut committing = begin(&shard, 8, &commit());
    assert!(is_waiting(&mut committing));
    // A read waits too: it may have seen the commit.
    let mut reading = begin(&shard, 8, &offset_fetch());
    assert!(is_waiting(&mut reading));
    let log = Arc::clone(shard.group("readers").expect("local").partition());
    log.commit(log.log().end_offset());
    let committed = finish::<OffsetCommitRequest>(8, committing).await;
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    let read = finish::<OffsetFetchRequest>(8, reading).await;
    assert_eq!(read.groups[0].topics[0].partitions[0].committed_offset, 5);
}

#[tokio::test(start_paused = true)]
async fn an_uncommitted_produce_times_out() {
    let stage = Arc::new(Holding::default());
    let shard = shard(Seams::one_node(Arc::clone(&stage) as Arc<dyn CommitStage>));
    create_orders(&shard).await;
    stage.0.store(true, Ordering::Release);
    let began = tokio::time::Instant::now();
    let produced = ask(&shard, 9, &produce(-1, 1500)).await;
    let error = produced.responses[0].partition_responses[0].error_code;
    assert_eq!(ErrorCode::from_code(error), Some(ErrorCode::RequestTimedOut));
    assert_eq!(began.elapsed(), Duration::from_millis(1500));
}

/// A clock that a test sets.
#[derive(Debug, Default)]
struct SetClock {
    wall_ms: AtomicI64,
    monotonic_ms: AtomicI64,
}

impl Clock for SetClock {
    fn wall(&self) -> WallMillis {
        WallMillis(self.wall_ms.load(Ordering::Acquire))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::default().plus_millis(self.monotonic_ms.load(Ordering::Acquire))
    }
}

const HOUR_MS: i64 = 3_600_000;
const TEN_YEARS_MS: i64 = 10 * 365 * 24 * HOUR_MS;

#[tokio::test]
async fn a_clock_that_is_set_expires_nothing_and_passing_time_does() {
    let clock = Arc::new(SetClock::default());
    let begin = 1_700_000_000_000;
    clock.wall_ms.store(begin, Ordering::Release);
    let place =
        Place { disk: Arc::new(MemoryDisk::default()), path: PathBuf::from("/test"), lock: Lock::None };
    let mut settings = Settings::default();
    settings.set("log.retention.ms", "7200000").expect("fits");
    let seams = Seams::one_node(Arc::new(Holding::default()));
    let shard = Shard::open(settings, place, Arc::clone(&clock) as Arc<dyn Clock>, seams).expect("opens");
    create_orders(&shard).await;
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: begin, key: None, value: Some(b"v"), headers: &[] });
    let partition = shard.partition(&shard.topic("orders").expect("topic"), 0).expect("local");
    partition.append(builder.build(), Origin::Client, shard.wall()).expect("appended");

    for jump in [HOUR_MS * 3, TEN_YEARS_MS, -HOUR_MS, -TEN_YEARS_MS] {
        clock.wall_ms.store(begin + jump, Ordering::Release);
        shard.delete_expired();
        assert_eq!(partition.log().start_offset(), 0, "{jump}");
    }
    // Three hours pass on both clocks.
    clock.wall_ms.store(begin + 3 * HOUR_MS, Ordering::Release);
    clock.monotonic_ms.store(3 * HOUR_MS, Ordering::Release);
    shard.delete_expired();
    assert_eq!(partition.log().start_offset(), 1);
}

#[tokio::test]
async fn committed_offsets_expire_by_time_that_passed_and_not_by_a_clock_that_is_set() {
    let clock = Arc::new(SetClock::default());
    let begin = 1_700_000_000_000;
    clock.wall_ms.store(begin, Ordering::Release);
    let place =
        Place { disk: Arc::new(MemoryDisk::default()), path: PathBuf::from("/test"), lock: Lock::None };
    let seams = Seams::one_node(Arc::new(Holding::default()));
    let settings = Settings::default();
    let shard = Shard::open(settings, place, Arc::clone(&clock) as Arc<dyn Clock>, seams).expect("opens");
    create_orders(&shard).await;
    assert_eq!(ask(&shard, 8, &commit()).await.topics[0].partitions[0].error_code, 0);
    let coordinator = shard.group("readers").expect("local");

    clock.wall_ms.store(begin + TEN_YEARS_MS, Ordering::Release);
    clock.monotonic_ms.store(HOUR_MS, Ordering::Release);
    coordinator.tick();
    assert_eq!(coordinator.look(|groups| groups.len()), 1);
    // The week passes for which they are kept.
    clock.monotonic_ms.store(7 * 24 * HOUR_MS + HOUR_MS, Ordering::Release);
    coordinator.tick();
    assert_eq!(coordinator.look(|groups| groups.len()), 0);
}

/// The producer of the transactions below.
const WRITER: i64 = 7;

fn in_transaction(sequence: i32, value: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new().producer(WRITER, 0, sequence).transactional();
    builder.push(NewRecord { timestamp: 1000, key: None, value: Some(value), headers: &[] });
    builder.build()
}

fn begin_transaction(partition: &Arc<Partition>, batch: Bytes, now: WallMillis) {
    let header = ottla_log::BatchHeader::parse(&batch).expect("header");
    let first = FirstBatch {
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        bumps_epochs: false,
    };
    let guard = partition.log().begin_verification(first, now).expect("not fenced");
    let append = Append { guard, ..Append::new(partition.leader_epoch(), Origin::Client, now) };
    partition.append_as(batch, append).expect("appended");
}

fn end_transaction(partition: &Arc<Partition>, outcome: Outcome, now: WallMillis) {
    let marker = EndMarker { outcome, coordinator_epoch: 3, timestamp: 1 }.to_batch(WRITER, 0);
    partition.append(marker, Origin::Coordinator, now).expect("appended");
}

async fn list_committed(shard: &Arc<Shard>, timestamp: i64) -> (i64, i64) {
    let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default().with_name(orders()).with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default().with_topics(vec![topic]).with_isolation_level(1);
    let listed = ask(shard, 7, &request).await.topics[0].partitions[0].clone();
    (listed.offset, listed.timestamp)
}

#[tokio::test]
async fn readers_of_committed_data_are_told_what_was_aborted_and_see_nothing_undecided() {
    let stage = Arc::new(Holding::default());
    let shard = shard(Seams::one_node(Arc::clone(&stage) as Arc<dyn CommitStage>));
    create_orders(&shard).await;
    let partition = shard.partition(&shard.topic("orders").expect("topic"), 0).expect("local");
    let now = shard.wall();
    let committed = fetch().with_isolation_level(1);
    let read = async |request: &FetchRequest| {
        let fetched = ask(&shard, 12, request).await.responses[0].partitions[0].clone();
        let bytes = fetched.records.as_ref().map_or(0, Bytes::len);
        (fetched.high_watermark, fetched.last_stable_offset, bytes > 0, fetched.aborted_transactions)
    };
    begin_transaction(&partition, in_transaction(0, b"aborted"), now);
    assert_eq!(read(&committed).await, (1, 0, false, Some(vec![])));
    assert_eq!(read(&fetch()).await, (1, 0, true, None), "who reads everything reads it");
    for timestamp in [-1, 500, -3] {
        let offset = if timestamp == -1 { 0 } else { -1 };
        assert_eq!(list_committed(&shard, timestamp).await, (offset, -1), "{timestamp}");
    }
    // As long as the marker is not committed, nothing is decided.
    stage.0.store(true, Ordering::Release);
    end_transaction(&partition, Outcome::Abort, now);
    assert_eq!(read(&committed).await, (1, 0, false, Some(vec![])));
    stage.0.store(false, Ordering::Release);
    partition.commit(2);
    begin_transaction(&partition, in_transaction(1, b"committed"), now);
    end_transaction(&partition, Outcome::Commit, now);
    let aborted =
        fetch_response::AbortedTransaction::default().with_producer_id(WRITER.into()).with_first_offset(0);
    assert_eq!(read(&committed).await, (4, 4, true, Some(vec![aborted])));
    assert_eq!(list_committed(&shard, -1).await, (4, -1));
    assert_eq!(list_committed(&shard, 500).await, (0, 1000), "Kafka tells records that were aborted too");
    let at_two = FetchPartition::default().with_partition_max_bytes(1000).with_fetch_offset(2);
    let topic = FetchTopic::default().with_topic(orders()).with_partitions(vec![at_two]);
    assert_eq!(
        read(&committed.with_topics(vec![topic])).await,
        (4, 4, true, Some(vec![])),
        "none from there on"
    );

    begin_transaction(&partition, in_transaction(2, b"open"), now);
    let asked = describe_producers_request::TopicRequest::default()
        .with_name(orders())
        .with_partition_indexes(vec![0, 9]);
    let described = ask(&shard, 0, &DescribeProducersRequest::default().with_topics(vec![asked])).await;
    let partitions = &described.topics[0].partitions;
    assert_eq!(ErrorCode::from_code(partitions[1].error_code), Some(ErrorCode::UnknownTopicOrPartition));
    let expected = describe_producers_response::ProducerState::default()
        .with_producer_id(WRITER.into())
        .with_last_sequence(2)
        .with_last_timestamp(1000)
        .with_coordinator_epoch(3)
        .with_current_txn_start_offset(4);
    assert_eq!(partitions[0].active_producers, [expected]);
}
