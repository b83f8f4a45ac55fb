//! Failed appends, starts and stops: where soft state is made anew from durable state, or given up.

use std::sync::Arc;

use ottla_model::{Env, ErrorCode};

use super::classic::Classic;
use super::events::Happening;
use super::groups::{Durable, Groups};
use super::reply::{
    CommitOffsetsReply, ConsumerDescribeReply, ConsumerHeartbeatReply, DeleteOffsetsReply, DeleteReply,
    DescribeReply, FetchOffsetsReply, HeartbeatReply, JoinReply, LeaveReply, ListReply, OutlineReply, Reply,
    RestoreOffsetsReply, SyncReply, TopicDeletedReply, WhyReply,
};
use super::turn::Turn;
use crate::codec::GroupMetadataValue;
use crate::machine::{Effects, ReplyTo};

/// The code that clients are told when an append failed with `cause`: one that they retry, and that sends them to
/// look for the coordinator where that can help (`CoordinatorOperationExceptionHelper`,
/// `appendGroupMetadataErrorToResponseError`).
fn coordinator_error(cause: ErrorCode) -> ErrorCode {
    match cause {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::NotEnoughReplicas | ErrorCode::RequestTimedOut => {
            ErrorCode::CoordinatorNotAvailable
        }
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::UnknownServerError
        }
        // An append that failed without an error: never tell a client that all is well.
        ErrorCode::None => ErrorCode::UnknownServerError,
        other => other,
    }
}

/// The same for OffsetFetch: older consumers do not know COORDINATOR_NOT_AVAILABLE there
/// (`GroupCoordinatorService.handleOffsetFetchException`).
fn offset_fetch_error(cause: ErrorCode) -> ErrorCode {
    match coordinator_error(cause) {
        ErrorCode::CoordinatorNotAvailable => ErrorCode::NotCoordinator,
        other => other,
    }
}

/// What a caller is told instead of `reply`, which has become untrue.
fn error_reply(reply: Reply, cause: ErrorCode) -> Reply {
    let error = coordinator_error(cause);
    match reply {
        Reply::Join(_) => JoinReply::error(Arc::default(), error).into(),
        Reply::Sync(_) => SyncReply::error(error).into(),
        Reply::Heartbeat(_) => HeartbeatReply { error }.into(),
        Reply::Leave(_) => LeaveReply { error, members: Vec::new() }.into(),
        Reply::ConsumerHeartbeat(_) => ConsumerHeartbeatReply::error(error, None).into(),
        Reply::ConsumerDescribe(ConsumerDescribeReply { group_id, .. }) => {
            ConsumerDescribeReply::error(group_id, error, None).into()
        }
        Reply::CommitOffsets(CommitOffsetsReply { mut topics, .. }) => {
            for (_, outcome) in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                *outcome = error;
            }
            CommitOffsetsReply { topics, odd: Vec::new() }.into()
        }
        Reply::FetchOffsets(FetchOffsetsReply { group_id, .. }) => {
            FetchOffsetsReply { group_id, error: offset_fetch_error(cause), topics: Vec::new() }.into()
        }
        Reply::List(_) => ListReply { error, groups: Vec::new() }.into(),
        Reply::Describe(DescribeReply { group_id, .. }) => DescribeReply::error(group_id, error, "").into(),
        Reply::Delete(DeleteReply { group_id, .. }) => DeleteReply { group_id, error }.into(),
        Reply::DeleteOffsets(_) => DeleteOffsetsReply { error, topics: Vec::new() }.into(),
        Reply::Outline(_) => OutlineReply { error, groups: Vec::new() }.into(),
        Reply::RestoreOffsets(_) => RestoreOffsetsReply { error, changed: Vec::new() }.into(),
        Reply::Why(WhyReply { group_id, .. }) => {
            WhyReply { group_id, error, state: "", events: Vec::new() }.into()
        }
        Reply::LearnTopics => Reply::LearnTopics,
        Reply::TopicDeleted(_) => TopicDeletedReply { error, offsets: 0 }.into(),
    }
}

impl Groups {
    /// Turns held replies into errors and brings the groups that lost a record back into line with the log.
    pub(super) fn recover(
        &mut self,
        env: &mut Env<'_>,
        cause: ErrorCode,
        replies: Vec<(ReplyTo, Reply)>,
    ) -> Vec<(ReplyTo, Reply)> {
        let held = replies.into_iter().map(|(to, reply)| (to, error_reply(reply, cause))).collect();
        let mut effects = Effects { records: Vec::new(), replies: held };
        let config = Arc::clone(&self.config);
        let turn = &mut Turn::new(env, &config, &mut effects);
        for group_id in std::mem::take(&mut self.undone) {
            self.recover_group(turn, &group_id, coordinator_error(cause));
        }
        self.keep(std::mem::take(&mut turn.events));
        // A rebalance that begins here waits for its members, so there is nothing to write.
        debug_assert!(effects.records.is_empty(), "recovery asks for no records");
        effects.replies
    }

    fn recover_group(&mut self, turn: &mut Turn<'_, '_>, group_id: &Arc<str>, error: ErrorCode) {
        let Some(group) = self.groups.get_mut(group_id) else { return };
        let recorded = match &group.durable {
            Durable::Absent => {
                // The group never came to be. Kafka drops it with the snapshot that it reverts to.
                group.classic.dismiss_all(error, &mut turn.effects.replies);
                self.wakes.remove(group_id, group.wake);
                self.groups.remove(group_id);
                self.rebalances.forget(group_id);
                if self.events.knows(group_id) {
                    turn.note(group_id, Happening::TakenBack);
                }
                return self.timers.forget(group_id);
            }
            Durable::Consumer(_) => {
                // If it had begun to be a classic group, it is none.
                group.classic.dismiss_all(error, &mut turn.effects.replies);
                group.classic = Classic::empty(Arc::clone(group_id), None);
                self.wakes.remove(group_id, group.wake.take());
                self.revive_consumer(turn, group_id);
                return self.note_taken_back(turn, group_id);
            }
            Durable::Offsets => None,
            Durable::Recorded(value) => GroupMetadataValue::decode(value).ok(),
        };
        group.classic.recover(turn, recorded.as_ref(), error);
        self.wakes.bring_forward(group_id, &mut group.wake, group.classic.soonest());
        self.timers.forget(group_id);
    }

    /// Makes soft state after the log was replayed at start (`onLoaded`).
    pub(super) fn revive(&mut self, env: &mut Env<'_>) {
        let mut effects = Effects::default();
        let config = Arc::clone(&self.config);
        let turn = &mut Turn::new(env, &config, &mut effects);
        for group_id in self.group_ids() {
            self.revive_consumer(turn, &group_id);
            self.note_restored(turn, &group_id);
            let Some(group) = self.groups.get_mut(&group_id) else { continue };
            let Durable::Recorded(value) = &group.durable else { continue };
            let Ok(value) = GroupMetadataValue::decode(value) else { continue };
            group.classic = Classic::from_record(turn, Arc::clone(&group_id), &value);
            self.wakes.bring_forward(&group_id, &mut group.wake, group.classic.soonest());
        }
        self.keep(std::mem::take(&mut turn.events));
        debug_assert!(effects.records.is_empty() && effects.replies.is_empty(), "nobody has asked yet");
    }

    /// Answers every parked caller, since the partition is closed (`onUnloaded`).
    pub(super) fn dismiss_all(&mut self) -> Vec<(ReplyTo, Reply)> {
        let mut replies = Vec::new();
        for group_id in self.group_ids() {
            if let Some(group) = self.groups.get_mut(&group_id) {
                group.classic.dismiss_all(ErrorCode::NotCoordinator, &mut replies);
            }
        }
        replies
    }
}
