//! A broker without a socket, over a simulated disk, in a runtime whose clock moves when everybody waits.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ottla_log::SimDisk;
use ottla_model::{Monotonic, Offset, WallMillis};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::error::OpenError;
use crate::settings::Settings;
use crate::shard::partition::{CommitStage, Needs};
use crate::shard::{Lock, Partition, Place, Seams, Shard};

const PATH: &str = "/test";
/// When the first start is, in milliseconds.
const WALL_MS: i64 = 1_700_000_000_000;
/// How much later each further start is.
const RESTART_MS: i64 = 2_000;

/// Every append waits for its sync, one partition of everything.
const SETTINGS: [(&str, &str); 3] = [
    ("log.flush.interval.messages", "1"),
    ("offsets.topic.num.partitions", "1"),
    ("transaction.state.log.num.partitions", "1"),
];

pub(super) fn new_disk() -> SimDisk {
    SimDisk::new(Path::new(PATH), 0)
}

/// Syncs what was appended and commits it, as the flusher does it for appends that wait, in the thread of everybody else.
#[derive(Debug)]
struct SyncAtOnce;

impl CommitStage for SyncAtOnce {
    fn appended(&self, partition: &Arc<Partition>, end: Offset, sync: Needs) {
        assert_eq!(sync, Needs::First, "{} waits for its sync", partition.name());
        let partition = Arc::clone(partition);
        tokio::spawn(async move {
            let synced = partition.log().sync();
            match synced {
                Ok(()) => partition.commit(end),
                Err(_) => partition.go_offline(),
            }
        });
    }
}

/// The clock of a paused runtime.
#[derive(Debug)]
struct Paused {
    wall: i64,
    started: Instant,
}

impl Clock for Paused {
    fn wall(&self) -> WallMillis {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        WallMillis(self.wall + elapsed)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.started.elapsed())
    }
}

/// A shard with its drivers and timers.
pub(super) struct Running {
    shard: Arc<Shard>,
    _stop: watch::Sender<bool>,
    // Last, since it ends all tasks.
    runtime: Runtime,
}

impl Running {
    /// Opens what is on the disk; `start` counts the starts of this disk.
    pub(super) fn open(disk: SimDisk, start: i64) -> Result<Self, OpenError> {
        let runtime =
            Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
        let (stop, stopped) = watch::channel(false);
        let shard = runtime.block_on(async {
            let mut settings = Settings::default();
            for (name, value) in SETTINGS {
                settings.set(name, value).expect("a setting");
            }
            let place = Place { disk: Arc::new(disk), path: PathBuf::from(PATH), lock: Lock::None };
            let clock = Paused { wall: WALL_MS + start * RESTART_MS, started: Instant::now() };
            let shard = Shard::open(settings, place, Arc::new(clock), Seams::one_node(Arc::new(SyncAtOnce)))?;
            tokio::spawn(Arc::clone(&shard).run_markers(stopped.clone()));
            let timers = Arc::clone(&shard);
            tokio::spawn(async move { timers.run_timers(stopped).await });
            Ok(shard)
        })?;
        Ok(Self { shard, _stop: stop, runtime })
    }

    pub(super) fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

/// Lets time pass for everybody.
pub(super) async fn pass(milliseconds: u64) {
    tokio::time::timeout(Duration::from_millis(milliseconds), std::future::pending::<()>())
        .await
        .expect_err("pending");
}
