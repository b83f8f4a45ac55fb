//! JoinGroup (`classicGroupJoinToClassicGroup` and what it calls).

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::ErrorCode;

use super::member::{Member, Protocols};
use super::{Classic, State};
use crate::group::command::Join;
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::reply::{JoinMember, JoinReply};
use crate::group::turn::Turn;
use crate::machine::{Caller, ReplyTo};

/// A JoinGroup with its sender.
pub(in crate::group) struct JoinRequest<'a> {
    pub(in crate::group) caller: &'a Caller,
    pub(in crate::group) reply_to: ReplyTo,
    pub(in crate::group) join: Join,
}

impl Classic {
    /// Handles a JoinGroup. The caller is answered now or parked.
    pub(in crate::group) fn join(&mut self, turn: &mut Turn<'_, '_>, request: JoinRequest<'_>) {
        let join = &request.join;
        if !self.has_room_for(turn, &join.member_id) {
            turn.reply(request.reply_to, JoinReply::error(Arc::default(), ErrorCode::GroupMaxSizeReached));
            self.remove(turn, &join.member_id);
            // Nobody need wait for a member that was just turned away.
            return self.maybe_complete_join(turn);
        }
        if !self.supports(&join.protocol_type, &join.protocols) {
            let reply = JoinReply::error(Arc::clone(&join.member_id), ErrorCode::InconsistentGroupProtocol);
            return turn.reply(request.reply_to, reply);
        }
        if join.member_id.is_empty() {
            self.join_new(turn, request);
        } else {
            self.join_known(turn, request);
        }
    }

    /// True when the group may take the member in (`acceptJoiningMember`).
    fn has_room_for(&self, turn: &Turn<'_, '_>, member_id: &str) -> bool {
        match self.state {
            State::Empty => true,
            // Counting those that wait, and not all, lets a group that is over its size (the setting was lowered)
            // turn away the last ones that rejoin.
            State::PreparingRebalance => {
                self.roster.get(member_id).is_some_and(|member| member.awaiting_join.is_some())
                    || self.roster.awaiting_join() < turn.config.max_size
            }
            State::CompletingRebalance | State::Stable => {
                self.roster.contains(member_id) || self.roster.len() < turn.config.max_size
            }
        }
    }

    /// True when a member with these protocols can be in the group (`supportsProtocols`).
    pub(in crate::group) fn supports(&self, protocol_type: &str, protocols: &Protocols) -> bool {
        if self.state == State::Empty {
            !protocol_type.is_empty() && !protocols.is_empty()
        } else {
            self.protocol_type.as_deref() == Some(protocol_type) && self.roster.support_any(protocols)
        }
    }

    fn join_new(&mut self, turn: &mut Turn<'_, '_>, request: JoinRequest<'_>) {
        let join = &request.join;
        let prefix = match &join.group_instance_id {
            Some(instance) => &**instance,
            None => request.caller.client_id.as_deref().unwrap_or_default(),
        };
        let member_id: Arc<str> = format!("{prefix}-{}", turn.env.uuid()).into();
        if let Some(instance) = &join.group_instance_id {
            match self.roster.static_member(instance).cloned() {
                Some(existing) => self.replace_static_member(turn, request, &existing, member_id),
                None => self.add_member(turn, request, member_id),
            }
        } else if join.requires_known_member_id {
            self.hand_out_member_id(turn, &request, member_id);
        } else {
            self.add_member(turn, request, member_id);
        }
    }

    /// Remembers a new member's id and has the member come back with it (KIP-394), so that a client which gives up
    /// early leaves no member behind.
    fn hand_out_member_id(
        &mut self,
        turn: &mut Turn<'_, '_>,
        request: &JoinRequest<'_>,
        member_id: Arc<str>,
    ) {
        if self.pending_join.len() >= turn.config.pending_members_max {
            let reply = JoinReply::error(Arc::default(), ErrorCode::GroupMaxSizeReached);
            return turn.reply(request.reply_to, reply);
        }
        let forgotten = turn.after(request.join.session_timeout_ms);
        self.wake_by(forgotten);
        self.pending_join.insert(Arc::clone(&member_id), forgotten);
        turn.reply(request.reply_to, JoinReply::error(member_id, ErrorCode::MemberIdRequired));
    }

    fn join_known(&mut self, turn: &mut Turn<'_, '_>, request: JoinRequest<'_>) {
        let join = &request.join;
        let member_id = Arc::clone(&join.member_id);
        let instance = join.group_instance_id.as_deref();
        // Only dynamic members are ever pending. Kafka fails on a pending one that now says it is static; here it is
        // told to begin anew, as any other static member that is not known.
        if instance.is_none() && self.pending_join.contains_key(&member_id) {
            return self.add_member(turn, request, member_id);
        }
        if let Err(error) = self.validate_member(&member_id, instance) {
            return turn.reply(request.reply_to, JoinReply::error(member_id, error));
        }
        let unchanged = self.roster.get(&member_id).is_some_and(|member| member.protocols == join.protocols);
        let rejoins = match self.state {
            State::PreparingRebalance => true,
            // With the same metadata, it has only missed the reply to its first JoinGroup.
            State::CompletingRebalance => !unchanged,
            // The leader rejoins for reasons that its metadata does not show, such as new partitions.
            State::Stable => self.is_leader(&member_id) || !unchanged,
            State::Empty => {
                let reply = JoinReply::error(member_id, ErrorCode::UnknownMemberId);
                return turn.reply(request.reply_to, reply);
            }
        };
        if rejoins {
            let trigger = Trigger::by(RebalanceReason::MemberRejoined, &member_id);
            let trigger = trigger.saying(join.reason.as_ref());
            self.update_member(turn, &member_id, request);
            self.maybe_prepare_rebalance(turn, trigger);
        } else {
            let reply = self.joined(&member_id);
            turn.reply(request.reply_to, reply);
        }
    }

    /// Takes a new member in and parks its request (`addMemberThenRebalanceOrCompleteJoin`).
    fn add_member(&mut self, turn: &mut Turn<'_, '_>, request: JoinRequest<'_>, member_id: Arc<str>) {
        let JoinRequest { caller, reply_to, join } = request;
        if self.state == State::PreparingRebalance && self.previous_state == State::Empty {
            self.new_member_added = true;
        }
        if self.roster.is_empty() {
            self.protocol_type = Some(join.protocol_type);
        }
        if self.leader.is_none() {
            self.leader = Some(Arc::clone(&member_id));
        }
        self.pending_join.remove(&member_id);
        // A new member does not heartbeat while its JoinGroup is parked, and a client that gave up looks the same as
        // one that waits. Its session therefore bounds the wait, and a client that is still there joins again.
        let session_ends = turn.after(turn.config.new_member_join_timeout_ms);
        self.wake_by(session_ends);
        let member = Member {
            group_instance_id: join.group_instance_id,
            client_id: caller.client_id.clone().unwrap_or_default(),
            client_host: Arc::clone(&caller.client_host),
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: join.session_timeout_ms,
            protocols: join.protocols,
            assignment: Bytes::new(),
            previous_assignment: Bytes::new(),
            is_new: true,
            awaiting_join: Some(reply_to),
            awaiting_sync: None,
            session_ends: Some(session_ends),
        };
        let trigger = Trigger::by(RebalanceReason::MemberJoined, &member_id).saying(join.reason.as_ref());
        self.roster.insert(Arc::clone(&member_id), member);
        self.note_joined(turn, &member_id);
        self.maybe_prepare_rebalance(turn, trigger);
    }

    /// Takes over what a member says in its new JoinGroup, and parks it (`updateMember`).
    pub(super) fn update_member(
        &mut self,
        turn: &mut Turn<'_, '_>,
        member_id: &Arc<str>,
        request: JoinRequest<'_>,
    ) {
        let JoinRequest { reply_to, join, .. } = request;
        self.roster.set_protocols(member_id, join.protocols);
        if let Some(member) = self.roster.get_mut(member_id) {
            member.rebalance_timeout_ms = join.rebalance_timeout_ms;
            member.session_timeout_ms = join.session_timeout_ms;
        }
        if let Some(superseded) = self.roster.park_join(member_id, Some(reply_to)) {
            // The client asked twice. Kafka forgets the first request; every request gets a reply here.
            let reply = JoinReply::error(Arc::clone(member_id), ErrorCode::RebalanceInProgress);
            turn.reply(superseded, reply);
        }
    }

    /// The reply to a member of the present generation.
    pub(super) fn joined(&self, member_id: &Arc<str>) -> JoinReply {
        let members = if self.is_leader(member_id) { self.join_members() } else { Vec::new() };
        JoinReply {
            error: ErrorCode::None,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            member_id: Arc::clone(member_id),
            members,
        }
    }

    fn join_members(&self) -> Vec<JoinMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        self.roster
            .iter()
            .map(|(member_id, member)| JoinMember {
                member_id: Arc::clone(member_id),
                group_instance_id: member.group_instance_id.clone(),
                metadata: member.metadata(protocol),
            })
            .collect()
    }
}
