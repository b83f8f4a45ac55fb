//! GroupHistory, GroupOffsetsAt, GroupDiff and GroupUndo (private): what happened to a group's committed offsets.

use std::sync::Arc;

use bytes::Bytes;
use ottla_control::catalog::Refusal;
use ottla_wire::private::{GroupDiff, GroupHistory, GroupOffsetsAt, GroupUndo};

use super::call::{Call, Closed, Started};
use super::private;
use crate::private as documents;

pub(super) fn history(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, told)
}

async fn told(call: Arc<Call>, asked: GroupHistory) -> Result<documents::GroupHistory, Refusal> {
    let topic = asked.topic.map(|topic| topic.to_string());
    call.shard.group_history(&asked.group, topic, asked.since_ms).await
}

pub(super) fn offsets_at(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, looked_up)
}

async fn looked_up(call: Arc<Call>, asked: GroupOffsetsAt) -> Result<documents::GroupOffsetsAt, Refusal> {
    call.shard.group_offsets_at(&asked.group, asked.at_ms).await
}

pub(super) fn diff(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, compared)
}

async fn compared(call: Arc<Call>, asked: GroupDiff) -> Result<documents::GroupDiff, Refusal> {
    call.shard.group_diff(&asked.group, asked.from_ms, asked.to_ms).await
}

pub(super) fn undo(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, taken_back)
}

async fn taken_back(call: Arc<Call>, asked: GroupUndo) -> Result<documents::GroupUndo, Refusal> {
    call.shard.group_undo(&asked.group, asked.dry_run, call.caller()).await
}
