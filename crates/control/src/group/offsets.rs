//! Committed offsets. Durable state: only `replay`, `undo` and `end_transaction` change it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ottla_model::{LeaderEpoch, Offset, PartitionIndex, ProducerId, TopicId, TopicName};

use super::author::Author;
use super::pending::{PendingOffsets, Place};
use crate::codec::{CommitOddities, EncodeError, Key, OffsetCommitValue};
use crate::machine::Record;

/// A committed offset (`OffsetAndMetadata`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The offset to read next.
    pub offset: Offset,
    /// Leader epoch of the last consumed record, or -1.
    pub leader_epoch: LeaderEpoch,
    /// What the client keeps with it.
    pub metadata: Box<str>,
    /// When it was committed, in milliseconds since the Unix epoch.
    pub commit_timestamp_ms: i64,
    /// When it expires, or -1 when the group's retention decides.
    pub expire_timestamp_ms: i64,
    /// The topic's id, or zero when the commit named the topic only.
    pub topic_id: TopicId,
    /// Where the log has it. Of a plain and a transactional commit the later one in the log wins, whenever the
    /// transaction ends.
    pub record_offset: Offset,
    /// Which commit of this group and partition it is, as far as the log remembers them: it rises by one with each
    /// commit. 0 until it is stored.
    pub commits: u64,
}

impl CommittedOffset {
    /// The offset as a record at `record_offset` tells it.
    #[must_use]
    pub fn from_record(record_offset: Offset, value: &OffsetCommitValue<'_>) -> Self {
        Self {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata.into(),
            commit_timestamp_ms: value.commit_timestamp_ms,
            expire_timestamp_ms: value.expire_timestamp_ms,
            topic_id: value.topic_id,
            record_offset,
            commits: 0,
        }
    }

    /// True when the offset belongs to another topic of the same name than the caller means. Either side may not
    /// know the id (`OffsetMetadataManager.isMismatchedTopicId`).
    #[must_use]
    pub fn is_of_another_topic(&self, topic_id: TopicId) -> bool {
        !self.topic_id.is_zero() && !topic_id.is_zero() && self.topic_id != topic_id
    }
}

/// The offsets of one group: by topic, then by partition, both in order.
pub type GroupOffsets = BTreeMap<TopicName, BTreeMap<PartitionIndex, CommittedOffset>>;

/// The offsets of all groups of a partition of `__consumer_offsets`, of whatever kind the groups are.
#[derive(Debug, Default)]
pub struct OffsetStore {
    groups: HashMap<Arc<str>, GroupOffsets>,
    /// What open transactions may make of them.
    pub(super) pending: PendingOffsets,
}

impl OffsetStore {
    /// All offsets of a group.
    #[must_use]
    pub fn group(&self, group_id: &str) -> Option<&GroupOffsets> {
        self.groups.get(group_id)
    }

    /// One offset.
    #[must_use]
    pub fn get(
        &self,
        group_id: &str,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> Option<&CommittedOffset> {
        self.groups.get(group_id)?.get(topic)?.get(&partition)
    }

    /// Whether an open transaction may still replace the offset (KIP-447).
    #[must_use]
    pub fn has_pending_commit(&self, group_id: &str, topic: &TopicName, partition: PartitionIndex) -> bool {
        self.pending.has(group_id, topic, partition)
    }

    /// The transaction of a producer has ended. When it was committed, its offsets are what is committed from now on,
    /// but for those that were committed meanwhile by a later record
    /// (`OffsetMetadataManager.replayEndTransactionMarker`).
    pub(super) fn end_transaction(&mut self, producer: ProducerId, committed: bool) {
        let ended = self.pending.take(producer);
        for ((group_id, topic, partition), offset) in ended.into_iter().filter(|_| committed) {
            let present = self.get(&group_id, &topic, partition);
            if present.is_none_or(|present| offset.record_offset > present.record_offset) {
                self.set(&group_id, &topic, partition, Some(offset));
            }
        }
    }

    /// The groups that have offsets, in the order of their ids.
    #[must_use]
    pub fn group_ids(&self) -> Vec<Arc<str>> {
        let mut ids: Vec<_> = self.groups.keys().cloned().collect();
        ids.sort_unstable();
        ids
    }

    /// Stores an offset, or removes it, and gives back what was there.
    pub(super) fn set(
        &mut self,
        group_id: &Arc<str>,
        topic: &TopicName,
        partition: PartitionIndex,
        offset: Option<CommittedOffset>,
    ) -> Option<CommittedOffset> {
        match offset {
            Some(mut offset) => {
                let topics = self.groups.entry(Arc::clone(group_id)).or_default();
                let partitions = topics.entry(topic.clone()).or_default();
                if offset.commits == 0 {
                    let before = partitions.get(&partition).map_or(0, |before| before.commits);
                    offset.commits = before.saturating_add(1);
                }
                partitions.insert(partition, offset)
            }
            None => self.remove(group_id, topic, partition),
        }
    }

    /// The same, by its place.
    pub(super) fn set_at(
        &mut self,
        place: &Place,
        offset: Option<CommittedOffset>,
    ) -> Option<CommittedOffset> {
        let (group_id, topic, partition) = place;
        self.set(group_id, topic, *partition, offset)
    }

    fn remove(
        &mut self,
        group_id: &str,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> Option<CommittedOffset> {
        let topics = self.groups.get_mut(group_id)?;
        let partitions = topics.get_mut(topic)?;
        let removed = partitions.remove(&partition);
        if partitions.is_empty() {
            topics.remove(topic);
        }
        if topics.is_empty() {
            self.groups.remove(group_id);
        }
        removed
    }
}

/// The tombstone of an offset, and who deletes it. `committed` is what is deleted; with nothing, it is for what open
/// transactions say of the offset.
///
/// # Errors
/// [`EncodeError`] when the group's id is too long for a record, which then has none.
pub(super) fn tombstone(
    author: &Author<'_>,
    group_id: &str,
    topic: &TopicName,
    partition: PartitionIndex,
    committed: Option<&CommittedOffset>,
) -> Result<Record, EncodeError> {
    let key = Key::offset_commit(group_id, topic, partition)?;
    let headers = author.headers(committed.map(|committed| committed.offset), CommitOddities::default());
    Ok(Record { key, value: None, headers })
}
