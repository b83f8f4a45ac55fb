//! Clients and what they do.

use std::collections::{BTreeMap, HashMap};

use ottla_tests::history::{
    Answer, BrokerStep, Call, Commit, Event, Partition, SentBatch, Sequence, Step, TopicId,
};
use ottla_tests::load::Random;

use super::Case;
use super::broker::Broker;
use super::transact::Producer;

pub(crate) const IDEMPOTENT: u32 = 1;
pub(crate) const PLAIN: u32 = 2;
/// Sends what is never in a log, and never learns that.
pub(crate) const LOSER: u32 = 3;
/// Sends what is always refused.
pub(crate) const REFUSED: u32 = 4;
pub(crate) const CONSUMER: u32 = 5;
pub(crate) const COMMITTER: u32 = 6;
const ADMINISTRATOR: u32 = 7;

pub(super) const REQUEST_TIMED_OUT: i16 = 7;
const MESSAGE_TOO_LARGE: i16 = 10;
const UNKNOWN_TOPIC_ID: i16 = 100;

const EPOCHS: u64 = 4;
const STEPS: u64 = 120;
const SHORT_NANOSECONDS: u64 = 1_000_000;
/// The group whose commits are a member's.
pub(crate) const MEMBERS_GROUP: &str = "group-members";
/// The last run of the broker lasts long enough for the rule of liveness to look at it.
const LONG_NANOSECONDS: u64 = 30_000_000;

/// Tells the story of this seed.
pub(crate) fn tell(seed: u64) -> Case {
    let mut story = Story::new(seed);
    let stable = story.create("stable", 2, "delete");
    let table = story.create("table", 1, "compact");
    story.trimmed = Some(story.create("trimmed", 1, "delete"));
    story.passing = Some(story.create("passing", 1, "delete"));
    story.paid = Some(story.create("paid", 2, "delete"));
    for epoch in 0..EPOCHS {
        if epoch > 0 {
            story.start();
        }
        story.pace = SHORT_NANOSECONDS;
        story.transact();
        story.pace = if epoch + 1 == EPOCHS { LONG_NANOSECONDS } else { SHORT_NANOSECONDS };
        // Random fates could leave the rule of liveness without a commit.
        story.commit("group-0".to_owned(), Partition { topic: stable, index: 0 }, Fate::Done);
        for index in 0..2 {
            story.join();
            story.commit(MEMBERS_GROUP.to_owned(), Partition { topic: stable, index }, Fate::Done);
        }
        for _ in 0..3 {
            story.write_and_trim();
        }
        for step in 0..STEPS {
            // Everybody has a turn at first, and then whoever comes.
            let turn = if step < 16 { step % 8 } else { story.random.below(8) };
            story.turn(turn, stable, table);
        }
        if epoch == 1 {
            story.replace_passing();
        }
        if epoch + 1 < EPOCHS {
            story.broker_step(BrokerStep::Killing);
            story.broker_step(BrokerStep::Killed);
            // Every connection is a new one after a kill.
            story.connections.clear();
        }
    }
    // What nobody reads any more: an acknowledgement is all that is known of it.
    for index in 0..2 {
        story.send(PLAIN, Partition { topic: stable, index }, 1, Fate::Done, None);
        story.send(PLAIN, Partition { topic: story.paid.unwrap(), index }, 1, Fate::Done, None);
    }
    story.broker_step(BrokerStep::Quiesced);
    let times: Vec<i64> = (0..20).map(|_| i64::try_from(story.random.below(1100)).unwrap()).collect();
    Case { events: story.events, dump: story.broker.dump(&times) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    /// Done, but nobody learns it.
    DoneUnknown,
    /// Not done, and nobody learns it.
    LostUnknown,
    Refused,
}

pub(super) struct Story {
    pub(super) random: Random,
    events: Vec<Event>,
    at: u64,
    pace: u64,
    numbers: u64,
    pub(super) broker: Broker,
    /// Each client's connection and last correlation id.
    connections: HashMap<u32, (u64, i32)>,
    /// The next value of each producer.
    values: HashMap<u32, u64>,
    /// Producer id, epoch, and the next sequence of each partition.
    identity: (i64, i16),
    sequences: HashMap<Partition, i32>,
    positions: HashMap<Partition, i64>,
    passing: Option<TopicId>,
    trimmed: Option<TopicId>,
    generation: i32,
    gone: Option<TopicId>,
    /// The topic of the transactions.
    pub(super) paid: Option<TopicId>,
    pub(super) producers: [Producer; 2],
    /// The commit that is made when the first producer's transaction is.
    pub(super) pending: Option<Commit>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut story = Self {
            random: Random::new(seed),
            events: Vec::new(),
            at: 0,
            pace: SHORT_NANOSECONDS,
            numbers: 0,
            broker: Broker::default(),
            connections: HashMap::new(),
            values: HashMap::new(),
            identity: (0, 0),
            sequences: HashMap::new(),
            positions: HashMap::new(),
            passing: None,
            trimmed: None,
            generation: 0,
            gone: None,
            paid: None,
            producers: [Producer::default(); 2],
            pending: None,
        };
        story.start();
        story.new_identity();
        story
    }

    fn note(&mut self, client: u32, step: Step) {
        self.at += 1 + self.random.below(self.pace);
        self.events.push(Event { at: self.at, client, step });
    }

    fn broker_step(&mut self, step: BrokerStep) {
        self.note(0, Step::Broker(step));
    }

    fn start(&mut self) {
        self.broker_step(BrokerStep::Started);
        self.broker_step(BrokerStep::Ready);
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Asks and is answered, over the client's connection.
    pub(super) fn ask(&mut self, client: u32, call: Call, end: impl FnOnce(u64) -> Step) {
        let operation = self.number();
        if !self.connections.contains_key(&client) {
            let connection = self.number();
            self.connections.insert(client, (connection, 0));
            self.note(client, Step::Open { connection });
        }
        let (connection, correlation) = self.connections.get_mut(&client).unwrap();
        *correlation += 1;
        let (connection, correlation) = (*connection, *correlation);
        self.note(client, Step::Invoke { operation, call });
        self.note(client, Step::Request { connection, correlation, api: 0, answered: true });
        self.note(client, Step::Response { connection, correlation });
        self.note(client, end(operation));
    }

    fn create(&mut self, name: &str, partitions: i32, policy: &str) -> TopicId {
        let configs = BTreeMap::from([
            ("cleanup.policy".to_owned(), policy.to_owned()),
            ("segment.ms".to_owned(), self.random.below(1000).to_string()),
        ]);
        let id = self.broker.create(name, partitions, &configs);
        let call = Call::Create { topic: name.to_owned(), partitions, configs };
        self.ask(ADMINISTRATOR, call, |operation| Step::Ok { operation, answer: Answer::Created { id } });
        id
    }

    fn replace_passing(&mut self) {
        let id = self.passing.take().unwrap();
        self.broker.delete(id);
        let call = Call::Delete { topic: "passing".to_owned(), id };
        self.ask(ADMINISTRATOR, call, |operation| Step::Ok { operation, answer: Answer::Done });
        self.gone = Some(id);
        self.create("passing", 1, "delete");
    }

    fn new_identity(&mut self) {
        let id = self.identity.0 + 1;
        self.identity = (id, 0);
        self.sequences.clear();
        let end = |operation| Step::Ok { operation, answer: Answer::ProducerId { id } };
        self.ask(IDEMPOTENT, Call::ProducerId, end);
    }

    fn turn(&mut self, turn: u64, stable: TopicId, table: TopicId) {
        let index = i32::try_from(self.random.below(2)).unwrap();
        let partition = Partition { topic: stable, index };
        match turn {
            0 => self.send_with_sequence(partition),
            1 | 2 => {
                let passing = self.passing.filter(|_| self.random.once_in(4));
                let partition = passing.map_or(partition, |topic| Partition { topic, index: 0 });
                let fate = if self.random.once_in(3) { Fate::DoneUnknown } else { Fate::Done };
                let acks = if self.random.once_in(2) { 1 } else { -1 };
                self.send(PLAIN, partition, acks, fate, None);
            }
            3 => {
                self.send(LOSER, partition, -1, Fate::LostUnknown, None);
                self.send(REFUSED, partition, -1, Fate::Refused, None);
            }
            4 => self.send(PLAIN, Partition { topic: table, index: 0 }, -1, Fate::Done, Some(8)),
            5 => {
                let topic = [stable, stable, table].into_iter().chain(self.passing).chain(self.gone);
                let topic = topic.collect::<Vec<_>>()[self.random.index(4)];
                let index = if topic == stable { index } else { 0 };
                self.poll(Partition { topic, index });
            }
            6 => self.commit_or_read(partition),
            _ => self.look(partition),
        }
    }

    fn send_with_sequence(&mut self, partition: Partition) {
        if self.random.once_in(12) {
            self.identity.1 += 1;
            self.sequences.clear();
        } else if self.random.once_in(30) {
            self.new_identity();
        }
        let batch = self.batch(IDEMPOTENT, partition, -1, None);
        let (id, epoch) = self.identity;
        let first = *self.sequences.entry(partition).or_insert(0);
        let sequence = Sequence { id, epoch, first };
        self.sequences.insert(partition, sequence.after(batch.count));
        let batch = SentBatch { sequence: Some(sequence), ..batch };
        let times = self.times(batch.count);
        let offset = self.broker.append(&batch, times);
        if self.random.once_in(3) {
            self.answer(IDEMPOTENT, &batch, Fate::DoneUnknown, offset);
        }
        if self.random.once_in(3) {
            self.answer(IDEMPOTENT, &batch, Fate::Done, offset);
        }
        self.answer(IDEMPOTENT, &batch, Fate::Done, offset);
    }

    fn send(&mut self, client: u32, partition: Partition, acks: i16, fate: Fate, keys: Option<u64>) {
        let batch = self.batch(client, partition, acks, keys);
        let times = self.times(batch.count);
        let done = matches!(fate, Fate::Done | Fate::DoneUnknown);
        let offset = if done { self.broker.append(&batch, times) } else { -1 };
        self.answer(client, &batch, fate, offset);
    }

    pub(super) fn batch(
        &mut self,
        producer: u32,
        partition: Partition,
        acks: i16,
        keys: Option<u64>,
    ) -> SentBatch {
        let count = match keys {
            Some(_) => 1,
            // What is lost or refused takes the place of any other batch in bad histories, so it is the longest.
            None if producer == LOSER || producer == REFUSED => 4,
            None => 1 + u32::try_from(self.random.below(4)).unwrap(),
        };
        let next = self.values.entry(producer).or_insert(1);
        let first = *next;
        *next += u64::from(count);
        let keys = keys.map(|keys| u32::try_from(self.random.below(keys)).unwrap()).into_iter().collect();
        let crc = u32::try_from(self.random.below(1 << 32)).unwrap();
        SentBatch { partition, producer, first, count, keys, crc, acks, sequence: None, transaction: None }
    }

    pub(super) fn times(&mut self, count: u32) -> Vec<i64> {
        (0..count).map(|_| i64::try_from(self.random.below(1000)).unwrap()).collect()
    }

    pub(super) fn answer(&mut self, client: u32, batch: &SentBatch, fate: Fate, offset: i64) {
        let end = |operation| match fate {
            Fate::Done => Step::Ok { operation, answer: Answer::Sent { offset, log_start: 0 } },
            Fate::DoneUnknown | Fate::LostUnknown => Step::Info { operation, error: Some(REQUEST_TIMED_OUT) },
            Fate::Refused => Step::Fail { operation, error: MESSAGE_TOO_LARGE },
        };
        self.ask(client, Call::Send(batch.clone()), end);
    }

    fn poll(&mut self, partition: Partition) {
        let position = self.positions.get(&partition).copied().unwrap_or_default();
        let count = self.random.index(6) + 1;
        let Some(_) = self.broker.read(partition, 0, 0) else {
            let call = Call::Poll { partition, offset: position, committed: false };
            return self.ask(CONSUMER, call, |operation| Step::Fail { operation, error: UNKNOWN_TOPIC_ID });
        };
        let (start, end) = (self.broker.start(partition), self.broker.end(partition));
        let anywhere = self.random.once_in(2);
        let offset = match anywhere {
            true => {
                start + i64::try_from(self.random.below(u64::try_from(end - start).unwrap() + 1)).unwrap()
            }
            false => position.max(start),
        };
        let batches = self.broker.read(partition, offset, count).unwrap();
        if let (false, Some(last)) = (anywhere, batches.last()) {
            self.positions.insert(partition, last.last + 1);
        }
        let bounds = self.broker.bounds(partition);
        let call = Call::Poll { partition, offset, committed: false };
        self.ask(CONSUMER, call, |operation| Step::Ok {
            operation,
            answer: Answer::Polled { bounds, batches, aborted: Vec::new() },
        });
    }

    fn commit_or_read(&mut self, partition: Partition) {
        let group = format!("group-{}", self.random.below(2));
        if self.random.once_in(2) {
            let committed = self.broker.committed(&group, partition);
            let call = Call::Committed { group, partition };
            return self.ask(COMMITTER, call, |operation| Step::Ok {
                operation,
                answer: Answer::Committed(committed),
            });
        }
        let fate = match self.random.below(6) {
            0 => Fate::DoneUnknown,
            1 => Fate::LostUnknown,
            2 => Fate::Refused,
            _ => Fate::Done,
        };
        self.commit(group, partition, fate);
    }

    fn commit(&mut self, group: String, partition: Partition, fate: Fate) {
        let number = self.number();
        let offset = i64::try_from(self.random.below(1000)).unwrap();
        let commit = Commit { offset, leader_epoch: 0, metadata: format!("{number}:metadata") };
        if matches!(fate, Fate::Done | Fate::DoneUnknown) {
            self.broker.commit(&group, partition, &commit);
        }
        let generation = if group == MEMBERS_GROUP { self.generation } else { -1 };
        let call = Call::Commit { group, partition, commit, generation, transaction: None };
        self.ask(COMMITTER, call, |operation| match fate {
            Fate::Done => Step::Ok { operation, answer: Answer::Done },
            Fate::DoneUnknown | Fate::LostUnknown => Step::Info { operation, error: Some(REQUEST_TIMED_OUT) },
            Fate::Refused => Step::Fail { operation, error: MESSAGE_TOO_LARGE },
        });
    }

    fn join(&mut self) {
        self.generation += 1;
        let (group, generation) = (MEMBERS_GROUP.to_owned(), self.generation);
        self.ask(COMMITTER, Call::Join { group }, |operation| Step::Ok {
            operation,
            answer: Answer::Joined { generation },
        });
    }

    /// Writes some batches, deletes some, and reads what is left.
    fn write_and_trim(&mut self) {
        let partition = Partition { topic: self.trimmed.unwrap(), index: 0 };
        for _ in 0..4 {
            self.send(PLAIN, partition, -1, Fate::Done, None);
        }
        let batches = self.random.index(3) + 1;
        let log_start = self.broker.trim(partition, batches);
        let call = Call::Trim { partition, before: log_start };
        self.ask(ADMINISTRATOR, call, |operation| Step::Ok {
            operation,
            answer: Answer::Trimmed { log_start },
        });
        self.poll(partition);
    }

    fn look(&mut self, partition: Partition) {
        if self.random.once_in(2) {
            let listed = self.broker.list();
            return self.ask(ADMINISTRATOR, Call::List, |operation| Step::Ok {
                operation,
                answer: Answer::Listed(listed),
            });
        }
        let time = i64::try_from(self.random.below(1100)).unwrap();
        let found = self.broker.find(partition, time);
        let call = Call::Find { partition, time };
        self.ask(ADMINISTRATOR, call, |operation| Step::Ok { operation, answer: Answer::Found(found) });
    }
}
