//! Taking the last administrative change of a group's offsets back, as a new change.

use std::collections::BTreeMap;

use ottla_control::catalog::Refusal;
use ottla_control::codec::Cause;
use ottla_control::group::{Command, Reply, RestoreOffset, RestoreOffsets, RestoredValue};
use ottla_control::machine::Caller;
use ottla_model::{ErrorCode, Offset, PartitionIndex, TopicName};
use tokio::task::spawn_blocking;

use super::OFFSETS_KEPT_MAX;
use super::Snapshot;
use super::scan::{Change, Why, refusal};
use crate::private::{GroupUndo, ListBuilder, OffsetRestored};
use crate::shard::Shard;

/// A partition of a topic.
type Place = (TopicName, PartitionIndex);

/// One administrative request, as the log tells of it.
#[derive(Debug)]
struct Action {
    batch: Offset,
    time_ms: i64,
    why: Why,
    changes: BTreeMap<Place, Changed>,
}

/// What it did to one offset.
#[derive(Debug)]
struct Changed {
    before: Option<RestoredValue>,
    after: Option<RestoredValue>,
    /// Where the record is that it left, if it left an offset.
    record: Option<Offset>,
}

impl Action {
    /// True when the change is part of what this request did: told together, at one time, by the same caller.
    fn has_also(&self, change: &Change, why: &Why) -> bool {
        self.batch == change.batch
            && self.time_ms == change.time_ms
            && self.why.cause == why.cause
            && self.why.client_id == why.client_id
            && self.why.client_host == why.client_host
    }
}

/// Finds the last administrative request.
#[derive(Debug, Default)]
struct Search {
    present: BTreeMap<Place, RestoredValue>,
    last: Option<Action>,
}

impl Search {
    fn note(&mut self, change: Change) -> Result<(), Refusal> {
        let place = (change.topic.clone(), change.partition);
        let before = match &change.value {
            Some(value) => self.present.insert(place.clone(), value.clone()),
            None => self.present.remove(&place),
        };
        if self.present.len() > OFFSETS_KEPT_MAX {
            return Err(refusal(
                ErrorCode::PolicyViolation,
                "the group has too many offsets to look back on",
            ));
        }
        let Some(why) = change.why.as_ref().filter(|why| is_administrative(why.cause)) else { return Ok(()) };
        let changed = Changed {
            before: known_before(before, why.previous),
            after: change.value.clone(),
            record: change.value.as_ref().map(|_| change.record_offset),
        };
        match &mut self.last {
            Some(last) if last.has_also(&change, why) => {
                let before = last.changes.remove(&place).map(|earlier| earlier.before);
                let changed = Changed { before: before.unwrap_or(changed.before), ..changed };
                last.changes.insert(place, changed);
            }
            last => {
                let (batch, time_ms) = (change.batch, change.time_ms);
                let changes = BTreeMap::from([(place, changed)]);
                *last = Some(Action { batch, time_ms, why: why.clone(), changes });
            }
        }
        Ok(())
    }
}

/// What an administrator did, as against what consumers do and what the broker does by itself.
fn is_administrative(cause: Cause) -> bool {
    match cause {
        Cause::Reset | Cause::OffsetDelete | Cause::GroupDelete | Cause::Undo => true,
        Cause::Commit | Cause::TransactionalCommit | Cause::Expiry | Cause::TopicDelete => false,
    }
}

/// The whole value before a change, if the log still has it; else the offset alone, which the change tells.
fn known_before(found: Option<RestoredValue>, previous: Option<Offset>) -> Option<RestoredValue> {
    let offset = previous?;
    Some(found.filter(|found| found.offset == offset).unwrap_or_else(|| RestoredValue {
        offset,
        leader_epoch: ottla_model::NO_LEADER_EPOCH,
        metadata: Box::default(),
        topic_id: ottla_model::TopicId::ZERO,
    }))
}

impl Shard {
    /// Takes the last administrative change of the group's offsets back: a reset, a deletion of offsets or of the
    /// group, or such an undo itself. With `dry_run` it only tells what that would do.
    pub(crate) async fn group_undo(
        &self,
        group: &str,
        dry_run: bool,
        caller: Caller,
    ) -> Result<GroupUndo, Refusal> {
        let snapshot = self.snapshot(group).await?;
        let searched = spawn_blocking(move || search(&snapshot).map(|last| (snapshot, last))).await;
        let (snapshot, last) = searched.unwrap_or_else(|error| {
            Err(refusal(ErrorCode::UnknownServerError, &format!("a bug: {error}")))
        })?;
        let none = "the history holds no reset and no deletion of offsets of the group";
        let action = last.ok_or_else(|| refusal(ErrorCode::InvalidRequest, none))?;
        self.check_topics(&action)?;
        if !dry_run {
            restore(&snapshot, &action, caller).await?;
        }
        Ok(told(group, dry_run, action))
    }

    /// An offset of a topic that is gone, or of another of that name, is of no use to anybody.
    fn check_topics(&self, action: &Action) -> Result<(), Refusal> {
        for ((topic, partition), changed) in &action.changes {
            let Some(value) = &changed.before else { continue };
            let live = self.topic(topic.as_str());
            let live = live.filter(|live| value.topic_id.is_zero() || live.topic.id == value.topic_id);
            if live.is_none_or(|live| live.partition(*partition).is_none()) {
                let message =
                    format!("{topic}-{partition}, whose offset would come back, does not exist any more");
                return Err(Refusal { error: ErrorCode::UnknownTopicOrPartition, message });
            }
        }
        Ok(())
    }
}

fn search(snapshot: &Snapshot) -> Result<Option<Action>, Refusal> {
    let mut search = Search::default();
    snapshot.scan().run(0, &mut |change| search.note(change))?;
    Ok(search.last)
}

async fn restore(snapshot: &Snapshot, action: &Action, caller: Caller) -> Result<(), Refusal> {
    let offsets = action.changes.iter().map(|((topic, partition), changed)| RestoreOffset {
        topic: topic.clone(),
        partition: *partition,
        expected: changed.record,
        value: changed.before.clone(),
    });
    let group_id = std::sync::Arc::clone(&snapshot.group);
    let command = Command::RestoreOffsets(RestoreOffsets { group_id, offsets: offsets.collect() });
    let Ok(Reply::RestoreOffsets(reply)) = snapshot.coordinator.submit(caller, command).await else {
        return Err(refusal(ErrorCode::NotCoordinator, "the coordinator is stopping"));
    };
    match reply.error {
        ErrorCode::None => {}
        ErrorCode::NonEmptyGroup => {
            let message = "the group has members, which would go on from where they are: stop them first";
            return Err(refusal(ErrorCode::NonEmptyGroup, message));
        }
        error => return Err(refusal(error, "the change could not be taken back")),
    }
    match reply.changed.first() {
        None => Ok(()),
        Some((topic, partition)) => {
            let others = reply.changed.len().saturating_sub(1);
            let message = format!(
                "the offset of {topic}-{partition} (and {others} more) changed since then; nothing was taken back"
            );
            Err(Refusal { error: ErrorCode::InvalidRequest, message })
        }
    }
}

fn told(group: &str, dry_run: bool, action: Action) -> GroupUndo {
    let mut offsets = ListBuilder::new();
    for ((topic, partition), changed) in action.changes {
        offsets.push(OffsetRestored {
            topic: topic.to_string(),
            partition,
            from: changed.after.map(|value| value.offset),
            to: changed.before.map(|value| value.offset),
        });
    }
    GroupUndo {
        group: group.to_owned(),
        dry_run,
        cause: action.why.cause.name().to_owned(),
        time_ms: action.time_ms,
        client_id: action.why.client_id,
        client_host: action.why.client_host,
        offsets: offsets.finish(),
    }
}
