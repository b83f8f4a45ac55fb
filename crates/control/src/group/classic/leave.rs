//! LeaveGroup (`classicGroupLeaveToClassicGroup`).

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::{Classic, RebalanceReason, State};
use crate::group::command::LeavingMember;
use crate::group::reply::LeftMember;
use crate::group::turn::Turn;

impl Classic {
    /// Removes members, each on its own merits, and then rebalances once for all of them.
    pub(in crate::group) fn leave(
        &mut self,
        turn: &mut Turn<'_, '_>,
        members: Vec<LeavingMember>,
    ) -> Vec<LeftMember> {
        let mut left = Vec::with_capacity(members.len());
        for member in members {
            let error = self.leave_one(turn, &member).err().unwrap_or_default();
            let LeavingMember { member_id, group_instance_id, .. } = member;
            left.push(LeftMember { member_id, group_instance_id, error });
        }
        if left.iter().any(|member| !member.error.is_error()) {
            match self.state {
                State::Stable | State::CompletingRebalance => {
                    self.prepare_rebalance(turn, RebalanceReason::MemberLeft);
                }
                State::PreparingRebalance => self.maybe_complete_join(turn),
                State::Empty => {}
            }
        }
        left
    }

    fn leave_one(&mut self, turn: &mut Turn<'_, '_>, member: &LeavingMember) -> Result<(), ErrorCode> {
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
        self.remove(turn, &member_id);
        Ok(())
    }
}
