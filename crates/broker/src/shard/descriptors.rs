//! Keeps what logs hold open below what the system grants this process.
//!
//! Logs that were used a moment ago keep their files, as long as there is room: with a little less than 10,000 of them in
//! turn, closing those that are used again next would cost more than all that is done with them.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ottla_log::open_files;
use ottla_model::Monotonic;
use rustix::process::{Resource, getrlimit};

use super::{Partition, Shard};

/// One in so many of the descriptors is kept for connections and for what is open for a moment.
const OTHERS_SHARE_OF_DESCRIPTORS: u64 = 4;

/// A log that is read has a map of its batches and one of each index.
const MAPS_PER_FILE: u64 = 4;

/// How many files more than at the last look may be open before the next one: a look asks every log.
const NEXT_LOOK_SHARE: u64 = 8;

/// How many files logs may hold open, and when that is looked at.
#[derive(Debug)]
pub(super) struct Descriptors {
    /// More than so many are too many.
    most: u64,
    /// With so many open files, logs are looked at; [`u64::MAX`] while somebody does.
    look_at: AtomicU64,
}

impl Default for Descriptors {
    /// What the limits of this process allow.
    fn default() -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let maps = fs::read_to_string("/proc/sys/vm/max_map_count").ok();
        let maps = maps.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
        let of_logs = descriptors.saturating_sub(descriptors / OTHERS_SHARE_OF_DESCRIPTORS);
        let most = of_logs.min(maps / MAPS_PER_FILE).max(1);
        Self { most, look_at: AtomicU64::new(most) }
    }
}

impl Descriptors {
    /// True for one caller of those who see that there are too many.
    fn begin_look(&self) -> bool {
        let look_at = self.look_at.load(Ordering::Acquire);
        let exchanged =
            || self.look_at.compare_exchange(look_at, u64::MAX, Ordering::AcqRel, Ordering::Relaxed);
        open_files() >= look_at && exchanged().is_ok()
    }

    fn end_look(&self) {
        let next = open_files().saturating_add(self.most / NEXT_LOOK_SHARE).max(self.most);
        self.look_at.store(next, Ordering::Release);
    }
}

impl Shard {
    /// Makes room for the log of a partition that is about to be used. Called with no lock held.
    pub(super) fn make_room_for(&self, partition: &Partition) {
        let descriptors = self.topics.descriptors();
        if partition.is_warm() || !descriptors.begin_look() {
            return;
        }
        let now = self.clock.monotonic();
        self.cool_unused(now);
        // Where all were used since the last look, those go that are not used right now.
        if open_files() >= descriptors.most {
            self.cool_unused(now);
        }
        descriptors.end_look();
    }

    /// When logs hold more files open than they may, those that were not used since the last look give theirs back.
    pub(super) fn spare_descriptors(&self, now: Monotonic) {
        let descriptors = self.topics.descriptors();
        if open_files() > descriptors.most && descriptors.begin_look() {
            self.cool_unused(now);
            descriptors.end_look();
        }
    }

    /// Cools the logs that were not used since this was last done, and notes of the others that they were.
    fn cool_unused(&self, now: Monotonic) {
        self.each_partition(|partition| partition.cool_if_idle(now, Duration::ZERO));
    }
}
