//! Members that go: those that say so, and those whose time is up.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_model::ErrorCode;

use super::context::Context;
use super::draft::Draft;
use super::enter::{check_not_fenced, remove_member, unknown_instance, unknown_member};
use super::member::{Current, LEAVE_STATIC_EPOCH, Member, Owned};
use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup};
use super::timers::{Due, Timer};
use crate::group::classic::Converted;
use crate::group::command::{ConsumerHeartbeat, LeavingMember};
use crate::group::reply::{ConsumerHeartbeatReply, LeftMember};

impl Context<'_> {
    /// Takes a member out that says it leaves, for good or for a while (`consumerGroupLeave`).
    pub(super) fn leave(
        &mut self,
        draft: &mut Draft,
        heartbeat: &ConsumerHeartbeat,
    ) -> Result<(ConsumerHeartbeatReply, Option<Converted>), Refusal> {
        let group = draft.group();
        let known = match &heartbeat.instance_id {
            None => group.members.get_key_value(&heartbeat.member_id),
            Some(instance_id) => {
                let known = group.static_member(instance_id).ok_or_else(|| unknown_instance(instance_id))?;
                check_not_fenced(known.0, &heartbeat.member_id, instance_id)?;
                Some(known)
            }
        };
        let (member_id, member) =
            known.ok_or_else(|| unknown_member(&draft.group_id, &heartbeat.member_id))?;
        let member_id = Arc::clone(member_id);
        let reply = ConsumerHeartbeatReply {
            member_id: Some(Arc::clone(&member_id)),
            member_epoch: heartbeat.member_epoch,
            ..ConsumerHeartbeatReply::error(ErrorCode::None, None)
        };
        if heartbeat.instance_id.is_some() && heartbeat.member_epoch == LEAVE_STATIC_EPOCH {
            let away = Arc::new(away(member));
            draft.change(Change::Current(member_id, Some(away)));
            return Ok((reply, None));
        }
        let converted = self.fence(draft, &[member_id])?;
        Ok((reply, converted))
    }

    /// LeaveGroup for members of a consumer group, whichever protocol they use
    /// (`classicGroupLeaveToConsumerGroup`).
    pub(super) fn leave_group(
        &mut self,
        draft: &mut Draft,
        members: &[LeavingMember],
    ) -> Result<(Vec<LeftMember>, Option<Converted>), Refusal> {
        let mut gone = Vec::new();
        let mut left = Vec::with_capacity(members.len());
        for member in members {
            let found = find_leaving(draft.group(), &draft.group_id, member);
            let error = found.as_ref().err().map_or(ErrorCode::None, |refusal| refusal.error);
            gone.extend(found);
            let LeavingMember { member_id, group_instance_id, .. } = member.clone();
            left.push(LeftMember { member_id, group_instance_id, error });
        }
        gone.sort_unstable();
        gone.dedup();
        let converted = self.fence(draft, &gone)?;
        Ok((left, converted))
    }

    /// Takes members out (`consumerGroupFenceMembers`). When only members of the classic protocol are left, the group
    /// becomes a classic one.
    pub(super) fn fence(
        &mut self,
        draft: &mut Draft,
        member_ids: &[Arc<str>],
    ) -> Result<Option<Converted>, Refusal> {
        if member_ids.is_empty() {
            return Ok(None);
        }
        if self.may_downgrade_without(draft.group(), member_ids) {
            let epoch = draft.group().epoch;
            return self.downgrade(draft, member_ids, epoch, true).map(Some);
        }
        let mut regexes: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for member_id in member_ids {
            let member = draft.group().members.get(member_id);
            if let Some(regex) = member.and_then(Member::regex) {
                *regexes.entry(Arc::clone(regex)).or_default() += 1;
            }
            remove_member(draft, member_id);
        }
        for regex in regexes.into_keys() {
            if !draft.group().index.regexes.contains_key(&regex) {
                draft.change(Change::Regex(regex, None));
            }
        }
        let hash = self.metadata_hash(draft.group());
        draft.change(Change::Epoch(Some((draft.group().epoch.saturating_add(1), hash))));
        for member_id in member_ids {
            self.timers.cancel_member(&draft.group_id, member_id);
        }
        Ok(None)
    }

    /// Starts the timers of all members that have none (`onLoaded`).
    pub(super) fn revive(&mut self, group_id: &Arc<str>, group: &ConsumerGroup) {
        for (member_id, member) in group.members.iter() {
            let session_timeout_ms = self.config.consumer.session_timeout_ms(group_id);
            self.start_if_absent(group_id, member_id, Timer::Session, session_timeout_ms);
            if member.must_revoke() {
                let rebalance_timeout_ms = member.metadata.rebalance_timeout_ms;
                self.start_if_absent(group_id, member_id, Timer::Rebalance, rebalance_timeout_ms);
            }
        }
    }

    /// Does what is due: takes members out whose time is up, and resolves expressions.
    pub(super) fn tick(&mut self, draft: &mut Draft, due: &Due) -> Result<Option<Converted>, Refusal> {
        for (_, timer, member_id) in &due.members {
            let Some(member) = draft.group().members.get(member_id) else { continue };
            if *timer == Timer::Rebalance && !member.must_revoke() {
                continue;
            }
            if let Some(converted) = self.fence(draft, &[Arc::clone(member_id)])? {
                return Ok(Some(converted));
            }
        }
        if !due.regexes.is_empty() {
            self.resolve(draft, &due.regexes);
        }
        Ok(None)
    }
}

/// The assignment of a static member that goes away for a while: it keeps what it has, for the next process of its
/// instance id (`consumerGroupStaticMemberGroupLeave`).
fn away(member: &Member) -> Current {
    let mut assigned = member.current.assigned.clone();
    assigned.values_mut().flat_map(BTreeMap::values_mut).for_each(|epoch| *epoch = 0);
    Current { epoch: LEAVE_STATIC_EPOCH, assigned, revoking: Owned::new(), ..(*member.current).clone() }
}

fn find_leaving(group: &ConsumerGroup, group_id: &str, leaving: &LeavingMember) -> Result<Arc<str>, Refusal> {
    let Some(instance_id) = &leaving.group_instance_id else {
        let known = group.members.get_key_value(&leaving.member_id);
        let (member_id, _) = known.ok_or_else(|| unknown_member(group_id, &leaving.member_id))?;
        return Ok(Arc::clone(member_id));
    };
    let (member_id, _) = group.static_member(instance_id).ok_or_else(|| unknown_instance(instance_id))?;
    if !leaving.member_id.is_empty() {
        check_not_fenced(member_id, &leaving.member_id, instance_id)?;
    }
    Ok(Arc::clone(member_id))
}
