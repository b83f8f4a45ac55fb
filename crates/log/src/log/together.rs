//! Syncing many logs at the price of one.
//!
//! A sync of one file waits for the disk and for the journal of the file system. With thousands of logs that were
//! written to, those waits are what takes long, not the bytes, and one sync of the whole file system has only one.
//!
//! **Order.** A checkpoint of epochs may take the place of the one before it only when its bytes are down, and the
//! recovery point may move only when its name is. So the new ones are written first, under other names; then
//! everything is synced; then they are renamed, and when there were any, everything is synced again, which is
//! only their names. Batches, indexes and new names of files are down after the first sync.

use std::io;
use std::sync::atomic::Ordering;

use super::Flush;
use crate::disk::Volume;
use crate::names::LEADER_EPOCH_CHECKPOINT;

impl Flush {
    /// Runs many flushes, of logs on one file system, with one or two syncs of it. The outcomes are in the order of
    /// the flushes, and each must be given to its log as that of [`Flush::run`].
    ///
    /// When the file system cannot be synced, nobody knows whose bytes are lost: all of them have failed then.
    /// [`Volume::sync_all`] is not to be believed from then on.
    pub fn run_together(flushes: &[Self], volume: &dyn Volume) -> Vec<io::Result<()>> {
        if flushes.is_empty() {
            return Vec::new();
        }
        let mut outcomes: Vec<io::Result<()>> = flushes.iter().map(Self::write_epochs).collect();
        if let Err(error) = volume.sync_all() {
            return all_failed(flushes, &error);
        }
        let mut is_renamed = false;
        for (flush, outcome) in flushes.iter().zip(&mut outcomes) {
            if flush.epochs.is_some() && outcome.is_ok() {
                *outcome =
                    flush.place.take_temporary(LEADER_EPOCH_CHECKPOINT).map_err(|error| flush.noted(error));
                is_renamed = true;
            }
        }
        if is_renamed && let Err(error) = volume.sync_all() {
            return all_failed(flushes, &error);
        }
        outcomes
    }

    fn write_epochs(&self) -> io::Result<()> {
        let Some(text) = &self.epochs else { return Ok(()) };
        let written = self.place.write_temporary(LEADER_EPOCH_CHECKPOINT, text.as_bytes());
        written.map(drop).map_err(|error| self.noted(error))
    }
}

fn all_failed(flushes: &[Flush], error: &io::Error) -> Vec<io::Result<()>> {
    let failed = |flush: &Flush| {
        // Also of one that ended earlier: its bytes may be among those that are lost.
        flush.did_not_fit.store(false, Ordering::Relaxed);
        Err(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        })
    };
    flushes.iter().map(failed).collect()
}
