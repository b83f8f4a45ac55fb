//! The topics as a group sees them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ottla_model::{PartitionIndex, TopicId, TopicName};

use super::assignor::TopicPartitionCounts;
use super::metadata_hash::{group_hash, topic_hash};

/// A topic in a [`TopicsImage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// How many partitions it has.
    pub partition_count: PartitionIndex,
}

/// All topics at one moment (`CoordinatorMetadataImage`). It never changes: who follows the topics is handed the next
/// one. Share it behind an `Arc`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicsImage {
    version: i64,
    rack: Option<Arc<str>>,
    by_name: BTreeMap<TopicName, TopicMetadata>,
    names_by_id: HashMap<TopicId, TopicName>,
}

impl TopicsImage {
    /// An image of `topics`. `version` rises whenever a topic is created, deleted or gets partitions; Kafka's is the
    /// offset in its metadata log. `rack` is the rack of the broker, which holds the only replica of every partition.
    #[must_use]
    pub fn new(version: i64, rack: Option<&str>, topics: impl IntoIterator<Item = TopicMetadata>) -> Self {
        let by_name: BTreeMap<_, _> = topics.into_iter().map(|topic| (topic.name.clone(), topic)).collect();
        let names_by_id = by_name.values().map(|topic| (topic.id, topic.name.clone())).collect();
        Self { version, rack: rack.map(Arc::from), by_name, names_by_id }
    }

    /// The number of this image: a higher one is newer.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The topic of that id.
    #[must_use]
    pub fn by_id(&self, id: TopicId) -> Option<&TopicMetadata> {
        self.by_name.get(self.names_by_id.get(&id)?)
    }

    /// The topic of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&TopicMetadata> {
        self.by_name.get(name)
    }

    /// The topics, by name.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &TopicMetadata> {
        self.by_name.values()
    }

    /// The ids of those of `names` that exist, as a member's subscription for an assignor (`TopicIds`).
    #[must_use]
    pub fn ids_of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<TopicId> {
        names.into_iter().filter_map(|name| self.by_name(name)).map(|topic| topic.id).collect()
    }

    /// The hash of those of `names` that exist, by which a group notices that its topics have changed; 0 when none
    /// does (KIP-1101, `ModernGroup.computeMetadataHash`).
    #[must_use]
    pub fn metadata_hash<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> i64 {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let topics = names.into_iter().filter_map(|name| self.by_name(name));
        group_hash(topics.map(|topic| topic_hash(topic, self.rack.as_deref())))
    }
}

impl TopicPartitionCounts for TopicsImage {
    fn partition_count(&self, topic_id: TopicId) -> Option<PartitionIndex> {
        self.by_id(topic_id).map(|topic| topic.partition_count)
    }
}
