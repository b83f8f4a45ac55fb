//! A stage for one machine: the runtime's part in a few lines, with a clock that the test moves, and the transcript.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_model::{
    Env, ErrorCode, Monotonic, Presence, ProducerId, Random, Seen, TopicId, TopicName, WallMillis,
};

use super::show;
use crate::group::groups::Durable;
use crate::group::*;
use crate::machine::{Caller, Effects, Machine, Record, RecordRef, ReplyTo};

/// The wall clock when the scene begins.
pub(super) const WALL: i64 = 1_700_000_000_000;

/// Random bits that count: the first member id ends in 1.
#[derive(Default)]
struct Counting(u128);

impl Random for Counting {
    fn next_u128(&mut self) -> u128 {
        self.0 += 1;
        self.0
    }
}

/// Clients that a test has seen.
#[derive(Default)]
pub(super) struct Remembered(pub(super) BTreeMap<String, Seen>);

impl Presence for Remembered {
    fn last_seen(&self, client_id: &str, _client_host: &str) -> Option<Seen> {
        self.0.get(client_id).copied()
    }
}

/// What waits for one append.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    undo: Vec<Undo>,
    replies: Vec<(ReplyTo, Reply)>,
}

/// Which records of a log are in transactions, and how these end.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Transactions {
    producers: BTreeMap<usize, ProducerId>,
    /// Each with the number of records before it.
    ends: Vec<(usize, ProducerId, bool)>,
}

/// One machine and the world around it.
pub(super) struct Scene {
    pub(super) groups: Groups,
    pub(super) log: Vec<Record>,
    pub(super) transactions: Transactions,
    /// Whose transaction the present call is in.
    transaction: Option<ProducerId>,
    now_ms: u64,
    /// How far the wall clock is set ahead of where it should be.
    pub(super) wall_jump_ms: i64,
    random: Counting,
    /// When clients were seen last, by client id.
    pub(super) presence: Remembered,
    waiting: BTreeMap<ReplyTo, String>,
    next_reply: u64,
    batch: Batch,
    /// While true, calls meet: all of them wait for one append, which [`Scene::append`] makes.
    pub(super) calls_meet: bool,
    /// Every reply so far.
    pub(super) answers: Vec<Reply>,
    /// Whom each of them went to.
    pub(super) answered: Vec<String>,
    /// The error of every append, while there is one.
    pub(super) appends_fail: Option<ErrorCode>,
    /// Appends of records so far, also those that failed.
    pub(super) appends: usize,
    transcript: String,
}

/// A text in which `#1` stands for the first UUID that the scene made, as in `a-#1`.
pub(super) fn id(text: &str) -> Arc<str> {
    match text.split_once('#') {
        None => text.into(),
        Some((prefix, number)) => {
            format!("{prefix}00000000-0000-4000-8000-{:012x}", number.parse::<u64>().unwrap()).into()
        }
    }
}

/// A JoinGroup of version 3 to group `g`, for a session of 10 and a rebalance timeout of 30 seconds.
pub(super) fn join(member_id: &str) -> Join {
    Join {
        group_id: "g".into(),
        member_id: id(member_id),
        group_instance_id: None,
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), Bytes::from_static(b"m"))],
        reason: None,
        requires_known_member_id: false,
        supports_skipping_assignment: false,
    }
}

impl Scene {
    pub(super) fn new(config: GroupConfig) -> Self {
        Self {
            groups: Groups::new(config),
            log: Vec::new(),
            transactions: Transactions::default(),
            transaction: None,
            now_ms: 0,
            wall_jump_ms: 0,
            random: Counting::default(),
            presence: Remembered::default(),
            waiting: BTreeMap::new(),
            next_reply: 0,
            batch: Batch::default(),
            calls_meet: false,
            answers: Vec::new(),
            answered: Vec::new(),
            appends_fail: None,
            appends: 0,
            transcript: String::new(),
        }
    }

    fn with_env<T>(&mut self, action: impl FnOnce(&mut Groups, &mut Env<'_>) -> T) -> T {
        let wall = WallMillis(WALL + i64::try_from(self.now_ms).unwrap());
        let mut env = Env {
            wall: WallMillis(wall.0 + self.wall_jump_ms),
            expiry_wall: wall,
            monotonic: Monotonic(Duration::from_millis(self.now_ms)),
            random: &mut self.random,
            presence: &self.presence,
        };
        action(&mut self.groups, &mut env)
    }

    pub(super) fn note(&mut self, line: &str) {
        writeln!(self.transcript, "{:>6} {}", self.now_ms, show::short(line)).unwrap();
    }

    /// Sends a command as client `who`, whose client id is its name.
    pub(super) fn send(&mut self, who: &str, command: Command) {
        self.note(&format!("{who}: {}", show::command(&command)));
        let reply_to = ReplyTo(self.next_reply);
        self.next_reply += 1;
        self.waiting.insert(reply_to, who.to_owned());
        let caller = Caller { client_id: Some(who.into()), client_host: "/127.0.0.1".into() };
        let mut effects = Effects::default();
        self.with_env(|groups, env| groups.handle(env, &caller, reply_to, command, &mut effects));
        self.settle(effects);
    }

    /// Sends a command whose records are in the transaction of a producer: a batch of their own.
    pub(super) fn send_in(&mut self, producer: ProducerId, who: &str, command: Command) {
        self.append();
        self.transaction = Some(producer);
        self.send(who, command);
        self.append();
        self.transaction = None;
    }

    /// Ends the transaction of a producer.
    pub(super) fn end(&mut self, producer: ProducerId, committed: bool) {
        self.append();
        self.note(&format!("  log: {producer} {}", if committed { "commits" } else { "aborts" }));
        self.transactions.ends.push((self.log.len(), producer, committed));
        self.groups.end_transaction(producer, committed);
    }

    /// Moves the clock, and lets happen what is due until then, at its own moment.
    pub(super) fn at(&mut self, now_ms: u64) {
        while let Some(deadline) = self.groups.deadline().map(|at| at.0.as_millis() as u64) {
            if deadline > now_ms {
                break;
            }
            self.now_ms = deadline.max(self.now_ms);
            let mut effects = Effects::default();
            self.with_env(|groups, env| groups.tick(env, &mut effects));
            self.settle(effects);
        }
        self.now_ms = now_ms;
    }

    /// The runtime's part: replay at once, so that calls see each other, then append.
    fn settle(&mut self, effects: Effects<Reply>) {
        for record in effects.records {
            let offset = i64::try_from(self.log.len() + self.batch.records.len()).unwrap();
            let reference = RecordRef { transaction: self.transaction, ..record.as_ref(0) };
            self.batch.undo.push(self.groups.replay(offset, &reference).unwrap());
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
        self.appends += usize::from(!records.is_empty());
        if let (Some(error), false) = (self.appends_fail, records.is_empty()) {
            self.note(&format!("an append fails with {error}"));
            undo.into_iter().rev().for_each(|undo| self.groups.undo(undo));
            replies = self.with_env(|groups, env| groups.failed(env, error, replies));
        } else {
            for record in records {
                let of = self.transaction.map(|producer| format!(" of {producer}")).unwrap_or_default();
                self.note(&format!("  log{of}: {}", show::record(&record)));
                self.transactions.producers.extend(self.transaction.map(|of| (self.log.len(), of)));
                self.log.push(record);
            }
        }
        self.deliver(replies);
    }

    fn deliver(&mut self, replies: Vec<(ReplyTo, Reply)>) {
        for (reply_to, reply) in replies {
            let who = self.waiting.remove(&reply_to).expect("every caller is answered once");
            self.note(&format!("{who} <- {}", show::reply(&reply)));
            self.answers.push(reply);
            self.answered.push(who);
        }
    }

    /// A new machine over the same log, as after kill -9: whoever waited is gone.
    pub(super) fn restart(&mut self) {
        self.note("restart");
        self.waiting.clear();
        self.batch = Batch::default();
        let topics = Arc::clone(&self.groups.topics);
        self.groups = replayed(&self.log, &self.transactions, self.groups.config.as_ref().clone());
        self.groups.learn_topics(topics);
        self.load();
    }

    pub(super) fn load(&mut self) {
        self.with_env(|groups, env| groups.loaded(env));
    }

    /// What the runtime calls after the records of a failed append were undone.
    pub(super) fn recover(&mut self) {
        let replies =
            self.with_env(|groups, env| groups.failed(env, ErrorCode::KafkaStorageError, Vec::new()));
        self.deliver(replies);
    }

    pub(super) fn unload(&mut self) {
        self.note("unload");
        let replies = self.groups.unloaded();
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

    // Commands, as short as they are frequent. All are about group `g`.

    pub(super) fn join(&mut self, who: &str, join: Join) {
        self.send(who, Command::Join(join));
    }

    pub(super) fn sync(
        &mut self,
        who: &str,
        member_id: &str,
        generation: i32,
        assignments: &[(&str, &'static str)],
    ) {
        let assignments = assignments.iter().map(|(member_id, bytes)| (id(member_id), Bytes::from(*bytes)));
        let sync = Sync {
            group_id: "g".into(),
            member_id: id(member_id),
            group_instance_id: None,
            generation,
            protocol_type: None,
            protocol: None,
            assignments: assignments.collect(),
        };
        self.send(who, Command::Sync(sync));
    }

    pub(super) fn heartbeat(&mut self, who: &str, member_id: &str, generation: i32) {
        let heartbeat =
            Heartbeat { group_id: "g".into(), member_id: id(member_id), group_instance_id: None, generation };
        self.send(who, Command::Heartbeat(heartbeat));
    }

    pub(super) fn leave(&mut self, who: &str, member_ids: &[&str]) {
        let members = member_ids.iter().map(|member_id| LeavingMember {
            member_id: id(member_id),
            group_instance_id: None,
            reason: None,
        });
        self.send(who, Command::Leave(Leave { group_id: "g".into(), members: members.collect() }));
    }

    pub(super) fn commit(
        &mut self,
        who: &str,
        member_id: &str,
        generation: i32,
        offsets: &[(&str, i32, i64)],
    ) {
        self.send(who, Command::CommitOffsets(commit_of(member_id, generation, offsets)));
    }

    /// The same in a transaction.
    pub(super) fn commit_in(
        &mut self,
        producer: ProducerId,
        who: &str,
        member_id: &str,
        generation: i32,
        offsets: &[(&str, i32, i64)],
    ) {
        let commit = CommitOffsets {
            in_transaction: true,
            knows_group_id_not_found: false,
            ..commit_of(member_id, generation, offsets)
        };
        self.send_in(producer, who, Command::CommitOffsets(commit));
    }

    /// Asks for all offsets, unless they may change.
    pub(super) fn fetch_stable(&mut self, who: &str) {
        let fetch = FetchOffsets {
            group_id: "g".into(),
            member_id: None,
            member_epoch: -1,
            topics: None,
            require_stable: true,
        };
        self.send(who, Command::FetchOffsets(fetch));
    }

    pub(super) fn fetch_all(&mut self, who: &str) {
        let fetch = FetchOffsets {
            group_id: "g".into(),
            member_id: None,
            member_epoch: -1,
            topics: None,
            require_stable: false,
        };
        self.send(who, Command::FetchOffsets(fetch));
    }

    pub(super) fn consumer_heartbeat(&mut self, who: &str, heartbeat: ConsumerHeartbeat) {
        self.send(who, Command::ConsumerHeartbeat(heartbeat));
    }

    /// Tells the machine the topics: each with its number of partitions, and the byte that its id is made of in the
    /// place of its name in the list.
    pub(super) fn topics(&mut self, version: i64, topics: &[(&str, i32)]) {
        let topics = topics.iter().map(|(name, partition_count)| TopicMetadata {
            id: topic_id(name),
            name: TopicName::new(name).unwrap(),
            partition_count: *partition_count,
        });
        self.send("broker", Command::LearnTopics(Arc::new(TopicsImage::new(version, None, topics))));
    }

    pub(super) fn describe_consumer(&mut self) {
        self.send("admin", Command::ConsumerDescribe { group_id: "g".into() });
    }

    pub(super) fn describe(&mut self) {
        self.send("admin", Command::Describe { group_id: "g".into() });
    }
}

/// The id of a topic in these tests: its name, so that a transcript can tell it.
pub(super) fn topic_id(name: &str) -> TopicId {
    let mut id = [0; 16];
    id[..name.len()].copy_from_slice(name.as_bytes());
    TopicId(id)
}

/// A commit for group `g`.
pub(super) fn commit_of(member_id: &str, generation: i32, offsets: &[(&str, i32, i64)]) -> CommitOffsets {
    let topics = offsets.iter().map(|(topic, partition, offset)| CommitTopic {
        topic: TopicName::new(topic).unwrap(),
        topic_id: TopicId::ZERO,
        partitions: vec![CommitPartition::new(*partition, *offset)],
    });
    CommitOffsets {
        group_id: "g".into(),
        member_id: id(member_id),
        group_instance_id: None,
        generation_or_member_epoch: generation,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: true,
        in_transaction: false,
        topics: topics.collect(),
    }
}

/// A machine that has replayed a log and is not loaded yet.
pub(super) fn replayed(log: &[Record], transactions: &Transactions, config: GroupConfig) -> Groups {
    let mut groups = Groups::new(config);
    let mut ends = transactions.ends.iter().peekable();
    for (place, record) in log.iter().enumerate() {
        while let Some(&(_, producer, committed)) = ends.next_if(|(at, ..)| *at <= place) {
            groups.end_transaction(producer, committed);
        }
        let transaction = transactions.producers.get(&place).copied();
        let reference = RecordRef { transaction, ..record.as_ref(0) };
        groups.replay(i64::try_from(place).unwrap(), &reference).unwrap();
    }
    ends.for_each(|&(_, producer, committed)| groups.end_transaction(producer, committed));
    groups
}

/// The durable state as text, to compare two machines.
pub(super) fn durable(groups: &Groups) -> String {
    let mut text = String::new();
    for group_id in groups.group_ids() {
        let durable = &groups.groups[&group_id].durable;
        if *durable != Durable::Absent {
            writeln!(text, "{group_id}: {durable:?}").unwrap();
        }
    }
    for group_id in groups.offsets.group_ids() {
        writeln!(text, "{group_id}: {:?}", groups.offsets.group(&group_id)).unwrap();
    }
    writeln!(text, "{:?}", groups.offsets.pending.all()).unwrap();
    text
}

impl Groups {
    /// When something is to be done besides looking for what has expired.
    pub(super) fn due_but_for_expiry(&self) -> Option<Monotonic> {
        self.wakes.first()
    }

    /// What must hold between any two calls.
    pub(super) fn check(&self) {
        for (group_id, group) in &self.groups {
            assert_ne!(group.durable, Durable::Absent, "{group_id} is in the log");
            if let Durable::Consumer(consumer) = &group.durable {
                assert!(group.classic.is_untouched(), "{group_id} is of one kind");
                self.timers.check(group_id, consumer);
            }
            group.classic.check();
            assert!(group.wake <= group.classic.soonest() || group.classic.soonest().is_none());
            assert_eq!(group.wake.is_some(), group.classic.soonest().is_some());
        }
        let wakes = self.groups.values().filter(|group| group.wake.is_some()).count();
        assert_eq!(self.wakes.len(), wakes, "one entry a group");
        assert!(self.undone.is_empty());
        let is_known = |group_id: &Arc<str>| self.groups.contains_key(group_id);
        assert!(self.rebalances.group_ids().all(is_known), "what is kept of groups goes with them");
        self.offsets.pending.check();
        assert!(self.offsets.pending.group_ids().iter().all(is_known), "a group waits for its transactions");
        assert!(self.offsets.group_ids().iter().all(is_known), "no offsets without their group");
    }
}
