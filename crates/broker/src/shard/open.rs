//! Opens a shard: the data directory, the catalog, every log, the coordinators.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use ottla_control::catalog::{Catalog, Topic};
use ottla_log::{Disk, Identity, Log, LogConfig, LogError, Open};
use ottla_model::{CLUSTER_METADATA, PartitionIndex, TopicId, TopicName};
use tokio::sync::{Notify, Semaphore, watch};
use tracing::{error, warn};

use super::checkpoints::Checkpoints;
use super::clients::Clients;
use super::coordinator::Coordinator;
use super::data_dir::{DataDir, Lock};
use super::odd_commits::OddCommits;
use super::partition::{CommitStage, Partition};
use super::producer_ids::ProducerIds;
use super::quotas::Quotas;
use super::router::{OneNode, Router};
use super::topics::{LiveTopic, Topics};
use super::{ColdReads, FetchSessions, PRIVATE_TURNS_MAX, Settings, Shard, ToldConfigs};
use super::{configs, side_by_side, strays};
use crate::api::api_names;
use crate::clock::{Clock, Started, SystemRandom};
use crate::error::OpenError;
use crate::metrics::Counters;
use crate::settings::{Layers, Overrides, SameSettings, log_config, of_topic_named, topic_log_config};
use crate::telemetry::Telemetry;

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
        let opener =
            Opener { data_dir: &data_dir, settings: &settings, clock: &clock, seams: &seams, synced: false };
        let catalog = opener.catalog(&checkpoints)?;
        let layers = catalog.look(|catalog| configs::layers_of(catalog, Arc::new(settings)));
        let settings = Arc::clone(layers.settings());
        let opener =
            Opener { data_dir: &data_dir, settings: &settings, clock: &clock, seams: &seams, synced: false };
        let known = catalog.look(|catalog| catalog.topics().cloned().collect::<Vec<Arc<Topic>>>());
        strays::sort_out(&data_dir, &known);
        strays::forget_checkpoints(&data_dir, &known, &mut checkpoints)?;
        let topics = opener.topics(known, &checkpoints)?;
        // Every change of the topics is a record there, so that no version is used twice.
        topics.count_from(catalog.partition().log().end_offset());
        let sessions = usize::try_from(settings.max_incremental_fetch_session_cache_slots).unwrap_or(0);
        let started = Started::now(&*clock);
        let counters = Counters::new(api_names().len(), !settings.ottla_metrics_listener.is_empty());
        let clients = Arc::new(Clients::new(Arc::clone(&clock)));
        let (features, quotas) = catalog.look(|catalog| (catalog.features(), Arc::clone(catalog.quotas())));
        let quotas = Quotas::new(Arc::clone(&clock), &settings, quotas);
        let telemetry = Telemetry::new(Arc::clone(&clock), &settings);
        let shard = Arc::new(Self {
            layers: RwLock::new(Arc::new(layers)),
            clock,
            started,
            seams,
            data_dir,
            topics,
            catalog,
            catalog_changes: tokio::sync::Mutex::new(()),
            features: RwLock::new(features),
            quotas,
            telemetry,
            groups: OnceLock::new(),
            told_topics: OnceLock::new(),
            transactions: OnceLock::new(),
            transactions_loaded: Notify::new(),
            producer_ids: ProducerIds::default(),
            checkpoints: Mutex::new(checkpoints),
            fetch_sessions: FetchSessions::new(sessions),
            odd_commits: OddCommits::default(),
            clients,
            changed_settings: watch::Sender::new(()),
            private_turns: Semaphore::new(PRIVATE_TURNS_MAX),
            counters,
            cold_reads: ColdReads::default(),
            told_configs: ToldConfigs::default(),
            log_configs: SameSettings::default(),
            timers: Arc::new(Notify::new()),
        });
        shard.subscribe_to_clients();
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
        let layers = self.layers();
        let settings = layers.settings();
        let opener = Opener {
            data_dir: &self.data_dir,
            settings,
            clock: &self.clock,
            seams: &self.seams,
            synced: false,
        };
        let work_out = |layers: &Layers, own: &Overrides| log_config(layers.settings(), own);
        let config = self.log_configs.of(&layers, &topic.configs, work_out);
        let config = of_topic_named(settings, &topic.name, config);
        let mut partitions = before.to_vec();
        let first = PartitionIndex::try_from(before.len()).unwrap_or(PartitionIndex::MAX);
        for index in first..topic.partitions {
            partitions.push(opener.new_partition(&topic, index, config.clone())?);
        }
        Ok(LiveTopic { topic, partitions })
    }
}

/// What every log that is opened goes by.
pub(super) struct Opener<'a> {
    pub(super) data_dir: &'a DataDir,
    pub(super) settings: &'a Settings,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) seams: &'a Seams,
    /// Whether the file system was synced since the last broker on it ended ([`Open::synced`]).
    pub(super) synced: bool,
}

impl Opener<'_> {
    /// Opens the catalog and replays it.
    pub(super) fn catalog(&self, checkpoints: &Checkpoints) -> Result<Arc<Coordinator<Catalog>>, OpenError> {
        let name = TopicName::new(CLUSTER_METADATA).map_err(|error| OpenError::Log {
            partition: CLUSTER_METADATA.to_owned(),
            reason: error.to_string(),
        })?;
        // As in Kafka, what was created is on disk when it is told.
        let config = LogConfig { retention_ms: -1, flush_messages: 1, ..LogConfig::default() };
        let partition = self.partition(&name, METADATA_TOPIC_ID, 0, config, checkpoints)?;
        // Changes of topics come one at a time, and each waits for its sync.
        partition.let_appender_sync();
        let wrong = |reason| OpenError::Log { partition: partition.name(), reason };
        let machine = Catalog::new(self.settings.node_id);
        let clock = Arc::clone(self.clock);
        let coordinator = Coordinator::open(machine, Arc::clone(&partition), clock, Box::new(|| {}));
        coordinator.map(Arc::new).map_err(wrong)
    }

    /// Opens all partitions of the topics, several at a time (`num.recovery.threads.per.data.dir`).
    fn topics(&self, known: Vec<Arc<Topic>>, checkpoints: &Checkpoints) -> Result<Topics, OpenError> {
        let mut jobs = Vec::new();
        for topic in &known {
            let config = topic_log_config(self.settings, &topic.name, &topic.configs);
            jobs.extend((0..topic.partitions).map(|index| (topic, index, config.clone())));
        }
        let synced = !self.data_dir.clean && self.data_dir.shared_sync.sync_before_opening(jobs.len());
        let opener = Opener { synced, ..*self };
        let threads = usize::try_from(self.settings.num_recovery_threads_per_data_dir).unwrap_or(1);
        let opened = side_by_side::each(threads, &jobs, |(topic, index, config)| {
            opener.partition(&topic.name, topic.id, *index, config.clone(), checkpoints)
        })?;
        let mut opened = opened.into_iter();
        let topics = Topics::default();
        for topic in known {
            let count = usize::try_from(topic.partitions).unwrap_or(0);
            topics.put(LiveTopic { topic, partitions: opened.by_ref().take(count).collect() });
        }
        Ok(topics)
    }

    /// A partition that is new to this process, and so has no past. Everything that could be in its place was cleared away at
    /// the start, or when its topic was deleted.
    fn new_partition(
        &self,
        topic: &Topic,
        index: PartitionIndex,
        config: LogConfig,
    ) -> Result<Arc<Partition>, OpenError> {
        if self.data_dir.has_leftovers() {
            return self.partition(&topic.name, topic.id, index, config, &Checkpoints::default());
        }
        let directory = self.data_dir.path.join(format!("{}-{index}", topic.name));
        let identity = Identity { topic: topic.name.clone(), partition: index, topic_id: topic.id };
        let log = Log::create(Arc::clone(&self.data_dir.disk), &directory, identity, config);
        Ok(self.over(&topic.name, index, log))
    }

    fn over(&self, topic: &TopicName, index: PartitionIndex, log: Log) -> Arc<Partition> {
        let (epoch, stage) = (self.data_dir.leader_epoch, Arc::clone(&self.seams.stage));
        Arc::new(Partition::new(topic.clone(), index, epoch, log, stage))
    }

    pub(super) fn partition(
        &self,
        topic: &TopicName,
        topic_id: TopicId,
        index: PartitionIndex,
        config: LogConfig,
        checkpoints: &Checkpoints,
    ) -> Result<Arc<Partition>, OpenError> {
        let name = format!("{topic}-{index}");
        let wrong = |error: LogError| OpenError::Log { partition: name.clone(), reason: error.to_string() };
        let directory = self.data_dir.path.join(&name);
        let identity = Identity { topic: topic.clone(), partition: index, topic_id };
        let open = Open {
            clean: self.data_dir.clean,
            recovery_point: checkpoints.recovery_point(topic, index),
            synced: self.synced,
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
        let start = checkpoints.log_start(topic, index);
        if start > log.start_offset() {
            log.restore_start_offset(start).map_err(wrong)?;
        }
        Ok(self.over(topic, index, log))
    }
}
