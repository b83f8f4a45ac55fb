//! Folders of topics as Apache Kafka leaves them, cleanly stopped or not.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ottla_log::RealDisk;
use ottla_model::{Offset, PartitionIndex, TopicName};

use super::{ImportError, in_source};
use crate::shard::{Checkpoints, DirectoryLock, partition_of};

/// Kafka leaves it when it has stopped cleanly (`CleanShutdownFileHandler`).
const CLEAN: &str = ".kafka_cleanshutdown";

/// One of Kafka's data directories, which Kafka cannot use meanwhile.
#[derive(Debug)]
pub(super) struct Source {
    folders: BTreeMap<(TopicName, PartitionIndex), Folder>,
    /// Brokers can use it again when this goes.
    _lock: DirectoryLock,
}

/// The folder of a partition.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Records before it were deleted (`log-start-offset-checkpoint`).
    pub(super) log_start: Offset,
    /// From it on there may be bytes that are no batch.
    pub(super) trusted_end: Offset,
}

impl Source {
    /// Looks what is in a directory.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let wrong = |error: io::Error| in_source(path, &error);
        let used = || io::Error::other("a broker is using it; stop that first");
        let lock =
            DirectoryLock::keep_out_brokers(path).and_then(|lock| lock.ok_or_else(used)).map_err(wrong)?;
        let is_clean = path.join(CLEAN).try_exists().map_err(wrong)?;
        let checkpoints = Checkpoints::read(&RealDisk, path);
        let mut folders = BTreeMap::new();
        for entry in std::fs::read_dir(path).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name();
            let place = path.join(&name);
            let Some((topic, index)) = name.to_str().and_then(partition_of).filter(|_| place.is_dir()) else {
                continue;
            };
            let Ok(topic) = TopicName::new(topic) else { continue };
            let log_start = checkpoints.log_start(&topic, index);
            let trusted_end = if is_clean { Offset::MAX } else { checkpoints.recovery_point(&topic, index) };
            folders.insert((topic, index), Folder { path: place, log_start, trusted_end });
        }
        Ok(Self { folders, _lock: lock })
    }

    /// The folders of partitions.
    pub(super) fn folders(&self) -> impl Iterator<Item = ((&TopicName, PartitionIndex), &Folder)> {
        self.folders.iter().map(|((topic, index), folder)| ((topic, *index), folder))
    }
}
