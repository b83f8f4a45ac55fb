//! Offsets that were committed in transactions which are still open (`OffsetMetadataManager.pendingTransactionalOffsets`
//! and `openTransactions`). Durable state: only `replay`, `undo` and `end_transaction` change it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ottla_model::{PartitionIndex, ProducerId, TopicName};

use super::offsets::CommittedOffset;

/// An offset of a group: the group, the topic, the partition.
pub(super) type Place = (Arc<str>, TopicName, PartitionIndex);

/// Who has offsets pending, by topic and partition.
type OpenPartitions = BTreeMap<TopicName, BTreeMap<PartitionIndex, BTreeSet<ProducerId>>>;

/// The pending offsets of all groups of a partition of `__consumer_offsets`. Of each producer the newest counts.
#[derive(Debug, Default)]
pub(super) struct PendingOffsets {
    by_producer: HashMap<ProducerId, BTreeMap<Place, CommittedOffset>>,
    open: HashMap<Arc<str>, OpenPartitions>,
    count: usize,
}

impl PendingOffsets {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// True when a transaction may still replace an offset of the group.
    pub(super) fn has_group(&self, group_id: &str) -> bool {
        self.open.contains_key(group_id)
    }

    /// True when a transaction may still replace the offset.
    pub(super) fn has(&self, group_id: &str, topic: &TopicName, partition: PartitionIndex) -> bool {
        self.producers(group_id, topic, partition).is_some()
    }

    /// The partitions of a group that have pending offsets, in order.
    pub(super) fn partitions(&self, group_id: &str) -> impl Iterator<Item = (&TopicName, PartitionIndex)> {
        let topics = self.open.get(group_id).into_iter().flatten();
        topics.flat_map(|(topic, partitions)| partitions.keys().map(move |&partition| (topic, partition)))
    }

    /// Groups that have pending offsets, in the order of their ids.
    pub(super) fn group_ids(&self) -> Vec<Arc<str>> {
        let mut ids: Vec<_> = self.open.keys().cloned().collect();
        ids.sort_unstable();
        ids
    }

    /// The pending offsets of one partition.
    pub(super) fn offsets(
        &self,
        group_id: &Arc<str>,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> impl Iterator<Item = &CommittedOffset> {
        let place = (Arc::clone(group_id), topic.clone(), partition);
        let producers = self.producers(group_id, topic, partition).into_iter().flatten();
        producers.filter_map(move |producer| self.by_producer.get(producer)?.get(&place))
    }

    fn producers(
        &self,
        group_id: &str,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> Option<&BTreeSet<ProducerId>> {
        self.open.get(group_id)?.get(topic)?.get(&partition)
    }

    /// Stores what a producer's transaction says of an offset, or forgets it, and gives back what was there.
    pub(super) fn set(
        &mut self,
        producer: ProducerId,
        place: &Place,
        offset: Option<CommittedOffset>,
    ) -> Option<CommittedOffset> {
        let Some(offset) = offset else { return self.remove(producer, place) };
        let (group_id, topic, partition) = place;
        let topics = self.open.entry(Arc::clone(group_id)).or_default();
        topics.entry(topic.clone()).or_default().entry(*partition).or_default().insert(producer);
        let previous = self.by_producer.entry(producer).or_default().insert(place.clone(), offset);
        if previous.is_none() {
            self.count = self.count.saturating_add(1);
        }
        previous
    }

    fn remove(&mut self, producer: ProducerId, place: &Place) -> Option<CommittedOffset> {
        let offsets = self.by_producer.get_mut(&producer)?;
        let removed = offsets.remove(place)?;
        if offsets.is_empty() {
            self.by_producer.remove(&producer);
        }
        self.close(producer, place);
        Some(removed)
    }

    /// Forgets what all transactions say of an offset, and tells what that was.
    pub(super) fn clear(&mut self, place: &Place) -> Vec<(ProducerId, CommittedOffset)> {
        let (group_id, topic, partition) = place;
        let producers = self.producers(group_id, topic, *partition).cloned().unwrap_or_default();
        let removed =
            producers.into_iter().filter_map(|producer| Some((producer, self.remove(producer, place)?)));
        removed.collect()
    }

    /// Takes all offsets of a producer's transaction, which has ended.
    pub(super) fn take(&mut self, producer: ProducerId) -> BTreeMap<Place, CommittedOffset> {
        let offsets = self.by_producer.remove(&producer).unwrap_or_default();
        offsets.keys().for_each(|place| self.close(producer, place));
        offsets
    }

    /// Takes note that a producer has no pending offset there any more.
    fn close(&mut self, producer: ProducerId, (group_id, topic, partition): &Place) {
        self.count = self.count.saturating_sub(1);
        let Some(topics) = self.open.get_mut(group_id) else { return };
        let Some(partitions) = topics.get_mut(topic) else { return };
        let Some(producers) = partitions.get_mut(partition) else { return };
        producers.remove(&producer);
        if producers.is_empty() {
            partitions.remove(partition);
        }
        if partitions.is_empty() {
            topics.remove(topic);
        }
        if topics.is_empty() {
            self.open.remove(group_id);
        }
    }
}

#[cfg(test)]
impl PendingOffsets {
    /// Everything, in order.
    pub(super) fn all(&self) -> BTreeMap<ProducerId, &BTreeMap<Place, CommittedOffset>> {
        self.by_producer.iter().map(|(producer, offsets)| (*producer, offsets)).collect()
    }

    /// What is kept by producer and by partition is the same.
    pub(super) fn check(&self) {
        let mut by_producer: Vec<_> = (self.all().into_iter())
            .flat_map(|(producer, offsets)| offsets.keys().map(move |place| (place.clone(), producer)))
            .collect();
        by_producer.sort();
        let mut open = Vec::new();
        for group_id in self.group_ids() {
            assert!(!self.open[&group_id].is_empty());
            for (topic, partition) in self.partitions(&group_id) {
                let producers = self.producers(&group_id, topic, partition).unwrap();
                assert!(!producers.is_empty());
                open.extend(producers.iter().map(|id| ((group_id.clone(), topic.clone(), partition), *id)));
            }
        }
        assert_eq!(open, by_producer);
        assert_eq!(self.count, open.len());
        assert!(self.by_producer.values().all(|offsets| !offsets.is_empty()));
    }
}
