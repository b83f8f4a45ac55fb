//! The states of a classic group.

/// Where a classic group is in its life (`ClassicGroupState`).
///
/// ```text
///           first member            all have joined            leader's assignment
///   Empty ───────────────► Preparing ───────────────► Completing ───────────────► Stable
///     ▲                     Rebalance ◄────────────── Rebalance                     │
///     │                       │   ▲    a change                                     │
///     └───────────────────────┘   └─────────────────────────────────────────────────┘
///             nobody is left                            a change
/// ```
///
/// Kafka's fifth state, Dead, means that the group's partition moved away. Here the whole machine is gone then, so
/// it is only a word in answers about groups that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) enum State {
    /// No members; perhaps committed offsets.
    Empty,
    /// Waiting for all members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// The members have their assignments.
    Stable,
}

/// The state that answers about a missing group show.
pub(in crate::group) const DEAD: &str = "Dead";

impl State {
    /// The name that Kafka prints.
    pub(in crate::group) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}
