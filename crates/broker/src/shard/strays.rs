//! Directories that are not part of any topic: what deletions left behind, and what the catalog does not know.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use ottla_control::catalog::Topic;
use ottla_model::{CLUSTER_METADATA, PartitionIndex, Random, TopicId, TopicName};
use tracing::{info, warn};

use super::checkpoints::Checkpoints;
use super::data_dir::DataDir;
use crate::clock::SystemRandom;
use crate::error::OpenError;

/// What a directory is renamed to on its way out, and when nobody knows it (`LocalLog`).
const DELETED_SUFFIX: &str = "-delete";
const STRAY_SUFFIX: &str = "-stray";

/// Where an import prepares logs. No partition has such a name.
pub(super) const STAGING: &str = "import.tmp";

/// Which topic a directory belongs to (`PartitionMetadataFile`).
const METADATA_FILE: &str = "partition.metadata";

/// Finishes deletions and clears away imports that a stop interrupted, and sets directories aside that the catalog does not know, so that a
/// deleted topic never comes back under a later one of the same name.
pub(super) fn sort_out(data_dir: &DataDir, known: &[Arc<Topic>]) {
    let entries = match data_dir.disk.list(&data_dir.path) {
        Ok(entries) => entries,
        Err(error) => {
            data_dir.note_leftovers();
            return warn!(%error, "cannot list the data directory");
        }
    };
    let known: HashMap<&str, &Arc<Topic>> = known.iter().map(|topic| (topic.name.as_str(), topic)).collect();
    for entry in entries.iter().filter(|entry| entry.is_dir) {
        let path = data_dir.path.join(&entry.name);
        if is_deleted(&entry.name) || entry.name == STAGING {
            if let Err(error) = data_dir.disk.remove_dir_all(&path) {
                warn!(directory = %path.display(), %error, "cannot remove what was left behind");
            }
        } else if let Some((topic, index)) = partition_of(&entry.name) {
            let belongs = known.get(topic).is_some_and(|topic| {
                let id = topic_id_in(data_dir, &path);
                index < topic.partitions && id.is_none_or(|id| id == topic.id)
            });
            if !belongs && topic != CLUSTER_METADATA {
                set_aside(data_dir, &path);
            }
        }
    }
}

/// Takes topics that the catalog does not know out of the checkpoints: a deletion or an import that a stop interrupted has
/// left them there, and a later topic of the same name must not begin where they say.
pub(super) fn forget_checkpoints(
    data_dir: &DataDir,
    known: &[Arc<Topic>],
    checkpoints: &mut Checkpoints,
) -> Result<(), OpenError> {
    let known: HashSet<&TopicName> = known.iter().map(|topic| &topic.name).collect();
    let is_known = |topic: &TopicName| topic.as_str() == CLUSTER_METADATA || known.contains(topic);
    checkpoints
        .keep(&*data_dir.disk, &data_dir.path, is_known)
        .map_err(|error| OpenError::DataDir { path: data_dir.path.clone(), reason: error.to_string() })
}

/// Renames a directory, to a name that no partition ever has and no other stray has either.
pub(super) fn set_aside(data_dir: &DataDir, path: &Path) {
    let mut stray = path.as_os_str().to_owned();
    stray.push(format!(".{:032x}{STRAY_SUFFIX}", SystemRandom::new().next_u128()));
    let stray = Path::new(&stray);
    match data_dir.disk.rename(path, stray).and_then(|()| data_dir.disk.sync_dir(&data_dir.path)) {
        Ok(()) => {
            info!(directory = %path.display(), now = %stray.display(), "set aside: no topic of the catalog has it");
        }
        Err(error) => {
            data_dir.note_leftovers();
            warn!(directory = %path.display(), %error, "cannot set a stray directory aside");
        }
    }
}

/// `TOPIC-NUMBER`.
pub(crate) fn partition_of(name: &str) -> Option<(&str, PartitionIndex)> {
    let (topic, index) = name.rsplit_once('-')?;
    let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    Some((topic, index.parse().ok().filter(|_| digits)?))
}

/// `TOPIC-NUMBER.32 HEX DIGITS-delete`, and nothing else: a person's directory may end so too.
fn is_deleted(name: &str) -> bool {
    let Some((partition, id)) = name.strip_suffix(DELETED_SUFFIX).and_then(|rest| rest.rsplit_once('.'))
    else {
        return false;
    };
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && partition_of(partition).is_some()
}

fn topic_id_in(data_dir: &DataDir, path: &Path) -> Option<TopicId> {
    let bytes = data_dir.disk.read(&path.join(METADATA_FILE)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.lines().find_map(|line| TopicId::parse(line.strip_prefix("topic_id:")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_directories() {
        assert_eq!(partition_of("a-b-12"), Some(("a-b", 12)));
        for other in ["orders", "orders-", "orders--1", "orders-x", "orders-0-stray"] {
            assert_eq!(
                partition_of(other).map(|(_, index)| index),
                (other == "orders--1").then_some(1),
                "{other}"
            );
        }
        assert!(is_deleted("orders-0.0123456789abcdef0123456789abcdef-delete"));
        for other in ["backup-delete", "orders-0-delete", "orders-0.0123-delete"] {
            assert!(!is_deleted(other), "{other}");
        }
    }
}
