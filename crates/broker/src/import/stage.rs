//! Prepares one partition: copies its batches, has the log make what follows from them, and closes it.

use std::path::Path;
use std::sync::Arc;

use ottla_control::catalog::CreateTopic;
use ottla_log::{Identity, Log, LogConfig, Open};
use ottla_model::{LeaderEpoch, Offset, PartitionIndex, TopicId};

use super::ImportedPartition;
use super::copy::{Copied, copy};
use super::source::Folder;
use crate::settings::log_config;
use crate::shard::{Adoption, LogToAdopt};

/// Segments whose offsets are their names: twenty digits.
const OFFSET_DIGITS: usize = 20;
const SEGMENT_SUFFIX: &str = ".log";
/// A compacted segment that was about to take the place of others.
const SWAP_SUFFIX: &str = ".swap";

/// A partition that lies ready.
#[derive(Debug)]
pub(super) struct Staged {
    /// What is told of it.
    pub(super) partition: ImportedPartition,
    /// The log.
    pub(super) log: LogToAdopt,
    /// The largest leader epoch of its batches.
    pub(super) leader_epoch: LeaderEpoch,
}

/// Prepares a partition.
pub(super) fn stage(
    adoption: &Adoption,
    create: &CreateTopic,
    index: PartitionIndex,
    folder: &Folder,
) -> Result<Staged, String> {
    let disk = adoption.disk();
    let directory = adoption.staging().join(format!("{}-{index}", create.name));
    disk.create_dir_all(&directory).map_err(|error| error.to_string())?;
    let segments = segments(&folder.path)?;
    let copied = copy(&**disk, folder, &segments, &directory)?;
    // A producer that has been silent for less than forever is forgotten when the log is closed.
    let config =
        LogConfig { producer_id_expiration_ms: i64::MIN, ..log_config(adoption.settings(), &create.configs) };
    let topic_id = create.id.unwrap_or(TopicId::ZERO);
    let identity = Identity { topic: create.name.clone(), partition: index, topic_id };
    let open = Open { clean: true, recovery_point: copied.end, synced: false, now: adoption.now() };
    let wrong = |error: ottla_log::LogError| format!("{}: {error}", folder.path.display());
    let (mut log, _) = Log::open(Arc::clone(disk), &directory, identity, config, open).map_err(wrong)?;
    if log.end_offset() != copied.end {
        // Every batch was read a moment ago, so this is a fault of the log or of the disk.
        let (found, expected) = (log.end_offset(), copied.end);
        return Err(format!("{}: the copy ends at {found}, not at {expected}", folder.path.display()));
    }
    let start = folder.log_start.min(copied.end).max(log.start_offset());
    let open_transaction = Some(log.last_stable_offset(copied.end)).filter(|stable| *stable < copied.end);
    let leader_epoch = log.latest_epoch();
    log.close(adoption.now()).map_err(wrong)?;
    disk.sync_dir(&directory).map_err(|error| error.to_string())?;
    let Copied { end, records, bytes, bytes_cut, has_gaps } = copied;
    let partition = ImportedPartition { start, end, records, bytes, bytes_cut, has_gaps, open_transaction };
    Ok(Staged { partition, log: LogToAdopt { directory, start, end }, leader_epoch })
}

/// Base offsets of the segments in a folder, in order.
fn segments(folder: &Path) -> Result<Vec<Offset>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut offsets = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.ends_with(SWAP_SUFFIX) {
            return Err(format!(
                "{}: Kafka was interrupted while it compacted; start Kafka and stop it again",
                folder.display()
            ));
        }
        offsets.extend(name.strip_suffix(SEGMENT_SUFFIX).and_then(offset));
    }
    offsets.sort_unstable();
    Ok(offsets)
}

fn offset(digits: &str) -> Option<Offset> {
    let is_offset = digits.len() == OFFSET_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_offset)
}

/// The name of the file with a segment's batches.
pub(super) fn segment_name(base_offset: Offset) -> String {
    format!("{base_offset:020}{SEGMENT_SUFFIX}")
}
