//! What the requests that come all the time take from the allocator, so that an allocation more is noticed.
//!
//! Each is started as a connection starts it, on a disk as a broker has it, after some that warm up. Nothing is timed. A list
//! that doubles and a tree that splits are paid for by few requests, so the median of many is exact; it is the same in
//! debug and release builds.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, CreateTopicsRequest, FetchRequest, GroupId, OffsetCommitRequest,
    ProduceRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_log::{BatchBuilder, NewRecord, RealDisk};

use super::seam_tests::{Holding, ask, client, create_orders, frame, orders};
use super::{Lock, Place, Seams, Shard};
use crate::api::{Started, start};
use crate::clock::SystemClock;
use crate::settings::Settings;

/// Topics of one request.
const TOPICS_CREATED: usize = 100;

/// By name, and in the encoding with compact lengths.
const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;
const COMMIT_VERSION: i16 = 9;
const CREATE_VERSION: i16 = 7;

/// A batch as stock producers fill it: `batch.size` is 16 KiB.
const RECORDS: i32 = 16;
const VALUE_BYTES: usize = 1000;
/// Batches in one answer.
const BATCHES_FETCHED: i32 = 10;

const WARM_UP: usize = 20;
const MEASURED: usize = 51;

/// What one request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    allocations: u64,
    bytes: u64,
}

// What they take now. Whoever makes one cheaper lowers its bound.
const PRODUCE: Cost = Cost { allocations: 8, bytes: 817 };
const FETCH: Cost = Cost { allocations: 15, bytes: 1430 };
const COMMIT_OF_MEMBER: Cost = Cost { allocations: 31, bytes: 3158 };
const COMMIT_OF_SIMPLE_CONSUMER: Cost = Cost { allocations: 30, bytes: 3006 };
const TOPICS_OF_ONE_REQUEST: Cost = Cost { allocations: 2088, bytes: 427_901 };

async fn shard(directory: &Path) -> Arc<Shard> {
    let place = Place { disk: Arc::new(RealDisk), path: directory.to_owned(), lock: Lock::None };
    let seams = Seams::one_node(Arc::new(Holding::default()));
    let shard = Shard::open(Settings::default(), place, Arc::new(SystemClock::new()), seams).expect("opens");
    create_orders(&shard).await;
    shard
}

/// The median cost of requests that are answered at once.
fn cost(shard: &Arc<Shard>, frames: impl Iterator<Item = Bytes>) -> Cost {
    let client = client();
    let mut costs = Vec::new();
    for frame in frames.take(WARM_UP + MEASURED) {
        let _shared_as_frames_of_connections_are = frame.clone();
        let mut started = None;
        let counted = allocation_counter::measure(|| started = Some(start(shard, &client, frame)));
        assert!(matches!(started, Some(Ok(Started::Ready(_)))), "it waits, or closes the connection");
        costs.push(Cost { allocations: counted.count_total, bytes: counted.bytes_total });
    }
    let measured = &mut costs[WARM_UP..];
    measured.sort_unstable();
    measured[MEASURED / 2]
}

fn assert_within(found: Cost, bound: Cost) {
    let within = found.allocations <= bound.allocations && found.bytes <= bound.bytes;
    assert!(within, "{found:?} is more than {bound:?}");
}

/// The n-th batch of an idempotent producer, as stock ones are by default.
fn produce(number: i32) -> ProduceRequest {
    let mut builder = BatchBuilder::new().producer(7, 0, number * RECORDS);
    let value = [7; VALUE_BYTES];
    for _ in 0..RECORDS {
        builder.push(NewRecord { timestamp: 1, key: None, value: Some(&value), headers: &[] });
    }
    let data = PartitionProduceData::default().with_index(0).with_records(Some(builder.build()));
    let topic = TopicProduceData::default().with_name(orders()).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(1000).with_topic_data(vec![topic])
}

fn produces() -> impl Iterator<Item = Bytes> {
    (0..).map(|number| frame(PRODUCE_VERSION, &produce(number)))
}

/// Asks a session for what is behind offset 0 once more.
fn fetch(session_id: i32, session_epoch: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(orders()).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_min_bytes(1)
        .with_session_id(session_id)
        .with_session_epoch(session_epoch)
        .with_topics(vec![topic])
}

fn commit(member_id: StrBytes, epoch: i32) -> OffsetCommitRequest {
    use kafka_protocol::messages::offset_commit_request::*;
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(0)
        .with_committed_metadata(Some(StrBytes::from_static_str("")));
    let topic = OffsetCommitRequestTopic::default().with_name(orders()).with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(GroupId("readers".into()))
        .with_member_id(member_id)
        .with_generation_id_or_member_epoch(epoch)
        .with_topics(vec![topic])
}

/// The n-th request for topics that are not there yet.
fn create(number: usize) -> CreateTopicsRequest {
    let topic = |index| {
        CreatableTopic::default()
            .with_name(StrBytes::from_string(format!("made-{number}-{index}")).into())
            .with_num_partitions(1)
            .with_replication_factor(1)
    };
    let topics = (0..TOPICS_CREATED).map(topic).collect();
    CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(1000)
}

async fn cost_of_commits(shard: &Arc<Shard>, request: &OffsetCommitRequest) -> Cost {
    let committed = ask(shard, COMMIT_VERSION, request).await;
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    cost(shard, std::iter::repeat_with(|| frame(COMMIT_VERSION, request)))
}

#[tokio::test]
async fn a_produced_batch() {
    let directory = tempfile::tempdir().expect("a directory");
    let shard = shard(directory.path()).await;
    assert_within(cost(&shard, produces()), PRODUCE);
    let next =
        ask(&shard, PRODUCE_VERSION, &produce(i32::try_from(WARM_UP + MEASURED).expect("small"))).await;
    assert_eq!(next.responses[0].partition_responses[0].error_code, 0, "the batches before were taken");
}

#[tokio::test]
async fn a_fetch_of_several_batches() {
    let directory = tempfile::tempdir().expect("a directory");
    let shard = shard(directory.path()).await;
    for number in 0..BATCHES_FETCHED {
        ask(&shard, PRODUCE_VERSION, &produce(number)).await;
    }
    let first = ask(&shard, FETCH_VERSION, &fetch(0, 0)).await;
    let records = first.responses[0].partitions[0].records.as_ref().map_or(0, Bytes::len);
    let batch = produce(0).topic_data[0].partition_data[0].records.as_ref().map_or(0, Bytes::len);
    assert_eq!(Some(records), usize::try_from(BATCHES_FETCHED).ok().map(|count| count * batch));
    let epochs = 1..;
    let found = cost(&shard, epochs.map(|epoch| frame(FETCH_VERSION, &fetch(first.session_id, epoch))));
    assert_within(found, FETCH);
}

#[tokio::test]
async fn a_commit_of_a_member() {
    let directory = tempfile::tempdir().expect("a directory");
    let shard = shard(directory.path()).await;
    let join = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId("readers".into()))
        .with_rebalance_timeout_ms(60_000)
        .with_subscribed_topic_names(Some(vec![orders()]))
        .with_topic_partitions(Some(Vec::new()));
    let joined = ask(&shard, 0, &join).await;
    assert_eq!(joined.error_code, 0, "{joined:?}");
    let request = commit(joined.member_id.expect("an id"), joined.member_epoch);
    assert_within(cost_of_commits(&shard, &request).await, COMMIT_OF_MEMBER);
}

#[tokio::test]
async fn a_commit_of_a_simple_consumer() {
    let directory = tempfile::tempdir().expect("a directory");
    let shard = shard(directory.path()).await;
    let request = commit(StrBytes::default(), -1);
    assert_within(cost_of_commits(&shard, &request).await, COMMIT_OF_SIMPLE_CONSUMER);
}

#[tokio::test]
async fn topics_of_one_request() {
    let directory = tempfile::tempdir().expect("a directory");
    let shard = shard(directory.path()).await;
    // Without the pauses that the runtime puts between many operations of one task.
    let creates = async { cost(&shard, (0..).map(|number| frame(CREATE_VERSION, &create(number)))) };
    let found = tokio::task::unconstrained(creates).await;
    assert_within(found, TOPICS_OF_ONE_REQUEST);
    let next = ask(&shard, CREATE_VERSION, &create(WARM_UP + MEASURED)).await;
    assert_eq!(next.topics.len(), TOPICS_CREATED);
    assert!(next.topics.iter().all(|topic| topic.error_code == 0));
    assert_eq!(shard.topics().len(), TOPICS_CREATED * (WARM_UP + MEASURED + 1) + 2, "all were made");
}
