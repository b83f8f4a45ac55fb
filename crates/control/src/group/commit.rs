//! OffsetCommit (`OffsetMetadataManager.commitOffset`).

use ottla_model::{ErrorCode, NONE};

use super::TEXT_BYTES_MAX;
use super::command::{CommitOffsets, CommitPartition, CommitTopic};
use super::groups::Groups;
use super::reply::{CommitOffsetsReply, CommittedTopic};
use super::turn::Turn;
use crate::codec::{EncodeError, Key, OffsetCommitValue};
use crate::machine::{Record, ReplyTo};

/// What is the same for every offset of a request.
struct Stamp {
    commit_timestamp_ms: i64,
    expire_timestamp_ms: i64,
}

impl Groups {
    /// Commits offsets: one record each, all of a request in one append.
    pub(super) fn commit_offsets(
        &mut self,
        turn: &mut Turn<'_, '_>,
        reply_to: ReplyTo,
        commit: CommitOffsets,
    ) {
        let refused = self.validate_commit(turn, &commit).err();
        let now = turn.env.wall.0;
        let stamp = Stamp {
            commit_timestamp_ms: now,
            expire_timestamp_ms: match commit.retention_time_ms {
                CommitOffsets::DEFAULT_RETENTION_TIME_MS => NONE,
                retention => now.saturating_add(retention),
            },
        };
        let CommitOffsets { group_id, topics, .. } = commit;
        let mut committed = Vec::with_capacity(topics.len());
        for topic in topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let outcome = match refused {
                    Some(error) => Err(error),
                    None => commit_one(turn, &group_id, &topic, partition, &stamp),
                };
                partitions.push((partition.partition, outcome.err().unwrap_or_default()));
            }
            committed.push(CommittedTopic { topic: topic.topic, topic_id: topic.topic_id, partitions });
        }
        turn.reply(reply_to, CommitOffsetsReply { topics: committed });
    }

    fn validate_commit(&mut self, turn: &Turn<'_, '_>, commit: &CommitOffsets) -> Result<(), ErrorCode> {
        if let Some(group) = self.consumer_group(&commit.group_id) {
            return group.validate_commit(commit);
        }
        if let Some(result) = self.with_group(&commit.group_id, |group| group.validate_commit(turn, commit)) {
            return result;
        }
        if commit.generation_or_member_epoch >= 0 {
            return Err(if commit.knows_group_id_not_found {
                ErrorCode::GroupIdNotFound
            } else {
                ErrorCode::IllegalGeneration
            });
        }
        // The first offset makes the group known when it is replayed.
        if commit.group_id.len() > TEXT_BYTES_MAX {
            return Err(ErrorCode::InvalidGroupId);
        }
        if self.groups.len() >= turn.config.groups_max {
            return Err(ErrorCode::PolicyViolation);
        }
        Ok(())
    }
}

fn commit_one(
    turn: &mut Turn<'_, '_>,
    group_id: &str,
    topic: &CommitTopic,
    partition: &CommitPartition,
    stamp: &Stamp,
) -> Result<(), ErrorCode> {
    let metadata = partition.metadata.as_deref().unwrap_or_default();
    // Kafka counts in the units of Java's text, which are never more than its bytes.
    let max = turn.config.offset_metadata_max_bytes;
    if metadata.len() > max && metadata.encode_utf16().count() > max {
        return Err(ErrorCode::OffsetMetadataTooLarge);
    }
    let value = OffsetCommitValue {
        offset: partition.offset,
        leader_epoch: partition.leader_epoch,
        metadata,
        commit_timestamp_ms: stamp.commit_timestamp_ms,
        expire_timestamp_ms: stamp.expire_timestamp_ms,
        topic_id: topic.topic_id,
    };
    // The key fits, since the group exists or was checked: it can only be the metadata.
    let record =
        to_record(group_id, topic, partition, &value).map_err(|_| ErrorCode::OffsetMetadataTooLarge)?;
    turn.record(record);
    Ok(())
}

fn to_record(
    group_id: &str,
    topic: &CommitTopic,
    partition: &CommitPartition,
    value: &OffsetCommitValue<'_>,
) -> Result<Record, EncodeError> {
    let key = Key::offset_commit(group_id, &topic.topic, partition.partition)?;
    Ok(Record { key, value: Some(value.encode()?), headers: Vec::new() })
}
