//! A member of a classic group.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::Monotonic;

use crate::machine::ReplyTo;

/// Protocols with the member's metadata under each, the preferred one first.
pub(super) type Protocols = Vec<(Arc<str>, Bytes)>;

/// A member (`ClassicGroupMember`). All of it is soft state: what outlives a restart is in the group's record.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) group_instance_id: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    pub(super) protocols: Protocols,
    pub(super) assignment: Bytes,
    /// The assignment of the generation before, which the member may still commit for.
    pub(super) previous_assignment: Bytes,
    /// True until its first join completes: it cannot heartbeat yet, so its session runs while it is parked.
    pub(super) is_new: bool,
    /// Its parked JoinGroup. Private to the roster, which counts them.
    pub(super) awaiting_join: Option<ReplyTo>,
    /// Its parked SyncGroup.
    pub(super) awaiting_sync: Option<ReplyTo>,
    /// When its session ends. `None` once it ended unnoticed while the member was parked; the reply starts a new one.
    pub(super) session_ends: Option<Monotonic>,
}

impl Member {
    pub(super) fn is_static(&self) -> bool {
        self.group_instance_id.is_some()
    }

    /// The member's metadata under `protocol`; empty when it does not support it.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|(name, _)| &**name == protocol)
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Gives the member an assignment. That of the generation before stays known, also when this generation fails
    /// before it gave one.
    pub(super) fn assign(&mut self, assignment: Bytes) {
        let before = std::mem::replace(&mut self.assignment, assignment);
        if !before.is_empty() {
            self.previous_assignment = before;
        }
    }

    /// The protocol that the member prefers among `candidates`.
    pub(super) fn vote(&self, candidates: &BTreeSet<&str>) -> Option<&Arc<str>> {
        self.protocols.iter().map(|(name, _)| name).find(|name| candidates.contains(&***name))
    }

    /// True when silence is no sign of death: the coordinator owes this member a reply, not the other way round.
    pub(super) fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }
}
