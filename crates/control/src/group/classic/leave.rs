//! LeaveGroup (`classicGroupLeaveToClassicGroup`).

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::{Classic, State};
use crate::group::command::LeavingMember;
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::reply::LeftMember;
use crate::group::turn::Turn;
use crate::machine::Caller;

impl Classic {
    /// Removes members, each on its own merits, and then rebalances once for all of them.
    pub(in crate::group) fn leave(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        members: Vec<LeavingMember>,
    ) -> Vec<LeftMember> {
        let mut left = Vec::with_capacity(members.len());
        let mut trigger = None;
        for member in members {
            let error = match self.leave_one(turn, caller, &member) {
                Ok(member_id) => {
                    let by = Trigger::by(RebalanceReason::MemberLeft, &member_id);
                    trigger = Some(by.saying(member.reason.as_ref()));
                    ErrorCode::None
                }
                Err(error) => error,
            };
            let LeavingMember { member_id, group_instance_id, .. } = member;
            left.push(LeftMember { member_id, group_instance_id, error });
        }
        if let Some(trigger) = trigger {
            match self.state {
                State::Stable | State::CompletingRebalance => self.prepare_rebalance(turn, trigger),
                State::PreparingRebalance => self.maybe_complete_join(turn),
                State::Empty => {}
            }
        }
        left
    }

    fn leave_one(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        member: &LeavingMember,
    ) -> Result<Arc<str>, ErrorCode> {
        let instance = member.group_instance_id.as_deref();
        let member_id = if member.member_id.is_empty() {
            // An administrator removes a static member by its name alone.
            let known = instance.and_then(|instance| self.roster.static_member(instance));
            Arc::clone(known.ok_or(ErrorCode::UnknownMemberId)?)
        } else {
            if !self.pending_join.contains_key(&member.member_id) {
                self.validate_member(&member.member_id, instance)?;
            }
            Arc::clone(&member.member_id)
        };
        self.note_leaving(turn, caller, &member_id, member.reason.as_ref());
        self.remove(turn, &member_id);
        Ok(member_id)
    }
}
