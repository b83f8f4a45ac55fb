//! How often a group rebalanced, and why.

/// Why the members of a group are given their partitions anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RebalanceReason {
    /// A member came.
    MemberJoined,
    /// A member joined again: its metadata has changed, or it leads and saw new partitions.
    MemberRejoined,
    /// A static member came back with other metadata, or in the middle of a rebalance.
    StaticMemberReplaced,
    /// A member left, or an administrator removed it.
    MemberLeft,
    /// A member was silent for longer than its session timeout.
    SessionExpired,
    /// A member never asked for its assignment.
    SyncMissed,
    /// What the group had agreed on could not be stored.
    NotStored,
    /// `group.max.size` was lowered below the number of members.
    TooManyMembers,
}

impl RebalanceReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::MemberJoined,
        Self::MemberRejoined,
        Self::StaticMemberReplaced,
        Self::MemberLeft,
        Self::SessionExpired,
        Self::SyncMissed,
        Self::NotStored,
        Self::TooManyMembers,
    ];

    /// Its name in metrics and documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MemberJoined => "member_joined",
            Self::MemberRejoined => "member_rejoined",
            Self::StaticMemberReplaced => "static_member_replaced",
            Self::MemberLeft => "member_left",
            Self::SessionExpired => "session_expired",
            Self::SyncMissed => "sync_missed",
            Self::NotStored => "not_stored",
            Self::TooManyMembers => "too_many_members",
        }
    }
}

/// How many rebalances of a group have begun since this broker coordinates it, by reason. What happens while one is
/// under way is part of it and not counted again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebalances {
    counts: [u64; RebalanceReason::ALL.len()],
}

impl Rebalances {
    /// Counts one.
    pub(super) fn add(&mut self, reason: RebalanceReason) {
        if let Some((_, count)) = self.iter_mut().find(|(known, _)| *known == reason) {
            *count = count.saturating_add(1);
        }
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (RebalanceReason, &mut u64)> {
        RebalanceReason::ALL.into_iter().zip(&mut self.counts)
    }

    /// The count of each reason.
    pub fn iter(&self) -> impl Iterator<Item = (RebalanceReason, u64)> {
        RebalanceReason::ALL.into_iter().zip(self.counts)
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().copied().fold(0, u64::saturating_add)
    }
}
