//! Random stories of consumers that keep to their protocols, with brokers and disks that do not, each told by its seed.

mod client;

use std::collections::{BTreeMap, HashMap};

use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use self::client::Client;
use super::*;
use crate::codec::{
    ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupKey, ConsumerGroupMetadataValue, Key,
};
use crate::group::groups::Durable;
use crate::group::tests::random::{Dice, Seed, nonsense};
use crate::group::tests::scene::{durable, replayed};
use crate::machine::{Machine, RecordRef};

/// Clients that live at one time, at most.
const CLIENTS_MAX: usize = 5;
/// A step of time that hurts nobody, in milliseconds.
const STEP_MS: u64 = 3_000;

struct Story {
    scene: Scene,
    clients: Vec<Client>,
    born: usize,
    heard: usize,
    now_ms: u64,
    version: i64,
    topics: Vec<(&'static str, i32)>,
}

impl Story {
    fn new() -> Self {
        let mut story = Self {
            scene: Scene::new(prompt()),
            clients: Vec::new(),
            born: 0,
            heard: 0,
            now_ms: 0,
            version: 0,
            topics: vec![("foo", 4), ("bar", 3)],
        };
        story.tell_topics();
        story
    }

    fn tell_topics(&mut self) {
        self.version += 1;
        let topics = self.topics.clone();
        self.scene.topics(self.version, &topics);
    }

    /// Delivers what was answered.
    fn hear(&mut self) {
        for place in self.heard..self.scene.answers.len() {
            let (who, reply) = (&self.scene.answered[place], &self.scene.answers[place]);
            if let Some(client) = self.clients.iter_mut().find(|client| client.name == *who) {
                client.hear(reply, &self.topics);
            }
        }
        self.heard = self.scene.answers.len();
    }

    fn step(&mut self, dice: &mut Dice) {
        self.scene.appends_fail = dice.one_in(25).then_some(ErrorCode::KafkaStorageError);
        self.scene.calls_meet = dice.one_in(4);
        for place in 0..self.clients.len() {
            if !self.clients[place].waits && !dice.one_in(5) {
                let command = self.clients[place].ask();
                let name = self.clients[place].name.clone();
                self.scene.send(&name, command);
            }
        }
        self.scene.append();
        self.scene.appends_fail = None;
        self.scene.calls_meet = false;
        self.hear();
        self.check();
        for client in &mut self.clients {
            if !dice.one_in(3) {
                client.catch_up();
            }
        }
        self.check();
    }

    fn chance(&mut self, dice: &mut Dice) {
        if self.clients.len() < CLIENTS_MAX && dice.one_in(6) {
            self.born += 1;
            let client = Client::new(dice, self.born);
            let names_it =
                |other: &Client| other.instance_id().is_some_and(|id| Some(id) == client.instance_id());
            // Two processes of one instance id fence each other, and both may read for a moment.
            if !self.clients.iter().any(names_it) {
                self.clients.push(client);
            }
        }
        if !self.clients.is_empty() && dice.one_in(12) {
            let place = dice.below(self.clients.len() as u64) as usize;
            let mut client = self.clients.swap_remove(place);
            // Some leave, the others are gone without a word.
            if dice.one_in(2) {
                let command = client.leave(dice.one_in(2));
                self.scene.send(&client.name, command);
            }
        }
        if !self.clients.is_empty() && dice.one_in(15) {
            let place = dice.below(self.clients.len() as u64) as usize;
            self.clients[place].change_subscription(dice);
        }
        if dice.one_in(15) {
            self.topics = dice.pick(&[
                vec![("foo", 4), ("bar", 3)],
                vec![("foo", 6), ("bar", 3), ("new", 2)],
                vec![("foo", 6), ("new", 2)],
                vec![("foo", 6), ("bar", 4)],
            ]);
            self.tell_topics();
        }
        if dice.one_in(10) {
            let (producer, at) = (dice.pick(&[7, 8]), dice.below(100) as i64);
            self.scene.commit_in(producer, "producer", "", -1, &[(dice.pick(&["foo", "new"]), 0, at)]);
        }
        if dice.one_in(10) {
            self.scene.end(dice.pick(&[7, 8]), dice.one_in(2));
        }
        if dice.one_in(30) {
            self.scene.restart();
            self.tell_topics();
            self.clients.iter_mut().for_each(|client| client.waits = false);
        }
        if dice.one_in(3) {
            self.now_ms += dice.pick(&[1, STEP_MS, STEP_MS, 20_000, 60_000]);
            self.scene.at(self.now_ms);
            self.hear();
        }
    }

    /// Nobody reads what another reads, as far as they are members; and the machine is in order.
    fn check(&self) {
        self.scene.groups.check();
        let mut readers: BTreeMap<(TopicId, PartitionIndex), &str> = BTreeMap::new();
        for client in self.clients.iter().filter(|client| self.is_member(client)) {
            for partition in &client.owned {
                let other = readers.insert(*partition, &client.name);
                assert_eq!(other, None, "{partition:?} of {}", client.name);
            }
        }
    }

    /// What the machine knows is what its log says.
    fn check_replay(&self) {
        let again = replayed(&self.scene.log, &self.scene.transactions, prompt());
        assert_eq!(durable(&self.scene.groups), durable(&again), "replay makes the same state");
    }

    fn is_member(&self, client: &Client) -> bool {
        self.scene.groups.groups.get("g").is_some_and(|group| match &group.durable {
            Durable::Consumer(consumer) => consumer.has(&client.member_id),
            _ => group.classic.contains(&client.member_id),
        })
    }

    /// Nothing happens any more but heartbeats.
    fn settle(&mut self) {
        for _ in 0..60 {
            self.now_ms += STEP_MS;
            self.scene.at(self.now_ms);
            self.hear();
            for place in 0..self.clients.len() {
                if !self.clients[place].waits {
                    let command = self.clients[place].ask();
                    let name = self.clients[place].name.clone();
                    self.scene.send(&name, command);
                }
            }
            self.hear();
            self.check();
            self.clients.iter_mut().for_each(Client::catch_up);
            self.check();
        }
    }
}

/// Epochs of the group and of each member only rise, as long as those are there.
fn epochs_rise(scene: &Scene) {
    let mut group_epoch = 0;
    let mut member_epochs: HashMap<String, i32> = HashMap::new();
    for record in &scene.log {
        match (Key::decode(&record.key).unwrap(), &record.value) {
            (Key::ConsumerGroup(ConsumerGroupKey::Metadata { .. }), Some(value)) => {
                let epoch = ConsumerGroupMetadataValue::decode(value).unwrap().epoch;
                assert!(epoch >= group_epoch, "the group goes from {group_epoch} to {epoch}");
                group_epoch = epoch;
            }
            (Key::ConsumerGroup(ConsumerGroupKey::Metadata { .. }), None) => group_epoch = 0,
            (
                Key::ConsumerGroup(ConsumerGroupKey::CurrentMemberAssignment { member_id, .. }),
                Some(value),
            ) => {
                let epoch = ConsumerGroupCurrentMemberAssignmentValue::decode(value).unwrap().member_epoch;
                let before = member_epochs.insert(member_id.to_owned(), epoch).unwrap_or(0);
                assert!(epoch >= before || epoch == -2, "{member_id} goes from {before} to {epoch}");
            }
            (Key::ConsumerGroup(ConsumerGroupKey::CurrentMemberAssignment { member_id, .. }), None) => {
                member_epochs.remove(member_id);
            }
            _ => {}
        }
    }
}

#[test]
fn nobody_reads_what_another_reads_and_all_settle_in_the_end() {
    for seed in 0..40 {
        let _seed = Seed(seed);
        let dice = &mut Dice(seed);
        let mut story = Story::new();
        for _ in 0..120 {
            story.chance(dice);
            story.step(dice);
            if dice.one_in(8) {
                story.check_replay();
            }
        }
        story.settle();
        story.check_replay();
        epochs_rise(&story.scene);
        if let Some(group) = story.scene.groups.consumer_group("g").filter(|group| !group.is_empty()) {
            let read = story.topics.iter().filter(|(name, _)| group.is_subscribed_to(name));
            let partitions: i32 = read.map(|(_, count)| *count).sum();
            assert!(group.is_settled(partitions as usize), "{group:?}");
        }
    }
}

#[test]
fn one_seed_tells_one_story() {
    let tell = |seed| {
        let dice = &mut Dice(seed);
        let mut story = Story::new();
        for _ in 0..60 {
            story.chance(dice);
            story.step(dice);
        }
        story.scene.transcript().to_owned()
    };
    for seed in [1, 7] {
        assert!(tell(seed) == tell(seed) && !tell(seed).is_empty());
    }
}

#[test]
fn replaying_nonsense_does_no_harm_and_can_be_undone() {
    for seed in 0..8 {
        let _seed = Seed(seed);
        let dice = &mut Dice(seed);
        let mut story = Story::new();
        for _ in 0..40 {
            story.chance(dice);
            story.step(dice);
        }
        let Scene { log, transactions, .. } = story.scene;
        let mut scene = Scene::new(prompt());
        scene.groups = replayed(&log, &transactions, prompt());
        for _ in 0..200 {
            let (key, value) = nonsense(dice, &log);
            let before = durable(&scene.groups);
            let record = RecordRef {
                key: &key,
                value: value.as_deref(),
                timestamp: -1,
                headers: &[],
                transaction: None,
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
