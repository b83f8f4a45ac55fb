//! Opens a shard: the data directory, the catalog, every log, the coordinators.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ottla_control::catalog::{Catalog, Topic};
use ottla_log::{Disk, Identity, Log, LogConfig, Open};
use ottla_model::{CLUSTER_METADATA, PartitionIndex, TopicId, TopicName};
use tokio::sync::Notify;
use tracing::{info, warn};

use super::coordinator::Coordinator;
use super::data_dir::{DataDir, Lock};
use super::partition::{CommitStage, ImmediateCommit, Partition};
use super::producer_ids::ProducerIds;
use super::router::{OneNode, Router};
use super::topics::{LiveTopic, Topics};
use super::{FetchSessions, Settings, Shard};
use crate::clock::{Clock, SystemRandom};
use crate::error::OpenError;
use crate::settings::log_config;

/// `Uuid.METADATA_TOPIC_ID`.
const METADATA_TOPIC_ID: TopicId = TopicId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// Largest batch of the catalog's log: a request of the largest size that only creates topics makes about as much.
const CATALOG_BATCH_BYTES_MAX: usize = 512 << 20;

/// What a directory is renamed to on its way out, and when nobody knows it (`LocalLog`).
const DELETED_SUFFIX: &str = "-delete";
const STRAY_SUFFIX: &str = "-stray";

/// What a shard leaves to others: who serves what, and when an append counts as committed.
#[derive(Debug, Clone)]
pub(crate) struct Seams {
    /// Who serves what.
    pub(crate) router: Arc<dyn Router>,
    /// When an append counts as committed.
    pub(crate) stage: Arc<dyn CommitStage>,
}

impl Default for Seams {
    fn default() -> Self {
        Self { router: Arc::new(OneNode), stage: Arc::new(ImmediateCommit) }
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
        set_strays_aside(&data_dir, &known);
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
    // Everything that one request creates is one batch.
    let config =
        LogConfig { retention_ms: -1, max_message_bytes: CATALOG_BATCH_BYTES_MAX, ..LogConfig::default() };
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
    let opened = Log::open(Arc::clone(&data_dir.disk), &directory, identity, config, open);
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

/// Finishes deletions that a stop interrupted, and renames directories that the catalog does not know, so that a
/// deleted topic never comes back under a later one of the same name.
fn set_strays_aside(data_dir: &DataDir, known: &[Arc<Topic>]) {
    let entries = match data_dir.disk.list(&data_dir.path) {
        Ok(entries) => entries,
        Err(error) => return warn!(%error, "cannot list the data directory"),
    };
    let names: HashSet<&str> = known.iter().map(|topic| topic.name.as_str()).collect();
    for entry in entries.iter().filter(|entry| entry.is_dir) {
        let path = data_dir.path.join(&entry.name);
        if entry.name.ends_with(DELETED_SUFFIX) {
            if let Err(error) = data_dir.disk.remove_dir_all(&path) {
                warn!(directory = %path.display(), %error, "cannot finish a deletion");
            }
        } else if let Some((topic, number)) = entry.name.rsplit_once('-') {
            let is_partition = number.parse::<PartitionIndex>().is_ok() && topic != CLUSTER_METADATA;
            if is_partition && !names.contains(topic) {
                set_aside(data_dir, &path);
            }
        }
    }
}

fn set_aside(data_dir: &DataDir, path: &Path) {
    let mut stray = path.as_os_str().to_owned();
    stray.push(STRAY_SUFFIX);
    match data_dir.disk.rename(path, Path::new(&stray)) {
        Ok(()) => {
            info!(directory = %path.display(), "no topic of the catalog; renamed to end in {STRAY_SUFFIX}");
        }
        Err(error) => warn!(directory = %path.display(), %error, "cannot set a stray directory aside"),
    }
}
