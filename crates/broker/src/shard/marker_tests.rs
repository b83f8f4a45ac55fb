//! Markers and what they wait for, over a commit stage that takes its time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_control::machine::Caller;
use ottla_control::transaction::{
    AddPartitions, Command, End, InitProducerId, ProducerIdAndEpoch, Reply, TransactionVersion,
};
use ottla_log::{Append, BatchBuilder, FirstBatch, MemoryDisk, NewRecord, Origin};
use ottla_model::{Offset, TopicName, TopicPartition};
use tokio::sync::{oneshot, watch};

use super::partition::{CommitStage, Needs};
use super::{Lock, Partition, Place, Seams, Shard};
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

fn submit(shard: &Shard, command: Command) -> oneshot::Receiver<Reply> {
    let caller = Caller { client_id: None, client_host: "/".into() };
    shard.transaction("t").expect("local").submit(caller, command)
}

/// Lets everybody else run for a while.
async fn let_others_run() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// A transaction of id `t` with one record in `orders-0`.
async fn begin(shard: &Arc<Shard>) -> Arc<Partition> {
    let topic = TopicName::new("orders").expect("name");
    let live = shard.create_if_missing(&topic).await.expect("topic");
    shard.ensure_transactions().await.expect("transactions");
    let init = InitProducerId {
        transactional_id: "t".into(),
        timeout_ms: 60_000,
        enable_two_phase_commit: false,
        keep_prepared_transaction: false,
        expected: None,
        fresh_producer_id: Some(PRODUCER.producer_id),
    };
    let given = submit(shard, Command::InitProducerId(init)).await;
    assert_eq!(given, Ok(Reply::InitProducerId(Ok(PRODUCER))));
    let add = AddPartitions {
        transactional_id: "t".into(),
        producer: PRODUCER,
        partitions: vec![TopicPartition { topic, partition: 0 }],
        client_version: TransactionVersion::V2,
    };
    assert_eq!(submit(shard, Command::AddPartitions(add)).await, Ok(Reply::AddPartitions(Ok(()))));
    let partition = shard.partition(&live, 0).expect("local");
    let ProducerIdAndEpoch { producer_id, producer_epoch } = PRODUCER;
    let first = FirstBatch { producer_id, producer_epoch, base_sequence: 0, bumps_epochs: true };
    let guard = partition.log().begin_verification(first, shard.wall()).expect("not fenced");
    let mut builder = BatchBuilder::new().producer(producer_id, producer_epoch, 0).transactional();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"v"), headers: &[] });
    let append = Append { guard, ..Append::new(partition.leader_epoch(), Origin::Client, shard.wall()) };
    partition.append_as(builder.build(), append).expect("appended");
    partition
}

fn end() -> Command {
    Command::End(End {
        transactional_id: "t".into(),
        producer: PRODUCER,
        committed: true,
        client_version: TransactionVersion::V2,
        fresh_producer_id: None,
    })
}

async fn state(shard: &Shard) -> String {
    match submit(shard, Command::Describe { transactional_id: "t".into() }).await {
        Ok(Reply::Describe(Ok(description))) => description.state.name().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_marker_is_written_before_the_outcome_is_down_nor_completed_before_the_marker_is() {
    let stage = Arc::new(Holding::default());
    let place =
        Place { disk: Arc::new(MemoryDisk::default()), path: PathBuf::from("/test"), lock: Lock::None };
    let seams = Seams::one_node(Arc::clone(&stage) as Arc<dyn CommitStage>);
    let clock = Arc::new(SystemClock::new());
    let shard = Shard::open(Settings::default(), place, clock, seams).expect("opens");
    let (_running, stop) = watch::channel(false);
    tokio::spawn(Arc::clone(&shard).run_markers(stop));
    let orders = begin(&shard).await;
    let states = Arc::clone(shard.transaction("t").expect("local").partition());
    let_others_run().await;

    stage.0.store(true, Ordering::Release);
    let before = states.log().end_offset();
    let mut ended = submit(&shard, end());
    let_others_run().await;
    assert_eq!(states.log().end_offset(), before + 1, "PrepareCommit is appended");
    assert_eq!(ended.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    assert_eq!(orders.log().end_offset(), 1, "and no marker");

    states.commit(before + 1);
    let bumped = ProducerIdAndEpoch { producer_epoch: 1, ..PRODUCER };
    assert_eq!(ended.await, Ok(Reply::End(Ok(bumped))));
    let_others_run().await;
    assert_eq!(orders.log().end_offset(), 2, "the marker is appended");
    assert_eq!(states.log().end_offset(), before + 1, "and nothing says that it is down");
    assert_eq!(state(&shard).await, "PrepareCommit");

    stage.0.store(false, Ordering::Release);
    orders.commit(2);
    states.committed(before + 2).await.expect("online");
    assert_eq!(state(&shard).await, "CompleteCommit");
    assert_eq!(orders.log().last_stable_offset(orders.high_watermark()), 2);
}
