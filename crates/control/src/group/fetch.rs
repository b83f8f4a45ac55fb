//! OffsetFetch (`OffsetMetadataManager.fetchOffsets` and `fetchAllOffsets`).

use ottla_model::{ErrorCode, NO_LEADER_EPOCH, NONE, PartitionIndex, TopicId};

use super::command::{FetchOffsets, FetchTopic};
use super::groups::Groups;
use super::offsets::{CommittedOffset, GroupOffsets};
use super::reply::{FetchOffsetsReply, FetchedPartition, FetchedTopic};

impl Groups {
    /// Looks committed offsets up. A group that does not exist has none, which is not an error.
    pub(super) fn fetch_offsets(&self, fetch: FetchOffsets) -> FetchOffsetsReply {
        let FetchOffsets { group_id, member_id, member_epoch, topics, require_stable } = fetch;
        let checked = self
            .consumer_group(&group_id)
            .map(|group| group.validate_fetch(member_id.as_ref(), member_epoch));
        if let Some(Err(error)) = checked {
            return FetchOffsetsReply { group_id, error, topics: Vec::new() };
        }
        let offsets = self.groups.get(&group_id).and_then(|_| self.offsets.group(&group_id));
        let unstable = |topic: &_, partition| {
            require_stable && self.offsets.has_pending_commit(&group_id, topic, partition)
        };
        let topics = match topics {
            Some(topics) => topics
                .into_iter()
                .map(|FetchTopic { topic, topic_id, partitions }| {
                    let partitions = partitions
                        .into_iter()
                        .map(|partition| {
                            if unstable(&topic, partition) {
                                return pending(partition);
                            }
                            let committed = offsets.and_then(|offsets| offsets.get(&topic)?.get(&partition));
                            let ours = committed.filter(|offset| !offset.is_of_another_topic(topic_id));
                            fetched(partition, ours)
                        })
                        .collect();
                    FetchedTopic { topic, topic_id, partitions }
                })
                .collect(),
            None => all(offsets, unstable),
        };
        FetchOffsetsReply { group_id, error: ErrorCode::None, topics }
    }
}

fn all(
    offsets: Option<&GroupOffsets>,
    unstable: impl Fn(&ottla_model::TopicName, PartitionIndex) -> bool,
) -> Vec<FetchedTopic> {
    let topics = offsets.into_iter().flatten().map(|(topic, partitions)| FetchedTopic {
        topic: topic.clone(),
        topic_id: TopicId::ZERO,
        partitions: partitions
            .iter()
            .map(|(&partition, offset)| {
                if unstable(topic, partition) { pending(partition) } else { fetched(partition, Some(offset)) }
            })
            .collect(),
    });
    topics.collect()
}

fn fetched(partition: PartitionIndex, committed: Option<&CommittedOffset>) -> FetchedPartition {
    FetchedPartition {
        partition,
        error: ErrorCode::None,
        offset: committed.map_or(NONE, |committed| committed.offset),
        leader_epoch: committed.map_or(NO_LEADER_EPOCH, |committed| committed.leader_epoch),
        metadata: committed.map(|committed| committed.metadata.clone()).unwrap_or_default(),
    }
}

/// An open transaction may still change the offset (KIP-447).
fn pending(partition: PartitionIndex) -> FetchedPartition {
    FetchedPartition { error: ErrorCode::UnstableOffsetCommit, ..fetched(partition, None) }
}
