//! A stage for one machine: the runtime's part in a few lines, with a clock that the test moves, and the transcript.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ottla_model::{Env, ErrorCode, Monotonic, Random, TopicName, TopicPartition, Unseen, WallMillis};

use crate::codec::TransactionLogKey;
use crate::machine::{Caller, Effects, Machine, Record, ReplyTo};
use crate::transaction::metadata::{TransactionMetadata, flatten};
use crate::transaction::transactions::to_record;
use crate::transaction::*;

/// The wall clock when the scene begins.
pub(super) const WALL: i64 = 1_700_000_000_000;

/// Nothing here is left to chance.
struct NoChance;

impl Random for NoChance {
    fn next_u128(&mut self) -> u128 {
        unreachable!("transactions take no random numbers")
    }
}

/// What waits for one append.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    undo: Vec<Undo>,
    replies: Vec<(ReplyTo, Reply)>,
}

/// One machine and the world around it.
pub(super) struct Scene {
    pub(super) machine: Transactions,
    pub(super) log: Vec<Record>,
    pub(super) now_ms: u64,
    /// What the wall clock is ahead of the other one.
    pub(super) wall_ms: i64,
    config: TransactionConfig,
    waiting: BTreeMap<ReplyTo, &'static str>,
    next_reply: u64,
    next_producer_id: i64,
    batch: Batch,
    /// While true, calls meet: all of them wait for one append, which [`Scene::append`] makes.
    pub(super) calls_meet: bool,
    /// Every reply so far.
    pub(super) answers: Vec<Reply>,
    /// The error of every append, while there is one.
    pub(super) appends_fail: Option<ErrorCode>,
    transcript: String,
}

/// A producer of id 1000, the first that the scene hands out.
pub(super) fn producer(epoch: i16) -> ProducerIdAndEpoch {
    of(1000, epoch)
}

pub(super) fn of(producer_id: i64, producer_epoch: i16) -> ProducerIdAndEpoch {
    ProducerIdAndEpoch { producer_id, producer_epoch }
}

/// Partitions as in "a-0 b-3".
pub(super) fn partitions(text: &str) -> Vec<TopicPartition> {
    let each = text.split_whitespace().map(|text| text.rsplit_once('-').unwrap());
    each.map(|(topic, index)| TopicPartition {
        topic: TopicName::new(topic).unwrap(),
        partition: index.parse().unwrap(),
    })
    .collect()
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(TransactionConfig::default())
    }

    pub(super) fn with(config: TransactionConfig) -> Self {
        Self {
            machine: Transactions::new(config.clone()),
            log: Vec::new(),
            now_ms: 0,
            wall_ms: WALL,
            config,
            waiting: BTreeMap::new(),
            next_reply: 0,
            next_producer_id: 1000,
            batch: Batch::default(),
            calls_meet: false,
            answers: Vec::new(),
            appends_fail: None,
            transcript: String::new(),
        }
    }

    /// A scene in which id `t` has producer 1000 at epoch 0, and nothing is told of it.
    pub(super) fn begun() -> Self {
        let mut scene = Self::new();
        scene.init("a", None);
        scene.forget_transcript();
        scene
    }

    /// Puts id `t` with producer 1000 at that epoch into the log.
    pub(super) fn begin_at_epoch(&mut self, producer_epoch: i16) {
        let metadata = TransactionMetadata { producer_epoch, ..TransactionMetadata::new(1000, 60_000, WALL) };
        self.log.push(to_record(TransactionVersion::FINALIZED, "t", &metadata).unwrap());
        self.next_producer_id = 2000;
        self.restart();
        self.forget_transcript();
    }

    fn with_env<T>(&mut self, action: impl FnOnce(&mut Transactions, &mut Env<'_>) -> T) -> T {
        let wall = WallMillis(self.wall_ms + i64::try_from(self.now_ms).unwrap());
        let mut env = Env {
            wall,
            expiry_wall: wall,
            monotonic: Monotonic(Duration::from_millis(self.now_ms)),
            random: &mut NoChance,
            presence: &Unseen,
        };
        action(&mut self.machine, &mut env)
    }

    pub(super) fn note(&mut self, line: &str) {
        writeln!(self.transcript, "{:>6} {line}", self.now_ms).unwrap();
    }

    /// Sends a command. One that is told that it needs a fresh producer id comes again with it.
    pub(super) fn send(&mut self, who: &'static str, command: Command) {
        let again = match &command {
            Command::InitProducerId(init) if init.fresh_producer_id.is_none() => {
                Some(Command::InitProducerId(InitProducerId {
                    fresh_producer_id: Some(self.next_producer_id),
                    ..init.clone()
                }))
            }
            Command::End(end) if end.fresh_producer_id.is_none() => {
                Some(Command::End(End { fresh_producer_id: Some(self.next_producer_id), ..end.clone() }))
            }
            _ => None,
        };
        let answers = self.answers.len();
        self.call(who, command);
        if let (Some(again), [Reply::FreshProducerIdNeeded]) = (again, &self.answers[answers..]) {
            self.next_producer_id += 1000;
            self.call(who, again);
        }
    }

    fn call(&mut self, who: &'static str, command: Command) {
        let reply_to = ReplyTo(self.next_reply);
        self.next_reply += 1;
        self.waiting.insert(reply_to, who);
        let caller = Caller { client_id: Some(who.into()), client_host: "/127.0.0.1".into() };
        let mut effects = Effects::default();
        self.with_env(|machine, env| machine.handle(env, &caller, reply_to, command, &mut effects));
        self.settle(effects);
    }

    /// Moves the clock, and lets happen what is due until then, at its own moment.
    pub(super) fn at(&mut self, now_ms: u64) {
        while let Some(deadline) = self.machine.deadline().map(|at| at.0.as_millis() as u64) {
            if deadline > now_ms {
                break;
            }
            self.now_ms = deadline.max(self.now_ms);
            let mut effects = Effects::default();
            self.with_env(|machine, env| machine.tick(env, &mut effects));
            self.settle(effects);
        }
        self.now_ms = now_ms;
    }

    /// The runtime's part: replay at once, so that calls see each other, then append.
    fn settle(&mut self, effects: Effects<Reply>) {
        for record in effects.records {
            let offset = i64::try_from(self.log.len() + self.batch.records.len()).unwrap();
            self.batch.undo.push(self.machine.replay(offset, &record.as_ref(0)).unwrap());
            self.batch.records.push(record);
        }
        self.batch.replies.extend(effects.replies);
        if !self.calls_meet {
            self.append();
        }
    }

    /// Appends what waits, and sends the replies; or takes all of it back.
    pub(super) fn append(&mut self) {
        let Batch { records, undo, mut replies } = std::mem::take(&mut self.batch);
        if let (Some(error), false) = (self.appends_fail, records.is_empty()) {
            self.note(&format!("an append fails with {error}"));
            undo.into_iter().rev().for_each(|undo| self.machine.undo(undo));
            replies = self.with_env(|machine, env| machine.failed(env, error, replies));
        } else {
            for record in records {
                self.note(&format!("  log: {}", show_record(&record)));
                self.log.push(record);
            }
        }
        self.deliver(replies);
    }

    fn deliver(&mut self, replies: Vec<(ReplyTo, Reply)>) {
        for (reply_to, reply) in replies {
            let who = self.waiting.remove(&reply_to).expect("every caller is answered once");
            if reply != Reply::FreshProducerIdNeeded {
                self.note(&format!("{who} <- {}", show_reply(&reply)));
            }
            self.answers.push(reply);
        }
    }

    /// A new machine over the same log, as after kill -9: whoever waited is gone.
    pub(super) fn restart(&mut self) {
        self.note("restart");
        self.waiting.clear();
        self.batch = Batch::default();
        self.machine = replayed(&self.log, &self.config);
        self.with_env(|machine, env| machine.loaded(env));
    }

    pub(super) fn unload(&mut self) {
        self.note("unload");
        let replies = self.machine.unloaded();
        self.deliver(replies);
    }

    /// Callers that were not answered yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The transcript so far, against what it should be. Takes it, so that a long story can be told in parts.
    pub(super) fn expect(&mut self, expected: &str) {
        let transcript = std::mem::take(&mut self.transcript);
        let trim = |text: &str| {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        };
        let (transcript, expected) = (trim(&transcript), trim(expected));
        assert!(transcript == expected, "expected:\n{expected}\n\nbut it was:\n{transcript}\n");
    }

    pub(super) fn forget_transcript(&mut self) {
        self.transcript.clear();
    }

    pub(super) fn transcript(&self) -> &str {
        &self.transcript
    }

    // Commands, as short as they are frequent. All are about the transactional id `t`.

    pub(super) fn init(&mut self, who: &'static str, expected: Option<ProducerIdAndEpoch>) {
        self.note(&match expected {
            None => format!("{who}: init"),
            Some(expected) => format!("{who}: init as {}", show_producer(expected)),
        });
        self.send(who, Command::InitProducerId(InitProducerId { expected, ..init_of("t") }));
    }

    pub(super) fn add(&mut self, who: &'static str, producer: ProducerIdAndEpoch, added: &str) {
        self.add_as(TransactionVersion::V2, who, producer, added);
    }

    pub(super) fn add_as(
        &mut self,
        client_version: TransactionVersion,
        who: &'static str,
        producer: ProducerIdAndEpoch,
        added: &str,
    ) {
        self.note(&format!("{who}: add {added} as {}", show_producer(producer)));
        let transactional_id = "t".into();
        let partitions = partitions(added);
        let add = AddPartitions { transactional_id, producer, partitions, client_version };
        self.send(who, Command::AddPartitions(add));
    }

    pub(super) fn verify(&mut self, who: &'static str, producer: ProducerIdAndEpoch, asked: &str) {
        self.note(&format!("{who}: verify {asked} as {}", show_producer(producer)));
        let verify =
            VerifyPartitions { transactional_id: "t".into(), producer, partitions: partitions(asked) };
        self.send(who, Command::VerifyPartitions(verify));
    }

    pub(super) fn commit(&mut self, who: &'static str, producer: ProducerIdAndEpoch) {
        self.end_as(TransactionVersion::V2, who, producer, true);
    }

    pub(super) fn abort(&mut self, who: &'static str, producer: ProducerIdAndEpoch) {
        self.end_as(TransactionVersion::V2, who, producer, false);
    }

    pub(super) fn end_as(
        &mut self,
        client_version: TransactionVersion,
        who: &'static str,
        producer: ProducerIdAndEpoch,
        committed: bool,
    ) {
        let word = if committed { "commit" } else { "abort" };
        self.note(&format!("{who}: {word} as {}", show_producer(producer)));
        let transactional_id = "t".into();
        let end = End { transactional_id, producer, committed, client_version, fresh_producer_id: None };
        self.send(who, Command::End(end));
    }

    pub(super) fn take_work(&mut self) {
        self.send("driver", Command::TakeWork);
    }

    pub(super) fn written(&mut self, producer: ProducerIdAndEpoch, written: &str) {
        self.note(&format!("driver: written {written} of {}", show_producer(producer)));
        let written =
            MarkersWritten { transactional_id: "t".into(), producer, partitions: partitions(written) };
        self.send("driver", Command::MarkersWritten(written));
    }

    pub(super) fn describe(&mut self) {
        self.send("admin", Command::Describe { transactional_id: "t".into() });
    }
}

/// An InitProducerId for a timeout of a minute.
pub(super) fn init_of(transactional_id: &str) -> InitProducerId {
    InitProducerId {
        transactional_id: transactional_id.into(),
        timeout_ms: 60_000,
        enable_two_phase_commit: false,
        keep_prepared_transaction: false,
        expected: None,
        fresh_producer_id: None,
    }
}

/// A machine that has replayed a log and is not loaded yet.
pub(super) fn replayed(log: &[Record], config: &TransactionConfig) -> Transactions {
    let mut machine = Transactions::new(config.clone());
    for (offset, record) in log.iter().enumerate() {
        machine.replay(i64::try_from(offset).unwrap(), &record.as_ref(0)).unwrap();
    }
    machine
}

fn show_producer(producer: ProducerIdAndEpoch) -> String {
    format!("{}:{}", producer.producer_id, producer.producer_epoch)
}

fn show_partitions(partitions: &[TopicPartition]) -> String {
    let texts: Vec<_> = partitions.iter().map(ToString::to_string).collect();
    format!("[{}]", texts.join(" "))
}

fn show_record(record: &Record) -> String {
    let Ok(TransactionLogKey::TransactionalId(id)) = TransactionLogKey::decode(&record.key) else {
        panic!("a key of another type")
    };
    let Some(value) = &record.value else { return format!("{id} is gone") };
    let metadata = TransactionMetadata::decode(value).unwrap();
    let mut text = format!("{id} {} {}", metadata.state.name(), show_producer(metadata.producer()));
    if metadata.previous_producer_id != metadata.producer_id {
        write!(text, " after {}", metadata.previous_producer_id).unwrap();
    }
    if metadata.next_producer_id != -1 {
        write!(text, " before {}", metadata.next_producer_id).unwrap();
    }
    write!(text, " v{}", metadata.client_version.level()).unwrap();
    if !metadata.partitions.is_empty() {
        write!(text, " {}", show_partitions(&flatten(&metadata.partitions))).unwrap();
    }
    if metadata.start_timestamp_ms != -1 {
        write!(text, " since {}", metadata.start_timestamp_ms - WALL).unwrap();
    }
    text
}

fn show_result<T>(result: &Result<T, ErrorCode>, show: impl FnOnce(&T) -> String) -> String {
    match result {
        Ok(value) => show(value),
        Err(error) => error.to_string(),
    }
}

fn show_work(work: &Work) -> String {
    match work {
        Work::Markers(markers) => {
            let word = if markers.committed { "commit" } else { "abort" };
            let version = markers.version.level();
            let producer = show_producer(markers.producer);
            format!("{word} {producer} v{version} in {}", show_partitions(&markers.partitions))
        }
        Work::AbortTimedOut { producer, .. } => format!("abort {}, timed out", show_producer(*producer)),
    }
}

fn show_reply(reply: &Reply) -> String {
    match reply {
        Reply::InitProducerId(result) | Reply::End(result) => show_result(result, |it| show_producer(*it)),
        Reply::LearnVersion => "learnt".to_owned(),
        Reply::FreshProducerIdNeeded => "a fresh producer id is needed".to_owned(),
        Reply::AddPartitions(result) | Reply::MarkersWritten(result) | Reply::AbortTimedOut(result) => {
            show_result(result, |()| "NONE".to_owned())
        }
        Reply::VerifyPartitions(verdicts) => {
            let texts: Vec<_> =
                verdicts.iter().map(|(partition, verdict)| format!("{partition} {verdict}")).collect();
            texts.join(", ")
        }
        Reply::Describe(result) => show_result(result, |it| {
            let since = it.start_timestamp_ms - if it.start_timestamp_ms == -1 { 0 } else { WALL };
            let producer = show_producer(it.producer);
            let topics: Vec<_> =
                it.topics.iter().map(|(topic, indexes)| format!("{topic}{indexes:?}")).collect();
            format!("{} {producer} {} since {since}", it.state.name(), topics.join(" "))
        }),
        Reply::List(result) => show_result(result, |it| {
            let each = it.transactions.iter();
            let each =
                each.map(|one| format!("{} {} {}", one.transactional_id, one.producer_id, one.state.name()));
            let unknown: Vec<_> = it.unknown_states.iter().map(|name| format!("unknown {name}")).collect();
            each.chain(unknown).collect::<Vec<_>>().join(", ")
        }),
        Reply::Work(result) => {
            show_result(result, |it| it.iter().map(show_work).collect::<Vec<_>>().join(", "))
        }
    }
}
