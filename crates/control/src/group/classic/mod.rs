//! Classic consumer groups: the protocol of JoinGroup, SyncGroup, Heartbeat and LeaveGroup.
//!
//! Apache Kafka's `ClassicGroup` and the `classicGroup…` methods of `GroupMetadataManager` (4.3.1) are the
//! specification; each file here holds one part of it.
//!
//! # What is durable
//! A [`Classic`] is soft state, all of it. The durable half of a group is the value of its last record, kept verbatim
//! beside it ([`super::groups`]): the generation with its leader, its members and their assignments. That is the
//! same cut that Kafka makes, where a crash forgets whatever happened since the last assignment, and for the same
//! reason: a rebalance is a conversation, which members simply begin again.
//!
//! A record is written when a generation has its assignment, when the group has become empty, when a static member
//! took over its place, and when the group is first heard of. Soft state moves ahead in the same call (the group is
//! Stable, its members' replies are in the effects), since nothing escapes before the record is down. When the append
//! fails, [`recovery`] compares the two halves and takes soft state back.

#[cfg(test)]
mod check;
mod convert;
mod events;
mod expiry;
mod join;
mod leave;
mod member;
mod ownership;
mod rebalance;
mod record;
mod recovery;
mod roster;
mod session;
mod state;
mod static_member;
mod sync;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_model::{ErrorCode, Monotonic, WallMillis};

pub(in crate::group) use self::convert::{Converted, ConvertedMember};
pub(in crate::group) use self::join::JoinRequest;
use self::member::Member;
pub(in crate::group) use self::ownership::Ownership;
use self::roster::Roster;
pub(in crate::group) use self::state::DEAD;
use self::state::State;
pub(in crate::group) use self::view::GROUP_TYPE;
use super::events::Assignments;
use super::reply::{JoinReply, SyncReply};
use super::turn::Turn;

/// The protocol type whose metadata the coordinator can read (`ConsumerProtocol.PROTOCOL_TYPE`).
pub(in crate::group) const CONSUMER: &str = "consumer";

/// The soft state of a classic group.
#[derive(Debug)]
pub(in crate::group) struct Classic {
    group_id: Arc<str>,
    state: State,
    /// The state before this one: a rebalance that began in Empty is an initial one.
    previous_state: State,
    /// When the group came to its state; `None` for records of old versions, which did not say.
    state_since: Option<WallMillis>,
    generation: i32,
    protocol_type: Option<Arc<str>>,
    protocol: Option<Arc<str>>,
    leader: Option<Arc<str>>,
    roster: Roster,
    /// Member ids that were handed out and not used yet, with the moment at which each is forgotten.
    pending_join: BTreeMap<Arc<str>, Monotonic>,
    /// Members of this generation that have not asked for their assignment yet.
    pending_sync: BTreeSet<Arc<str>>,
    /// Topics that the members of this generation read; `None` when the group's metadata is not a consumer's or
    /// cannot be read.
    subscribed_topics: Option<BTreeSet<Box<str>>>,
    /// Whether a member was added since the initial rebalance was last prolonged.
    new_member_added: bool,
    join_timer: Option<JoinTimer>,
    /// When members that have not asked for their assignment are removed.
    sync_ends: Option<Monotonic>,
    /// When the rebalance began that is under way.
    rebalancing_since: Option<Monotonic>,
    /// The assignment of the last generation that had one, if it is known.
    assigned: Option<Arc<Assignments>>,
    /// A moment no later than the earliest of all deadlines here. It may be early, since most deadlines move away
    /// (each heartbeat does that) long before they come.
    soonest: Option<Monotonic>,
}

/// What ends the wait for members to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JoinTimer {
    /// The first rebalance of an empty group: it waits for `delay_ms`, again and again while new members come, until
    /// `remaining_ms` is used up.
    Initial { ends: Monotonic, delay_ms: i32, remaining_ms: i32 },
    /// Any other rebalance: it waits for the slowest member's rebalance timeout.
    Rebalance { ends: Monotonic },
}

impl JoinTimer {
    fn ends(self) -> Monotonic {
        match self {
            Self::Initial { ends, .. } | Self::Rebalance { ends } => ends,
        }
    }
}

impl Classic {
    /// A group without members. `since` is when it came to be.
    pub(in crate::group) fn empty(group_id: Arc<str>, since: Option<WallMillis>) -> Self {
        Self {
            group_id,
            state: State::Empty,
            previous_state: State::Empty,
            state_since: since,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            roster: Roster::default(),
            pending_join: BTreeMap::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            new_member_added: false,
            join_timer: None,
            sync_ends: None,
            rebalancing_since: None,
            assigned: None,
            soonest: None,
        }
    }

    /// Takes the moment that the group last asked to be woken at, at the latest.
    pub(in crate::group) fn soonest(&self) -> Option<Monotonic> {
        self.soonest
    }

    /// Remembers a deadline.
    fn wake_by(&mut self, moment: Monotonic) {
        self.soonest = Some(self.soonest.map_or(moment, |soonest| soonest.min(moment)));
    }

    fn transition(&mut self, turn: &Turn<'_, '_>, state: State) {
        self.previous_state = self.state;
        self.state = state;
        self.state_since = Some(turn.env.wall);
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    pub(in crate::group) fn is_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Checks that the caller is who it says (`ClassicGroup.validateMember`).
    fn validate_member(&self, member_id: &str, group_instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance) = group_instance_id {
            match self.roster.static_member(instance) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(existing) if &**existing != member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.roster.contains(member_id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// Removes a member or a pending one. Whatever of its requests is parked gets UNKNOWN_MEMBER_ID, so that a client
    /// that is still there joins again.
    fn remove(&mut self, turn: &mut Turn<'_, '_>, member_id: &str) {
        if let Some(member) = self.roster.remove(member_id) {
            dismiss(turn, &member, Arc::default(), ErrorCode::UnknownMemberId);
        }
        if self.is_leader(member_id) {
            self.leader = self.roster.first_id().cloned();
        }
        self.pending_join.remove(member_id);
        self.pending_sync.remove(member_id);
    }
}

/// Answers the parked requests of a member that has left the roster.
fn dismiss(turn: &mut Turn<'_, '_>, member: &Member, member_id: Arc<str>, error: ErrorCode) {
    if let Some(reply_to) = member.awaiting_join {
        turn.reply(reply_to, JoinReply::error(member_id, error));
    }
    if let Some(reply_to) = member.awaiting_sync {
        turn.reply(reply_to, SyncReply::error(error));
    }
}
