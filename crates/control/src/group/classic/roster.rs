//! The members of a classic group, with the counts that decisions need at every join.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::member::{Member, Protocols};
use crate::machine::ReplyTo;

/// Members by id, in the order of the ids so that two runs decide alike.
///
/// The counts are kept rather than computed, because a group of thousands asks for them at each of its joins.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: BTreeMap<Arc<str>, Member>,
    /// Member id of each static member, by instance id.
    instances: BTreeMap<Arc<str>, Arc<str>>,
    /// How many members support each protocol.
    supporters: BTreeMap<Arc<str>, usize>,
    /// How many members have a parked JoinGroup.
    awaiting_join: usize,
}

impl Roster {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn contains(&self, member_id: &str) -> bool {
        self.members.contains_key(member_id)
    }

    pub(super) fn get(&self, member_id: &str) -> Option<&Member> {
        self.members.get(member_id)
    }

    /// The member, to change anything but its protocols and its parked JoinGroup, which are counted.
    pub(super) fn get_mut(&mut self, member_id: &str) -> Option<&mut Member> {
        self.members.get_mut(member_id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Member)> {
        self.members.iter()
    }

    /// See [`Roster::get_mut`].
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut Member)> {
        self.members.iter_mut()
    }

    pub(super) fn ids(&self) -> Vec<Arc<str>> {
        self.members.keys().cloned().collect()
    }

    pub(super) fn first_id(&self) -> Option<&Arc<str>> {
        self.members.keys().next()
    }

    /// Member id of the static member of that name.
    pub(super) fn static_member(&self, group_instance_id: &str) -> Option<&Arc<str>> {
        self.instances.get(group_instance_id)
    }

    pub(super) fn awaiting_join(&self) -> usize {
        self.awaiting_join
    }

    /// The longest time that any member may take to rejoin.
    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0).max(0)
    }

    pub(super) fn insert(&mut self, member_id: Arc<str>, member: Member) {
        self.remove(&member_id);
        self.count(&member.protocols);
        self.awaiting_join += usize::from(member.awaiting_join.is_some());
        if let Some(instance) = &member.group_instance_id {
            self.instances.insert(Arc::clone(instance), Arc::clone(&member_id));
        }
        self.members.insert(member_id, member);
    }

    /// Takes a member out, with its parked callers: the caller of this must answer them.
    pub(super) fn remove(&mut self, member_id: &str) -> Option<Member> {
        let member = self.members.remove(member_id)?;
        self.discount(&member.protocols);
        self.awaiting_join -= usize::from(member.awaiting_join.is_some());
        if let Some(instance) = &member.group_instance_id
            && self.instances.get(instance).is_some_and(|id| &**id == member_id)
        {
            self.instances.remove(instance);
        }
        Some(member)
    }

    pub(super) fn set_protocols(&mut self, member_id: &str, protocols: Protocols) {
        if !self.contains(member_id) {
            return;
        }
        self.count(&protocols);
        if let Some(member) = self.members.get_mut(member_id) {
            let old = std::mem::replace(&mut member.protocols, protocols);
            self.discount(&old);
        }
    }

    /// Parks a JoinGroup, or none; gives back the one that was parked.
    pub(super) fn park_join(&mut self, member_id: &str, reply_to: Option<ReplyTo>) -> Option<ReplyTo> {
        let member = self.members.get_mut(member_id)?;
        let old = std::mem::replace(&mut member.awaiting_join, reply_to);
        self.awaiting_join -= usize::from(old.is_some());
        self.awaiting_join += usize::from(reply_to.is_some());
        old
    }

    /// How many members support a protocol.
    pub(super) fn supporters_of(&self, protocol: &str) -> usize {
        self.supporters.get(protocol).copied().unwrap_or(0)
    }

    /// True when all members support one and the same of `protocols`.
    pub(super) fn support_any(&self, protocols: &Protocols) -> bool {
        protocols.iter().any(|(name, _)| self.supporters_of(name) == self.members.len())
    }

    /// The protocol of the next generation: each member votes for the first of its own that all support
    /// (`ClassicGroup.selectProtocol`). Kafka leaves a draw to its hash map; here the first by name wins.
    pub(super) fn select_protocol(&self) -> Option<Arc<str>> {
        let candidates: BTreeSet<&str> = self
            .supporters
            .iter()
            .filter(|(_, count)| **count == self.members.len())
            .map(|(name, _)| &**name)
            .collect();
        let mut votes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for choice in self.members.values().filter_map(|member| member.vote(&candidates)) {
            *votes.entry(choice).or_default() += 1;
        }
        let most = votes.values().copied().max()?;
        votes.into_iter().find(|(_, count)| *count == most).map(|(name, _)| Arc::clone(name))
    }

    fn count(&mut self, protocols: &Protocols) {
        for name in distinct(protocols) {
            *self.supporters.entry(name).or_default() += 1;
        }
    }

    fn discount(&mut self, protocols: &Protocols) {
        for name in distinct(protocols) {
            if let Some(count) = self.supporters.get_mut(&name) {
                *count -= 1;
                if *count == 0 {
                    self.supporters.remove(&name);
                }
            }
        }
    }
}

/// The names, each once: a member that names a protocol twice supports it once.
fn distinct(protocols: &Protocols) -> BTreeSet<Arc<str>> {
    protocols.iter().map(|(name, _)| Arc::clone(name)).collect()
}
