//! The join phase of a rebalance (`prepareRebalance`, `completeClassicGroupJoin` and what is around them).

use std::collections::BTreeSet;
use std::sync::Arc;

use ottla_model::ErrorCode;

use super::{Classic, JoinTimer, State};
use crate::codec::ConsumerSubscription;
use crate::group::events::{Missed, Trigger};
use crate::group::turn::Turn;

/// Shortest wait when nobody joined in time: a rebalance timeout of zero must not keep the machine busy until the
/// members' sessions end.
const JOIN_RETRY_MS_MIN: i32 = 1_000;

impl Classic {
    /// Begins a rebalance; or, when one is under way, completes its join phase if that was the last one missing
    /// (`maybePrepareRebalanceOrCompleteJoin`).
    pub(super) fn maybe_prepare_rebalance(&mut self, turn: &mut Turn<'_, '_>, trigger: Trigger) {
        if self.state == State::PreparingRebalance {
            self.maybe_complete_join(turn);
        } else {
            self.prepare_rebalance(turn, trigger);
        }
    }

    /// Begins a rebalance: members learn of it by their next heartbeat.
    pub(super) fn prepare_rebalance(&mut self, turn: &mut Turn<'_, '_>, trigger: Trigger) {
        self.note_rebalance(turn, trigger);
        if self.state == State::CompletingRebalance {
            self.fail_assignment(turn, ErrorCode::RebalanceInProgress);
        }
        self.pending_sync.clear();
        self.sync_ends = None;
        let is_initial = self.state == State::Empty;
        self.transition(turn, State::PreparingRebalance);
        if is_initial {
            self.begin_initial_rebalance(turn);
        } else if self.has_all_joined() {
            self.complete_join(turn);
        } else {
            self.await_joins(turn);
        }
    }

    /// Gives the members of a group that starts up some time to come, so that it need not rebalance for each.
    fn begin_initial_rebalance(&mut self, turn: &mut Turn<'_, '_>) {
        self.new_member_added = false;
        let delay_ms = turn.config.initial_rebalance_delay_ms;
        if delay_ms <= 0 {
            return self.complete_join(turn);
        }
        let remaining_ms = self.roster.rebalance_timeout_ms().saturating_sub(delay_ms).max(0);
        self.set_join_timer(JoinTimer::Initial { ends: turn.after(delay_ms), delay_ms, remaining_ms });
    }

    fn await_joins(&mut self, turn: &Turn<'_, '_>) {
        let ends = turn.after(self.roster.rebalance_timeout_ms());
        self.set_join_timer(JoinTimer::Rebalance { ends });
    }

    /// Only static members are left, and none of them is here: waits on, until they come or their sessions end.
    fn await_anyone(&mut self, turn: &Turn<'_, '_>) {
        let wait_ms = self.roster.rebalance_timeout_ms().max(JOIN_RETRY_MS_MIN);
        self.set_join_timer(JoinTimer::Rebalance { ends: turn.after(wait_ms) });
    }

    fn set_join_timer(&mut self, timer: JoinTimer) {
        self.join_timer = Some(timer);
        self.wake_by(timer.ends());
    }

    /// The join timer has fired.
    pub(super) fn end_join_wait(&mut self, turn: &mut Turn<'_, '_>, timer: JoinTimer) {
        match timer {
            // More members came: wait on, as long as there is time (`tryCompleteInitialRebalanceElseSchedule`).
            JoinTimer::Initial { delay_ms, remaining_ms, .. }
                if self.new_member_added && remaining_ms > 0 =>
            {
                self.new_member_added = false;
                let next_delay_ms = turn.config.initial_rebalance_delay_ms.min(remaining_ms);
                self.set_join_timer(JoinTimer::Initial {
                    ends: turn.after(next_delay_ms),
                    delay_ms: next_delay_ms,
                    remaining_ms: remaining_ms.saturating_sub(delay_ms).max(0),
                });
            }
            JoinTimer::Initial { .. } | JoinTimer::Rebalance { .. } => self.complete_join(turn),
        }
    }

    fn has_all_joined(&self) -> bool {
        self.roster.awaiting_join() == self.roster.len() && self.pending_join.is_empty()
    }

    /// Completes the join phase when all members have joined. An initial rebalance waits for its timer instead.
    pub(super) fn maybe_complete_join(&mut self, turn: &mut Turn<'_, '_>) {
        let waits = self.state == State::PreparingRebalance && self.previous_state != State::Empty;
        if waits && self.has_all_joined() {
            self.complete_join(turn);
        }
    }

    /// A member is gone for good: if the rebalance waited for it, it goes on. Unlike
    /// [`Classic::maybe_complete_join`], this ends an initial rebalance too, as in Kafka.
    pub(super) fn complete_join_without(&mut self, turn: &mut Turn<'_, '_>) {
        if self.state == State::PreparingRebalance && self.has_all_joined() {
            self.complete_join(turn);
        }
    }

    /// Ends the join phase: whoever has not rejoined is out, unless it is static, and the next generation begins.
    pub(super) fn complete_join(&mut self, turn: &mut Turn<'_, '_>) {
        self.join_timer = None;
        let led = self.leader.clone();
        self.remove_dynamic_absentees(turn);
        if !self.elect_joined_leader() && !self.roster.is_empty() {
            return self.await_anyone(turn);
        }
        // After the last number comes 0, not a negative one, which would mean "no generation".
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.pending_sync.clear();
        if self.roster.is_empty() {
            self.protocol = None;
            self.subscribed_topics = self.compute_subscribed_topics();
            self.transition(turn, State::Empty);
            self.note_generation(turn, led.as_ref());
            if let Ok(record) = self.record() {
                turn.record(record);
            }
        } else {
            self.protocol = self.roster.select_protocol();
            self.subscribed_topics = self.compute_subscribed_topics();
            self.transition(turn, State::CompletingRebalance);
            self.note_generation(turn, led.as_ref());
            self.answer_joins(turn);
        }
    }

    fn remove_dynamic_absentees(&mut self, turn: &mut Turn<'_, '_>) {
        let absent: Vec<Arc<str>> = self
            .roster
            .iter()
            .filter(|(_, member)| member.awaiting_join.is_none() && !member.is_static())
            .map(|(member_id, _)| Arc::clone(member_id))
            .collect();
        let waited_ms = self.roster.rebalance_timeout_ms();
        for member_id in absent {
            self.note_eviction(turn, &member_id, Missed::Rejoin, waited_ms);
            self.remove(turn, &member_id);
        }
    }

    /// Makes sure that the leader is one that joined; false when nobody did (`maybeElectNewJoinedLeader`).
    fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = &self.leader else { return false };
        if self.roster.get(leader).is_some_and(|member| member.awaiting_join.is_some()) {
            return true;
        }
        let joined = self.roster.iter().find(|(_, member)| member.awaiting_join.is_some());
        match joined.map(|(member_id, _)| Arc::clone(member_id)) {
            Some(member_id) => {
                self.leader = Some(member_id);
                true
            }
            None => false,
        }
    }

    /// Tells the members their generation. From now on they have the rebalance timeout to ask for their assignment.
    fn answer_joins(&mut self, turn: &mut Turn<'_, '_>) {
        for member_id in self.roster.ids() {
            if let Some(reply_to) = self.roster.park_join(&member_id, None) {
                let reply = self.joined(&member_id);
                turn.reply(reply_to, reply);
            }
            if let Some(member) = self.roster.get_mut(&member_id) {
                member.is_new = false;
            }
            self.restart_session(turn, &member_id);
            self.pending_sync.insert(member_id);
        }
        let ends = turn.after(self.roster.rebalance_timeout_ms());
        self.wake_by(ends);
        self.sync_ends = Some(ends);
    }

    /// The topics that the members read, if their metadata tells (`computeSubscribedTopics`).
    pub(super) fn compute_subscribed_topics(&self) -> Option<BTreeSet<Box<str>>> {
        if !self.is_consumer_protocol() {
            return None;
        }
        if self.roster.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for (_, member) in self.roster.iter() {
            let metadata = member.metadata(protocol);
            let subscription = ConsumerSubscription::decode(&metadata).ok()?;
            topics.extend(subscription.topics.into_iter().map(Box::from));
        }
        Some(topics)
    }
}
