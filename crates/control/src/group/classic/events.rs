//! What a classic group remembers of what happened to it.

use std::sync::Arc;
use std::time::Duration;

use super::{Classic, State};
use crate::group::events::{Assignments, EventClient, EventMember, Happening, Missed, Trigger, short};
use crate::group::turn::Turn;
use crate::machine::Caller;

impl Classic {
    /// The name of its state.
    pub(in crate::group) fn state_name(&self) -> &'static str {
        self.state.name()
    }

    fn event_member(&self, member_id: &Arc<str>) -> Option<EventMember> {
        let member = self.roster.get(member_id)?;
        Some(EventMember {
            member_id: Arc::clone(member_id),
            group_instance_id: member.group_instance_id.clone(),
            client: EventClient {
                client_id: Arc::clone(&member.client_id),
                client_host: Arc::clone(&member.client_host),
            },
        })
    }

    /// A member was just taken in.
    pub(super) fn note_joined(&self, turn: &mut Turn<'_, '_>, member_id: &Arc<str>) {
        if let Some(member) = self.event_member(member_id) {
            turn.note(&self.group_id, Happening::Joined { member });
        }
    }

    /// A static member was just given to a new process.
    pub(super) fn note_replaced(&self, turn: &mut Turn<'_, '_>, old_id: &Arc<str>, new_id: &Arc<str>) {
        if let Some(member) = self.event_member(new_id) {
            turn.note(&self.group_id, Happening::Replaced { member, old_member_id: Arc::clone(old_id) });
        }
    }

    /// A member is about to leave. Ids that were handed out and never used are nobody's.
    pub(super) fn note_leaving(
        &self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        member_id: &Arc<str>,
        reason: Option<&Arc<str>>,
    ) {
        if let Some(member) = self.event_member(member_id) {
            let (by, reason) = (EventClient::of(caller), reason.map(short));
            turn.note(&self.group_id, Happening::Left { member, by, reason });
        }
    }

    /// A member is about to be put out, after the group has waited for so long.
    pub(super) fn note_eviction(
        &self,
        turn: &mut Turn<'_, '_>,
        member_id: &Arc<str>,
        missed: Missed,
        waited_ms: i32,
    ) {
        let Some(member) = self.event_member(member_id) else { return };
        let waited = Duration::from_millis(u64::try_from(waited_ms).unwrap_or(0));
        let last_seen = turn.env.presence.last_seen(&member.client.client_id, &member.client.client_host);
        turn.note(&self.group_id, Happening::Evicted { member, missed, waited, last_seen });
    }

    /// A rebalance begins, or begins anew.
    pub(super) fn note_rebalance(&mut self, turn: &mut Turn<'_, '_>, trigger: Trigger) {
        self.rebalancing_since.get_or_insert(turn.now());
        turn.note(&self.group_id, Happening::RebalanceStarted(trigger));
    }

    /// The members of a generation are known. `leader` led before.
    pub(super) fn note_generation(&mut self, turn: &mut Turn<'_, '_>, leader: Option<&Arc<str>>) {
        let generation = self.generation;
        if self.state == State::Empty {
            self.rebalancing_since = None;
            self.assigned = None;
            return turn.note(&self.group_id, Happening::Emptied { generation });
        }
        let is_new = self.leader.as_ref() != leader;
        let (leader, protocol) = (self.leader.clone().unwrap_or_default(), self.protocol.clone());
        let members = self.roster.len();
        turn.note(&self.group_id, Happening::Elected { generation, leader, is_new, members, protocol });
    }

    /// The leader has assigned.
    pub(super) fn note_assigned(&mut self, turn: &mut Turn<'_, '_>) {
        let since = self.rebalancing_since.take();
        let took = since.map_or(Duration::ZERO, |since| turn.now().since(since));
        let after = self.assignments();
        let before = std::mem::replace(&mut self.assigned, after.clone());
        let generation = self.generation;
        turn.note(&self.group_id, Happening::RebalanceFinished { generation, took, before, after });
    }

    /// The group came back with the broker.
    pub(super) fn note_restored(&mut self, turn: &mut Turn<'_, '_>) {
        if !self.roster.is_empty() {
            self.assigned = self.assignments();
            let (generation, members) = (self.generation, self.roster.len());
            turn.note(&self.group_id, Happening::Restored { generation, members });
        }
    }

    fn assignments(&self) -> Option<Arc<Assignments>> {
        let members = self.roster.iter().map(|(member_id, member)| (member_id, member.assignment.clone()));
        Assignments::kept(self.is_consumer_protocol(), members)
    }
}
