//! The topics that this shard serves, by name and by id.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ottla_control::catalog::Topic;
use ottla_model::{PartitionIndex, TopicId, TopicName};

use super::descriptors::Opened;
use super::partition::Partition;

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
}

/// All topics of the shard. Lookups hand out a snapshot of one topic and hold no lock.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    maps: RwLock<Maps>,
    opened: Opened,
}

impl Topics {
    /// Counts the logs that are opened.
    pub(super) fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The topic with that name.
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<LiveTopic>> {
        self.read().by_name.get(name).cloned()
    }

    /// The topic with that id.
    pub(crate) fn by_id(&self, id: TopicId) -> Option<Arc<LiveTopic>> {
        self.read().by_id.get(&id).cloned()
    }

    /// Every topic, by name.
    pub(crate) fn all(&self) -> Vec<Arc<LiveTopic>> {
        self.read().by_name.values().cloned().collect()
    }

    /// Puts a topic in place of the one with its id, if there is one.
    pub(crate) fn put(&self, live: LiveTopic) -> Arc<LiveTopic> {
        let live = Arc::new(live);
        let mut maps = self.write();
        maps.by_id.insert(live.topic.id, Arc::clone(&live));
        maps.by_name.insert(live.topic.name.clone(), Arc::clone(&live));
        live
    }

    /// Takes a topic away.
    pub(crate) fn remove(&self, id: TopicId) -> Option<Arc<LiveTopic>> {
        let mut maps = self.write();
        let live = maps.by_id.remove(&id)?;
        maps.by_name.remove(&live.topic.name);
        Some(live)
    }

    fn read(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Maps> {
        self.maps.write().unwrap_or_else(PoisonError::into_inner)
    }
}
