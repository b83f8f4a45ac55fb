//! SyncGroup (`classicGroupSyncToClassicGroup`).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::ErrorCode;

use super::{Classic, State};
use crate::group::command::Sync;
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::reply::SyncReply;
use crate::group::turn::Turn;
use crate::machine::ReplyTo;

impl Classic {
    /// Handles a SyncGroup. Members wait for the leader's; the leader's ends the rebalance.
    pub(in crate::group) fn sync(&mut self, turn: &mut Turn<'_, '_>, reply_to: ReplyTo, sync: Sync) {
        if let Err(error) = self.validate_sync(&sync) {
            return turn.reply(reply_to, SyncReply::error(error));
        }
        match self.state {
            State::Empty => turn.reply(reply_to, SyncReply::error(ErrorCode::UnknownMemberId)),
            State::PreparingRebalance => {
                turn.reply(reply_to, SyncReply::error(ErrorCode::RebalanceInProgress));
            }
            State::CompletingRebalance => {
                self.park_sync(turn, reply_to, &sync.member_id);
                self.note_sync_of(&sync.member_id);
                if self.is_leader(&sync.member_id) {
                    self.take_assignment(turn, sync.assignments);
                }
            }
            State::Stable => {
                self.note_sync_of(&sync.member_id);
                let reply = self.synced(&sync.member_id);
                turn.reply(reply_to, reply);
            }
        }
    }

    fn validate_sync(&self, sync: &Sync) -> Result<(), ErrorCode> {
        self.validate_member(&sync.member_id, sync.group_instance_id.as_deref())?;
        if sync.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |theirs: &Option<Arc<str>>, ours: &Option<Arc<str>>| {
            theirs.is_some() && ours.is_some() && theirs != ours
        };
        if differs(&sync.protocol_type, &self.protocol_type) || differs(&sync.protocol, &self.protocol) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn park_sync(&mut self, turn: &mut Turn<'_, '_>, reply_to: ReplyTo, member_id: &str) {
        let Some(member) = self.roster.get_mut(member_id) else { return };
        if let Some(superseded) = member.awaiting_sync.replace(reply_to) {
            // The client asked twice. Kafka forgets the first request; every request gets a reply here.
            turn.reply(superseded, SyncReply::error(ErrorCode::RebalanceInProgress));
        }
    }

    fn note_sync_of(&mut self, member_id: &str) {
        self.pending_sync.remove(member_id);
        if self.pending_sync.is_empty() {
            self.sync_ends = None;
        }
    }

    /// Stores the leader's assignment. A member that it leaves out gets an empty one; ids that are no members are
    /// passed over.
    fn take_assignment(&mut self, turn: &mut Turn<'_, '_>, assignments: Vec<(Arc<str>, Bytes)>) {
        let mut assignments: HashMap<Arc<str>, Bytes> = assignments.into_iter().collect();
        for (member_id, member) in self.roster.iter_mut() {
            member.assign(assignments.remove(member_id).unwrap_or_default());
        }
        match self.record() {
            Ok(record) => {
                turn.record(record);
                self.transition(turn, State::Stable);
                self.note_assigned(turn);
                self.answer_syncs(turn, ErrorCode::None);
            }
            Err(_) => {
                self.fail_assignment(turn, ErrorCode::UnknownServerError);
                let trigger = Trigger::by(RebalanceReason::AppendFailed, &Arc::default());
                self.prepare_rebalance(turn, trigger);
            }
        }
    }

    /// Takes the assignment of this generation back: every member's is empty, and whoever waits for one gets
    /// `error` (`resetAndPropagateAssignmentWithError`).
    pub(super) fn fail_assignment(&mut self, turn: &mut Turn<'_, '_>, error: ErrorCode) {
        for (_, member) in self.roster.iter_mut() {
            member.assign(Bytes::new());
        }
        self.answer_syncs(turn, error);
    }

    fn answer_syncs(&mut self, turn: &mut Turn<'_, '_>, error: ErrorCode) {
        for member_id in self.roster.ids() {
            let waiting = self.roster.get_mut(&member_id).and_then(|member| member.awaiting_sync.take());
            if let Some(reply_to) = waiting {
                let reply = if error.is_error() { SyncReply::error(error) } else { self.synced(&member_id) };
                turn.reply(reply_to, reply);
                // Its session may have ended unnoticed while it was parked.
                self.restart_session(turn, &member_id);
            }
        }
    }

    fn synced(&self, member_id: &str) -> SyncReply {
        SyncReply {
            error: ErrorCode::None,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self
                .roster
                .get(member_id)
                .map(|member| member.assignment.clone())
                .unwrap_or_default(),
        }
    }
}
