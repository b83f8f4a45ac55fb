//! A member of a consumer group, as its records tell it (`ConsumerGroupMember`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{PartitionIndex, TopicId};

/// Partitions that a member has, by topic, each with the epoch at which it came to the member.
pub(in crate::group) type Owned = BTreeMap<TopicId, BTreeMap<PartitionIndex, i32>>;

/// Epoch of a member whose assignment is gone from the log; in a request, that the member leaves.
pub(in crate::group) const LEAVE_EPOCH: i32 = -1;
/// Epoch of a static member that is away and comes back; in a request, that it goes away.
pub(in crate::group) const LEAVE_STATIC_EPOCH: i32 = -2;
/// In a request, that the member joins.
pub(in crate::group) const JOIN_EPOCH: i32 = 0;

/// A member. Its two halves are two records, and are shared by all who look at them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::group) struct Member {
    pub(super) metadata: Arc<Metadata>,
    pub(super) current: Arc<Current>,
}

/// Who a member is and what it wants (`ConsumerGroupMemberMetadataValue`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct Metadata {
    pub(super) instance_id: Option<Arc<str>>,
    pub(super) rack_id: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) topics: BTreeSet<Arc<str>>,
    /// A regular expression for topics; empty for none.
    pub(super) regex: Arc<str>,
    /// How long the member may take to give partitions back, or -1 when it never said.
    pub(super) rebalance_timeout_ms: i32,
    /// The assignor that it asks for.
    pub(super) assignor: Option<Arc<str>>,
    /// What it sent with JoinGroup, when it uses the classic protocol.
    pub(super) classic: Option<ClassicMetadata>,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            instance_id: None,
            rack_id: None,
            client_id: Arc::default(),
            client_host: Arc::default(),
            topics: BTreeSet::new(),
            regex: Arc::default(),
            rebalance_timeout_ms: -1,
            assignor: None,
            classic: None,
        }
    }
}

/// What a member of the classic protocol sent with its JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct ClassicMetadata {
    pub(super) session_timeout_ms: i32,
    /// Protocols with the member's subscription under each, the preferred one first.
    pub(super) protocols: Vec<(Arc<str>, Bytes)>,
}

impl ClassicMetadata {
    /// The protocol that the member is told to use: the first that it brought.
    pub(super) fn protocol(&self) -> Option<&(Arc<str>, Bytes)> {
        self.protocols.first()
    }
}

/// What a member has (`ConsumerGroupCurrentMemberAssignmentValue`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct Current {
    /// The epoch that the member knows, once it has the answer.
    pub(super) epoch: i32,
    /// The epoch before, which a member sends that has missed the answer.
    pub(super) previous_epoch: i32,
    pub(super) state: MemberState,
    pub(super) assigned: Owned,
    /// Partitions that it must give back, and has until it says that it did.
    pub(super) revoking: Owned,
}

impl Default for Current {
    /// A member that has just come.
    fn default() -> Self {
        Self {
            epoch: JOIN_EPOCH,
            previous_epoch: LEAVE_EPOCH,
            state: MemberState::Stable,
            assigned: Owned::new(),
            revoking: Owned::new(),
        }
    }
}

impl Current {
    /// True when the member has all of the target of that epoch, and nothing else.
    pub(super) fn is_reconciled_to(&self, target_epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == target_epoch
    }

    /// The epoch at which a partition came to the member, if it has it or is giving it back.
    pub(super) fn epoch_of(&self, topic_id: TopicId, partition: PartitionIndex) -> Option<i32> {
        let find = |owned: &Owned| owned.get(&topic_id)?.get(&partition).copied();
        find(&self.assigned).or_else(|| find(&self.revoking))
    }

    /// Every partition that nobody else may have while the member has it.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (TopicId, PartitionIndex)> {
        self.assigned.iter().chain(&self.revoking).flat_map(|(topic_id, partitions)| {
            partitions.keys().map(move |partition| (*topic_id, *partition))
        })
    }
}

/// Where a member is on its way to its target (`MemberState`).
///
/// ```text
///                      ┌──────────────────────────── given back ────────────────────────────┐
///                      ▼                                                                     │
///   a new target ─► Stable ── partitions to give back ──► UnrevokedPartitions ───────────────┘
///                    ▲  │                                        │ given back, but others still have partitions
///                    │  └── others still have partitions ──┐     │ that the member shall get
///                    │                                     ▼     ▼
///                    └──── the last one is free ──── UnreleasedPartitions
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) enum MemberState {
    /// It has what it shall have at its epoch.
    Stable,
    /// It must give partitions back before it goes on.
    UnrevokedPartitions,
    /// It waits for partitions that others have.
    UnreleasedPartitions,
    /// A state of a later release.
    Unknown,
}

impl MemberState {
    /// The number in the record.
    pub(super) fn number(self) -> i8 {
        match self {
            Self::Stable => 0,
            Self::UnrevokedPartitions => 1,
            Self::UnreleasedPartitions => 2,
            Self::Unknown => 127,
        }
    }

    /// The state of that number.
    pub(super) fn from_number(number: i8) -> Self {
        match number {
            0 => Self::Stable,
            1 => Self::UnrevokedPartitions,
            2 => Self::UnreleasedPartitions,
            _ => Self::Unknown,
        }
    }
}

impl Member {
    /// True when the member uses JoinGroup, SyncGroup and Heartbeat.
    pub(super) fn uses_classic_protocol(&self) -> bool {
        self.metadata.classic.is_some()
    }

    /// True when the member's time to give partitions back runs. Who is away for a while has nothing to give back, and
    /// members of the classic protocol have the time to join instead.
    pub(super) fn must_revoke(&self) -> bool {
        let current = &self.current;
        current.state == MemberState::UnrevokedPartitions
            && !current.revoking.is_empty()
            && !self.uses_classic_protocol()
    }

    /// Its regular expression, if it has one.
    pub(super) fn regex(&self) -> Option<&Arc<str>> {
        Some(&self.metadata.regex).filter(|regex| !regex.is_empty())
    }
}
