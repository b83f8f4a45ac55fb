//! Opens a shard: the data directory, the catalog, every log, the coordinators.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use ottla_control::catalog::{Catalog, Topic};
use ottla_log::{Disk, Identity, Log, LogConfig, LogError, Open};
use ottla_model::{CLUSTER_METADATA, PartitionIndex, TopicId, TopicName};
use tokio::sync::Notify;
use tracing::warn;

use super::coordinator::Coordinator;
use super::data_dir::{DataDir, Lock};
use super::partition::{CommitStage, Partition};
use super::producer_ids::ProducerIds;
use super::router::{OneNode, Router};
use super::strays;
use super::topics::{LiveTopic, Topics};
use super::{FetchSessions, Settings, Shard};
use crate::clock::{Clock, SystemRandom};
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
        let catalog = open_catalog(&data_dir, &settings, &clock, &seams)?;
        let known = catalog.look(|catalog| catalog.topics().cloned().collect::<Vec<Arc<Topic>>>());
        strays::sort_out(&data_dir, &known);
        let topics = Topics::default();
        for topic in known {
            topics.put(open_topic(&data_dir, &settings, &*clock, &seams, topic, &[])?);
        }
        let sessions = usize::try_from(settings.max_incremental_fetch_session_cache_slots).unwrap_or(0);
        let shard = Arc::new(Self {
            settings,
            clock,
            seams,
            data_dir,
            topics,
            catalog,
            catalog_changes: tokio::sync::Mutex::new(()),
            groups: OnceLock::new(),
            producer_ids: ProducerIds::default(),
            fetch_sessions: FetchSessions::new(sessions),
            timers: Arc::new(Notify::new()),
        });
        shard.load_groups()?;
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
        open_topic(&self.data_dir, &self.settings, &*self.clock, &self.seams, topic, before)
    }
}

fn open_catalog(
    data_dir: &DataDir,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    seams: &Seams,
) -> Result<Arc<Coordinator<Catalog>>, OpenError> {
    let name = TopicName::new(CLUSTER_METADATA).map_err(|error| OpenError::Log {
        partition: CLUSTER_METADATA.to_owned(),
        reason: error.to_string(),
    })?;
    // As in Kafka, what was created is on disk when it is told.
    let config = LogConfig { retention_ms: -1, flush_messages: 1, ..LogConfig::default() };
    let partition =
        Arc::new(open_partition(data_dir, &**clock, seams, (&name, METADATA_TOPIC_ID, 0), config)?);
    let wrong = |reason| OpenError::Log { partition: partition.name(), reason };
    let machine = Catalog::new(settings.node_id);
    let coordinator = Coordinator::open(machine, Arc::clone(&partition), Arc::clone(clock), Box::new(|| {}));
    coordinator.map(Arc::new).map_err(wrong)
}

fn open_topic(
    data_dir: &DataDir,
    settings: &Settings,
    clock: &dyn Clock,
    seams: &Seams,
    topic: Arc<Topic>,
    before: &[Arc<Partition>],
) -> Result<LiveTopic, OpenError> {
    let config = log_config(settings, &topic.configs);
    let mut partitions = before.to_vec();
    let first = PartitionIndex::try_from(before.len()).unwrap_or(PartitionIndex::MAX);
    for index in first..topic.partitions {
        let config = config.clone();
        partitions.push(Arc::new(open_partition(
            data_dir,
            clock,
            seams,
            (&topic.name, topic.id, index),
            config,
        )?));
    }
    Ok(LiveTopic { topic, partitions })
}

fn open_partition(
    data_dir: &DataDir,
    clock: &dyn Clock,
    seams: &Seams,
    (topic, topic_id, index): (&TopicName, TopicId, PartitionIndex),
    config: LogConfig,
) -> Result<Partition, OpenError> {
    let directory = data_dir.path.join(format!("{topic}-{index}"));
    let identity = Identity { topic: topic.clone(), partition: index, topic_id };
    // Without a clean stop nothing below the end is known to be down, so the whole log is checked.
    let open = Open { clean: data_dir.clean, recovery_point: 0, now: clock.wall() };
    let try_open =
        || Log::open(Arc::clone(&data_dir.disk), &directory, identity.clone(), config.clone(), open);
    let opened = match try_open() {
        // What a deletion left behind, or a catalog that lost its end: never part of this topic.
        Err(LogError::OtherTopic { .. }) => {
            strays::set_aside(data_dir, &directory);
            try_open()
        }
        opened => opened,
    };
    let (log, report) = opened.map_err(|error| OpenError::Log {
        partition: format!("{topic}-{index}"),
        reason: error.to_string(),
    })?;
    if report.bytes_cut > 0 {
        warn!(
            partition = %format_args!("{topic}-{index}"),
            bytes = report.bytes_cut,
            end = log.end_offset(),
            "a torn end of the log was cut"
        );
    }
    Ok(Partition::new(topic.clone(), index, data_dir.leader_epoch, log, Arc::clone(&seams.stage)))
}
