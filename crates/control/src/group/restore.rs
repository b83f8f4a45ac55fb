//! Taking an administrative change of offsets back: the old values as a new change, if nothing has happened since.

use std::sync::Arc;

use ottla_model::{ErrorCode, NONE};

use super::TEXT_BYTES_MAX;
use super::author::Author;
use super::command::{RestoreOffset, RestoreOffsets};
use super::groups::Groups;
use super::offsets::tombstone;
use super::reply::RestoreOffsetsReply;
use super::turn::Turn;
use crate::codec::{Cause, CommitOddities, EncodeError, Key, OffsetCommitValue};
use crate::machine::{Caller, Record, ReplyTo};

impl Groups {
    /// Gives offsets their old values, all of them or none.
    pub(super) fn restore_offsets(
        &self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        restore: &RestoreOffsets,
    ) {
        let group_id = &restore.group_id;
        if let Err(error) = self.validate_restore(turn, group_id) {
            return turn.reply(reply_to, RestoreOffsetsReply { error, changed: Vec::new() });
        }
        let has_changed = |offset: &&RestoreOffset| {
            let present = self.offsets.get(group_id, &offset.topic, offset.partition);
            present.map(|committed| committed.record_offset) != offset.expected
                || self.offsets.has_pending_commit(group_id, &offset.topic, offset.partition)
        };
        let changed: Vec<_> = restore
            .offsets
            .iter()
            .filter(has_changed)
            .map(|offset| (offset.topic.clone(), offset.partition))
            .collect();
        if changed.is_empty() {
            let author = Author::caller(Cause::Undo, caller);
            let now = turn.env.wall.0;
            for offset in &restore.offsets {
                let record = self.restored(&author, group_id, offset, now);
                turn.effects.records.extend(record.ok().flatten());
            }
        }
        turn.reply(reply_to, RestoreOffsetsReply { error: ErrorCode::None, changed });
    }

    fn validate_restore(&self, turn: &Turn<'_, '_>, group_id: &Arc<str>) -> Result<(), ErrorCode> {
        match self.groups.get(group_id) {
            Some(group) => group.validate_delete(),
            None if group_id.len() > TEXT_BYTES_MAX => Err(ErrorCode::InvalidGroupId),
            None if self.groups.len() >= turn.config.groups_max => Err(ErrorCode::PolicyViolation),
            None => Ok(()),
        }
    }

    /// The record that gives one offset its old value; none when there is neither an old value nor a present one.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is too long for a record. None is that a record had before.
    fn restored(
        &self,
        author: &Author<'_>,
        group_id: &Arc<str>,
        offset: &RestoreOffset,
        now_ms: i64,
    ) -> Result<Option<Record>, EncodeError> {
        let RestoreOffset { topic, partition, value, .. } = offset;
        let present = self.offsets.get(group_id, topic, *partition);
        let Some(value) = value else {
            return present
                .map(|present| tombstone(author, group_id, topic, *partition, Some(present)))
                .transpose();
        };
        let key = Key::offset_commit(group_id, topic, *partition)?;
        let old = OffsetCommitValue {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: &value.metadata,
            // It is committed anew, so its age begins anew, too.
            commit_timestamp_ms: now_ms,
            expire_timestamp_ms: NONE,
            topic_id: value.topic_id,
        };
        let headers = author.headers(present.map(|present| present.offset), CommitOddities::default());
        Ok(Some(Record { key, value: Some(old.encode()?), headers }))
    }
}
