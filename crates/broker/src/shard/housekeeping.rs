//! What a shard does now and then, on a thread that may block: checkpoints, retention, idle logs, forgotten producers.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ottla_model::Monotonic;
use tokio::sync::watch;
use tracing::warn;

use super::checkpoints::Offsets;
use super::{Partition, Shard};

/// How often the shard looks at what is due.
const TICK: Duration = Duration::from_secs(1);

/// How often recovery points are written: what a start after a crash reads beyond what it has to.
const RECOVERY_POINTS_INTERVAL: Duration = Duration::from_secs(5);

/// How often idle logs are looked for.
const COOLING_INTERVAL: Duration = Duration::from_secs(10);

/// A log that was not touched for so long gives its descriptors and maps back.
const COLD_AFTER: Duration = Duration::from_secs(60);

/// How often producers that are silent are forgotten.
const PRODUCERS_INTERVAL: Duration = Duration::from_secs(600);

/// A wall clock that is off by less is being adjusted, not set.
const CLOCK_JUMP_MS: i64 = 10_000;

/// When each kind of work was done last.
#[derive(Debug, Clone, Copy)]
struct Done {
    recovery_points: Monotonic,
    cooling: Monotonic,
    producers: Monotonic,
    retention: Monotonic,
    /// How far the wall clock was from where it should be, when that was last told, in milliseconds.
    clock_jump_ms: i64,
}

fn is_due(last: &mut Monotonic, now: Monotonic, interval: Duration) -> bool {
    let due = now.since(*last) >= interval;
    if due {
        *last = now;
    }
    due
}

impl Shard {
    /// Keeps house until told to stop.
    pub(crate) async fn keep_house(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let now = self.clock.monotonic();
        let mut done =
            Done { recovery_points: now, cooling: now, producers: now, retention: now, clock_jump_ms: 0 };
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => return,
            }
            let shard = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || shard.tidy(done)).await {
                Ok(after) => done = after,
                Err(error) => warn!(%error, "housekeeping failed; it goes on at the next tick"),
            }
        }
    }

    fn tidy(&self, mut done: Done) -> Done {
        let now = self.clock.monotonic();
        if is_due(&mut done.recovery_points, now, RECOVERY_POINTS_INTERVAL) {
            self.write_recovery_points();
        }
        if is_due(&mut done.cooling, now, COOLING_INTERVAL) {
            self.each_partition(|partition| partition.cool_if_idle(now, COLD_AFTER));
        }
        self.spare_descriptors(now);
        if is_due(&mut done.producers, now, PRODUCERS_INTERVAL) {
            let wall = self.clock.wall();
            self.each_partition(|partition| partition.log().expire_producers(wall));
        }
        let interval = u64::try_from(self.settings().log_retention_check_interval_ms).unwrap_or(u64::MAX);
        if is_due(&mut done.retention, now, Duration::from_millis(interval)) {
            self.delete_expired();
        }
        done.clock_jump_ms = self.tell_clock_jump(done.clock_jump_ms);
        done
    }

    /// Tells when somebody has set the wall clock, and gives how far it is off.
    fn tell_clock_jump(&self, told_ms: i64) -> i64 {
        let steady = self.started.steady(self.clock.monotonic());
        let jump_ms = self.clock.wall().0.saturating_sub(steady.0);
        if jump_ms.saturating_sub(told_ms).abs() < CLOCK_JUMP_MS {
            return told_ms;
        }
        warn!(jump_ms, "the wall clock was set; nothing expires faster than time passes until a restart");
        jump_ms
    }

    pub(super) fn each_partition(&self, mut work: impl FnMut(&Arc<Partition>)) {
        self.topics.all().iter().flat_map(|live| &live.partitions).for_each(&mut work);
        work(self.catalog.partition());
    }

    /// Writes below which offsets logs are on disk, so that a start after a crash need not look there.
    pub(super) fn write_recovery_points(&self) {
        let mut points = Offsets::new();
        // Held while the logs are asked, so that a topic which is deleted meanwhile is taken out afterwards.
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        self.each_partition(|partition| {
            let point = partition.log().recovery_point();
            if point > 0 && !partition.is_offline() {
                points.insert((partition.topic.clone(), partition.index), point);
            }
        });
        let written = checkpoints.set_recovery_points(&*self.data_dir.disk, &self.data_dir.path, points);
        if let Err(error) = written {
            warn!(%error, "cannot write the recovery points; a start after a crash would read more");
        }
    }
}
