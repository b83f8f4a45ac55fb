//! What goes because it is old: committed offsets, and then groups that have none
//! (`GroupCoordinatorShard.cleanupGroupMetadata`, `OffsetMetadataManager.cleanupExpiredOffsets`).
//!
//! Every `offsets.retention.check.interval.ms` a pass goes over all groups, by the expiry clock. A pass over many
//! offsets is done in pieces, between which others get their turn.

use std::sync::Arc;

use ottla_model::{Monotonic, NONE, WallMillis};

use super::GroupConfig;
use super::author::Author;
use super::events::Happening;
use super::groups::Groups;
use super::offsets::{CommittedOffset, tombstone};
use super::turn::Turn;
use crate::codec::Cause;

/// Groups and offsets that are looked at before others get their turn. One group is not divided.
const LOOKED_AT_PER_TICK: usize = 10_000;

/// From when on the age of a group's offsets counts (`OffsetExpirationCondition`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AgesSince {
    /// From this moment, at which the group lost its last member.
    Then(WallMillis),
    /// From each offset's own commit.
    ItsCommit,
}

impl AgesSince {
    /// True when the offset's time has come. One that brought an expiry of its own goes by that.
    fn is_expired(self, offset: &CommittedOffset, now: WallMillis, retention_ms: i64) -> bool {
        if offset.expire_timestamp_ms != NONE {
            return now.0 >= offset.expire_timestamp_ms;
        }
        let since = match self {
            Self::Then(since) => since.0,
            Self::ItsCommit => offset.commit_timestamp_ms,
        };
        now.0.saturating_sub(since) >= retention_ms
    }
}

/// When the next pass is due, and what the present one has left. Soft state.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    next: Option<Monotonic>,
    /// Groups that the present pass has not looked at yet, the first one last.
    left: Vec<Arc<str>>,
}

impl Expiry {
    /// Plans the first pass.
    pub(super) fn begin(&mut self, now: Monotonic, config: &GroupConfig) {
        self.next = Some(after(now, config));
    }

    /// When there is something to do.
    pub(super) fn next(&self) -> Option<Monotonic> {
        self.next
    }
}

/// At least a millisecond away, so that an interval of zero does not keep the machine busy.
fn after(now: Monotonic, config: &GroupConfig) -> Monotonic {
    now.plus_millis(config.offsets_retention_check_interval_ms.max(1))
}

impl Groups {
    /// Goes on with a pass, if one is due.
    pub(super) fn expire(&mut self, turn: &mut Turn<'_, '_>) {
        let now = turn.now();
        if self.expiry.next.is_none_or(|next| next > now) {
            return;
        }
        if self.expiry.left.is_empty() {
            self.expiry.left = self.group_ids();
            self.expiry.left.reverse();
        }
        let mut looked_at = 0usize;
        while looked_at < LOOKED_AT_PER_TICK {
            let Some(group_id) = self.expiry.left.pop() else { break };
            looked_at = looked_at.saturating_add(self.expire_group(turn, &group_id));
        }
        let is_done = self.expiry.left.is_empty();
        self.expiry.next = Some(if is_done { after(now, turn.config) } else { now });
    }

    /// Deletes what has expired of a group, and the group itself when it is empty and has no offsets left, nor any that
    /// an open transaction may give it. Tells how much it looked at.
    fn expire_group(&self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>) -> usize {
        let Some(group) = self.groups.get(group_id) else { return 1 };
        let author = Author::broker(Cause::Expiry);
        let mut looked_at = 1usize;
        let mut is_bare = !self.offsets.pending.has_group(group_id);
        if let Some(offsets) = self.offsets.group(group_id) {
            let Some(age) = group.offsets_age_since() else { return looked_at };
            for (topic, partitions) in offsets {
                looked_at = looked_at.saturating_add(partitions.len());
                let is_read = group.is_subscribed_to(topic);
                for (&partition, offset) in partitions {
                    let is_expired =
                        age.is_expired(offset, turn.env.expiry_wall, turn.config.offsets_retention_ms);
                    if is_read || !is_expired || self.offsets.has_pending_commit(group_id, topic, partition) {
                        is_bare = false;
                    } else {
                        turn.effects.records.extend(tombstone(
                            &author,
                            group_id,
                            topic,
                            partition,
                            Some(offset),
                        ));
                    }
                }
            }
        }
        if is_bare && group.is_unused() {
            turn.note(group_id, Happening::Deleted { by: None });
            turn.effects.records.extend(group.tombstones(group_id));
        }
        looked_at
    }
}
