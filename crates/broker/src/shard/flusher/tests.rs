//! Many logs on a disk that counts its syncs and fails when told to.

use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};

use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
use ottla_log::{BatchBuilder, Identity, Log, LogConfig, NewRecord, Open, Origin, SimDisk};
use ottla_model::{TopicId, TopicName, WallMillis};

use super::*;

const DATA: &str = "/data";
const NOW: WallMillis = WallMillis(1_700_000_000_000);

/// More than are synced one by one.
const MANY: i32 = 40;

#[derive(Debug, Default)]
struct ManualClock(AtomicU64);

impl Clock for ManualClock {
    fn wall(&self) -> WallMillis {
        NOW
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_millis(self.0.load(Ordering::Relaxed)))
    }
}

/// A flusher over partitions of one topic, without its loop.
struct Scene {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    flusher: Arc<Flusher>,
    shared: SharedSync,
    partitions: Vec<Arc<Partition>>,
}

impl Scene {
    fn new(flush_messages: i64) -> Self {
        let disk = SimDisk::new(Path::new(DATA), 1);
        let clock = Arc::new(ManualClock::default());
        let flusher = Arc::new(Flusher::new(Arc::clone(&clock) as _, 1000));
        let shared = SharedSync::open(&disk, Path::new(DATA)).expect("opened");
        let partition = |index| {
            let config = LogConfig { flush_messages, ..LogConfig::default() };
            let stage = Arc::clone(&flusher) as _;
            let log = open(&disk, index, config);
            Arc::new(Partition::new(topic(), index, 0, log, stage))
        };
        let partitions = (0..MANY).map(partition).collect();
        Self { disk, clock, flusher, shared, partitions }
    }

    fn append_to_all(&self) {
        self.partitions.iter().for_each(|partition| {
            append(partition);
        });
    }

    /// What one turn of the loop does at that time; how many logs it syncs.
    fn turn(&self, millis: u64) -> usize {
        self.clock.0.store(millis, Ordering::Relaxed);
        let rounds = self.flusher.rounds(&self.shared);
        for round in &rounds {
            let permit = Arc::clone(&self.flusher.syncs).try_acquire_owned().expect("free");
            self.flusher.sync(round, &self.shared, permit);
        }
        rounds.iter().map(Vec::len).sum()
    }

    fn ends(&self) -> Vec<(Offset, Offset)> {
        self.partitions.iter().map(|one| (one.log().recovery_point(), one.high_watermark())).collect()
    }
}

fn topic() -> TopicName {
    TopicName::new("many").expect("legal")
}

fn open(disk: &SimDisk, index: i32, config: LogConfig) -> Log {
    let identity = Identity { topic: topic(), partition: index, topic_id: TopicId([7; 16]) };
    let directory = Path::new(DATA).join(format!("many-{index}"));
    let open = Open { clean: false, recovery_point: 0, synced: false, now: NOW };
    Log::open(Arc::new(disk.clone()), &directory, identity, config, open).expect("opened").0
}

fn append(partition: &Arc<Partition>) -> bool {
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"v"), headers: &[] });
    partition.append(builder.build(), Origin::Client, NOW).is_ok()
}

#[test]
fn many_logs_that_are_due_share_a_sync() {
    let scene = Scene::new(i64::MAX);
    scene.append_to_all();
    assert_eq!(scene.turn(999), 0, "not yet");
    assert_eq!(scene.turn(1000), MANY as usize);
    // One for all bytes and names, and one for the names of the checkpoints of epochs.
    assert_eq!(scene.disk.count(Class::Sync), 2);
    scene.append_to_all();
    assert_eq!(scene.turn(2000), MANY as usize);
    assert_eq!(scene.disk.count(Class::Sync), 3);
    assert_eq!(scene.ends(), vec![(2, 2); MANY as usize]);
    let dark = scene.disk.crash(Loss::Dropped, 0);
    for index in 0..MANY {
        assert_eq!(open(&dark, index, LogConfig::default()).end_offset(), 2, "{index}");
    }
    assert_eq!(scene.turn(9000), 0, "nothing is left to do");
}

#[test]
fn logs_that_are_nearly_due_go_along_with_one_that_is() {
    let scene = Scene::new(i64::MAX);
    for (place, partition) in scene.partitions.iter().enumerate() {
        scene.clock.0.store(10 * place as u64, Ordering::Relaxed);
        append(partition);
    }
    assert_eq!(scene.turn(999), 0, "none is due, so none goes along");
    // The first is due, and with it all that would be within a quarter of a second.
    assert_eq!(scene.turn(1000), 26);
    assert_eq!(scene.turn(1200), 0);
    assert_eq!(scene.turn(1260), MANY as usize - 26);
    assert_eq!(scene.ends(), vec![(1, 1); MANY as usize]);
}

#[test]
fn the_task_is_woken_only_for_what_is_due_sooner_than_it_looks() {
    let scene = Scene::new(i64::MAX);
    let is_woken = || {
        let mut woken = pin!(scene.flusher.work.notified());
        woken.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    };
    append(&scene.partitions[0]);
    assert!(is_woken(), "nothing was due before");
    assert_eq!(scene.flusher.next_due(), Some(Monotonic(Duration::from_secs(1))));
    scene.clock.0.store(100, Ordering::Relaxed);
    append(&scene.partitions[1]);
    assert!(!is_woken(), "the first is due before the second");
    let sooner = LogConfig { flush_ms: 5, ..LogConfig::default() };
    scene.partitions[2].log().set_config(sooner);
    append(&scene.partitions[2]);
    assert!(is_woken(), "the third is due before the first");
    assert_eq!(scene.flusher.next_due(), Some(Monotonic(Duration::from_millis(105))));
    assert_eq!(scene.turn(105), 1);
    assert_eq!(scene.flusher.next_due(), Some(Monotonic(Duration::from_secs(1))));
}

#[test]
fn few_logs_are_synced_one_by_one() {
    let scene = Scene::new(i64::MAX);
    scene.append_to_all();
    scene.turn(1000);
    let before = scene.disk.count(Class::Sync);
    scene.partitions.iter().take(3).for_each(|partition| {
        append(partition);
    });
    assert_eq!(scene.turn(2000), 3);
    assert_eq!(scene.disk.count(Class::Sync) - before, 3);
}

#[test]
fn a_shared_sync_that_fails_is_never_tried_again_and_none_is_shared_after_it() {
    let scene = Scene::new(1);
    scene.append_to_all();
    assert_eq!(scene.turn(0), MANY as usize, "somebody waits for them");
    let (first, others) = scene.partitions.split_first().expect("many");
    others.iter().for_each(|partition| {
        append(partition);
    });
    scene.disk.set_rules(vec![Rule::once(Class::Sync, 0, Fault::Failing)]);
    scene.turn(1);
    assert_eq!(scene.disk.count(Class::Sync), 1, "not tried again");
    assert!(others.iter().all(|partition| partition.is_offline() && !append(partition)));
    assert_eq!(scene.ends()[1..], vec![(1, 1); others.len()], "nothing of it was committed");
    // One that had no part in it serves on, and its own files are asked from now on.
    assert!(append(first) && !first.is_offline());
    assert_eq!(scene.turn(2), 1);
    assert_eq!(scene.ends()[0], (2, 2));
    assert!(!scene.shared.is_for(usize::MAX));
}

#[test]
fn a_checkpoint_that_does_not_fit_is_written_when_there_is_room_again() {
    // Together, and each for itself.
    for distrusted in [false, true] {
        let scene = Scene::new(1);
        if distrusted {
            scene.shared.distrust();
        }
        scene.append_to_all();
        // What is written are the checkpoints of epochs only.
        scene.disk.set_rules(vec![Rule::from(Class::Change, 0, Fault::Full)]);
        assert_eq!(scene.turn(0), MANY as usize);
        assert_eq!(scene.ends(), vec![(0, 0); MANY as usize]);
        assert!(scene.partitions.iter().all(|partition| !partition.is_offline()));
        assert_eq!(scene.turn(1), 0, "not at once");
        scene.disk.set_rules(Vec::new());
        assert_eq!(scene.turn(500), MANY as usize);
        assert_eq!(scene.ends(), vec![(1, 1); MANY as usize], "who waited for it is answered");
        assert_eq!(scene.turn(9000), 0);
    }
}

#[test]
fn a_log_that_is_appended_to_during_its_sync_is_synced_again() {
    let scene = Scene::new(1);
    let partition = &scene.partitions[0];
    append(partition);
    let taken = scene.flusher.take(Monotonic::default());
    assert_eq!((taken.wanted.len(), taken.due.len()), (1, 0));
    let flush = scene.flusher.begin(partition).expect("begun");
    append(partition);
    assert_eq!(scene.turn(0), 0, "one at a time");
    let outcome = flush.run();
    scene.flusher.end(partition, flush, outcome, &scene.shared);
    assert_eq!(scene.ends()[0], (1, 1));
    assert_eq!(scene.turn(0), 1);
    assert_eq!(scene.ends()[0], (2, 2));
}

#[test]
fn a_log_with_much_that_is_unsynced_does_not_wait_for_its_time() {
    let scene = Scene::new(i64::MAX);
    let partition = &scene.partitions[0];
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(&[0; 1024 * 1024 - 200]), headers: &[] });
    let large = builder.build();
    let append = || partition.append(large.clone(), Origin::Client, NOW).expect("appended");
    for number in 0..64 {
        append();
        assert_eq!(scene.turn(0), 0, "{number}");
    }
    append();
    assert_eq!(scene.turn(0), 1);
    assert_eq!(scene.ends()[0], (65, 65));
    append();
    assert_eq!(scene.turn(999), 0);
    assert_eq!(scene.turn(1000), 1);
}

#[test]
fn a_sync_that_whoever_appended_cannot_run_is_left_to_the_loop_once() {
    let scene = Scene::new(1);
    let partition = &scene.partitions[0];
    partition.let_appender_sync();
    append(partition);
    assert_eq!(scene.turn(0), 0, "it was offered");
    partition.sync_here();
    append(partition);
    partition.sync_here();
    assert_eq!(scene.ends()[0], (0, 0), "the loop has no threads yet");
    assert_eq!(scene.turn(0), 1);
    assert_eq!(scene.ends()[0], (2, 2));
    partition.sync_here();
    assert_eq!(scene.turn(0), 0, "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_appends_syncs_where_that_was_offered() {
    let Scene { disk, flusher, shared, partitions, .. } = Scene::new(1);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&flusher).run(Arc::new(shared), stopped));
    while flusher.lock().threads.is_none() {
        tokio::task::yield_now().await;
    }
    let partition = &partitions[0];
    partition.let_appender_sync();
    for end in 1..=3 {
        assert!(append(partition));
        assert_eq!(partition.high_watermark(), end - 1, "nobody else syncs it");
        partition.sync_here();
        assert_eq!((partition.log().recovery_point(), partition.high_watermark()), (end, end));
    }
    disk.set_rules(vec![Rule::once(Class::Sync, 0, Fault::Failing)]);
    assert!(append(partition));
    partition.sync_here();
    assert!(partition.is_offline());
    assert_eq!(partition.high_watermark(), 3, "what is not on disk is not committed");
    stop.send(true).expect("it runs");
    running.await.expect("stopped");
}

/// While it runs, more logs are appended to than are synced at a time, each again as soon as its sync is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_sync_gets_it_at_once_or_in_turn() {
    const APPENDS: Offset = 20;
    let Scene { disk, flusher, shared, partitions, .. } = Scene::new(1);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&flusher).run(Arc::new(shared), stopped));
    let producers = partitions.into_iter().take(SYNCS_AT_ONCE_MAX * 3).map(|partition| {
        tokio::spawn(async move {
            for end in 1..=APPENDS {
                assert!(append(&partition));
                partition.committed(end).await.expect("committed");
                assert!(
                    partition.log().recovery_point() >= end,
                    "{end} was acknowledged before it was synced"
                );
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.expect("every append was committed");
    }
    assert!(disk.count(Class::Sync) > 0);
    stop.send(true).expect("it runs");
    running.await.expect("stopped");
    assert!(flusher.lock().threads.is_none(), "what is appended from now on is left to the close of its log");
}
