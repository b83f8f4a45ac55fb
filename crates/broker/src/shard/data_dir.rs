//! The data directory: who may use it, who it belongs to, and whether the last stop was a clean one.
//!
//! File names and formats are Apache Kafka's where Kafka has them: `.lock`, `meta.properties`,
//! `.kafka_cleanshutdown`. `ottla.properties` holds what only Ottla needs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_log::Disk;
use ottla_model::{LeaderEpoch, Random, TopicId};

use super::directory_lock::DirectoryLock;
use super::shared_sync::SharedSync;
use crate::error::OpenError;

const META: &str = "meta.properties";
const CLEAN: &str = ".kafka_cleanshutdown";
const OWN: &str = "ottla.properties";

/// An open data directory.
#[derive(Debug)]
pub(crate) struct DataDir {
    /// Everything goes through this disk.
    pub(crate) disk: Arc<dyn Disk>,
    /// Where on it.
    pub(crate) path: PathBuf,
    /// Survives restarts; told to clients (KIP-78).
    pub(crate) cluster_id: String,
    /// The leader epoch of every partition here: raised at each unclean start, so that clients notice a suffix that
    /// was lost (KIP-320).
    pub(crate) leader_epoch: LeaderEpoch,
    /// True when the last stop was clean, so that logs need no scan.
    pub(crate) clean: bool,
    /// Syncs many logs together.
    pub(crate) shared_sync: Arc<SharedSync>,
    /// True once a directory that belongs to no topic may be in the way of one: it could not be taken away.
    has_leftovers: AtomicBool,
    /// Held while the directory is open; the lock goes with it.
    _lock: Option<DirectoryLock>,
}

impl DataDir {
    /// Opens the directory, making it if it is missing, and marks it as in use.
    ///
    /// # Errors
    /// [`OpenError`] when it cannot be read or written, belongs to another node, or another process has it.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        lock: Lock,
        node_id: i32,
        random: &mut dyn Random,
    ) -> Result<Self, OpenError> {
        let wrong =
            |error: io::Error| OpenError::DataDir { path: path.to_owned(), reason: error.to_string() };
        disk.create_dir_all(path).map_err(wrong)?;
        let lock = match lock {
            Lock::File => {
                let taken = DirectoryLock::take(path).map_err(wrong)?;
                Some(taken.ok_or_else(|| OpenError::Locked { path: path.to_owned() })?)
            }
            Lock::None => None,
        };
        let shared_sync = Arc::new(SharedSync::open(&*disk, path).map_err(wrong)?);
        let first = !disk.exists(&path.join(META)).map_err(wrong)?;
        let own = match disk.read(&path.join(OWN)) {
            Ok(bytes) => properties(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(wrong(error)),
        };
        let before = match own.get("leader.epoch").map(|text| text.parse::<LeaderEpoch>()) {
            Some(Ok(epoch)) => epoch,
            None if first => 0,
            // An epoch that went back would let clients believe in records that are gone.
            Some(Err(_)) | None => {
                return Err(OpenError::DataDir {
                    path: path.to_owned(),
                    reason: format!(
                        "{OWN} has no leader.epoch; write it back, higher than any epoch of the logs"
                    ),
                });
            }
        };
        let clean = first || disk.exists(&path.join(CLEAN)).map_err(wrong)?;
        let leader_epoch = if clean { before } else { before.saturating_add(1) };
        if first || !clean {
            disk.replace(&path.join(OWN), own_text(leader_epoch).as_bytes()).map_err(wrong)?;
        }
        // Last, since it makes the directory one that was used before.
        let cluster_id = if first {
            let id = TopicId::from_random(random.next_u128()).to_string();
            let directory = TopicId::from_random(random.next_u128());
            let text = format!("version=1\ncluster.id={id}\nnode.id={node_id}\ndirectory.id={directory}\n");
            disk.replace(&path.join(META), text.as_bytes()).map_err(wrong)?;
            id
        } else {
            read_cluster_id(&*disk, path, node_id)?
        };
        let has_leftovers = AtomicBool::new(false);
        let path = path.to_owned();
        Ok(Self { disk, path, cluster_id, leader_epoch, clean, shared_sync, has_leftovers, _lock: lock })
    }

    /// Takes note of a directory that belongs to no topic and could not be taken away.
    pub(crate) fn note_leftovers(&self) {
        self.has_leftovers.store(true, Ordering::Release);
    }

    /// True when the directory of a new topic may be there already.
    pub(crate) fn has_leftovers(&self) -> bool {
        self.has_leftovers.load(Ordering::Acquire)
    }

    /// The node that a directory belongs to, when it was used before.
    pub(crate) fn stored_node_id(disk: &dyn Disk, path: &Path) -> Option<i32> {
        properties(&disk.read(&path.join(META)).ok()?).get("node.id")?.parse().ok()
    }

    /// Refuses a directory that no Ottla has used.
    pub(crate) fn check_used(disk: &dyn Disk, path: &Path) -> Result<(), OpenError> {
        let wrong = |reason| OpenError::DataDir { path: path.to_owned(), reason };
        for file in [META, OWN] {
            if !disk.exists(&path.join(file)).map_err(|error| wrong(error.to_string()))? {
                return Err(wrong(format!("it is not one of Ottla's: there is no {file}")));
            }
        }
        Ok(())
    }

    /// Raises the leader epoch when it is lower. It is on disk when this returns.
    pub(crate) fn raise_leader_epoch(&mut self, at_least: LeaderEpoch) -> io::Result<()> {
        if self.leader_epoch < at_least {
            self.disk.replace(&self.path.join(OWN), own_text(at_least).as_bytes())?;
            self.leader_epoch = at_least;
        }
        Ok(())
    }

    /// Takes the marker of a clean stop away: from now on the files may change. Not earlier, so that a start which fails
    /// costs the next one nothing.
    pub(crate) fn begin(&self) -> io::Result<()> {
        let marker = self.path.join(CLEAN);
        if self.disk.exists(&marker)? {
            self.disk.remove_file(&marker)?;
            self.disk.sync_dir(&self.path)?;
        }
        Ok(())
    }

    /// Writes the marker that lets the next start believe the files as they are.
    pub(crate) fn mark_clean(&self) -> io::Result<()> {
        self.disk.replace(&self.path.join(CLEAN), b"{\"version\":0,\"brokerEpoch\":-1}")
    }
}

/// How a data directory is kept from other processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Locks that other brokers see, Apache Kafka's too.
    File,
    /// None: the disk is in this process's memory.
    None,
}

fn own_text(leader_epoch: LeaderEpoch) -> String {
    format!("version=1\nleader.epoch={leader_epoch}\n")
}

fn read_cluster_id(disk: &dyn Disk, path: &Path, node_id: i32) -> Result<String, OpenError> {
    let wrong = |reason: String| OpenError::DataDir { path: path.to_owned(), reason };
    let meta = properties(&disk.read(&path.join(META)).map_err(|error| wrong(error.to_string()))?);
    if let Some(stored) = meta.get("node.id").filter(|stored| **stored != node_id.to_string()) {
        return Err(wrong(format!(
            "it belongs to node {stored}, not to node {node_id}; set node.id={stored} or use another directory"
        )));
    }
    meta.get("cluster.id").cloned().ok_or_else(|| wrong(format!("{META} has no cluster.id")))
}

fn properties(bytes: &[u8]) -> BTreeMap<String, String> {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;
    use ottla_log::RealDisk;

    fn open(path: &Path, node_id: i32) -> Result<DataDir, OpenError> {
        DataDir::open(Arc::new(RealDisk), path, Lock::File, node_id, &mut SystemRandom::new())
    }

    #[test]
    fn an_unclean_stop_raises_the_epoch_and_keeps_the_cluster_id() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let first = open(dir.path(), 1).expect("opens");
        assert_eq!((first.leader_epoch, first.clean), (0, true));
        first.begin().expect("begun");
        let cluster = first.cluster_id.clone();
        drop(first);
        let second = open(dir.path(), 1).expect("opens");
        assert_eq!((second.leader_epoch, second.clean), (1, false));
        second.mark_clean().expect("marked");
        drop(second);
        let third = open(dir.path(), 1).expect("opens");
        assert_eq!((third.leader_epoch, third.clean, &third.cluster_id), (1, true, &cluster));
    }

    #[test]
    fn a_directory_has_one_user_and_one_node() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let held = open(dir.path(), 1).expect("opens");
        assert!(matches!(open(dir.path(), 1), Err(OpenError::Locked { .. })));
        drop(held);
        let error = open(dir.path(), 2).expect_err("another node").to_string();
        assert!(error.contains("set node.id=1"), "{error}");
    }
}
