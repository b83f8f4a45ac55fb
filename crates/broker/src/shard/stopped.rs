//! Looks into a data directory that no broker uses, and changes nothing in it.
//!
//! It is opened as a broker opens it, through a disk that keeps changes in memory. So what a crash has left is seen as
//! recovery will make it, and the next start finds it as it was.

mod directory;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_control::catalog::Topic;
use ottla_log::{CleanLimits, Disk, OverlayDisk};
use ottla_model::{ErrorCode, Offset, PartitionIndex};

use super::compaction::{count_cleaned, describe};
use super::data_dir::{DataDir, Lock};
use super::directory_lock::DirectoryLock;
use super::open::{Opener, Seams};
use super::partition::CommitStage;
use super::{Checkpoints, Needs, Partition};
use crate::clock::{Clock, SystemClock, SystemRandom};
use crate::error::OpenError;
use crate::private::{AllRecords, Compaction, ListBuilder, PartitionCompaction, Stopped};
use crate::settings::{Settings, topic_log_config};

/// Why a stopped data directory cannot be looked into. One line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// A broker is using the directory.
    #[error("a broker is using the data directory {path}; ask it instead, with --bootstrap")]
    Running {
        /// The directory.
        path: PathBuf,
    },
    /// The directory or a log in it cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The catalog has no such topic.
    #[error("there is no topic '{0}'")]
    NoTopic(String),
    /// The topic has no such partition.
    #[error("topic '{topic}' has no partition {index}; it has {count}, counted from 0")]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition that was asked for.
        index: PartitionIndex,
        /// How many there are.
        count: usize,
    },
    /// Nothing is known of such a group.
    #[error("there is no group '{0}'")]
    NoGroup(String),
    /// The groups cannot be told.
    #[error("the groups cannot be read: {0}")]
    Groups(ErrorCode),
}

pub use directory::StoppedDirectory;

/// Nothing is appended, so nothing waits to be committed.
#[derive(Debug)]
struct NoAppends;

impl CommitStage for NoAppends {
    fn appended(&self, _partition: &Arc<Partition>, _end: Offset, _sync: Needs) {}
}

/// How far the partitions of these topics are compacted, or, without any, of all topics that are to be, in a data
/// directory that no broker uses. It reads all their records, to count them.
///
/// Settings that a topic does not have itself come from `settings`, which should be those of the broker. No broker can
/// start on the directory meanwhile.
///
/// # Errors
/// [`InspectError`].
pub fn inspect_compaction(
    data_dir: &Path,
    mut settings: Settings,
    topics: &[String],
) -> Result<Compaction, InspectError> {
    let disk: Arc<dyn Disk> = Arc::new(OverlayDisk::default());
    DataDir::check_used(&*disk, data_dir)?;
    let path = || data_dir.to_owned();
    let locked = DirectoryLock::keep_out_brokers(data_dir)
        .map_err(|error| OpenError::DataDir { path: path(), reason: error.to_string() })?;
    let _lock = locked.ok_or_else(|| InspectError::Running { path: path() })?;
    if let Some(node_id) = DataDir::stored_node_id(&*disk, data_dir) {
        settings.node_id = node_id;
    }
    let opened = DataDir::open(disk, data_dir, Lock::None, settings.node_id, &mut SystemRandom::new())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let opener = Opener {
        data_dir: &opened,
        settings: &settings,
        clock: &clock,
        seams: &Seams::one_node(Arc::new(NoAppends)),
        synced: false,
    };
    let checkpoints = Checkpoints::read(&*opened.disk, data_dir);
    let catalog = opener.catalog(&checkpoints)?;
    let known: Vec<Arc<Topic>> = catalog.look(|catalog| catalog.topics().cloned().collect::<Vec<_>>());
    let mut partitions = ListBuilder::new();
    for topic in choose(&known, topics, &settings)? {
        for index in 0..topic.partitions {
            if partitions.is_full() {
                partitions.leave_out();
            } else {
                partitions.push(opener.look(topic, index, &checkpoints)?);
            }
        }
    }
    let stopped = Some(Stopped { cleanly: opened.clean });
    Ok(Compaction {
        now_ms: clock.wall().0,
        cleaner_enabled: settings.log_cleaner_enable,
        stopped,
        partitions: partitions.finish(),
    })
}

fn choose<'a>(
    known: &'a [Arc<Topic>],
    names: &[String],
    settings: &Settings,
) -> Result<Vec<&'a Arc<Topic>>, InspectError> {
    if names.is_empty() {
        return Ok(known
            .iter()
            .filter(|topic| topic_log_config(settings, &topic.name, &topic.configs).compacted)
            .collect());
    }
    let named = |name: &String| {
        let found = known.iter().find(|topic| topic.name.as_str() == name.as_str());
        found.ok_or_else(|| InspectError::NoTopic(name.clone()))
    };
    names.iter().map(named).collect()
}

impl Opener<'_> {
    /// Opens a partition, looks, and counts.
    fn look(
        &self,
        topic: &Topic,
        index: PartitionIndex,
        checkpoints: &Checkpoints,
    ) -> Result<PartitionCompaction, OpenError> {
        let config = topic_log_config(self.settings, &topic.name, &topic.configs);
        let partition = self.partition(&topic.name, topic.id, index, config, checkpoints)?;
        let log = partition.log();
        let cleaned_to = checkpoints.cleaned_to(&topic.name, index);
        let status = log.clean_status(self.clock.wall(), log.end_offset(), cleaned_to);
        let mut told = describe(&partition, &log, &status);
        count_cleaned(
            &mut told,
            log.census(status.first_dirty_offset, status.first_dirty_offset),
            &mut |_| true,
        );
        let limits = CleanLimits {
            key_map_bytes_max: usize::try_from(self.settings.log_cleaner_dedupe_buffer_size).unwrap_or(0),
            ..CleanLimits::default()
        };
        let census = log.census(Offset::MAX, status.first_dirty_offset);
        match census.and_then(|census| census.count_all(&limits, &mut |_| true)) {
            Ok(count) => {
                told.all = Some(AllRecords {
                    records: count.records,
                    keys: count.keys,
                    keys_exact: !count.keys_incomplete,
                    tombstones: count.tombstones,
                });
            }
            Err(error) => told.not_counted = Some(error.to_string()),
        }
        drop(log);
        Ok(told)
    }
}
