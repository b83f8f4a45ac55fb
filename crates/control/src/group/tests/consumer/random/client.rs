//! A consumer that keeps to its protocol: what it believes to have is what it reads from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use super::super::convert::subscription;
use super::super::{beat, joins};
use crate::codec::ConsumerProtocolAssignment;
use crate::group::tests::random::Dice;
use crate::group::tests::scene::topic_id;
use crate::group::*;

type Partitions = BTreeSet<(TopicId, PartitionIndex)>;

/// A consumer of group `g`.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) member_id: Arc<str>,
    instance_id: Option<Arc<str>>,
    topics: Vec<&'static str>,
    is_classic: bool,
    /// Member epoch or generation; `None` when it has to join.
    epoch: Option<i32>,
    /// What it reads from.
    pub(super) owned: Partitions,
    /// What it was told to read from; it stops at the rest when it comes to that.
    assigned: Option<Partitions>,
    /// Whether the coordinator must be told again what the client has, since an answer was lost.
    tells_all: bool,
    /// Of the classic protocol: it must ask for its assignment.
    must_sync: bool,
    /// Of the classic protocol: what it gives to the members, as their leader.
    assignments: Vec<(Arc<str>, bytes::Bytes)>,
    /// It has asked, and has no answer yet.
    pub(super) waits: bool,
}

impl Client {
    pub(super) fn new(dice: &mut Dice, number: usize) -> Self {
        let is_classic = dice.one_in(3);
        let member_id: Arc<str> = if is_classic { Arc::default() } else { format!("m{number}").into() };
        Self {
            name: format!("client{number}"),
            member_id,
            instance_id: dice.one_in(4).then(|| dice.pick(&["one", "two", "three"]).into()),
            topics: dice.pick(&[
                vec!["foo"],
                vec!["foo"],
                vec!["bar"],
                vec!["foo", "bar"],
                vec!["foo", "new"],
            ]),
            is_classic,
            epoch: None,
            owned: Partitions::new(),
            assigned: None,
            tells_all: false,
            must_sync: false,
            assignments: Vec::new(),
            waits: false,
        }
    }

    pub(super) fn instance_id(&self) -> Option<Arc<str>> {
        self.instance_id.clone()
    }

    /// Stops at what it shall not have, and begins at what is new.
    pub(super) fn catch_up(&mut self) {
        if let Some(assigned) = self.assigned.take() {
            self.tells_all |= assigned != self.owned;
            self.owned = assigned;
        }
    }

    /// Its next request.
    pub(super) fn ask(&mut self) -> Command {
        self.waits = true;
        if self.is_classic { self.ask_classic() } else { self.ask_modern() }
    }

    /// Reads other topics from now on.
    pub(super) fn change_subscription(&mut self, dice: &mut Dice) {
        self.topics = dice.pick(&[vec!["foo"], vec!["bar"], vec!["foo", "bar"], Vec::new()]);
        self.tells_all = true;
    }

    fn ask_modern(&mut self) -> Command {
        let mut heartbeat = match self.epoch {
            None => joins("", &self.topics),
            Some(epoch) if std::mem::take(&mut self.tells_all) => {
                let everything = joins("", &self.topics);
                ConsumerHeartbeat { member_epoch: epoch, topic_partitions: Some(self.told()), ..everything }
            }
            Some(epoch) => beat("", epoch),
        };
        heartbeat.member_id = Arc::clone(&self.member_id);
        heartbeat.instance_id = self.instance_id.clone();
        Command::ConsumerHeartbeat(heartbeat)
    }

    fn told(&self) -> Vec<(TopicId, Vec<PartitionIndex>)> {
        let mut told: BTreeMap<TopicId, Vec<PartitionIndex>> = BTreeMap::new();
        for (topic_id, partition) in &self.owned {
            told.entry(*topic_id).or_default().push(*partition);
        }
        told.into_iter().collect()
    }

    fn ask_classic(&mut self) -> Command {
        let group_instance_id = self.instance_id.clone();
        match self.epoch {
            None => {
                // It stops before it joins (the eager protocol).
                self.owned.clear();
                let join = subscription("", &self.topics, &[]);
                Command::Join(Join { member_id: Arc::clone(&self.member_id), group_instance_id, ..join })
            }
            Some(generation) if self.must_sync => Command::Sync(Sync {
                group_id: "g".into(),
                member_id: Arc::clone(&self.member_id),
                group_instance_id,
                generation,
                protocol_type: None,
                protocol: None,
                assignments: std::mem::take(&mut self.assignments),
            }),
            Some(generation) => Command::Heartbeat(Heartbeat {
                group_id: "g".into(),
                member_id: Arc::clone(&self.member_id),
                group_instance_id,
                generation,
            }),
        }
    }

    /// Its last request, if it is polite.
    pub(super) fn leave(&mut self, for_a_while: bool) -> Command {
        self.owned.clear();
        if self.is_classic {
            let member_id = Arc::clone(&self.member_id);
            let member = LeavingMember { member_id, group_instance_id: None, reason: None };
            return Command::Leave(Leave { group_id: "g".into(), members: vec![member] });
        }
        let epoch = if for_a_while && self.instance_id.is_some() { -2 } else { -1 };
        let instance_id = self.instance_id.clone();
        let heartbeat = beat("", epoch);
        Command::ConsumerHeartbeat(ConsumerHeartbeat {
            member_id: Arc::clone(&self.member_id),
            instance_id,
            ..heartbeat
        })
    }

    fn begin_anew(&mut self) {
        self.epoch = None;
        self.owned.clear();
        self.assigned = None;
        self.must_sync = false;
    }

    /// What it makes of an answer. `partitions` counts those of each topic, for a leader.
    pub(super) fn hear(&mut self, reply: &Reply, partitions: &[(&'static str, i32)]) {
        self.waits = false;
        match reply {
            Reply::ConsumerHeartbeat(reply) => self.hear_modern(reply),
            Reply::Join(reply) => self.hear_join(reply, partitions),
            Reply::Sync(reply) if reply.error.is_error() => self.hear_error(reply.error),
            Reply::Sync(reply) => {
                self.must_sync = false;
                let assignment = ConsumerProtocolAssignment::decode(&reply.assignment);
                let assigned = assignment.map(|known| known.assigned_partitions).unwrap_or_default();
                self.owned = assigned
                    .into_iter()
                    .flat_map(|(name, of)| of.into_iter().map(move |partition| (topic_id(name), partition)))
                    .collect();
            }
            Reply::Heartbeat(reply) => self.hear_error(reply.error),
            _ => {}
        }
    }

    fn hear_modern(&mut self, reply: &ConsumerHeartbeatReply) {
        match reply.error {
            ErrorCode::None => {
                self.epoch = Some(reply.member_epoch);
                if let Some(assignment) = &reply.assignment {
                    let told = assignment.iter();
                    let told = told.flat_map(|(id, of)| of.iter().map(|partition| (*id, *partition)));
                    self.assigned = Some(told.collect());
                }
            }
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => self.tells_all = true,
            _ => self.begin_anew(),
        }
    }

    fn hear_join(&mut self, reply: &JoinReply, partitions: &[(&'static str, i32)]) {
        if reply.error == ErrorCode::UnknownMemberId {
            self.member_id = Arc::default();
            return self.begin_anew();
        }
        if reply.error.is_error() {
            return self.begin_anew();
        }
        self.member_id = Arc::clone(&reply.member_id);
        self.epoch = Some(reply.generation);
        self.must_sync = true;
        // As leader it gives each member every so-many-th partition of all topics.
        let members = reply.members.len();
        self.assignments = (reply.members.iter().enumerate())
            .map(|(place, member)| {
                let own = partitions.iter().map(|(topic, count)| {
                    (*topic, (0..*count).filter(|one| *one as usize % members == place).collect())
                });
                let assignment =
                    ConsumerProtocolAssignment { assigned_partitions: own.collect(), user_data: None };
                (Arc::clone(&member.member_id), assignment.encode(3).unwrap())
            })
            .collect();
    }

    fn hear_error(&mut self, error: ErrorCode) {
        match error {
            ErrorCode::None | ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {}
            ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId => {
                self.member_id = Arc::default();
                self.begin_anew();
            }
            _ => self.begin_anew(),
        }
    }
}
