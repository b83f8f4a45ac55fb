//! A whole data directory that no broker uses, opened to be looked at.

use std::path::Path;
use std::sync::Arc;

use ottla_control::catalog::Topic;
use ottla_log::{Disk, Log, LogError, OverlayDisk};
use ottla_model::{ErrorCode, PartitionIndex};

use super::{InspectError, NoAppends};
use crate::clock::SystemClock;
use crate::error::OpenError;
use crate::private::{
    GroupsLag, ListBuilder, Stopped, StoppedGroups, StoppedLog, StoppedPartition, StoppedProducer,
    StoppedSegment, StoppedTopic, StoppedTopics,
};
use crate::settings::Settings;
use crate::shard::data_dir::{DataDir, Lock};
use crate::shard::directory_lock::DirectoryLock;
use crate::shard::{Detail, LiveTopic, Place, Seams, Shard};

/// A data directory that no broker uses.
///
/// It is opened as a broker opens it, so that all is told as the next start will find it, but through a disk that keeps
/// changes in memory: nothing in the directory is changed. No broker can start on it meanwhile.
pub struct StoppedDirectory {
    shard: Arc<Shard>,
    runtime: tokio::runtime::Runtime,
    stopped: Stopped,
    _lock: DirectoryLock,
}

impl StoppedDirectory {
    /// Opens the directory. Settings that a topic does not have itself come from `settings`, which should be those of the
    /// broker.
    ///
    /// # Errors
    /// [`InspectError`].
    pub fn open(data_dir: &Path, mut settings: Settings) -> Result<Self, InspectError> {
        let disk: Arc<dyn Disk> = Arc::new(OverlayDisk::default());
        DataDir::check_used(&*disk, data_dir)?;
        let path = || data_dir.to_owned();
        let locked = DirectoryLock::keep_out_brokers(data_dir)
            .map_err(|error| OpenError::DataDir { path: path(), reason: error.to_string() })?;
        let lock = locked.ok_or_else(|| InspectError::Running { path: path() })?;
        if let Some(node_id) = DataDir::stored_node_id(&*disk, data_dir) {
            settings.node_id = node_id;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| OpenError::Runtime(error.to_string()))?;
        let place = Place { disk, path: path(), lock: Lock::None };
        let clock = Arc::new(SystemClock::new());
        let entered = runtime.enter();
        let shard = Shard::open(settings, place, clock, Seams::one_node(Arc::new(NoAppends)))?;
        drop(entered);
        let stopped = Stopped { cleanly: shard.data_dir.clean };
        Ok(Self { shard, runtime, stopped, _lock: lock })
    }

    /// The topics of these names, or all.
    ///
    /// # Errors
    /// [`InspectError::NoTopic`].
    pub fn topics(&self, names: &[String]) -> Result<StoppedTopics, InspectError> {
        let mut found = Vec::new();
        if names.is_empty() {
            found = self.shard.topics();
        }
        for name in names {
            found.push(self.topic(name)?);
        }
        let topics = found.iter().map(|live| about(live)).collect();
        Ok(StoppedTopics { stopped: self.stopped, cluster_id: self.shard.cluster_id().to_owned(), topics })
    }

    /// The log of a partition.
    ///
    /// # Errors
    /// [`InspectError`]: there is no such partition, or it cannot be read.
    pub fn log(&self, topic: &str, index: PartitionIndex) -> Result<StoppedLog, InspectError> {
        let live = self.topic(topic)?;
        let partition = live.partition(index).ok_or_else(|| InspectError::NoPartition {
            topic: topic.to_owned(),
            index,
            count: live.partitions.len(),
        })?;
        let log = partition.log();
        let wrong =
            |error: LogError| OpenError::Log { partition: partition.name(), reason: error.to_string() };
        let segments = log.outline().map_err(|error| wrong(error.into()))?;
        let segments = segments.into_iter().map(|segment| StoppedSegment {
            base_offset: segment.base_offset,
            end_offset: segment.end_offset,
            size_bytes: segment.size_bytes,
            largest_timestamp_ms: segment.largest_timestamp,
        });
        let producers = log.active_producers().into_iter().map(|producer| StoppedProducer {
            producer_id: producer.producer_id,
            producer_epoch: producer.producer_epoch,
            last_sequence: producer.last_sequence,
            last_timestamp_ms: producer.last_timestamp,
            transaction_first_offset: producer.transaction_first_offset,
        });
        Ok(StoppedLog {
            stopped: self.stopped,
            topic: topic.to_owned(),
            partition: outline(index, &log),
            segments: segments.collect(),
            producers: producers.collect(),
        })
    }

    /// The groups of these ids, or all.
    ///
    /// # Errors
    /// [`InspectError::NoGroup`], or what is wrong with them.
    pub fn groups(&self, ids: &[String]) -> Result<StoppedGroups, InspectError> {
        let mut outlines = Vec::new();
        if ids.is_empty() {
            outlines = self.outlines(None)?;
        }
        for id in ids {
            outlines.extend(self.outlines(Some(id))?);
        }
        let question = self.shard.lag_question();
        let mut groups = ListBuilder::new();
        outlines.iter().for_each(|outline| groups.push(question.group(outline, Detail::Full)));
        let groups = GroupsLag { now_ms: question.now.0, groups: groups.finish() };
        Ok(StoppedGroups { stopped: self.stopped, groups })
    }

    fn outlines(&self, id: Option<&str>) -> Result<Vec<ottla_control::group::GroupOutline>, InspectError> {
        match (self.runtime.block_on(self.shard.outlines(id)), id) {
            (Ok(outlines), _) => Ok(outlines),
            // Before the first group comes, there is nobody to ask.
            (Err(ErrorCode::GroupIdNotFound | ErrorCode::NotCoordinator), Some(id)) => {
                Err(InspectError::NoGroup(id.to_owned()))
            }
            (Err(error), _) => Err(InspectError::Groups(error)),
        }
    }

    fn topic(&self, name: &str) -> Result<Arc<LiveTopic>, InspectError> {
        self.shard.topic(name).ok_or_else(|| InspectError::NoTopic(name.to_owned()))
    }
}

fn about(live: &LiveTopic) -> StoppedTopic {
    let topic: &Topic = &live.topic;
    let partitions = (0..).zip(&live.partitions).map(|(index, partition)| outline(index, &partition.log()));
    StoppedTopic {
        topic: topic.name.to_string(),
        id: topic.id.to_string(),
        internal: topic.name.is_internal(),
        configs: topic.configs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        partitions: partitions.collect(),
    }
}

fn outline(partition: PartitionIndex, log: &Log) -> StoppedPartition {
    StoppedPartition {
        partition,
        start_offset: log.start_offset(),
        end_offset: log.end_offset(),
        segments: log.segment_count() as u64,
        size_bytes: log.size_bytes(),
        producers: log.producer_count() as u64,
    }
}
