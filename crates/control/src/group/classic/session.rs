//! Heartbeats, and everything that happens because time passes.

use std::sync::Arc;

use ottla_model::{ErrorCode, Monotonic};

use super::{Classic, JoinTimer, State};
use crate::group::command::Heartbeat;
use crate::group::events::{Missed, RebalanceReason, Trigger};
use crate::group::turn::Turn;

/// What is due. In the order in which things of one moment happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A member's session ends.
    Session(Arc<str>),
    /// A member id that was handed out is forgotten.
    Pending(Arc<str>),
    /// The wait for members to join ends.
    Join,
    /// The wait for members to ask for their assignment ends.
    Sync,
}

impl Classic {
    /// Handles a Heartbeat (`classicGroupHeartbeatToClassicGroup`).
    pub(in crate::group) fn heartbeat(
        &mut self,
        turn: &Turn<'_, '_>,
        heartbeat: &Heartbeat,
    ) -> Result<(), ErrorCode> {
        self.validate_member(&heartbeat.member_id, heartbeat.group_instance_id.as_deref())?;
        if heartbeat.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match self.state {
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::PreparingRebalance => {
                self.restart_session(turn, &heartbeat.member_id);
                Err(ErrorCode::RebalanceInProgress)
            }
            State::CompletingRebalance | State::Stable => {
                self.restart_session(turn, &heartbeat.member_id);
                Ok(())
            }
        }
    }

    /// The member has shown that it lives. Costs two writes: the deadline moves, and the group's wake does not.
    pub(super) fn restart_session(&mut self, turn: &Turn<'_, '_>, member_id: &str) {
        if let Some(member) = self.roster.get_mut(member_id) {
            let ends = turn.after(member.session_timeout_ms);
            member.session_ends = Some(ends);
            self.wake_by(ends);
        }
    }

    /// Does what is due now, in the order in which it became due, and computes when the next thing is.
    pub(in crate::group) fn tick(&mut self, turn: &mut Turn<'_, '_>) {
        let now = turn.now();
        let mut due: Vec<(Monotonic, Due)> = self.deadlines().filter(|(at, _)| *at <= now).collect();
        due.sort_unstable();
        for (at, due) in due {
            self.fire(turn, at, due);
        }
        self.soonest = self.deadlines().map(|(at, _)| at).min();
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = (Monotonic, Due)> {
        let sessions = self
            .roster
            .iter()
            .filter_map(|(id, member)| Some((member.session_ends?, Due::Session(Arc::clone(id)))));
        let pending = self.pending_join.iter().map(|(id, at)| (*at, Due::Pending(Arc::clone(id))));
        let join = self.join_timer.map(|timer| (timer.ends(), Due::Join));
        let sync = self.sync_ends.map(|at| (at, Due::Sync));
        sessions.chain(pending).chain(join).chain(sync)
    }

    /// Does one thing that was due at `at`, unless something that was done before has called it off.
    fn fire(&mut self, turn: &mut Turn<'_, '_>, at: Monotonic, due: Due) {
        match due {
            Due::Session(member_id) => {
                if self.roster.get(&member_id).is_some_and(|member| member.session_ends == Some(at)) {
                    self.end_session(turn, &member_id);
                }
            }
            Due::Pending(member_id) => {
                if self.pending_join.get(&member_id) == Some(&at) {
                    self.pending_join.remove(&member_id);
                    self.complete_join_without(turn);
                }
            }
            Due::Join => match self.join_timer {
                Some(timer) if timer.ends() == at => self.fire_join(turn, timer),
                _ => {}
            },
            Due::Sync => {
                if self.sync_ends == Some(at) {
                    self.end_sync_wait(turn);
                }
            }
        }
    }

    fn fire_join(&mut self, turn: &mut Turn<'_, '_>, timer: JoinTimer) {
        self.join_timer = None;
        if self.state == State::PreparingRebalance {
            self.end_join_wait(turn, timer);
        }
    }

    /// A member was silent for too long (`expireClassicGroupMemberHeartbeat`).
    fn end_session(&mut self, turn: &mut Turn<'_, '_>, member_id: &Arc<str>) {
        if let Some(member) = self.roster.get_mut(member_id) {
            member.session_ends = None;
            if member.has_satisfied_heartbeat() {
                return;
            }
            let is_new = member.is_new;
            let session_ms = member.session_timeout_ms;
            let waited_ms = if is_new { turn.config.new_member_join_timeout_ms } else { session_ms };
            self.note_eviction(turn, member_id, Missed::Heartbeat, waited_ms);
        }
        self.remove(turn, member_id);
        let trigger = Trigger::by(RebalanceReason::MemberSilent, member_id);
        match self.state {
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(turn, trigger),
            State::PreparingRebalance => self.complete_join_without(turn),
            State::Empty => {}
        }
    }

    /// Members that joined but never asked for their assignment are out (`expirePendingSync`).
    fn end_sync_wait(&mut self, turn: &mut Turn<'_, '_>) {
        self.sync_ends = None;
        let is_rebalanced = matches!(self.state, State::CompletingRebalance | State::Stable);
        if !is_rebalanced || self.pending_sync.is_empty() {
            return;
        }
        let waited_ms = self.roster.rebalance_timeout_ms();
        let mut trigger = Trigger::by(RebalanceReason::MemberDidNotSync, &Arc::default());
        for member_id in std::mem::take(&mut self.pending_sync) {
            self.note_eviction(turn, &member_id, Missed::Sync, waited_ms);
            self.remove(turn, &member_id);
            trigger.member_id = member_id;
        }
        self.prepare_rebalance(turn, trigger);
    }
}
