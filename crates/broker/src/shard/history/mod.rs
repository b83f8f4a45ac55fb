//! The history of committed offsets: what changed, when and by whom, what was committed at a time, and taking a change
//! back. The offsets log is the history: each record tells its cause in a header, and compaction leaves the window alone.
//!
//! Every question reads the log of one partition on a thread that may block, and holds that log's lock for a piece at a
//! time.

mod past;
mod pending;
mod scan;
mod undo;

use std::collections::VecDeque;
use std::sync::Arc;

use ottla_control::catalog::Refusal;
use ottla_control::group::{GroupOffsets, Groups};
use ottla_model::{ErrorCode, Offset};
use tokio::task::spawn_blocking;

use self::past::Past;
use self::scan::{Change, Scan, refusal};
use super::{Coordinator, Shard};
use crate::error_codes;
use crate::private::{GroupDiff, GroupHistory, GroupOffsetsAt, ListBuilder, OffsetChange};

/// Changes that one answer tells at most; the newest are kept.
const CHANGES_TOLD_MAX: usize = 20_000;

/// Offsets of a group that a question about the past keeps in mind.
const OFFSETS_KEPT_MAX: usize = 500_000;

/// A group as its machine knows it, and the end of the log at that moment.
struct Snapshot {
    coordinator: Arc<Coordinator<Groups>>,
    group: Arc<str>,
    end: Offset,
    cleaned_to: Offset,
    offsets: GroupOffsets,
    /// How long a transaction may be open.
    transaction_ms_max: i64,
}

impl Snapshot {
    fn scan(&self) -> Scan<'_> {
        Scan {
            partition: self.coordinator.partition(),
            group: &self.group,
            upper: self.end,
            cleaned_to: self.cleaned_to,
        }
    }

    /// Where a scan begins that tells everything from `since_ms` on: earlier by as long as a transaction may be open, since
    /// its offsets take effect with its end.
    fn begin_of(&self, since_ms: i64) -> Result<Offset, Refusal> {
        let from_ms = since_ms.saturating_sub(self.transaction_ms_max);
        let log = self.coordinator.partition().log();
        let found = log.offset_for_time(from_ms, self.end).map_err(|error| {
            refusal(error_codes::of_read(&error), &format!("the history cannot be read: {error}"))
        })?;
        Ok(found.map_or(self.end, |found| found.offset))
    }
}

impl Shard {
    /// The changes of a group's offsets, of one topic or of all, and since a time or as far back as there are any.
    pub(crate) async fn group_history(
        &self,
        group: &str,
        topic: Option<String>,
        since_ms: Option<i64>,
    ) -> Result<GroupHistory, Refusal> {
        let now_ms = self.wall().0;
        self.ask_history(group, move |snapshot| {
            let mut newest: VecDeque<OffsetChange> = VecDeque::new();
            let mut older = 0u64;
            let from = since_ms.map_or(Ok(0), |since_ms| snapshot.begin_of(since_ms))?;
            let complete_from_ms = snapshot.scan().run(from, &mut |change| {
                let is_asked_for = topic.as_deref().is_none_or(|topic| topic == change.topic.as_str())
                    && since_ms.is_none_or(|since_ms| change.time_ms >= since_ms);
                if is_asked_for {
                    if newest.len() >= CHANGES_TOLD_MAX {
                        newest.pop_front();
                        older = older.saturating_add(1);
                    }
                    newest.push_back(told(change));
                }
                Ok(())
            })?;
            let mut changes = ListBuilder::new();
            newest.into_iter().rev().for_each(|change| changes.push(change));
            (0..older).for_each(|_| changes.leave_out());
            let group = snapshot.group.to_string();
            Ok(GroupHistory { group, now_ms, since_ms, complete_from_ms, changes: changes.finish() })
        })
        .await
    }

    /// What was committed for a group at a time.
    pub(crate) async fn group_offsets_at(&self, group: &str, at_ms: i64) -> Result<GroupOffsetsAt, Refusal> {
        self.ask_history(group, move |snapshot| {
            let mut past = Past::new(at_ms);
            let complete_from_ms =
                snapshot.scan().run(snapshot.begin_of(at_ms)?, &mut |change| past.note(&change))?;
            let mut offsets = ListBuilder::new();
            past.offsets(&snapshot.offsets).into_iter().for_each(|offset| offsets.push(offset));
            let group = snapshot.group.to_string();
            Ok(GroupOffsetsAt { group, at_ms, complete_from_ms, offsets: offsets.finish() })
        })
        .await
    }

    /// What differs between what was committed for a group at two times.
    pub(crate) async fn group_diff(
        &self,
        group: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<GroupDiff, Refusal> {
        if from_ms > to_ms {
            return Err(refusal(
                ErrorCode::InvalidRequest,
                "the time to compare with lies before the first one",
            ));
        }
        self.ask_history(group, move |snapshot| {
            let (mut before, mut after) = (Past::new(from_ms), Past::new(to_ms));
            let begin = snapshot.begin_of(from_ms)?;
            let complete_from_ms = snapshot.scan().run(begin, &mut |change| {
                before.note(&change)?;
                after.note(&change)
            })?;
            let mut partitions = ListBuilder::new();
            let differ = past::differences(
                before.offsets(&snapshot.offsets),
                after.offsets(&snapshot.offsets),
                before.changes_until(&after),
            );
            differ.into_iter().for_each(|difference| partitions.push(difference));
            let group = snapshot.group.to_string();
            Ok(GroupDiff { group, from_ms, to_ms, complete_from_ms, partitions: partitions.finish() })
        })
        .await
    }

    /// Answers from the log of the group's partition, when all that its machine knows now is committed.
    async fn ask_history<T: Send + 'static>(
        &self,
        group: &str,
        work: impl FnOnce(&Snapshot) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let snapshot = self.snapshot(group).await?;
        let done = spawn_blocking(move || work(&snapshot)).await;
        done.unwrap_or_else(|error| Err(refusal(ErrorCode::UnknownServerError, &format!("a bug: {error}"))))
    }

    async fn snapshot(&self, group: &str) -> Result<Snapshot, Refusal> {
        let coordinator = self.group(group).map_err(|error| match self.all_groups() {
            [] => refusal(ErrorCode::GroupIdNotFound, "there are no groups yet"),
            _ => refusal(error, "this broker does not coordinate the group"),
        })?;
        let partition = Arc::clone(coordinator.partition());
        let (end, offsets) = coordinator.look(|groups| {
            let offsets = groups.offsets().group(group).cloned().unwrap_or_default();
            (partition.log().end_offset(), offsets)
        });
        let offline = |_| refusal(ErrorCode::NotCoordinator, "the log of the group's offsets is offline");
        partition.committed(end).await.map_err(offline)?;
        let (coordinator, group) = (Arc::clone(coordinator), Arc::from(group));
        Ok(Snapshot {
            coordinator,
            group,
            end,
            cleaned_to: self.cleaned_to(&partition),
            offsets,
            transaction_ms_max: self.settings().transaction_max_timeout_ms.into(),
        })
    }
}

/// A change as it is told.
fn told(change: Change) -> OffsetChange {
    let Change { time_ms, topic, partition, value, why, .. } = change;
    let new = value.map(|value| value.offset);
    let mut told = OffsetChange {
        time_ms,
        topic: topic.to_string(),
        partition,
        old_known: why.is_some(),
        old: None,
        new,
        cause: None,
        went_backward: false,
        past_end: false,
        not_owner: false,
        generation: -1,
        member_id: String::new(),
        instance_id: None,
        client_id: None,
        client_host: String::new(),
    };
    if let Some(why) = why {
        told.old = why.previous;
        told.cause = Some(why.cause.name().to_owned());
        told.went_backward = why.oddities.went_backward;
        told.past_end = why.oddities.past_end;
        told.not_owner = why.oddities.not_owner;
        told.generation = why.generation;
        told.member_id = why.member_id;
        told.instance_id = why.instance_id;
        told.client_id = why.client_id;
        told.client_host = why.client_host;
    }
    told
}
