//! Brings soft state back to what the log says after an append failed.
//!
//! Kafka closes over the old state in each append's callback. Here the machine has both halves and compares them:
//! what the log still holds ([`GroupMetadataValue`] of the last record that is down, the failed ones being undone)
//! and what the group already did. There are three cases.
//!
//! - The group is Stable in a generation that the log does not have: its assignment is lost. Those who waited for it
//!   get the error, and the group rebalances.
//! - The group is Stable in the generation of the log, but with another member id: a static member took over its
//!   place, and the log does not know. The old member id is the member again.
//! - Anything else: the group has moved on since, or what failed was only the news that it is empty. If the broker
//!   stops before the next record, an old generation comes back, and its members' sessions end.

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::record::member_from_record;
use super::{Classic, State};
use crate::codec::GroupMetadataValue;
use crate::group::events::{RebalanceReason, Trigger};
use crate::group::reply::{JoinReply, Reply, SyncReply};
use crate::group::turn::Turn;
use crate::machine::ReplyTo;

impl Classic {
    /// See the [module](self). `recorded` is what the log holds, `error` what waiting callers are told.
    pub(in crate::group) fn recover(
        &mut self,
        turn: &mut Turn<'_, '_>,
        recorded: Option<&GroupMetadataValue<'_>>,
        error: ErrorCode,
    ) {
        if self.state != State::Stable {
            return;
        }
        match recorded {
            Some(recorded) if recorded.generation == self.generation => {
                self.give_back_static_places(turn, recorded, error);
            }
            _ => {
                self.fail_assignment(turn, error);
                let trigger = Trigger::by(RebalanceReason::AppendFailed, &Arc::default());
                self.prepare_rebalance(turn, trigger);
            }
        }
    }

    fn give_back_static_places(
        &mut self,
        turn: &mut Turn<'_, '_>,
        recorded: &GroupMetadataValue<'_>,
        error: ErrorCode,
    ) {
        for member in &recorded.members {
            let Some(instance) = member.group_instance_id else { continue };
            let Some(present) = self.roster.static_member(instance).cloned() else { continue };
            if &*present == member.member_id {
                continue;
            }
            let member_id: Arc<str> = member.member_id.into();
            self.rename_member(turn, &present, &member_id, error);
            let restored = member_from_record(member, recorded.protocol);
            self.roster.set_protocols(&member_id, restored.protocols);
            if let Some(renamed) = self.roster.get_mut(&member_id) {
                renamed.rebalance_timeout_ms = restored.rebalance_timeout_ms;
                renamed.session_timeout_ms = restored.session_timeout_ms;
                renamed.assignment = restored.assignment;
            }
            self.restart_session(turn, &member_id);
        }
    }

    /// Answers every parked caller, when the group is going away.
    pub(in crate::group) fn dismiss_all(&mut self, error: ErrorCode, replies: &mut Vec<(ReplyTo, Reply)>) {
        for member_id in self.roster.ids() {
            if let Some(reply_to) = self.roster.park_join(&member_id, None) {
                replies.push((reply_to, JoinReply::error(Arc::clone(&member_id), error).into()));
            }
            let syncs = self.roster.get_mut(&member_id).and_then(|member| member.awaiting_sync.take());
            replies.extend(syncs.map(|reply_to| (reply_to, SyncReply::error(error).into())));
        }
    }

    /// Goes on from a generation that is no older than that of `other`, whose place this group takes.
    pub(in crate::group) fn continue_from(&mut self, other: &Self) {
        self.generation = self.generation.max(other.generation);
    }
}
