//! The machine of one partition of `__consumer_offsets`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{Env, ErrorCode, Monotonic, Offset, ProducerId};

use super::classic::Classic;
use super::consumer::{ConsumerGroup, Timers};
use super::durable::{PassedOver, Undo};
use super::events::{EventLog, GroupEvent, RebalanceCounts};
use super::expiry::Expiry;
use super::offsets::OffsetStore;
use super::rebalances::Rebalances;
use super::turn::Turn;
use super::wakes::Wakes;
use super::{Command, GroupConfig, Reply, TopicsImage};
use crate::machine::{Caller, Effects, Machine, RecordRef, ReplayError, ReplyTo};

/// All groups that hash to one partition of `__consumer_offsets`, with their committed offsets.
#[derive(Debug)]
pub struct Groups {
    pub(super) config: Arc<GroupConfig>,
    pub(super) groups: HashMap<Arc<str>, Group>,
    pub(super) offsets: OffsetStore,
    pub(super) wakes: Wakes,
    pub(super) expiry: Expiry,
    pub(super) events: EventLog,
    pub(super) rebalances: Rebalances,
    /// What consumer groups have due.
    pub(super) timers: Timers,
    /// The topics as they were when the machine last heard of them.
    pub(super) topics: Arc<TopicsImage>,
    /// Groups that lost a record to a failed append and have not been brought back into line yet.
    pub(super) undone: BTreeSet<Arc<str>>,
    pub(super) passed_over: PassedOver,
}

/// A group: its durable half and its soft half.
///
/// What the durable half is tells the group's kind: simple, classic or consumer. The soft half of a consumer group are
/// its timers, which are kept apart, so that its `classic` is untouched.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) durable: Durable,
    pub(super) classic: Classic,
    /// When the group is in the queue of wakes.
    pub(super) wake: Option<Monotonic>,
}

/// What the log says about a group, apart from its committed offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Durable {
    /// Nothing: its first record is not replayed, or was undone.
    Absent,
    /// It has committed offsets and never had members: a simple group.
    Offsets,
    /// The value of its last record, kept as it is: compact, exact, and decoded only after a start or a failure.
    Recorded(Bytes),
    /// It is a consumer group, all of whose records together make it.
    Consumer(Arc<ConsumerGroup>),
}

impl Group {
    pub(super) fn new(durable: Durable, classic: Classic) -> Self {
        Self { durable, classic, wake: None }
    }
}

impl Groups {
    /// No groups.
    #[must_use]
    pub fn new(config: GroupConfig) -> Self {
        Self {
            config: Arc::new(config),
            groups: HashMap::new(),
            offsets: OffsetStore::default(),
            wakes: Wakes::default(),
            expiry: Expiry::default(),
            events: EventLog::default(),
            rebalances: Rebalances::default(),
            timers: Timers::default(),
            topics: Arc::default(),
            undone: BTreeSet::new(),
            passed_over: PassedOver::default(),
        }
    }

    /// Tells the topics as they are now, as [`Command::LearnTopics`] does.
    pub fn learn_topics(&mut self, topics: Arc<TopicsImage>) {
        self.topics = topics;
    }

    /// Changes the limits. They hold for what comes: nobody is put out because of them.
    pub fn configure(&mut self, config: GroupConfig) {
        self.config = Arc::new(config);
    }

    /// The committed offsets.
    #[must_use]
    pub fn offsets(&self) -> &OffsetStore {
        &self.offsets
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// True without any group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Records that were replayed without being understood.
    #[must_use]
    pub fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }

    /// Calls `action` with a group and sees to it that the group is woken in time afterwards.
    pub(super) fn with_group<T>(
        &mut self,
        group_id: &str,
        action: impl FnOnce(&mut Classic) -> T,
    ) -> Option<T> {
        let (key, _) = self.groups.get_key_value(group_id)?;
        let key = Arc::clone(key);
        let group = self.groups.get_mut(group_id)?;
        let result = action(&mut group.classic);
        self.wakes.bring_forward(&key, &mut group.wake, group.classic.soonest());
        Some(result)
    }

    /// Keeps what happened in one call.
    pub(super) fn keep(&mut self, events: Vec<(Arc<str>, GroupEvent)>) {
        for (group_id, event) in events {
            self.rebalances.learn(&group_id, &event);
            self.events.push(group_id, event);
        }
    }

    /// How often each group that has rebalanced since the start has done so, for metrics.
    pub fn rebalances(&self) -> impl Iterator<Item = (&Arc<str>, &RebalanceCounts)> {
        self.rebalances.all_counts()
    }

    /// Ids of all groups, in order, so that whatever goes through them gives the same result twice.
    pub(super) fn group_ids(&self) -> Vec<Arc<str>> {
        let mut ids: Vec<_> = self.groups.keys().cloned().collect();
        ids.sort_unstable();
        ids
    }
}

impl Machine for Groups {
    type Command = Command;
    type Reply = Reply;
    type Undo = Undo;

    fn handle(
        &mut self,
        env: &mut Env<'_>,
        caller: &Caller,
        reply_to: ReplyTo,
        command: Command,
        effects: &mut Effects<Reply>,
    ) {
        let config = Arc::clone(&self.config);
        let turn = &mut Turn::new(env, &config, effects);
        match command {
            Command::Join(join) => self.join(turn, caller, reply_to, join),
            Command::Sync(sync) => self.sync(turn, reply_to, sync),
            Command::Heartbeat(heartbeat) => self.heartbeat(turn, reply_to, &heartbeat),
            Command::Leave(leave) => self.leave(turn, caller, reply_to, leave),
            Command::ConsumerHeartbeat(heartbeat) => {
                self.consumer_heartbeat(turn, caller, reply_to, &heartbeat);
            }
            Command::CommitOffsets(commit) => self.commit_offsets(turn, caller, reply_to, &commit),
            Command::FetchOffsets(fetch) => {
                let reply = self.fetch_offsets(fetch);
                turn.reply(reply_to, reply);
            }
            Command::List(list) => {
                let reply = self.list(&list);
                turn.reply(reply_to, reply);
            }
            Command::Describe { group_id } => {
                let reply = self.describe(group_id);
                turn.reply(reply_to, reply);
            }
            Command::Outline { group_id } => {
                let reply = self.outline(group_id.as_ref());
                turn.reply(reply_to, reply);
            }
            Command::Delete { group_id } => self.delete(turn, caller, reply_to, group_id),
            Command::DeleteOffsets(delete) => self.delete_offsets(turn, caller, reply_to, delete),
            Command::RestoreOffsets(restore) => self.restore_offsets(turn, caller, reply_to, &restore),
            Command::TopicDeleted { topic, topic_id } => {
                self.topic_deleted(turn, reply_to, &topic, topic_id);
            }
            Command::Why { group_id } => {
                let reply = self.why(group_id);
                turn.reply(reply_to, reply);
            }
            Command::ConsumerDescribe { group_id } => {
                let reply = self.describe_consumer(group_id);
                turn.reply(reply_to, reply);
            }
            Command::LearnTopics(topics) => {
                self.learn_topics(topics);
                turn.reply(reply_to, Reply::LearnTopics);
            }
        }
        self.keep(std::mem::take(&mut turn.events));
    }

    fn replay(&mut self, offset: Offset, record: &RecordRef<'_>) -> Result<Undo, ReplayError> {
        self.replay_record(offset, record)
    }

    fn undo(&mut self, undo: Undo) {
        self.undo_record(undo);
    }

    fn end_transaction(&mut self, producer: ProducerId, committed: bool) {
        self.offsets.end_transaction(producer, committed);
    }

    fn failed(
        &mut self,
        env: &mut Env<'_>,
        cause: ErrorCode,
        replies: Vec<(ReplyTo, Reply)>,
    ) -> Vec<(ReplyTo, Reply)> {
        self.recover(env, cause, replies)
    }

    fn tick(&mut self, env: &mut Env<'_>, effects: &mut Effects<Reply>) {
        let config = Arc::clone(&self.config);
        let turn = &mut Turn::new(env, &config, effects);
        for group_id in self.wakes.take_due(turn.now()) {
            let Some(group) = self.groups.get_mut(&group_id) else { continue };
            group.wake = None;
            group.classic.tick(turn);
            self.wakes.bring_forward(&group_id, &mut group.wake, group.classic.soonest());
        }
        self.tick_consumers(turn);
        self.expire(turn);
        self.keep(std::mem::take(&mut turn.events));
    }

    fn deadline(&self) -> Option<Monotonic> {
        let expiry = if self.groups.is_empty() { None } else { self.expiry.next() };
        self.wakes.first().into_iter().chain(self.timers.first()).chain(expiry).min()
    }

    fn loaded(&mut self, env: &mut Env<'_>) {
        self.revive(env);
        self.expiry.begin(env.monotonic, &self.config);
    }

    fn unloaded(&mut self) -> Vec<(ReplyTo, Reply)> {
        self.dismiss_all()
    }
}
