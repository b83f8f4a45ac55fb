//! One sync of the file system for many logs at a time.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_log::{Disk, Flush, Space, Volume};
use tracing::warn;

/// With more logs than this, one sync of the whole file system is cheaper than one of each log. It also writes what others
/// have left there, which is why it is not used for few.
const LOGS_SYNCED_ONE_BY_ONE_MAX: usize = 32;

/// Syncs logs together as long as that can be believed.
#[derive(Debug)]
pub(crate) struct SharedSync {
    /// Opened before the first byte is written, since it tells only of errors that come later.
    volume: Arc<dyn Volume>,
    /// Set for good by the first sync that fails. An error of the file system is told once and without a name, so it may
    /// have been told to a round that the log in question was not part of; a log's own files tell of theirs.
    is_distrusted: AtomicBool,
}

impl SharedSync {
    /// Of the file system that a data directory is on.
    pub(super) fn open(disk: &dyn Disk, directory: &Path) -> io::Result<Self> {
        Ok(Self { volume: disk.volume(directory)?, is_distrusted: AtomicBool::new(false) })
    }

    /// The room of the file system.
    pub(super) fn space(&self) -> io::Result<Option<Space>> {
        self.volume.space()
    }

    /// True when so many logs are better synced together.
    pub(super) fn is_for(&self, logs: usize) -> bool {
        logs > LOGS_SYNCED_ONE_BY_ONE_MAX && !self.is_distrusted.load(Ordering::Acquire)
    }

    /// Has every log synced by itself from now on, since a sync has failed.
    pub(super) fn distrust(&self) {
        self.is_distrusted.store(true, Ordering::Release);
    }

    /// Makes all that the file system holds survive a power loss, if so many logs are about to be opened that this is
    /// cheaper than syncing each. True when it did.
    pub(super) fn sync_before_opening(&self, logs: usize) -> bool {
        if !self.is_for(logs) {
            return false;
        }
        let synced = self.volume.sync_all();
        if let Err(error) = &synced {
            warn!(%error, "cannot sync the file system; each log is synced by itself");
            self.distrust();
        }
        synced.is_ok()
    }

    /// Runs flushes, together when they are many. The outcomes are in their order.
    pub(super) fn run(&self, flushes: &[Flush]) -> Vec<io::Result<()>> {
        if self.is_for(flushes.len()) {
            Flush::run_together(flushes, &*self.volume)
        } else {
            flushes.iter().map(Flush::run).collect()
        }
    }
}
