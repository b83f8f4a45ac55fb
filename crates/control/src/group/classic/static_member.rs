//! A static member that comes back under its instance id (KIP-345; `updateStaticMemberThenRebalanceOrCompleteJoin`).

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::join::JoinRequest;
use super::{Classic, State, dismiss};
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::reply::JoinReply;
use crate::group::turn::Turn;

impl Classic {
    /// Gives the place of `old_id` to a new process of the same instance id. A stable group does not rebalance for
    /// it, if the protocol stays the same: that is what static membership is for.
    pub(super) fn replace_static_member(
        &mut self,
        turn: &mut Turn<'_, '_>,
        request: JoinRequest<'_>,
        old_id: &Arc<str>,
        new_id: Arc<str>,
    ) {
        let reply_to = request.reply_to;
        let supports_skipping = request.join.supports_skipping_assignment;
        let old_leader = self.leader.clone().unwrap_or_default();
        let trigger = Trigger::by(RebalanceReason::StaticMemberReplaced, &new_id);
        let trigger = trigger.saying(request.join.reason.as_ref());
        self.rename_member(turn, old_id, &new_id, ErrorCode::FencedInstanceId);
        self.note_replaced(turn, old_id, &new_id);
        self.restart_session(turn, &new_id);
        self.update_member(turn, &new_id, request);
        match self.state {
            State::Stable if self.protocol == self.roster.select_protocol() => {
                // The reply waits for the record, as all replies do: until it is down the old member has the place.
                self.roster.park_join(&new_id, None);
                match self.record() {
                    Ok(record) => {
                        turn.record(record);
                        let reply = self.replaced(&new_id, old_leader, supports_skipping);
                        turn.reply(reply_to, reply);
                    }
                    Err(_) => {
                        let reply = JoinReply::error(Arc::default(), ErrorCode::UnknownServerError);
                        turn.reply(reply_to, reply);
                    }
                }
            }
            State::Stable => self.maybe_prepare_rebalance(turn, trigger),
            // The leader may be assigning to the old member id right now, so the new one would get nothing.
            State::CompletingRebalance => self.prepare_rebalance(turn, trigger),
            State::PreparingRebalance | State::Empty => self.maybe_complete_join(turn),
        }
    }

    /// The reply to a static member that took over its place without a rebalance. A client that can be told to skip
    /// the assignment learns that it leads; an older one is shown the old leader's id, so that it does not assign.
    fn replaced(&self, new_id: &Arc<str>, old_leader: Arc<str>, supports_skipping: bool) -> JoinReply {
        let mut reply = self.joined(new_id);
        if supports_skipping {
            reply.skip_assignment = self.is_leader(new_id);
        } else {
            reply.leader = old_leader;
            reply.members = Vec::new();
        }
        reply
    }

    /// Moves a static member to another member id. Whoever waits under the old one is answered with `error`.
    pub(super) fn rename_member(
        &mut self,
        turn: &mut Turn<'_, '_>,
        old_id: &Arc<str>,
        new_id: &Arc<str>,
        error: ErrorCode,
    ) {
        let Some(mut member) = self.roster.remove(old_id) else { return };
        dismiss(turn, &member, Arc::clone(old_id), error);
        member.awaiting_join = None;
        member.awaiting_sync = None;
        member.is_new = false;
        member.session_ends = None;
        self.roster.insert(Arc::clone(new_id), member);
        if self.is_leader(old_id) {
            self.leader = Some(Arc::clone(new_id));
        }
        if self.pending_sync.remove(old_id) {
            self.pending_sync.insert(Arc::clone(new_id));
        }
    }
}
