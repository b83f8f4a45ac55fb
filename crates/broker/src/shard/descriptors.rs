//! Keeps what logs hold open below the process's limit also when many cold logs are used at once, sooner than
//! housekeeping looks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use super::{Partition, Shard};

/// When the logs that were opened since the last time may hold one in so many descriptors, those that were not used
/// meanwhile give theirs back.
const OPENED_SHARE_OF_DESCRIPTORS: u64 = 4;
/// What a log opens for one request: batches, offset index, time index.
const DESCRIPTORS_PER_LOG: u64 = 3;

/// How many cold logs were opened since others last gave their descriptors back.
#[derive(Debug, Default)]
pub(super) struct Opened(AtomicU64);

impl Shard {
    /// Makes room for the log of a partition that is about to be used. Called with no lock held.
    pub(super) fn make_room_for(&self, partition: &Partition) {
        if partition.is_warm() {
            return;
        }
        let opened = &self.topics.opened().0;
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let share = limit / OPENED_SHARE_OF_DESCRIPTORS / DESCRIPTORS_PER_LOG;
        // Of several that come here at once, one does it.
        if opened.fetch_add(1, Ordering::AcqRel).saturating_add(1) == share.max(1) {
            opened.store(0, Ordering::Release);
            let now = self.clock.monotonic();
            // The first look notes which logs were used until now, the second cools those that were not used since.
            for _ in 0..2 {
                self.each_partition(|partition| partition.cool_if_idle(now, Duration::ZERO));
            }
        }
    }
}
