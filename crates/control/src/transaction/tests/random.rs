//! Random stories, each told by its seed, and the rules that hold in all of them.

use std::collections::HashMap;
use std::sync::Arc;

use ottla_model::ErrorCode;

use super::scene::{init_of, partitions};
use super::*;
use crate::codec::TransactionLogKey;
use crate::machine::{Machine, Record};
use crate::transaction::metadata::{CLIENT_EPOCH_MAX, TransactionMetadata};
use crate::transaction::*;

/// SplitMix64: good enough to tell stories.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize].clone()
    }
}

/// Tells the seed of a story that ends badly.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {}", self.0);
        }
    }
}

const IDS: [&str; 3] = ["t", "u", "v"];
const PARTITIONS: [&str; 4] = ["x-0", "x-1 y-0", "y-0", "__consumer_offsets-3"];

/// What the world remembers: producers that clients were told of, and work that drivers were.
#[derive(Default)]
struct World {
    producers: Vec<ProducerIdAndEpoch>,
    work: Vec<Work>,
    read: usize,
    fresh: i64,
}

impl World {
    fn learn(&mut self, scene: &Scene) {
        for answer in &scene.answers[self.read..] {
            match answer {
                Reply::InitProducerId(Ok(producer)) | Reply::End(Ok(producer)) => {
                    self.producers.push(*producer);
                }
                Reply::Work(Ok(work)) => self.work.extend(work.iter().cloned()),
                _ => {}
            }
        }
        self.read = scene.answers.len();
        let old = self.producers.len().saturating_sub(9);
        self.producers.drain(..old);
    }

    fn producer(&self, dice: &mut Dice) -> ProducerIdAndEpoch {
        let mut producer = match self.producers.len() {
            0 => ProducerIdAndEpoch { producer_id: 1, producer_epoch: 0 },
            // Mostly the newest.
            count if dice.one_in(2) => self.producers[count - 1],
            _ => dice.pick(&self.producers),
        };
        if dice.one_in(15) {
            producer.producer_epoch += 1;
        }
        producer
    }

    fn command(&mut self, dice: &mut Dice) -> Command {
        self.fresh += 1;
        let fresh_producer_id = (!dice.one_in(5)).then_some(1_000_000 + self.fresh);
        let transactional_id: Arc<str> = dice.pick(&IDS).into();
        let producer = self.producer(dice);
        let client_version = dice.pick(&[TransactionVersion::V0, TransactionVersion::V2]);
        match dice.below(20) {
            0..=3 => Command::InitProducerId(InitProducerId {
                expected: dice.one_in(2).then_some(producer),
                timeout_ms: dice.pick(&[1_000, 60_000]),
                fresh_producer_id,
                ..init_of(&transactional_id)
            }),
            4..=9 => {
                let partitions = partitions(dice.pick(&PARTITIONS));
                Command::AddPartitions(AddPartitions {
                    transactional_id,
                    producer,
                    partitions,
                    client_version,
                })
            }
            10..=13 => {
                let committed = dice.one_in(2);
                Command::End(End { transactional_id, producer, committed, client_version, fresh_producer_id })
            }
            14 => Command::Describe { transactional_id },
            15 => Command::List(List::default()),
            16..=17 => Command::TakeWork,
            _ => self.do_some_work(dice).unwrap_or(Command::TakeWork),
        }
    }

    /// A driver that is slow, does things twice and out of order, but does not lie.
    fn do_some_work(&mut self, dice: &mut Dice) -> Option<Command> {
        if self.work.is_empty() {
            return None;
        }
        let at = dice.below(self.work.len() as u64) as usize;
        let work = if dice.one_in(4) { self.work[at].clone() } else { self.work.swap_remove(at) };
        self.fresh += 1;
        Some(carry_out(work, 1_000_000 + self.fresh))
    }
}

fn carry_out(work: Work, fresh_producer_id: i64) -> Command {
    match work {
        Work::Markers(Markers { transactional_id, producer, partitions, .. }) => {
            Command::MarkersWritten(MarkersWritten { transactional_id, producer, partitions })
        }
        Work::AbortTimedOut { transactional_id, producer } => {
            Command::AbortTimedOut(AbortTimedOut { transactional_id, producer, fresh_producer_id })
        }
    }
}

fn durable(machine: &Transactions) -> Vec<(Arc<str>, TransactionMetadata)> {
    let ids = machine.transactional_ids();
    ids.into_iter().map(|id| (id.clone(), machine.entries[&id].metadata.clone())).collect()
}

/// A machine that knows nothing but the log.
struct Reader {
    machine: Transactions,
    read: usize,
}

impl Reader {
    fn new() -> Self {
        Self { machine: Transactions::new(TransactionConfig::default()), read: 0 }
    }

    fn read(&mut self, log: &[Record]) {
        for record in &log[self.read..] {
            self.machine.replay(0, &record.as_ref(0)).unwrap();
        }
        self.read = log.len();
    }
}

/// What must hold between any two calls, when nothing waits for an append.
fn check(scene: &Scene, reader: &mut Reader) {
    reader.read(&scene.log);
    assert_eq!(durable(&scene.machine), durable(&reader.machine), "the log says what the machine knows");
    for (id, entry) in &scene.machine.entries {
        let is_ending = entry.metadata.state.is_prepared();
        assert_eq!(scene.machine.outbox.remaining(id).is_some(), is_ending, "{id} has markers to write");
        assert!(is_ending || scene.machine.schedule.contains(id), "{id} is looked at one day");
        assert!(!is_ending || !entry.metadata.partitions.is_empty(), "{id} waits for something");
    }
    assert!(scene.machine.undone.is_empty() && scene.machine.staged_last_epochs.is_empty());
}

/// The states that may be before each (`TransactionState.VALID_PREVIOUS_STATES`).
fn may_follow(before: Option<TransactionState>, state: TransactionState) -> bool {
    use TransactionState::*;
    match state {
        Empty => before.is_none_or(TransactionState::is_idle),
        Ongoing | PrepareAbort => matches!(before, Some(Empty | Ongoing | CompleteCommit | CompleteAbort)),
        PrepareCommit => before == Some(Ongoing),
        CompleteCommit => before == Some(PrepareCommit),
        CompleteAbort => before == Some(PrepareAbort),
    }
}

/// What must hold of a whole log: every change is one that Kafka allows, and no epoch goes back.
fn check_log(scene: &Scene) {
    let mut states: HashMap<String, TransactionMetadata> = HashMap::new();
    let mut epochs: HashMap<i64, (String, i16)> = HashMap::new();
    for record in &scene.log {
        let Ok(TransactionLogKey::TransactionalId(id)) = TransactionLogKey::decode(&record.key) else {
            panic!("a key of another type")
        };
        let Some(value) = &record.value else {
            assert!(states.remove(id).is_some_and(|before| before.state.is_idle()), "{id} expires");
            continue;
        };
        let metadata = TransactionMetadata::decode(value).unwrap();
        let before = states.get(id);
        assert!(may_follow(before.map(|before| before.state), metadata.state), "{before:?} {metadata:?}");
        let (owner, epoch) = epochs.entry(metadata.producer_id).or_insert((id.to_owned(), 0));
        assert_eq!(owner, id, "a producer id belongs to one transactional id");
        assert!(*epoch <= metadata.producer_epoch, "{before:?} {metadata:?}");
        *epoch = metadata.producer_epoch;
        if let Some(before) = before
            && metadata.state.is_prepared()
        {
            assert_eq!(before.partitions, metadata.partitions, "all of it ends");
            let bump = i16::from(metadata.client_version.bumps_epoch());
            assert_eq!(metadata.producer_epoch, before.producer_epoch + bump);
        }
        states.insert(id.to_owned(), metadata);
    }
}

/// What drivers are told is what the log says.
fn check_work(scene: &Scene, work: &[Work]) {
    for work in work {
        let Work::Markers(markers) = work else { continue };
        let found = scene.log.iter().any(|record| {
            let metadata = record.value.as_deref().and_then(|value| TransactionMetadata::decode(value).ok());
            metadata.is_some_and(|metadata| {
                metadata.producer() == markers.producer
                    && metadata.state
                        == if markers.committed {
                            TransactionState::PrepareCommit
                        } else {
                            TransactionState::PrepareAbort
                        }
            })
        });
        assert!(found, "{markers:?} has a record");
    }
}

fn story(seed: u64) {
    let _told = Seed(seed);
    let dice = &mut Dice(seed);
    let mut scene = Scene::new();
    let (mut world, mut reader) = (World::default(), Reader::new());
    // Some stories begin near the end of the epochs.
    if dice.one_in(4) {
        scene.begin_at_epoch(CLIENT_EPOCH_MAX - 3);
    }
    for _ in 0..300 {
        scene.calls_meet = dice.one_in(3);
        scene.appends_fail = dice.one_in(8).then_some(ErrorCode::KafkaStorageError);
        for _ in 0..=dice.below(3) {
            let command = world.command(dice);
            scene.send("someone", command);
            if !scene.calls_meet {
                check(&scene, &mut reader);
            }
        }
        if dice.one_in(6) {
            let now_ms = scene.now_ms + dice.pick(&[1, 300, 20_000]);
            scene.at(now_ms);
        }
        scene.append();
        check(&scene, &mut reader);
        let told = world.work.len();
        world.learn(&scene);
        check_work(&scene, &world.work[told..]);
        if dice.one_in(40) {
            scene.restart();
            world.work.clear();
        }
        scene.forget_transcript();
    }
    settle(&mut scene, &mut world);
    check_log(&scene);
}

/// When faults end and the driver works, no transaction stays open.
fn settle(scene: &mut Scene, world: &mut World) {
    scene.calls_meet = false;
    scene.appends_fail = None;
    scene.restart();
    world.work.clear();
    let end_ms = scene.now_ms + 65_000;
    while scene.now_ms < end_ms {
        scene.at(scene.now_ms + 500);
        scene.take_work();
        world.learn(scene);
        for work in std::mem::take(&mut world.work) {
            world.fresh += 1;
            scene.send("driver", carry_out(work, 1_000_000 + world.fresh));
        }
    }
    check(scene, &mut Reader::new());
    for (id, entry) in &scene.machine.entries {
        assert!(entry.metadata.state.is_idle(), "{id} is still {:?}", entry.metadata.state);
    }
}

#[test]
fn stories() {
    for seed in 0..300 {
        story(seed);
    }
}
