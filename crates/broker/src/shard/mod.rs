//! A shard: everything durable that one broker serves, and what waits on it.
//!
//! A shard owns its data directory, its partitions, its coordinators and their timers; there are no globals, so a
//! process may hold several. A plain broker is one shard.

mod adopt;
mod catalog;
mod checkpoints;
mod cleaner;
mod compaction;
mod coordinator;
mod data_dir;
mod flusher;
mod groups;
mod housekeeping;
mod isolation;
mod markers;
mod open;
mod partition;
mod producer_ids;
mod records;
mod retention;
mod router;
mod stopped;
mod strays;
mod topics;
mod transactions;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ottla_control::catalog::Catalog;
use ottla_control::group::Groups;
use ottla_control::transaction::Transactions;
use ottla_model::{ErrorCode, PartitionIndex, TopicId, WallMillis};
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};
use tracing::{info, warn};

pub(crate) use adopt::{Adoption, LogToAdopt, TopicToAdopt};
pub(crate) use catalog::TopicError;
pub(crate) use checkpoints::Checkpoints;
pub(crate) use coordinator::Coordinator;
pub(crate) use data_dir::Lock;
pub(crate) use flusher::Flusher;
pub(crate) use isolation::Isolation;
pub(crate) use markers::Marker;
pub(crate) use open::{Place, Seams};
pub(crate) use partition::{Accepted, Needs, Offline, Partition};
pub use stopped::{InspectError, inspect_compaction};
pub(crate) use strays::partition_of;
pub(crate) use topics::LiveTopic;

use crate::api::FetchSessions;
use crate::clock::{Clock, Started};
use crate::settings::Settings;
use data_dir::DataDir;
use producer_ids::ProducerIds;
use router::Route;
use topics::Topics;

/// Longest sleep of the timer loop; it is woken earlier when a deadline comes nearer.
const TIMER_SLEEP_MAX: Duration = Duration::from_secs(3600);

/// Requests of private APIs that are worked on at a time; the others wait.
const PRIVATE_TURNS_MAX: usize = 4;

/// Everything durable that one broker serves.
pub(crate) struct Shard {
    settings: Settings,
    clock: Arc<dyn Clock>,
    started: Started,
    seams: Seams,
    data_dir: DataDir,
    topics: Topics,
    catalog: Arc<Coordinator<Catalog>>,
    /// Changes of the catalog and of the open topics that follow from them happen one at a time.
    catalog_changes: tokio::sync::Mutex<()>,
    /// One a partition of `__consumer_offsets`; set once that topic exists.
    groups: OnceLock<Vec<Arc<Coordinator<Groups>>>>,
    /// One a partition of `__transaction_state`; set once that topic exists.
    transactions: OnceLock<Vec<Arc<Coordinator<Transactions>>>>,
    /// Woken when `transactions` is set.
    transactions_loaded: Notify,
    producer_ids: ProducerIds,
    checkpoints: Mutex<Checkpoints>,
    fetch_sessions: FetchSessions,
    private_turns: Semaphore,
    /// Woken when some coordinator's deadline has come nearer.
    timers: Arc<Notify>,
}

impl Shard {
    /// The settings in force.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Told to clients (KIP-78).
    pub(crate) fn cluster_id(&self) -> &str {
        &self.data_dir.cluster_id
    }

    /// The wall clock as far as things may expire by it: it never runs ahead of the monotonic clock, so that a clock that
    /// is set forward deletes nothing. At start it is believed.
    pub(crate) fn expiry_now(&self) -> WallMillis {
        let steady = self.started.steady(self.clock.monotonic());
        WallMillis(self.clock.wall().0.min(steady.0))
    }

    /// The wall clock.
    pub(crate) fn wall(&self) -> WallMillis {
        self.clock.wall()
    }

    /// The fetch sessions of this broker (KIP-227).
    pub(crate) fn fetch_sessions(&self) -> &FetchSessions {
        &self.fetch_sessions
    }

    /// Waits until a request of a private API may be worked on, which lasts until what this gives is dropped.
    pub(crate) async fn private_turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed, so there is always one in the end.
        self.private_turns.acquire().await.ok()
    }

    /// The topic with that name, if it exists.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<LiveTopic>> {
        self.topics.by_name(name)
    }

    /// The topic with that id, if it exists.
    pub(crate) fn topic_by_id(&self, id: TopicId) -> Option<Arc<LiveTopic>> {
        self.topics.by_id(id)
    }

    /// Every topic, by name.
    pub(crate) fn topics(&self) -> Vec<Arc<LiveTopic>> {
        self.topics.all()
    }

    /// The partition of a topic, if this shard leads it.
    pub(crate) fn partition(
        &self,
        live: &LiveTopic,
        index: PartitionIndex,
    ) -> Result<Arc<Partition>, ErrorCode> {
        let partition = live.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        match self.seams.router.partition(&live.topic.name, index) {
            Route::Local => Ok(Arc::clone(partition)),
            Route::Remote(_) => Err(ErrorCode::NotLeaderOrFollower),
        }
    }

    /// Ticks coordinators when their deadlines come, until told to stop.
    pub(crate) async fn run_timers(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let now = self.clock.monotonic();
            let (groups, transactions) = (self.all_groups(), self.all_transactions());
            let deadlines = groups.iter().filter_map(|coordinator| coordinator.deadline());
            let deadlines =
                deadlines.chain(transactions.iter().filter_map(|coordinator| coordinator.deadline()));
            let next = deadlines.min();
            let sleep = next.map_or(TIMER_SLEEP_MAX, |next| next.since(now).min(TIMER_SLEEP_MAX));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {
                    groups.iter().for_each(|coordinator| coordinator.tick());
                    transactions.iter().for_each(|coordinator| coordinator.tick());
                }
                () = self.timers.notified() => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Closes every log. Connections must be gone. After this the next start needs no scan.
    pub(crate) fn close(&self) {
        self.all_groups().iter().for_each(|coordinator| coordinator.unload());
        self.all_transactions().iter().for_each(|coordinator| coordinator.unload());
        self.catalog.unload();
        let mut clean = true;
        let topics = self.topics.all();
        let partitions = topics.iter().flat_map(|live| &live.partitions).chain([self.catalog.partition()]);
        for partition in partitions {
            if let Err(error) = partition.log().close(self.clock.wall()) {
                warn!(partition = %partition.name(), %error, "cannot close a log; it is checked at the next start");
                clean = false;
            }
        }
        self.write_recovery_points();
        if !clean {
            return;
        }
        match self.data_dir.mark_clean() {
            Ok(()) => info!("stopped cleanly"),
            Err(error) => warn!(%error, "cannot mark the stop as clean; logs are checked at the next start"),
        }
    }
}

#[cfg(test)]
mod marker_tests;
#[cfg(test)]
mod seam_tests;
