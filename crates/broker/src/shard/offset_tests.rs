//! Offsets of transactions where the group's coordinator, its log and the markers meet.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_control::group::{
    Command, CommitOffsets, CommitPartition, CommitTopic, FetchOffsets, FetchTopic, Groups, Reply,
};
use ottla_control::machine::Caller;
use ottla_control::transaction::{self, AddPartitions, End, ProducerIdAndEpoch, TransactionVersion};
use ottla_log::{BatchHeader, FirstBatch, Guard, MemoryDisk, Outcome};
use ottla_model::{ErrorCode, Offset, TopicId, TopicName, TopicPartition};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};

use super::partition::{CommitStage, Needs};
use super::{Coordinator, InTransaction, Lock, Marker, Partition, Place, Seams, Shard};
use crate::clock::SystemClock;
use crate::settings::Settings;

const PRODUCER: ProducerIdAndEpoch = ProducerIdAndEpoch { producer_id: 7, producer_epoch: 0 };

/// Commits nothing while it holds; the test commits then.
#[derive(Debug, Default)]
struct Holding(AtomicBool);

impl CommitStage for Holding {
    fn appended(&self, partition: &Arc<Partition>, end: Offset, _sync: Needs) {
        if !self.0.load(Ordering::Acquire) {
            partition.commit(end);
        }
    }
}

fn open(disk: &Arc<MemoryDisk>, stage: &Arc<Holding>) -> Arc<Shard> {
    let disk = Arc::clone(disk) as Arc<dyn ottla_log::Disk>;
    let place = Place { disk, path: PathBuf::from("/test"), lock: Lock::None };
    let seams = Seams::one_node(Arc::clone(stage) as Arc<dyn CommitStage>);
    Shard::open(Settings::default(), place, Arc::new(SystemClock::new()), seams).expect("opens")
}

/// A shard that coordinates groups and transactions, and the coordinator of group `g`.
async fn prepared(disk: &Arc<MemoryDisk>) -> (Arc<Shard>, Arc<Coordinator<Groups>>, Arc<Holding>) {
    let stage = Arc::new(Holding::default());
    let shard = open(disk, &stage);
    shard.ensure_groups().await.expect("groups");
    shard.ensure_transactions().await.expect("transactions");
    let group = Arc::clone(shard.group("g").expect("local"));
    (shard, group, stage)
}

fn caller() -> Caller {
    Caller { client_id: None, client_host: "/".into() }
}

fn topic() -> TopicName {
    TopicName::new("orders").expect("name")
}

fn commit(partition: i32, offset: i64, in_transaction: bool) -> Command {
    let partitions = vec![CommitPartition::new(partition, offset)];
    Command::CommitOffsets(CommitOffsets {
        group_id: "g".into(),
        member_id: "".into(),
        group_instance_id: None,
        generation_or_member_epoch: -1,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: true,
        in_transaction,
        topics: vec![CommitTopic { topic: topic(), topic_id: TopicId::ZERO, partitions }],
    })
}

fn commit_in(
    group: &Arc<Coordinator<Groups>>,
    guard: Option<Guard>,
    offset: i64,
) -> oneshot::Receiver<Reply> {
    commit_of(group, PRODUCER, guard, offset)
}

fn commit_of(
    group: &Arc<Coordinator<Groups>>,
    producer: ProducerIdAndEpoch,
    guard: Option<Guard>,
    offset: i64,
) -> oneshot::Receiver<Reply> {
    let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
    group.submit_in(InTransaction { producer_id, producer_epoch, guard }, caller(), commit(0, offset, true))
}

fn outcome(reply: Result<Reply, oneshot::error::RecvError>) -> ErrorCode {
    let Ok(Reply::CommitOffsets(reply)) = reply else { panic!("{reply:?}") };
    reply.topics[0].partitions[0].1
}

fn guard(shard: &Shard, group: &Coordinator<Groups>) -> Option<Guard> {
    guard_of(shard, group, PRODUCER)
}

fn guard_of(shard: &Shard, group: &Coordinator<Groups>, producer: ProducerIdAndEpoch) -> Option<Guard> {
    let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
    let first = FirstBatch { producer_id, producer_epoch, base_sequence: -1, bumps_epochs: true };
    group.partition().log().begin_verification(first, shard.wall()).expect("not fenced")
}

fn ask(group: &Arc<Coordinator<Groups>>) -> oneshot::Receiver<Reply> {
    let orders = FetchTopic { topic: topic(), topic_id: TopicId::ZERO, partitions: vec![0] };
    let fetch = FetchOffsets {
        group_id: "g".into(),
        member_id: None,
        member_epoch: -1,
        topics: Some(vec![orders]),
        require_stable: true,
    };
    group.submit(caller(), Command::FetchOffsets(fetch))
}

/// What is committed for partition 0, unless it is not stable.
async fn stable(group: &Arc<Coordinator<Groups>>) -> Result<i64, ErrorCode> {
    let Ok(Reply::FetchOffsets(reply)) = ask(group).await else { panic!("of a fetch") };
    let part = &reply.topics[0].partitions[0];
    if part.error.is_error() { Err(part.error) } else { Ok(part.offset) }
}

fn place_of(group: &Coordinator<Groups>) -> TopicPartition {
    TopicPartition { topic: group.partition().topic.clone(), partition: group.partition().index }
}

fn marker(producer_epoch: i16, outcome: Outcome) -> Marker {
    let producer = ProducerIdAndEpoch { producer_epoch, ..PRODUCER };
    Marker { producer, outcome, coordinator_epoch: 0, transaction_version: 2 }
}

/// Lets everybody else run for a while.
async fn let_others_run() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_prepared_ends_at_the_next_start() {
    let disk = Arc::new(MemoryDisk::default());
    let (shard, group, stage) = prepared(&disk).await;
    let submit = |shard: &Shard, command| shard.transaction("t").expect("local").submit(caller(), command);
    let init = transaction::InitProducerId {
        transactional_id: "t".into(),
        timeout_ms: 60_000,
        enable_two_phase_commit: false,
        keep_prepared_transaction: false,
        expected: None,
        fresh_producer_id: Some(PRODUCER.producer_id),
    };
    submit(&shard, transaction::Command::InitProducerId(init)).await.expect("an answer");
    let guard = guard(&shard, &group);
    let add = AddPartitions {
        transactional_id: "t".into(),
        producer: PRODUCER,
        partitions: vec![place_of(&group)],
        client_version: TransactionVersion::V2,
    };
    submit(&shard, transaction::Command::AddPartitions(add)).await.expect("an answer");
    assert_eq!(outcome(commit_in(&group, guard, 5).await), ErrorCode::None);
    let end = End {
        transactional_id: "t".into(),
        producer: PRODUCER,
        committed: true,
        client_version: TransactionVersion::V2,
        fresh_producer_id: None,
    };
    let ended = submit(&shard, transaction::Command::End(end)).await;
    assert!(matches!(ended, Ok(transaction::Reply::End(Ok(_)))), "{ended:?}");
    // Nobody drives the markers; and then everything stops.
    assert_eq!(stable(&group).await, Err(ErrorCode::UnstableOffsetCommit));
    drop((shard, group));

    let shard = open(&disk, &stage);
    let group = Arc::clone(shard.group("g").expect("local"));
    assert_eq!(stable(&group).await, Err(ErrorCode::UnstableOffsetCommit));
    let (_running, stop) = watch::channel(false);
    tokio::spawn(Arc::clone(&shard).run_markers(stop));
    group.partition().committed(2).await.expect("online");
    assert_eq!(stable(&group).await, Ok(5));
    assert_eq!(group.partition().log().last_stable_offset(2), 2);
}

#[tokio::test]
async fn what_a_marker_commits_is_not_told_before_the_marker_is_down() {
    let (shard, group, stage) = prepared(&Arc::default()).await;
    let guard = guard(&shard, &group);
    assert_eq!(outcome(commit_in(&group, guard, 5).await), ErrorCode::None);
    stage.0.store(true, Ordering::Release);
    let place = place_of(&group);
    let writing = shard.write_marker(&place, marker(1, Outcome::Commit));
    tokio::pin!(writing);
    tokio::select! {
        biased;
        done = &mut writing => panic!("{done:?}"),
        () = let_others_run() => {}
    }
    let mut asked = ask(&group);
    let_others_run().await;
    assert_eq!(asked.try_recv(), Err(TryRecvError::Empty), "it has seen the marker");
    group.partition().commit(2);
    writing.await.expect("down");
    let_others_run().await;
    assert!(matches!(asked.try_recv(), Ok(Reply::FetchOffsets(_))));
    assert_eq!(stable(&group).await, Ok(5));
}

#[tokio::test]
async fn what_was_judged_before_the_marker_is_not_appended_after_it() {
    let (shard, group, _stage) = prepared(&Arc::default()).await;
    let guard = guard(&shard, &group);
    assert!(guard.is_some());
    shard.write_marker(&place_of(&group), marker(1, Outcome::Abort)).await.expect("down");
    let end = group.partition().log().end_offset();
    // The epoch of the marker is that of the next transaction, so what comes late is of an older one.
    assert_eq!(outcome(commit_in(&group, guard, 5).await), ErrorCode::InvalidProducerEpoch);
    let without = InTransaction { producer_id: 8, producer_epoch: 0, guard: None };
    let refused = group.submit_in(without, caller(), commit(0, 5, true)).await;
    assert_eq!(outcome(refused), ErrorCode::InvalidTxnState);
    assert_eq!(group.partition().log().end_offset(), end);
    assert_eq!(stable(&group).await, Ok(-1), "nothing is pending");
    assert!(group.look(Groups::is_empty), "and no group came to be");
}

#[tokio::test]
async fn a_stale_marker_changes_nothing() {
    let (shard, group, _stage) = prepared(&Arc::default()).await;
    let guard = guard(&shard, &group);
    assert_eq!(outcome(commit_in(&group, guard, 5).await), ErrorCode::None);
    assert!(shard.write_marker(&place_of(&group), marker(-1, Outcome::Commit)).await.is_err());
    assert!(shard.write_marker(&place_of(&group), marker(0, Outcome::Commit)).await.is_err(), "of version 2");
    assert_eq!(stable(&group).await, Err(ErrorCode::UnstableOffsetCommit));
    shard.write_marker(&place_of(&group), marker(1, Outcome::Abort)).await.expect("down");
    assert_eq!(stable(&group).await, Ok(-1));
}

#[tokio::test]
async fn what_arrives_together_keeps_its_order_and_a_transaction_its_batch() {
    let (shard, group, _stage) = prepared(&Arc::default()).await;
    let guard = guard(&shard, &group);
    // While the machine is looked at, commands wait for it.
    let waiting = group.look(|_| {
        vec![
            group.submit(caller(), commit(1, 1, false)),
            group.submit(caller(), commit(2, 2, false)),
            commit_in(&group, guard, 3),
            commit_in(&group, None, 4),
            group.submit(caller(), commit(3, 5, false)),
            group.submit(caller(), commit(4, 6, false)),
        ]
    });
    for reply in waiting {
        assert_eq!(outcome(reply.await), ErrorCode::None);
    }
    let log = group.partition().log();
    let batches = log.batches(0).map(|batch| {
        let header = BatchHeader::parse(&batch.expect("readable")).expect("whole");
        (header.record_count, header.is_transactional(), header.producer_id, header.base_sequence)
    });
    let expected = [(2, false, -1, -1), (1, true, 7, 0), (1, true, 7, 0), (2, false, -1, -1)];
    assert_eq!(batches.collect::<Vec<_>>(), expected);
}

/// As many producers as a log keeps guards for, and one more.
#[tokio::test]
async fn of_ten_thousand_producers_each_is_by_itself() {
    const PRODUCERS: i64 = 10_001;
    let (shard, group, _stage) = prepared(&Arc::default()).await;
    let producer = |producer_id| ProducerIdAndEpoch { producer_id, producer_epoch: 0 };
    let guards: Vec<_> =
        (0..PRODUCERS).map(|producer_id| guard_of(&shard, &group, producer(producer_id))).collect();
    for (producer_id, guard) in (0..PRODUCERS).zip(guards) {
        let reply = commit_of(&group, producer(producer_id), guard, producer_id).await;
        let oldest = if producer_id == 0 { ErrorCode::InvalidTxnState } else { ErrorCode::None };
        assert_eq!(outcome(reply), oldest, "{producer_id}");
    }
    assert_eq!(stable(&group).await, Err(ErrorCode::UnstableOffsetCommit));
    for producer_id in (1..PRODUCERS).rev() {
        let outcome = if producer_id % 3 == 0 { Outcome::Commit } else { Outcome::Abort };
        let marker = Marker { producer: producer(producer_id), ..marker(1, outcome) };
        let marker = Marker { transaction_version: 0, ..marker };
        shard.write_marker(&place_of(&group), marker).await.expect("down");
    }
    assert_eq!(stable(&group).await, Ok(9_999), "the newest of those that were committed");
}
