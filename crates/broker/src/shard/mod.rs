//! A shard: everything durable that one broker serves, and what waits on it.
//!
//! A shard owns its data directory, its partitions, its coordinators and their timers; there are no globals, so a
//! process may hold several. A plain broker is one shard.

mod adopt;
mod agreed;
mod catalog;
mod checkpoints;
mod cleaner;
mod clients;
mod close;
mod compaction;
mod configs;
mod coordinator;
mod data_dir;
mod descriptors;
mod directory_lock;
mod flusher;
mod groups;
mod history;
mod housekeeping;
mod isolation;
mod lag;
mod log_dir;
mod markers;
mod odd_commits;
mod open;
mod partition;
mod producer_ids;
mod quotas;
mod records;
mod retention;
mod router;
mod shared_sync;
mod side_by_side;
mod stopped;
mod strays;
mod topics;
mod transactions;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ottla_control::catalog::{Catalog, Features};
use ottla_control::group::{Groups, OddCommit};
use ottla_control::machine::Caller;
use ottla_control::transaction::Transactions;
use ottla_log::LogConfig;
use ottla_model::{ErrorCode, PartitionIndex, TopicId, TopicName, WallMillis};
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};

pub(crate) use adopt::{Adoption, LogToAdopt, TopicToAdopt};
pub(crate) use catalog::TopicError;
pub(crate) use checkpoints::Checkpoints;
pub(crate) use clients::{Clients, SeenConnection};
pub(crate) use coordinator::{Coordinator, InTransaction};
pub(crate) use data_dir::Lock;
pub(crate) use directory_lock::DirectoryLock;
pub(crate) use flusher::Flusher;
pub(crate) use isolation::{Ask, isolation_of};
pub(crate) use lag::Detail;
pub(crate) use markers::Marker;
pub(crate) use open::{Place, Seams};
pub(crate) use partition::{Accepted, Needs, Offline, Partition};
pub use stopped::{InspectError, StoppedDirectory, inspect_compaction};
pub(crate) use strays::partition_of;
pub(crate) use topics::LiveTopic;

use crate::api::{ColdReads, FetchSessions, ToldConfigs};
use crate::clock::{Clock, Started};
use crate::metrics::{Counters, Traffic};
use crate::settings::{Layers, SameSettings, Settings};
use crate::telemetry::Telemetry;
use data_dir::DataDir;
use odd_commits::OddCommits;
use producer_ids::ProducerIds;
use quotas::Quotas;
use router::Route;
use shared_sync::SharedSync;
use topics::Topics;

/// Longest sleep of the timer loop; it is woken earlier when a deadline comes nearer.
const TIMER_SLEEP_MAX: Duration = Duration::from_secs(3600);

/// Requests of private APIs that are worked on at a time; the others wait.
const PRIVATE_TURNS_MAX: usize = 4;

/// Everything durable that one broker serves.
pub(crate) struct Shard {
    /// Replaced as a whole when a setting is changed at run time.
    layers: RwLock<Arc<Layers>>,
    clock: Arc<dyn Clock>,
    started: Started,
    seams: Seams,
    data_dir: DataDir,
    topics: Topics,
    catalog: Arc<Coordinator<Catalog>>,
    /// Changes of the catalog and of the open topics that follow from them happen one at a time.
    catalog_changes: tokio::sync::Mutex<()>,
    /// Those of the catalog, to be looked at without it.
    features: RwLock<Features>,
    quotas: Quotas,
    telemetry: Telemetry,
    /// One a partition of `__consumer_offsets`; set once that topic exists.
    groups: OnceLock<Vec<Arc<Coordinator<Groups>>>>,
    /// The version of the topics that each of them was told last.
    told_topics: OnceLock<Box<[AtomicI64]>>,
    /// One a partition of `__transaction_state`; set once that topic exists.
    transactions: OnceLock<Vec<Arc<Coordinator<Transactions>>>>,
    /// Woken when `transactions` is set.
    transactions_loaded: Notify,
    producer_ids: ProducerIds,
    checkpoints: Mutex<Checkpoints>,
    fetch_sessions: FetchSessions,
    odd_commits: OddCommits,
    clients: Arc<Clients>,
    /// Told when settings of this broker were changed at run time.
    changed_settings: watch::Sender<()>,
    private_turns: Semaphore,
    counters: Counters,
    cold_reads: ColdReads,
    told_configs: ToldConfigs,
    log_configs: SameSettings<LogConfig>,
    /// Woken when some coordinator's deadline has come nearer.
    timers: Arc<Notify>,
}

impl Shard {
    /// The settings in force now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(self.layers().settings())
    }

    /// Told when settings of this broker were changed at run time.
    pub(crate) fn settings_changes(&self) -> watch::Receiver<()> {
        self.changed_settings.subscribe()
    }

    /// Who set what of them.
    pub(crate) fn layers(&self) -> Arc<Layers> {
        Arc::clone(&self.layers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Told to clients (KIP-78).
    pub(crate) fn cluster_id(&self) -> &str {
        &self.data_dir.cluster_id
    }

    /// What syncs many of its logs together.
    pub(crate) fn shared_sync(&self) -> &Arc<SharedSync> {
        &self.data_dir.shared_sync
    }

    /// The wall clock as far as things may expire by it ([`Started::expiry`]).
    pub(crate) fn expiry_now(&self) -> WallMillis {
        self.started.expiry(self.clock.wall(), self.clock.monotonic())
    }

    /// The wall clock.
    pub(crate) fn wall(&self) -> WallMillis {
        self.clock.wall()
    }

    /// The fetch sessions of this broker (KIP-227).
    pub(crate) fn fetch_sessions(&self) -> &FetchSessions {
        &self.fetch_sessions
    }

    /// What is counted.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Who was seen lately.
    pub(crate) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// Takes note of commits that look like mistakes.
    pub(crate) fn tell_odd_commits(
        &self,
        group: &str,
        member: &str,
        caller: impl FnOnce() -> Caller,
        odd: &[OddCommit],
    ) {
        if !odd.is_empty() {
            self.odd_commits.tell(group, member, &caller(), odd, self.clock.monotonic());
        }
    }

    /// Waits until a request of a private API may be worked on, which lasts until what this gives is dropped.
    pub(crate) async fn private_turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed, so there is always one in the end.
        self.private_turns.acquire().await.ok()
    }

    /// The turns of reads that wait for the disk.
    pub(crate) fn cold_reads(&self) -> &ColdReads {
        &self.cold_reads
    }

    /// The settings of topics as CreateTopics tells them.
    pub(crate) fn told_configs(&self) -> &ToldConfigs {
        &self.told_configs
    }

    /// The topic with that name, if it exists.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<LiveTopic>> {
        self.topics.by_name(name)
    }

    /// Refuses a name that metrics could not tell from that of a topic.
    pub(crate) fn check_collision(&self, name: &TopicName) -> Result<(), TopicError> {
        self.topics.check_collision(name)
    }

    /// The topic with that id, if it exists.
    pub(crate) fn topic_by_id(&self, id: TopicId) -> Option<Arc<LiveTopic>> {
        self.topics.by_id(id)
    }

    /// Every topic, by name.
    pub(crate) fn topics(&self) -> Vec<Arc<LiveTopic>> {
        self.topics.all()
    }

    /// The same, and what went in and out of topics that were deleted since the start.
    pub(crate) fn topics_and_deleted(&self) -> (Vec<Arc<LiveTopic>>, Traffic) {
        self.topics.all_and_deleted()
    }

    /// The version of the topics: it rises with each change of them.
    pub(crate) fn topics_version(&self) -> i64 {
        self.topics.version()
    }

    /// The partition of a topic, if this shard leads it.
    pub(crate) fn partition(
        &self,
        live: &LiveTopic,
        index: PartitionIndex,
    ) -> Result<Arc<Partition>, ErrorCode> {
        let partition = live.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        match self.seams.router.partition(&live.topic.name, index) {
            Route::Local => {
                self.make_room_for(partition);
                Ok(Arc::clone(partition))
            }
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
}

#[cfg(test)]
mod cost_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod leftover_tests;
#[cfg(test)]
mod marker_tests;
#[cfg(test)]
mod offset_tests;
#[cfg(test)]
mod power_loss_tests;
#[cfg(test)]
mod seam_tests;
