//! What must hold of a classic group between any two calls.

use std::collections::BTreeSet;

use super::roster::Roster;
use super::{Classic, State};

impl Classic {
    pub(in crate::group) fn check(&self) {
        self.roster.check();
        let has_members = !self.roster.is_empty();
        match self.state {
            State::Empty => {
                assert!(!has_members && self.leader.is_none() && self.protocol.is_none());
                assert!(self.join_timer.is_none() && self.sync_ends.is_none());
            }
            State::PreparingRebalance => assert!(self.join_timer.is_some() && self.sync_ends.is_none()),
            State::CompletingRebalance | State::Stable => {
                assert!(has_members && self.protocol.is_some() && self.join_timer.is_none());
            }
        }
        let leads = self.leader.as_ref().is_some_and(|leader| self.roster.contains(leader));
        assert_eq!(leads, has_members, "the leader is a member");
        for (member_id, member) in self.roster.iter() {
            assert!(self.state == State::PreparingRebalance || member.awaiting_join.is_none());
            assert!(self.state == State::CompletingRebalance || member.awaiting_sync.is_none());
            assert!(!self.pending_join.contains_key(member_id));
            let is_owed = member.awaiting_join.is_some() || member.awaiting_sync.is_some();
            assert!(is_owed || member.session_ends.is_some(), "{member_id} would never expire");
        }
        assert!(self.pending_sync.iter().all(|member_id| self.roster.contains(member_id)));
        assert_eq!(self.pending_sync.is_empty(), self.sync_ends.is_none());
        if let Some(earliest) = self.deadlines().map(|(at, _)| at).min() {
            assert!(self.soonest.is_some_and(|soonest| soonest <= earliest), "woken in time");
        }
    }
}

impl Roster {
    fn check(&self) {
        let awaiting = self.iter().filter(|(_, member)| member.awaiting_join.is_some()).count();
        assert_eq!(self.awaiting_join(), awaiting);
        let mut instances = BTreeSet::new();
        for (member_id, member) in self.iter() {
            if let Some(instance) = &member.group_instance_id {
                assert!(instances.insert(instance), "two members called {instance}");
                assert_eq!(self.static_member(instance), Some(member_id));
            }
            for (name, _) in &member.protocols {
                let supporters =
                    self.iter().filter(|(_, one)| one.protocols.iter().any(|(other, _)| other == name));
                assert_eq!(self.supporters_of(name), supporters.count(), "{name}");
            }
        }
    }
}
