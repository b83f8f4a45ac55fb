//! The compactor: keeps `__consumer_offsets` and every topic with `cleanup.policy=compact` small, in the background.
//!
//! One log at a time, the dirtiest first, on a thread that may block. A plan is taken under the log's lock; the work
//! reads sealed segments without it, at no more than `log.cleaner.io.max.bytes.per.second`; the swap takes the lock
//! again for renames.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ottla_log::{CleanLimits, CleanReport, LogError};
use ottla_model::{Offset, Random, WallMillis};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Partition, Shard};
use crate::clock::SystemRandom;
use crate::metrics::count;
use crate::settings::Settings;

/// Longest nap of a throttled run, so that it notices a stop.
const NAP_MAX: Duration = Duration::from_millis(100);

impl Shard {
    /// Compacts what is dirty, every `log.cleaner.backoff.ms`, until told to stop.
    pub(crate) async fn run_cleaner(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        if !self.settings().log_cleaner_enable {
            return;
        }
        let stopping = Arc::new(AtomicBool::new(false));
        loop {
            let (shard, flag) = (Arc::clone(&self), Arc::clone(&stopping));
            let mut pass = tokio::task::spawn_blocking(move || shard.clean_all(&flag));
            tokio::select! {
                ended = &mut pass => {
                    if let Err(error) = ended {
                        warn!(%error, "a compaction failed; the next one is tried later");
                    }
                }
                _ = stop.changed() => {
                    stopping.store(true, Atomic::Release);
                    // It ends at its next look at the flag; the logs must not be closed under it.
                    let _ = pass.await;
                    return;
                }
            }
            let backoff_ms = self.settings().log_cleaner_backoff_ms;
            let backoff = Duration::from_millis(u64::try_from(backoff_ms).unwrap_or(0));
            tokio::select! {
                () = tokio::time::sleep(backoff) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Compacts one log after the other, until none is dirty enough.
    fn clean_all(&self, stopping: &AtomicBool) {
        // One that failed is not tried again in this pass.
        let mut failed: Vec<Arc<Partition>> = Vec::new();
        while !stopping.load(Atomic::Acquire) {
            let now = self.expiry_now();
            let Some(partition) = self.dirtiest(now, &failed) else { return };
            match self.clean(&partition, now, stopping) {
                Ok(Some(report)) => {
                    tell(&partition, &report);
                    if let Err(error) = report.deleted.remove() {
                        warn!(partition = %partition.name(), %error, "cannot remove old files; the next start does");
                    }
                }
                Ok(None) | Err(LogError::Stopped) => failed.push(partition),
                Err(error) => {
                    warn!(partition = %partition.name(), %error, "cannot compact a log");
                    failed.push(partition);
                }
            }
        }
    }

    /// The log that should be compacted next, as `LogCleanerManager.grabFilthiestCompactedLog` picks it: those whose time
    /// has come (`max.compaction.lag.ms`), then by their dirty ratio.
    fn dirtiest(&self, now: WallMillis, except: &[Arc<Partition>]) -> Option<Arc<Partition>> {
        let mut best: Option<(bool, f64, Arc<Partition>)> = None;
        for live in self.topics.all() {
            for partition in &live.partitions {
                if except.iter().any(|known| Arc::ptr_eq(known, partition)) {
                    continue;
                }
                let cleaned_to = self.cleaned_to(partition);
                let mut log = partition.log();
                // A partition without files is clean, and most are.
                if !log.config().compacted || log.segment_count() == 0 {
                    continue;
                }
                if let Err(error) = log.roll_if_due(now) {
                    warn!(partition = %partition.name(), %error, "cannot begin a new segment");
                    continue;
                }
                let status = log.clean_status(now, partition.high_watermark(), cleaned_to);
                drop(log);
                if status.blocked.is_some() {
                    continue;
                }
                let rank = (status.forced, status.dirty_ratio);
                let better = best.as_ref().is_none_or(|(forced, ratio, _)| {
                    rank.0.cmp(forced).then(rank.1.total_cmp(ratio)) == Ordering::Greater
                });
                if better {
                    best = Some((rank.0, rank.1, Arc::clone(partition)));
                }
            }
        }
        best.map(|(_, _, partition)| partition)
    }

    fn clean(
        &self,
        partition: &Partition,
        now: WallMillis,
        stopping: &AtomicBool,
    ) -> Result<Option<CleanReport>, LogError> {
        let cleaned_to = self.cleaned_to(partition);
        let plan = partition.log().plan_clean(now, partition.high_watermark(), cleaned_to)?;
        let Some(plan) = plan else { return Ok(None) };
        let mut throttle = Throttle::new(self.settings().log_cleaner_io_max_bytes_per_second);
        let cleaned = plan.run(&limits(&self.settings()), &mut |bytes| throttle.pass(bytes, stopping))?;
        let report = partition.log().finish_clean(cleaned)?;
        self.note_cleaned(partition, report.cleaned_to);
        count(&self.counters.compactions, 1);
        let removed = report.bytes_before.saturating_sub(report.bytes_after);
        count(&self.counters.compaction_removed_bytes, removed);
        Ok(Some(report))
    }

    pub(super) fn cleaned_to(&self, partition: &Partition) -> Offset {
        let checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoints.cleaned_to(&partition.topic, partition.index)
    }

    /// A checkpoint that is not written costs a repeated compaction after a restart, and nothing else.
    fn note_cleaned(&self, partition: &Partition, cleaned_to: Offset) {
        let name = (partition.topic.clone(), partition.index);
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let written = checkpoints.set_cleaned_to(&*self.data_dir.disk, &self.data_dir.path, name, cleaned_to);
        if let Err(error) = written {
            warn!(partition = %partition.name(), %error, "cannot write how far a log is compacted");
        }
    }
}

fn limits(settings: &Settings) -> CleanLimits {
    let mut random = SystemRandom::new();
    let seed = random.next_u128();
    CleanLimits {
        key_map_bytes_max: usize::try_from(settings.log_cleaner_dedupe_buffer_size).unwrap_or(0),
        io_buffer_bytes: usize::try_from(settings.log_cleaner_io_buffer_size).unwrap_or(0),
        load_factor: settings.log_cleaner_io_buffer_load_factor,
        hash_seed: [(seed >> 64) as u64, seed as u64],
    }
}

fn tell(partition: &Partition, report: &CleanReport) {
    info!(
        partition = %partition.name(),
        to = report.cleaned_to,
        bytes_before = report.bytes_before,
        bytes_after = report.bytes_after,
        records_kept = report.stats.records_kept,
        records_read = report.stats.records_read,
        "compacted"
    );
}

/// Keeps a run below a rate.
struct Throttle {
    bytes_per_second: f64,
    began: Instant,
    bytes: f64,
}

impl Throttle {
    fn new(bytes_per_second: f64) -> Self {
        Self { bytes_per_second, began: Instant::now(), bytes: 0.0 }
    }

    /// Takes note of work done, naps when that was too fast, and tells whether to go on.
    fn pass(&mut self, bytes: u64, stopping: &AtomicBool) -> bool {
        self.bytes += bytes as f64;
        loop {
            if stopping.load(Atomic::Acquire) {
                return false;
            }
            let due = self.bytes / self.bytes_per_second;
            let ahead = due - self.began.elapsed().as_secs_f64();
            if ahead.is_nan() || ahead <= 0.0 {
                return true;
            }
            std::thread::sleep(Duration::from_secs_f64(ahead.min(NAP_MAX.as_secs_f64())));
        }
    }
}
