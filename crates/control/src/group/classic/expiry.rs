//! When a classic group's offsets age (`ClassicGroup.offsetExpirationCondition`).

use super::{Classic, State};
use crate::group::expiry::AgesSince;

impl Classic {
    /// From when on the group's offsets age; `None` while they do not. Of a stable group only those of topics age
    /// that no member reads, and whoever asks sees to that.
    pub(in crate::group) fn offsets_age_since(&self) -> Option<AgesSince> {
        match self.state {
            // Consumers that only keep offsets here: there are no members whose loss could be waited for.
            _ if self.protocol_type.is_none() => Some(AgesSince::ItsCommit),
            State::Empty => Some(self.state_since.map_or(AgesSince::ItsCommit, AgesSince::Then)),
            State::Stable if self.is_consumer_protocol() && self.subscribed_topics.is_some() => {
                Some(AgesSince::ItsCommit)
            }
            State::Stable | State::PreparingRebalance | State::CompletingRebalance => None,
        }
    }

    /// True when nobody is or is about to become a member. Kafka does not look for the latter, which then begin anew.
    pub(in crate::group) fn is_unused(&self) -> bool {
        self.state == State::Empty && self.pending_join.is_empty()
    }
}
