//! Commands about consumer groups: finds the group, or makes or converts it, and hands over.

use std::sync::Arc;

use ottla_model::{ErrorCode, TopicId};

use super::context::Context;
use super::convert::bury;
use super::draft::Draft;
use super::events::Occasion;
use super::member::{JOIN_EPOCH, LEAVE_EPOCH, LEAVE_STATIC_EPOCH};
use super::refusal::Refusal;
use super::state::ConsumerGroup;
use super::timers::Due;
use super::{Timers, request};
use crate::group::TopicsImage;
use crate::group::classic::Converted;
use crate::group::command::{ConsumerHeartbeat, Heartbeat, Join, Leave, Sync};
use crate::group::events::Happening;
use crate::group::groups::{Durable, Groups};
use crate::group::reply::{ConsumerDescribeReply, ConsumerHeartbeatReply, JoinReply, LeaveReply, SyncReply};
use crate::group::turn::Turn;
use crate::machine::{Caller, ReplyTo};

/// A draft of a new group, of one that is there, or of a classic one that is upgraded.
struct Begun {
    draft: Draft,
    /// Whether members of a classic group wait for something that will not come.
    is_upgrade: bool,
}

fn context<'a>(turn: &Turn<'a, '_>, topics: &'a TopicsImage, timers: &'a mut Timers) -> Context<'a> {
    Context { config: turn.config, topics, timers, now: turn.now(), wall_ms: turn.env.wall.0 }
}

impl Groups {
    /// The group, if it is a consumer group.
    pub(in crate::group) fn consumer_group(&self, group_id: &str) -> Option<&Arc<ConsumerGroup>> {
        self.groups.get(group_id)?.consumer()
    }

    /// Handles a ConsumerGroupHeartbeat.
    pub(in crate::group) fn consumer_heartbeat(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        heartbeat: &ConsumerHeartbeat,
    ) {
        let decided = request::check(turn.config, caller, heartbeat)
            .and_then(|()| self.decide_heartbeat(turn, caller, heartbeat));
        let reply = decided.unwrap_or_else(|refusal| {
            let message = Some(refusal.message).filter(|message| !message.is_empty());
            ConsumerHeartbeatReply::error(refusal.error, message)
        });
        turn.reply(reply_to, reply);
    }

    fn decide_heartbeat(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        heartbeat: &ConsumerHeartbeat,
    ) -> Result<ConsumerHeartbeatReply, Refusal> {
        let group_id = &heartbeat.group_id;
        if matches!(heartbeat.member_epoch, LEAVE_EPOCH | LEAVE_STATIC_EPOCH) {
            let group = self.consumer_group(group_id).ok_or_else(|| self.not_a_consumer_group(group_id))?;
            let mut draft = Draft::new(Arc::clone(group_id), Arc::clone(group));
            let mut context = context(turn, &self.topics, &mut self.timers);
            let (reply, converted) = context.leave(&mut draft, heartbeat)?;
            self.finish(turn, draft, converted, &Occasion::Request { by: caller, leaving: &[] })?;
            return Ok(reply);
        }
        let Begun { mut draft, is_upgrade } =
            self.begin_consumer(turn, group_id, heartbeat.member_epoch == JOIN_EPOCH)?;
        let new_member_id: Arc<str> = match heartbeat.member_id.is_empty() {
            true => TopicId::from_random(turn.env.random.next_u128()).to_string().into(),
            false => Arc::default(),
        };
        let mut context = context(turn, &self.topics, &mut self.timers);
        let reply = context.heartbeat(&mut draft, caller, heartbeat, || new_member_id)?;
        if is_upgrade && let Some(group) = self.groups.get_mut(group_id) {
            turn.note(group_id, Happening::Upgraded { members: group.classic.len() });
            group.classic.send_back(turn);
        }
        self.finish(turn, draft, None, &Occasion::Request { by: caller, leaving: &[] })?;
        Ok(reply)
    }

    /// The group as it is, a new one, or what a classic group becomes (`getOrMaybeCreateConsumerGroup`).
    fn begin_consumer(
        &mut self,
        turn: &Turn<'_, '_>,
        group_id: &Arc<str>,
        joins: bool,
    ) -> Result<Begun, Refusal> {
        let not_found = |message: String| Refusal::new(ErrorCode::GroupIdNotFound, message);
        let Some(group) = self.groups.get(group_id) else {
            if !joins {
                return Err(not_found(format!("Consumer group {group_id} not found.")));
            }
            if self.groups.len() >= turn.config.groups_max {
                return Err(Refusal::new(ErrorCode::GroupMaxSizeReached, "There are too many groups."));
            }
            let draft = Draft::new(Arc::clone(group_id), Arc::default());
            return Ok(Begun { draft, is_upgrade: false });
        };
        match &group.durable {
            Durable::Consumer(group) => {
                let draft = Draft::new(Arc::clone(group_id), Arc::clone(group));
                Ok(Begun { draft, is_upgrade: false })
            }
            _ if !joins => Err(self.not_a_consumer_group(group_id)),
            Durable::Absent | Durable::Offsets | Durable::Recorded(_) if group.classic.is_empty() => {
                let mut draft = Draft::new(Arc::clone(group_id), Arc::default());
                draft.record(group.classic.tombstone()?);
                Ok(Begun { draft, is_upgrade: false })
            }
            Durable::Absent | Durable::Offsets | Durable::Recorded(_) => {
                let mut context = context(turn, &self.topics, &mut self.timers);
                let draft = context.upgrade(group_id, &group.classic)?;
                Ok(Begun { draft, is_upgrade: true })
            }
        }
    }

    fn not_a_consumer_group(&self, group_id: &str) -> Refusal {
        let what = if self.groups.contains_key(group_id) { "is not a consumer group" } else { "not found" };
        Refusal::new(ErrorCode::GroupIdNotFound, format!("Group {group_id} {what}."))
    }

    /// Asks for the records of a draft, remembers what happened, and has the classic group that it became take over.
    fn finish(
        &mut self,
        turn: &mut Turn<'_, '_>,
        mut draft: Draft,
        converted: Option<Converted>,
        occasion: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let group_id = Arc::clone(&draft.group_id);
        turn.effects.records.extend(draft.take_records()?);
        self.note_changes(turn, &draft, converted.as_ref(), occasion);
        if let (Some(converted), Some(group)) = (converted, self.groups.get_mut(&group_id)) {
            group.classic = converted.classic;
            group.classic.take_over(turn, converted.rebalances);
            self.wakes.bring_forward(&group_id, &mut group.wake, group.classic.soonest());
        }
        Ok(())
    }

    /// Handles a JoinGroup to a consumer group that has members.
    pub(in crate::group) fn join_consumer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        join: &Join,
        group: Arc<ConsumerGroup>,
    ) {
        let mut draft = Draft::new(Arc::clone(&join.group_id), group);
        let new_member_id = TopicId::from_random(turn.env.random.next_u128()).to_string().into();
        let mut context = context(turn, &self.topics, &mut self.timers);
        let decided = context.join_classic(&mut draft, caller, join, new_member_id);
        let occasion = Occasion::Request { by: caller, leaving: &[] };
        let decided = decided
            .and_then(|(reply, converted)| self.finish(turn, draft, converted, &occasion).map(|()| reply));
        turn.reply(
            reply_to,
            decided.unwrap_or_else(|refusal| JoinReply::error(Arc::default(), refusal.error)),
        );
    }

    /// Makes place for a classic group where a consumer group has no members any more
    /// (`maybeDeleteEmptyConsumerGroup`).
    pub(in crate::group) fn bury_consumer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        group_id: &Arc<str>,
    ) -> Result<(), ErrorCode> {
        let Some(group) = self.consumer_group(group_id) else { return Ok(()) };
        let mut draft = Draft::new(Arc::clone(group_id), Arc::clone(group));
        bury(&mut draft);
        self.timers.forget(group_id);
        let records = draft.take_records().map_err(|refusal| refusal.error)?;
        turn.effects.records.extend(records);
        Ok(())
    }

    /// Handles a SyncGroup to a consumer group.
    pub(in crate::group) fn sync_consumer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        reply_to: ReplyTo,
        sync: &Sync,
        group: &ConsumerGroup,
    ) {
        let mut context = context(turn, &self.topics, &mut self.timers);
        let reply = context.sync_classic(&sync.group_id, group, sync);
        turn.reply(reply_to, reply.unwrap_or_else(|refusal| SyncReply::error(refusal.error)));
    }

    /// Handles a Heartbeat to a consumer group.
    pub(in crate::group) fn heartbeat_consumer(
        &mut self,
        turn: &Turn<'_, '_>,
        heartbeat: &Heartbeat,
        group: &ConsumerGroup,
    ) -> Result<(), ErrorCode> {
        let mut context = context(turn, &self.topics, &mut self.timers);
        context.heartbeat_classic(&heartbeat.group_id, group, heartbeat)
    }

    /// Handles a LeaveGroup to a consumer group.
    pub(in crate::group) fn leave_consumer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        leave: Leave,
        group: Arc<ConsumerGroup>,
    ) {
        let mut draft = Draft::new(leave.group_id, group);
        let mut context = context(turn, &self.topics, &mut self.timers);
        let decided = context.leave_group(&mut draft, &leave.members);
        let occasion = Occasion::Request { by: caller, leaving: &leave.members };
        let decided = decided.and_then(|(members, converted)| {
            self.finish(turn, draft, converted, &occasion).map(|()| members)
        });
        turn.reply(
            reply_to,
            match decided {
                Ok(members) => LeaveReply { error: ErrorCode::None, members },
                Err(refusal) => LeaveReply { error: refusal.error, members: Vec::new() },
            },
        );
    }

    /// Describes a consumer group.
    pub(in crate::group) fn describe_consumer(&self, group_id: Arc<str>) -> ConsumerDescribeReply {
        match self.consumer_group(&group_id) {
            Some(group) => group.described(group_id, &self.config, &self.topics),
            None => {
                let refusal = self.not_a_consumer_group(&group_id);
                ConsumerDescribeReply::error(group_id, refusal.error, Some(refusal.message))
            }
        }
    }

    /// Does what is due in consumer groups.
    pub(in crate::group) fn tick_consumers(&mut self, turn: &mut Turn<'_, '_>) {
        for (group_id, due) in self.timers.take_due(turn.now()) {
            // A refusal here can only be a record that does not fit; the members then stay, without a session.
            let _ = self.tick_consumer(turn, &group_id, &due);
        }
    }

    fn tick_consumer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        group_id: &Arc<str>,
        due: &Due,
    ) -> Result<(), Refusal> {
        let Some(group) = self.consumer_group(group_id) else { return Ok(()) };
        let mut draft = Draft::new(Arc::clone(group_id), Arc::clone(group));
        let mut context = context(turn, &self.topics, &mut self.timers);
        let converted = context.tick(&mut draft, due)?;
        self.finish(turn, draft, converted, &Occasion::TimeUp(due))
    }

    /// Starts the timers of all members that have none: after a start, and after an append failed.
    pub(in crate::group) fn revive_consumer(&mut self, turn: &Turn<'_, '_>, group_id: &Arc<str>) {
        let Some(group) = self.consumer_group(group_id).cloned() else { return };
        let mut context = context(turn, &self.topics, &mut self.timers);
        context.revive(group_id, &group);
    }
}
