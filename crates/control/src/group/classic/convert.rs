//! A classic group that becomes a consumer group, and the way back.

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{ErrorCode, WallMillis};

use super::member::{Member, Protocols};
use super::{CONSUMER, Classic, State};
use crate::codec::{EncodeError, Key};
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::reply::{JoinReply, SyncReply};
use crate::group::turn::Turn;
use crate::machine::Record;

/// A member as both kinds of groups know it.
#[derive(Debug, Clone)]
pub(in crate::group) struct ConvertedMember {
    pub(in crate::group) member_id: Arc<str>,
    pub(in crate::group) group_instance_id: Option<Arc<str>>,
    pub(in crate::group) client_id: Arc<str>,
    pub(in crate::group) client_host: Arc<str>,
    pub(in crate::group) rebalance_timeout_ms: i32,
    pub(in crate::group) session_timeout_ms: i32,
    /// Protocols with the member's subscription under each, the preferred one first.
    pub(in crate::group) protocols: Protocols,
    /// Its subscription under the protocol that the group uses.
    pub(in crate::group) subscription: Bytes,
    /// Its assignment; empty without one.
    pub(in crate::group) assignment: Bytes,
}

/// The soft half of a group that has just become a classic one.
#[derive(Debug)]
pub(in crate::group) struct Converted {
    pub(in crate::group) classic: Classic,
    /// Whether its assignment is out of date, so that the members must join again.
    pub(in crate::group) rebalances: bool,
}

impl Classic {
    /// A stable group of `members`, in the generation that they know, with the record of it
    /// (`ClassicGroup.fromConsumerGroup`). `assignment` gives each member's, for its subscription.
    ///
    /// # Errors
    /// Those of `assignment`, and [`EncodeError`] when a text is too long for the record.
    pub(in crate::group) fn from_members<E: From<EncodeError>>(
        group_id: Arc<str>,
        since: WallMillis,
        generation: i32,
        members: Vec<ConvertedMember>,
        assignment: impl Fn(&Arc<str>, &[u8]) -> Result<Bytes, E>,
    ) -> Result<(Self, Record), E> {
        let mut group = Self::empty(group_id, Some(since));
        group.state = State::Stable;
        group.previous_state = State::Stable;
        group.generation = generation;
        group.protocol_type = Some(CONSUMER.into());
        for member in members {
            group.leader.get_or_insert_with(|| Arc::clone(&member.member_id));
            group.roster.insert(Arc::clone(&member.member_id), to_member(member));
        }
        group.protocol = group.roster.select_protocol();
        group.subscribed_topics = group.compute_subscribed_topics();
        let protocol = group.protocol.clone().unwrap_or_default();
        for (member_id, member) in group.roster.iter_mut() {
            member.assignment = assignment(member_id, &member.metadata(&protocol))?;
        }
        let record = group.record()?;
        Ok((group, record))
    }

    /// Takes over from the consumer group: every member gets a fresh session, and joins again if it must.
    pub(in crate::group) fn take_over(&mut self, turn: &mut Turn<'_, '_>, rebalances: bool) {
        for member_id in self.roster.ids() {
            self.restart_session(turn, &member_id);
        }
        if rebalances {
            self.prepare_rebalance(turn, Trigger::by(RebalanceReason::Downgraded, &Arc::default()));
        }
    }

    /// The members, for a consumer group. One that does not know the group's protocol, or came before the group had
    /// one, is taken by its own first protocol. Kafka fails on such a group.
    pub(in crate::group) fn members_to_convert(&self) -> Vec<ConvertedMember> {
        let chosen = self.protocol.as_deref();
        let members = self.roster.iter().map(|(member_id, member)| {
            let known = |name: &&str| member.protocols.iter().any(|(protocol, _)| &**protocol == *name);
            let first = member.protocols.first().map(|(name, _)| &**name);
            let protocol = chosen.filter(known).or(first).unwrap_or_default();
            ConvertedMember {
                member_id: Arc::clone(member_id),
                group_instance_id: member.group_instance_id.clone(),
                client_id: Arc::clone(&member.client_id),
                client_host: Arc::clone(&member.client_host),
                rebalance_timeout_ms: member.rebalance_timeout_ms,
                session_timeout_ms: member.session_timeout_ms,
                protocols: member.protocols.clone(),
                subscription: member.metadata(protocol),
                assignment: member.assignment.clone(),
            }
        });
        members.collect()
    }

    /// Sends the members that wait back, since what they wait for will not come
    /// (`completeAllJoinFutures`, `completeAllSyncFutures`).
    pub(in crate::group) fn send_back(&mut self, turn: &mut Turn<'_, '_>) {
        for member_id in self.roster.ids() {
            if let Some(reply_to) = self.roster.park_join(&member_id, None) {
                let reply = JoinReply::error(Arc::clone(&member_id), ErrorCode::RebalanceInProgress);
                turn.reply(reply_to, reply);
            }
            let sync = self.roster.get_mut(&member_id).and_then(|member| member.awaiting_sync.take());
            if let Some(reply_to) = sync {
                turn.reply(reply_to, SyncReply::error(ErrorCode::RebalanceInProgress));
            }
            self.restart_session(turn, &member_id);
        }
    }

    /// The tombstone of the group.
    ///
    /// # Errors
    /// [`EncodeError`] when the group's id is too long for it.
    pub(in crate::group) fn tombstone(&self) -> Result<Record, EncodeError> {
        Ok(Record { key: Key::group_metadata(&self.group_id)?, value: None, headers: Vec::new() })
    }

    /// The generation of the group.
    pub(in crate::group) fn generation(&self) -> i32 {
        self.generation
    }

    /// True without members.
    pub(in crate::group) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    /// How many members the group has.
    pub(in crate::group) fn len(&self) -> usize {
        self.roster.len()
    }

    /// True when that is one of its members.
    pub(in crate::group) fn contains(&self, member_id: &str) -> bool {
        self.roster.contains(member_id)
    }

    /// True when nothing has ever happened here: the soft half of a group of another kind.
    pub(in crate::group) fn is_untouched(&self) -> bool {
        self.state_since.is_none() && self.roster.is_empty() && self.pending_join.is_empty()
    }
}

fn to_member(member: ConvertedMember) -> Member {
    Member {
        group_instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout_ms,
        protocols: member.protocols,
        assignment: member.assignment,
        previous_assignment: Bytes::new(),
        is_new: false,
        awaiting_join: None,
        awaiting_sync: None,
        session_ends: None,
    }
}
