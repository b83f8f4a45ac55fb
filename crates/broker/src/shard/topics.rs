//! The topics that this shard serves, by name and by id.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ottla_control::catalog::{Refusal, Topic, check_collision};
use ottla_control::group::{TopicMetadata, TopicsImage};
use ottla_model::{PartitionIndex, TopicId, TopicName};

use super::descriptors::Descriptors;
use super::partition::Partition;
use crate::metrics::Traffic;

/// A topic and its partitions, as they were when it was looked up. Changes make a new one.
#[derive(Debug)]
pub(crate) struct LiveTopic {
    /// What the catalog says of it.
    pub(crate) topic: Arc<Topic>,
    /// Its partitions, by number.
    pub(crate) partitions: Vec<Arc<Partition>>,
}

impl LiveTopic {
    /// The partition with that number.
    pub(crate) fn partition(&self, index: PartitionIndex) -> Option<&Arc<Partition>> {
        usize::try_from(index).ok().and_then(|index| self.partitions.get(index))
    }
}

#[derive(Debug, Default)]
struct Maps {
    by_name: BTreeMap<TopicName, Arc<LiveTopic>>,
    by_id: HashMap<TopicId, Arc<LiveTopic>>,
    /// What went in and out of topics that are no more.
    deleted: Traffic,
    /// Rises with each change.
    version: i64,
    /// The topics as groups see them; made when somebody asks.
    image: Option<Arc<TopicsImage>>,
}

impl Maps {
    fn note_change(&mut self) {
        self.version = self.version.saturating_add(1);
        self.image = None;
    }
}

/// All topics of the shard. Lookups hand out a snapshot of one topic and hold no lock.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    maps: RwLock<Maps>,
    descriptors: Descriptors,
}

impl Topics {
    /// What logs may hold open.
    pub(super) fn descriptors(&self) -> &Descriptors {
        &self.descriptors
    }

    /// The topic with that name.
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<LiveTopic>> {
        self.read().by_name.get(name).cloned()
    }

    /// The topic with that id.
    pub(crate) fn by_id(&self, id: TopicId) -> Option<Arc<LiveTopic>> {
        self.read().by_id.get(&id).cloned()
    }

    /// Refuses a name that metrics could not tell from that of a topic.
    pub(crate) fn check_collision(&self, name: &TopicName) -> Result<(), Refusal> {
        check_collision(&self.read().by_name, name)
    }

    /// Every topic, by name.
    pub(crate) fn all(&self) -> Vec<Arc<LiveTopic>> {
        self.read().by_name.values().cloned().collect()
    }

    /// Every topic, by name, and what went in and out of those that are no more.
    pub(crate) fn all_and_deleted(&self) -> (Vec<Arc<LiveTopic>>, Traffic) {
        let maps = self.read();
        (maps.by_name.values().cloned().collect(), maps.deleted)
    }

    /// Puts a topic in place of the one with its id, if there is one.
    pub(crate) fn put(&self, live: LiveTopic) -> Arc<LiveTopic> {
        let live = Arc::new(live);
        let mut maps = self.write();
        maps.by_id.insert(live.topic.id, Arc::clone(&live));
        maps.by_name.insert(live.topic.name.clone(), Arc::clone(&live));
        maps.note_change();
        live
    }

    /// Takes a topic away.
    pub(crate) fn remove(&self, id: TopicId) -> Option<Arc<LiveTopic>> {
        let mut maps = self.write();
        let live = maps.by_id.remove(&id)?;
        maps.by_name.remove(&live.topic.name);
        let counted = live.partitions.iter().map(|partition| partition.counters().traffic());
        maps.deleted = counted.fold(maps.deleted, Traffic::and);
        maps.note_change();
        Some(live)
    }

    /// Raises the version though no topic has changed, for others that share it.
    pub(crate) fn raise_version(&self) {
        self.write().note_change();
    }

    /// Begins to count versions from `version`, so that those of an earlier start are not used again.
    pub(crate) fn count_from(&self, version: i64) {
        let mut maps = self.write();
        maps.version = version;
        maps.image = None;
    }

    /// The topics as groups see them.
    pub(crate) fn image(&self) -> Arc<TopicsImage> {
        if let Some(image) = &self.read().image {
            return Arc::clone(image);
        }
        let mut maps = self.write();
        let topics = maps.by_name.values().map(|live| TopicMetadata {
            id: live.topic.id,
            name: live.topic.name.clone(),
            partition_count: PartitionIndex::try_from(live.partitions.len()).unwrap_or(PartitionIndex::MAX),
        });
        let image = Arc::new(TopicsImage::new(maps.version, None, topics));
        maps.image = Some(Arc::clone(&image));
        image
    }

    /// The version of the image.
    pub(crate) fn version(&self) -> i64 {
        self.read().version
    }

    fn read(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Maps> {
        self.maps.write().unwrap_or_else(PoisonError::into_inner)
    }
}
