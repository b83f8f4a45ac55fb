//! Random stories, each told by its seed, and the rules that hold in all of them.

use bytes::Bytes;
use ottla_model::{ErrorCode, TopicId, TopicName};
use std::sync::Arc;

use super::scene::{durable, replayed};
use super::*;
use crate::codec::{GroupMetadataValue, Key};
use crate::group::*;
use crate::machine::{Machine, Record, RecordRef};

/// SplitMix64: good enough to tell stories.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize].clone()
    }
}

/// Tells the seed of a story that ends badly.
pub(super) struct Seed(pub(super) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {}", self.0);
        }
    }
}

/// What clients know: member ids with the generation in which they got them.
#[derive(Default)]
struct Clients {
    known: Vec<(Arc<str>, i32)>,
    read: usize,
}

impl Clients {
    fn learn(&mut self, scene: &Scene) {
        for answer in &scene.answers[self.read..] {
            if let Reply::Join(join) = answer
                && !join.member_id.is_empty()
            {
                self.known.push((Arc::clone(&join.member_id), join.generation));
            }
        }
        self.read = scene.answers.len();
        let old = self.known.len().saturating_sub(12);
        self.known.drain(..old);
    }

    fn member(&self, dice: &mut Dice) -> (Arc<str>, i32) {
        if self.known.is_empty() || dice.one_in(15) {
            return (dice.pick(&["", "stranger"]).into(), dice.below(4) as i32 - 1);
        }
        let (member_id, generation) = dice.pick(&self.known);
        let generation = if dice.one_in(10) { generation + 1 } else { generation };
        (member_id, generation)
    }

    fn transactional(&self, dice: &mut Dice) -> CommitOffsets {
        let group_id: Arc<str> = dice.pick(&["g", "g", "h", "i"]).into();
        let (member_id, generation) = self.member(dice);
        CommitOffsets { in_transaction: true, ..random_commit(dice, group_id, member_id, generation) }
    }

    fn command(&self, dice: &mut Dice) -> Command {
        let group_id: Arc<str> = dice.pick(&["g", "g", "g", "h"]).into();
        let (member_id, generation) = self.member(dice);
        let instance = dice.one_in(4).then(|| dice.pick(&["one", "two"]).into());
        match dice.below(20) {
            0..=5 => Command::Join(random_join(dice, group_id, member_id, instance)),
            6..=9 => Command::Sync(Sync {
                group_id,
                member_id,
                group_instance_id: None,
                generation,
                protocol_type: None,
                protocol: None,
                assignments: self.known.iter().map(|(id, _)| (Arc::clone(id), Bytes::from("x"))).collect(),
            }),
            10..=11 => {
                Command::Heartbeat(Heartbeat { group_id, member_id, group_instance_id: instance, generation })
            }
            12 => {
                let member = LeavingMember { member_id, group_instance_id: instance, reason: None };
                Command::Leave(Leave { group_id, members: vec![member] })
            }
            13..=15 => Command::CommitOffsets(random_commit(dice, group_id, member_id, generation)),
            16 => Command::Describe { group_id },
            17 => Command::Delete { group_id },
            18 => Command::DeleteOffsets(DeleteOffsets { group_id, topics: vec![(orders(), vec![0, 1])] }),
            _ => Command::TopicDeleted { topic: orders(), topic_id: TopicId([dice.below(3) as u8; 16]) },
        }
    }
}

fn orders() -> TopicName {
    TopicName::new("orders").unwrap()
}

fn random_join(
    dice: &mut Dice,
    group_id: Arc<str>,
    member_id: Arc<str>,
    group_instance_id: Option<Arc<str>>,
) -> Join {
    let protocols =
        [&["range"][..], &["range", "sticky"], &["sticky", "range"], &["odd"], &["range", "range"]];
    let protocols = dice.pick(&protocols).iter().map(|name| ((*name).into(), Bytes::from_static(b"m")));
    Join {
        group_id,
        group_instance_id,
        member_id: if dice.one_in(3) { "".into() } else { member_id },
        session_timeout_ms: dice.pick(&[6_000, 10_000]),
        rebalance_timeout_ms: dice.pick(&[-1, 0, 5_000, 30_000]),
        protocols: protocols.collect(),
        requires_known_member_id: dice.one_in(2),
        supports_skipping_assignment: dice.one_in(2),
        ..join("")
    }
}

fn random_commit(dice: &mut Dice, group_id: Arc<str>, member_id: Arc<str>, generation: i32) -> CommitOffsets {
    let outsider = dice.one_in(3);
    let partitions = vec![CommitPartition::new(dice.below(3) as i32, dice.below(1000) as i64)];
    CommitOffsets {
        group_id,
        member_id: if outsider { "".into() } else { member_id },
        group_instance_id: None,
        generation_or_member_epoch: if outsider { -1 } else { generation },
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: true,
        in_transaction: false,
        topics: vec![CommitTopic {
            topic: orders(),
            topic_id: TopicId([dice.below(3) as u8; 16]),
            partitions,
        }],
    }
}

/// The generations of a group's records rise, until the group is deleted.
fn generations_rise(scene: &Scene) {
    let mut last = std::collections::HashMap::new();
    for record in &scene.log {
        let Key::GroupMetadata { group } = Key::decode(&record.key).unwrap() else { continue };
        match &record.value {
            None => drop(last.remove(group)),
            Some(value) => {
                let generation = GroupMetadataValue::decode(value).unwrap().generation;
                let before = last.insert(group.to_owned(), generation).unwrap_or(0);
                assert!(generation >= before, "{group} goes from generation {before} to {generation}");
            }
        }
    }
}

fn story(seed: u64) -> Scene {
    let _seed = Seed(seed);
    let dice = &mut Dice(seed);
    let mut scene = Scene::new(GroupConfig {
        initial_rebalance_delay_ms: dice.pick(&[0, 0, 3_000]),
        max_size: dice.pick(&[2, 4, 100]),
        pending_members_max: 3,
        new_member_join_timeout_ms: dice.pick(&[8_000, 300_000]),
        ..GroupConfig::default()
    });
    let mut clients = Clients::default();
    let mut now_ms = 0;
    for _ in 0..150 {
        scene.appends_fail = dice.one_in(12).then_some(ErrorCode::KafkaStorageError);
        scene.calls_meet = dice.one_in(3);
        for _ in 0..if scene.calls_meet { dice.below(6) } else { 1 } {
            scene.send("client", clients.command(dice));
            if dice.one_in(5) {
                let (producer, commit) = (dice.pick(&[7, 8]), clients.transactional(dice));
                scene.send_in(producer, "producer", Command::CommitOffsets(commit));
            }
        }
        if dice.one_in(4) {
            scene.end(dice.pick(&[7, 8]), !dice.one_in(3));
        }
        scene.append();
        scene.calls_meet = false;
        clients.learn(&scene);
        if dice.one_in(3) {
            now_ms += dice.pick(&[1, 500, 3_000, 7_000]);
            scene.at(now_ms);
        }
        if dice.one_in(60) {
            scene.restart();
        }
        scene.groups.check();
        let again = replayed(&scene.log, &scene.transactions, GroupConfig::default());
        assert_eq!(durable(&scene.groups), durable(&again), "replay makes the same state");
    }
    scene.appends_fail = None;
    scene.at(now_ms + 3_600_000);
    scene.groups.check();
    scene
}

#[test]
fn whatever_happens_durable_state_is_what_the_log_says_and_everyone_is_answered() {
    for seed in 0..150 {
        let mut scene = story(seed);
        let _seed = Seed(seed);
        generations_rise(&scene);
        assert_eq!(scene.waiting(), 0, "an hour later nobody waits");
        assert_eq!(scene.groups.due_but_for_expiry(), None, "and nothing is left to do");
        scene.send("admin", Command::List(List { states: vec!["empty".into()], types: Vec::new() }));
        let Some(Reply::List(list)) = scene.answers.last() else { panic!("a list") };
        assert_eq!(list.groups.len(), scene.groups.len(), "all groups are empty");
    }
}

#[test]
fn one_seed_tells_one_story() {
    for seed in [1, 7, 42] {
        let (one, other) = (story(seed), story(seed));
        assert_eq!(one.transcript(), other.transcript());
        assert!(one.log == other.log && !one.log.is_empty());
    }
}

/// A record that was true once, with some bytes changed, or cut.
pub(super) fn nonsense(dice: &mut Dice, log: &[Record]) -> (Vec<u8>, Option<Vec<u8>>) {
    let record = dice.pick(log);
    let mut key = record.key.to_vec();
    let mut value = record.value.map(|value| value.to_vec());
    for bytes in [Some(&mut key), value.as_mut()].into_iter().flatten() {
        for _ in 0..dice.below(3) {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = dice.next() as u8;
        }
        if dice.one_in(8) {
            bytes.truncate(dice.below(bytes.len() as u64) as usize);
        }
    }
    (key, value)
}

#[test]
fn replaying_nonsense_does_no_harm_and_can_be_undone() {
    for seed in 0..30 {
        let _seed = Seed(seed);
        let dice = &mut Dice(seed);
        let Scene { log, transactions, .. } = story(seed);
        let mut scene = Scene::new(GroupConfig::default());
        scene.groups = replayed(&log, &transactions, GroupConfig::default());
        for _ in 0..200 {
            let (key, value) = nonsense(dice, &log);
            let before = durable(&scene.groups);
            let record = RecordRef {
                key: &key,
                value: value.as_deref(),
                timestamp: -1,
                headers: &[],
                transaction: dice.one_in(3).then_some(7),
            };
            match scene.groups.replay(1, &record) {
                Ok(undo) if dice.one_in(2) => {
                    scene.groups.undo(undo);
                    scene.recover();
                    assert_eq!(durable(&scene.groups), before);
                }
                Ok(_) => {}
                Err(_) => assert_eq!(durable(&scene.groups), before),
            }
        }
        scene.load();
        scene.at(3_600_000);
        scene.unload();
    }
}
