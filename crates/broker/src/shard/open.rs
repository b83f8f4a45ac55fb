//! Opens a shard: the data directory, the catalog, every log, the coordinators.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use ottla_control::catalog::{Catalog, Topic};
use ottla_log::{Disk, Identity, Log, LogConfig, LogError, Open};
use ottla_model::{CLUSTER_METADATA, PartitionIndex, TopicId, TopicName};
use tokio::sync::{Notify, Semaphore};
use tracing::{error, warn};

use super::checkpoints::Checkpoints;
use super::coordinator::Coordinator;
use super::data_dir::{DataDir, Lock};
use super::partition::{CommitStage, Partition};
use super::producer_ids::ProducerIds;
use super::router::{OneNode, Router};
use super::strays;
use super::topics::{LiveTopic, Topics};
use super::{FetchSessions, PRIVATE_TURNS_MAX, Settings, Shard};
use crate::clock::{Clock, Started, SystemRandom};
use crate::error::OpenError;
use crate::settings::log_config;

/// `Uuid.METADATA_TOPIC_ID`.
const METADATA_TOPIC_ID: TopicId = TopicId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// What a shard leaves to others: who serves what, and when an append counts as committed.
#[derive(Debug, Clone)]
pub(crate) struct Seams {
    /// Who serves what.
    pub(crate) router: Arc<dyn Router>,
    /// When an append counts as committed.
    pub(crate) stage: Arc<dyn CommitStage>,
}

impl Seams {
    /// One node that serves everything, with this commit stage.
    pub(crate) fn one_node(stage: Arc<dyn CommitStage>) -> Self {
        Self { router: Arc::new(OneNode), stage }
    }
}

/// Where a shard keeps its data.
#[derive(Debug)]
pub(crate) struct Place {
    /// The disk.
    pub(crate) disk: Arc<dyn Disk>,
    /// The directory on it.
    pub(crate) path: PathBuf,
    /// Whether other processes could use it too.
    pub(crate) lock: Lock,
}

impl Shard {
    /// Opens the shard at `place`, recovering what an unclean stop left.
    pub(crate) fn open(
        settings: Settings,
        place: Place,
        clock: Arc<dyn Clock>,
        seams: Seams,
    ) -> Result<Arc<Self>, OpenError> {
        let mut random = SystemRandom::new();
        let data_dir = DataDir::open(place.disk, &place.path, place.lock, settings.node_id, &mut random)?;
        let mut checkpoints = Checkpoints::read(&*data_dir.disk, &data_dir.path);
        let opener = Opener {
            data_dir: &data_dir,
            settings: &settings,
            clock: &clock,
            seams: &seams,
            checkpoints: &checkpoints,
        };
        let catalog = opener.catalog()?;
        let known = catalog.look(|catalog| catalog.topics().cloned().collect::<Vec<Arc<Topic>>>());
        strays::sort_out(&data_dir, &known);
        strays::forget_checkpoints(&data_dir, &known, &mut checkpoints)?;
        let opener = Opener {
            data_dir: &data_dir,
            settings: &settings,
            clock: &clock,
            seams: &seams,
            checkpoints: &checkpoints,
        };
        let topics = Topics::default();
        for topic in known {
            topics.put(opener.topic(topic, &[])?);
        }
        let sessions = usize::try_from(settings.max_incremental_fetch_session_cache_slots).unwrap_or(0);
        let started = Started::now(&*clock);
        let shard = Arc::new(Self {
            settings,
            clock,
            started,
            seams,
            data_dir,
            topics,
            catalog,
            catalog_changes: tokio::sync::Mutex::new(()),
            groups: OnceLock::new(),
            transactions: OnceLock::new(),
            transactions_loaded: Notify::new(),
            producer_ids: ProducerIds::default(),
            checkpoints: Mutex::new(checkpoints),
            fetch_sessions: FetchSessions::new(sessions),
            private_turns: Semaphore::new(PRIVATE_TURNS_MAX),
            timers: Arc::new(Notify::new()),
        });
        shard.load_groups()?;
        shard.load_transactions()?;
        shard.data_dir.begin().map_err(|error| OpenError::DataDir {
            path: shard.data_dir.path.clone(),
            reason: error.to_string(),
        })?;
        Ok(shard)
    }

    /// Opens the partitions of a topic that the catalog has. Those in `before` are kept as they are.
    pub(super) fn open_topic(
        &self,
        topic: Arc<Topic>,
        before: &[Arc<Partition>],
    ) -> Result<LiveTopic, OpenError> {
        let opener = Opener {
            data_dir: &self.data_dir,
            settings: &self.settings,
            clock: &self.clock,
            seams: &self.seams,
            // A topic that is new to this process has no past.
            checkpoints: &Checkpoints::default(),
        };
        opener.topic(topic, before)
    }
}

/// What every log that is opened goes by.
pub(super) struct Opener<'a> {
    pub(super) data_dir: &'a DataDir,
    pub(super) settings: &'a Settings,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) seams: &'a Seams,
    pub(super) checkpoints: &'a Checkpoints,
}

impl Opener<'_> {
    /// Opens the catalog and replays it.
    pub(super) fn catalog(&self) -> Result<Arc<Coordinator<Catalog>>, OpenError> {
        let name = TopicName::new(CLUSTER_METADATA).map_err(|error| OpenError::Log {
            partition: CLUSTER_METADATA.to_owned(),
            reason: error.to_string(),
        })?;
        // As in Kafka, what was created is on disk when it is told.
        let config = LogConfig { retention_ms: -1, flush_messages: 1, ..LogConfig::default() };
        let partition = Arc::new(self.partition(&name, METADATA_TOPIC_ID, 0, config)?);
        let wrong = |reason| OpenError::Log { partition: partition.name(), reason };
        let machine = Catalog::new(self.settings.node_id);
        let clock = Arc::clone(self.clock);
        let coordinator = Coordinator::open(machine, Arc::clone(&partition), clock, Box::new(|| {}));
        coordinator.map(Arc::new).map_err(wrong)
    }

    /// Opens the partitions of a topic. Those in `before` are kept as they are.
    fn topic(&self, topic: Arc<Topic>, before: &[Arc<Partition>]) -> Result<LiveTopic, OpenError> {
        let config = log_config(self.settings, &topic.configs);
        let mut partitions = before.to_vec();
        let first = PartitionIndex::try_from(before.len()).unwrap_or(PartitionIndex::MAX);
        for index in first..topic.partitions {
            let partition = self.partition(&topic.name, topic.id, index, config.clone())?;
            partitions.push(Arc::new(partition));
        }
        Ok(LiveTopic { topic, partitions })
    }

    pub(super) fn partition(
        &self,
        topic: &TopicName,
        topic_id: TopicId,
        index: PartitionIndex,
        config: LogConfig,
    ) -> Result<Partition, OpenError> {
        let name = format!("{topic}-{index}");
        let wrong = |error: LogError| OpenError::Log { partition: name.clone(), reason: error.to_string() };
        let directory = self.data_dir.path.join(&name);
        let identity = Identity { topic: topic.clone(), partition: index, topic_id };
        let open = Open {
            clean: self.data_dir.clean,
            recovery_point: self.checkpoints.recovery_point(topic, index),
            now: self.clock.wall(),
        };
        let disk = &self.data_dir.disk;
        let try_open = || Log::open(Arc::clone(disk), &directory, identity.clone(), config.clone(), open);
        let opened = match try_open() {
            // What a deletion left behind, or a catalog that lost its end: never part of this topic.
            Err(LogError::OtherTopic { .. }) => {
                strays::set_aside(self.data_dir, &directory);
                try_open()
            }
            opened => opened,
        };
        let (mut log, report) = opened.map_err(wrong)?;
        if report.bytes_cut > 0 {
            warn!(
                partition = name,
                bytes = report.bytes_cut,
                end = log.end_offset(),
                "a torn end of the log was cut"
            );
        }
        for bad in &report.quarantined {
            error!(
                partition = name,
                offsets = ?bad.offsets,
                segment = bad.segment,
                positions = ?bad.positions,
                "bytes that were on disk are damaged; they are kept aside and the rest of the log serves"
            );
        }
        let start = self.checkpoints.log_start(topic, index);
        if start > log.start_offset() {
            log.restore_start_offset(start).map_err(wrong)?;
        }
        let (epoch, stage) = (self.data_dir.leader_epoch, Arc::clone(&self.seams.stage));
        Ok(Partition::new(topic.clone(), index, epoch, log, stage))
    }
}
