//! OffsetCommit and TxnOffsetCommit (`OffsetMetadataManager.commitOffset` and `commitTransactionalOffset`).

use std::sync::Arc;

use ottla_model::{ErrorCode, NONE, TopicId};

use super::TEXT_BYTES_MAX;
use super::author::Author;
use super::command::{CommitOffsets, CommitPartition, CommitTopic};
use super::groups::Groups;
use super::kind::Owned;
use super::offsets::OffsetStore;
use super::reply::{CommitOffsetsReply, CommittedTopic, OddCommit};
use super::turn::Turn;
use crate::codec::{Cause, CommitOddities, EncodeError, Key, OffsetCommitValue};
use crate::machine::{Caller, Record, ReplyTo};

/// What is the same for every offset of a request.
struct Request<'a> {
    group_id: &'a Arc<str>,
    author: Author<'a>,
    /// What is committed now.
    offsets: &'a OffsetStore,
    /// What the committer owns, if that can be told.
    owned: Option<Owned<'a>>,
    commit_timestamp_ms: i64,
    expire_timestamp_ms: i64,
    in_transaction: bool,
}

impl Groups {
    /// Commits offsets: one record each, all of a request in one append.
    pub(super) fn commit_offsets(
        &mut self,
        turn: &mut Turn<'_, '_>,
        caller: &Caller,
        reply_to: ReplyTo,
        commit: &CommitOffsets,
    ) {
        let refused = self.validate_commit(turn, commit).err();
        let request = self.commit_request(turn, caller, commit);
        let mut odd = Vec::new();
        let mut committed = Vec::with_capacity(commit.topics.len());
        for topic in &commit.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let outcome = match refused {
                    Some(error) => Err(error),
                    None => request.commit_one(turn, topic, partition, &mut odd),
                };
                partitions.push((partition.partition, outcome.err().unwrap_or_default()));
            }
            committed.push(CommittedTopic {
                topic: topic.topic.clone(),
                topic_id: topic.topic_id,
                partitions,
            });
        }
        turn.reply(reply_to, CommitOffsetsReply { topics: committed, odd });
    }

    fn validate_commit(&mut self, turn: &Turn<'_, '_>, commit: &CommitOffsets) -> Result<(), ErrorCode> {
        if commit.in_transaction && self.offsets.pending.len() >= turn.config.pending_offsets_max {
            return Err(ErrorCode::PolicyViolation);
        }
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

    fn commit_request<'a>(
        &'a self,
        turn: &Turn<'_, '_>,
        caller: &'a Caller,
        commit: &'a CommitOffsets,
    ) -> Request<'a> {
        let now = turn.env.wall.0;
        let group = self.groups.get(&commit.group_id);
        let cause = match group {
            _ if commit.in_transaction => Cause::TransactionalCommit,
            Some(group) => group.cause_of(commit),
            None => Cause::Commit,
        };
        Request {
            group_id: &commit.group_id,
            author: Author::committer(cause, caller, commit),
            offsets: &self.offsets,
            owned: group.and_then(|group| group.owned_by(&commit.member_id)),
            commit_timestamp_ms: now,
            expire_timestamp_ms: match commit.retention_time_ms {
                CommitOffsets::DEFAULT_RETENTION_TIME_MS => NONE,
                retention => now.saturating_add(retention),
            },
            in_transaction: commit.in_transaction,
        }
    }
}

impl Request<'_> {
    fn commit_one(
        &self,
        turn: &mut Turn<'_, '_>,
        topic: &CommitTopic,
        partition: &CommitPartition,
        odd: &mut Vec<OddCommit>,
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
            commit_timestamp_ms: self.commit_timestamp_ms,
            expire_timestamp_ms: self.expire_timestamp_ms,
            // Kafka leaves it out of transactional commits, whose requests do not have it.
            topic_id: if self.in_transaction { TopicId::ZERO } else { topic.topic_id },
        };
        let previous = self.offsets.get(self.group_id, &topic.topic, partition.partition);
        let previous = previous.map(|committed| committed.offset);
        let oddities = CommitOddities {
            went_backward: previous.is_some_and(|previous| partition.offset < previous),
            past_end: partition.log_end.is_some_and(|end| partition.offset > end),
            not_owner: self.owned.as_ref().is_some_and(|owned| !owned.has(topic, partition.partition)),
        };
        // The key fits, since the group exists or was checked: it can only be the metadata.
        let record =
            self.to_record(topic, partition, &value).map_err(|_| ErrorCode::OffsetMetadataTooLarge)?;
        turn.record(Record { headers: self.author.headers(previous, oddities), ..record });
        // What a transaction commits is odd only when it counts; the history shows it then.
        if oddities.any() && !self.in_transaction {
            odd.push(OddCommit {
                topic: topic.topic.clone(),
                partition: partition.partition,
                previous,
                offset: partition.offset,
                log_end: partition.log_end,
                oddities,
            });
        }
        Ok(())
    }

    fn to_record(
        &self,
        topic: &CommitTopic,
        partition: &CommitPartition,
        value: &OffsetCommitValue<'_>,
    ) -> Result<Record, EncodeError> {
        let key = Key::offset_commit(self.group_id, &topic.topic, partition.partition)?;
        Ok(Record { key, value: Some(value.encode()?), headers: Vec::new() })
    }
}
