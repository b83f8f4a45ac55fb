//! The commit stage of a plain broker: commits at once what need not be on disk first, and syncs everything in time.
//!
//! Producers that wait for a sync (`flush.messages`) share it: while a partition is synced, all that is appended to it
//! gathers for the next sync. Several partitions are synced at a time. As long as fewer than that are, a sync that somebody
//! waits for goes straight to its thread: the way through the task that plans the others would cost as much as half a sync
//! of a fast disk. Where whoever appends has offered to sync ([`Partition::let_appender_sync`]), it does so itself, and nothing
//! goes to another thread and back.
//!
//! What nobody waits for is synced in the background, so that a power loss costs at most a window
//! (`ottla.flush.background.ms`, `flush.ms`), and sooner when much of one log is unsynced. When it is due for one partition,
//! it is done for all that are nearly due, and when these are many, they share one sync of the file system.
//!
//! A log whose sync has failed is offline for good. One that is still open could only not write a small file, for
//! which the disk is too full, and is tried again.
//!
//! Locks: a partition's log before the map of dirty partitions.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ottla_log::{Flush, LogError};
use ottla_model::{Monotonic, Offset};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tracing::{error, warn};

use super::partition::{CommitStage, Needs, Partition};
use super::shared_sync::SharedSync;
use crate::clock::Clock;

/// Partitions that are synced at a time.
const SYNCS_AT_ONCE_MAX: usize = 4;

/// How long after a small file did not fit on the disk it is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Longest sleep of the loop when nothing is due; it is woken earlier.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// When one partition is due, all go along that would be within one in so many of the time that their bytes may wait:
/// otherwise thousands that became dirty one after the other would be synced one by one.
const NEARLY_DUE_SHARE: u32 = 4;

/// A partition with bytes that are not on disk.
#[derive(Debug)]
struct Dirty {
    partition: Arc<Partition>,
    /// How old unsynced bytes may get; `None` leaves them to the operating system.
    within: Option<Duration>,
    /// When that is.
    due: Option<Monotonic>,
    /// Somebody waits for a sync that has not begun.
    wanted: bool,
    /// A sync is running.
    running: bool,
}

impl Dirty {
    fn is_due(&self, now: Monotonic) -> bool {
        !self.running && !self.wanted && self.due.is_some_and(|due| due <= now)
    }

    /// What is due counts as nearly due.
    fn is_nearly_due(&self, now: Monotonic) -> bool {
        let early = self.within.unwrap_or_default() / NEARLY_DUE_SHARE;
        self.is_due(Monotonic(now.0.saturating_add(early)))
    }
}

#[derive(Debug, Default)]
struct State {
    /// By the address of the partition, which its entry keeps alive.
    dirty: HashMap<usize, Dirty>,
    /// Those that somebody waits for, oldest first.
    wanted: Vec<usize>,
    /// When the task looks at what is due, if nothing wakes it.
    looks_at: Option<Monotonic>,
    /// How a sync is begun without the task; nothing before the task runs and after it was told to stop.
    threads: Option<Threads>,
}

/// Where syncs run.
#[derive(Debug, Clone)]
struct Threads {
    flusher: Arc<Flusher>,
    shared: Arc<SharedSync>,
    runtime: Handle,
}

impl Threads {
    fn sync(&self, partitions: Vec<Arc<Partition>>, permit: OwnedSemaphorePermit) {
        let Self { flusher, shared, .. } = self.clone();
        drop(self.runtime.spawn_blocking(move || flusher.sync(&partitions, &shared, permit)));
    }
}

/// What is to be synced now.
struct Taken {
    /// Somebody waits for it.
    wanted: Vec<Arc<Partition>>,
    /// Its time has come.
    due: Vec<Arc<Partition>>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Flusher {
    clock: Arc<dyn Clock>,
    /// How old unsynced bytes may get (`ottla.flush.background.ms`).
    background: Option<Duration>,
    state: Mutex<State>,
    /// Woken when something may be due earlier than before.
    work: Notify,
    syncs: Arc<Semaphore>,
}

fn key(partition: &Arc<Partition>) -> usize {
    Arc::as_ptr(partition).addr()
}

impl CommitStage for Flusher {
    fn appended(&self, partition: &Arc<Partition>, end: Offset, sync: Needs) {
        let mut state = self.lock();
        let State { dirty, looks_at, .. } = &mut *state;
        let key = key(partition);
        let entry = dirty.entry(key).or_insert_with(|| {
            let within = self.within(sync);
            let due = self.due(within);
            // The first unsynced byte sets the time. What is synced at once has none.
            if sync != Needs::First {
                self.look_at(looks_at, due);
            }
            Dirty { partition: Arc::clone(partition), within, due, wanted: false, running: false }
        });
        if sync == Needs::First && !entry.wanted {
            entry.wanted = true;
            if !entry.running && !partition.appender_syncs() {
                self.begin_wanted(&mut state, key);
            }
        } else if sync != Needs::First {
            if sync == Needs::Soon && self.background.is_some() && !entry.running {
                let now = self.clock.monotonic();
                if entry.due.is_none_or(|due| due > now) {
                    entry.due = Some(now);
                    self.look_at(looks_at, entry.due);
                }
            }
            drop(state);
            partition.commit(end);
        }
    }

    fn sync_here(&self, partition: &Arc<Partition>) {
        let begun = {
            let mut state = self.lock();
            self.begin_here(&mut state, key(partition))
        };
        if let Some((shared, permit)) = begun {
            where_blocking_is_allowed(|| self.sync(std::slice::from_ref(partition), &shared, permit));
        }
    }
}

impl Flusher {
    /// A stage that syncs in the background every `background_ms` milliseconds; 0 or less for never.
    pub(crate) fn new(clock: Arc<dyn Clock>, background_ms: i64) -> Self {
        let background = u64::try_from(background_ms).ok().filter(|millis| *millis > 0);
        Self {
            clock,
            background: background.map(Duration::from_millis),
            state: Mutex::default(),
            work: Notify::new(),
            syncs: Arc::new(Semaphore::new(SYNCS_AT_ONCE_MAX)),
        }
    }

    /// Begins the sync that whoever appended runs itself; nothing when it is running, over, or left to the task.
    fn begin_here(&self, state: &mut State, key: usize) -> Option<(Arc<SharedSync>, OwnedSemaphorePermit)> {
        let entry = state.dirty.get_mut(&key).filter(|entry| entry.wanted && !entry.running)?;
        if let Some(threads) = &state.threads
            && let Ok(permit) = Arc::clone(&self.syncs).try_acquire_owned()
        {
            entry.running = true;
            return Some((Arc::clone(&threads.shared), permit));
        }
        if !state.wanted.contains(&key) {
            state.wanted.push(key);
        }
        self.work.notify_one();
        None
    }

    /// Begins the sync that somebody waits for, or leaves it to the task when as many run as may.
    fn begin_wanted(&self, state: &mut State, key: usize) {
        if let Some(threads) = &state.threads
            && let Some(entry) = state.dirty.get_mut(&key)
            && let Ok(permit) = Arc::clone(&self.syncs).try_acquire_owned()
        {
            entry.running = true;
            threads.sync(vec![Arc::clone(&entry.partition)], permit);
        } else {
            state.wanted.push(key);
            self.work.notify_one();
        }
    }

    fn within(&self, sync: Needs) -> Option<Duration> {
        let topic = match sync {
            Needs::First | Needs::Soon | Needs::Within(i64::MAX) => None,
            Needs::Within(millis) => Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0))),
        };
        [topic, self.background].into_iter().flatten().min()
    }

    fn due(&self, within: Option<Duration>) -> Option<Monotonic> {
        within.map(|within| Monotonic(self.clock.monotonic().0.saturating_add(within)))
    }

    /// Wakes the task if something is due sooner than it looks. With thousands of partitions, a look at each whose first
    /// byte arrives would take longer than the syncs.
    fn look_at(&self, looks_at: &mut Option<Monotonic>, due: Option<Monotonic>) {
        if let Some(due) = due
            && looks_at.is_none_or(|at| due < at)
        {
            *looks_at = Some(due);
            self.work.notify_one();
        }
    }

    /// Syncs until told to stop. What is dirty then is synced when its log is closed.
    pub(crate) async fn run(self: Arc<Self>, shared: Arc<SharedSync>, mut stop: watch::Receiver<bool>) {
        let runtime = Handle::current();
        let threads = Threads { flusher: Arc::clone(&self), shared: Arc::clone(&shared), runtime };
        self.lock().threads = Some(threads.clone());
        tokio::select! {
            () = self.plan(&threads) => {}
            _ = stop.changed() => {}
        }
        // Also lets go of the flusher, which holds itself by it.
        self.lock().threads = None;
    }

    async fn plan(&self, threads: &Threads) {
        loop {
            let now = self.clock.monotonic();
            let next = self.next_due();
            let sleep = next.map_or(SLEEP_MAX, |due| due.since(now).min(SLEEP_MAX));
            tokio::select! {
                () = self.work.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
            for round in self.rounds(&threads.shared) {
                let Ok(permit) = Arc::clone(&self.syncs).acquire_owned().await else { return };
                threads.sync(round, permit);
            }
        }
    }

    /// What is to be synced now, by rounds: many logs share one.
    fn rounds(&self, shared: &SharedSync) -> Vec<Vec<Arc<Partition>>> {
        let Taken { wanted, due } = self.take(self.clock.monotonic());
        let mut rounds = Vec::new();
        // Those that somebody waits for are not put behind thousands of others.
        for partitions in [wanted, due] {
            if shared.is_for(partitions.len()) {
                rounds.push(partitions);
            } else {
                rounds.extend(partitions.into_iter().map(|partition| vec![partition]));
            }
        }
        rounds
    }

    fn next_due(&self) -> Option<Monotonic> {
        let mut state = self.lock();
        let waiting = state.dirty.values().filter(|entry| !entry.running);
        state.looks_at = waiting.filter_map(|entry| entry.due).min();
        state.looks_at
    }

    /// What somebody waits for, and what is due or nearly so; marked as running.
    fn take(&self, now: Monotonic) -> Taken {
        let mut state = self.lock();
        let keys = std::mem::take(&mut state.wanted);
        let is_one_due = state.dirty.values().any(|entry| entry.is_due(now));
        let begin = |entry: &mut Dirty| {
            entry.running = true;
            Arc::clone(&entry.partition)
        };
        let is_taken = |entry: &&mut Dirty| is_one_due && entry.is_nearly_due(now);
        let due = state.dirty.values_mut().filter(is_taken).map(begin).collect();
        let wanted = keys.iter().filter_map(|key| state.dirty.get_mut(key).map(begin)).collect();
        Taken { wanted, due }
    }

    /// Syncs the logs of some partitions: one, or as many as are worth a sync of the file system.
    fn sync(&self, partitions: &[Arc<Partition>], shared: &SharedSync, permit: OwnedSemaphorePermit) {
        let begun = partitions.iter().filter_map(|partition| Some((partition, self.begin(partition)?)));
        let (partitions, flushes): (Vec<&Arc<Partition>>, Vec<Flush>) = begun.unzip();
        let outcomes = shared.run(&flushes);
        drop(permit);
        for ((partition, flush), outcome) in partitions.into_iter().zip(flushes).zip(outcomes) {
            self.end(partition, flush, outcome, shared);
        }
    }

    fn begin(&self, partition: &Arc<Partition>) -> Option<Flush> {
        let mut log = partition.log();
        let begun = log.begin_flush();
        // Whoever waits so far is in this sync; who comes later is in the next.
        if let Some(entry) = self.lock().dirty.get_mut(&key(partition)) {
            entry.wanted = false;
        }
        let failure = match begun {
            Ok(flush) => return Some(flush),
            Err(failure) => failure,
        };
        let is_open = log.is_open();
        drop(log);
        if is_open {
            self.try_again(partition, &failure);
        } else {
            self.failed(partition, &failure);
        }
        None
    }

    fn end(&self, partition: &Arc<Partition>, flush: Flush, outcome: io::Result<()>, shared: &SharedSync) {
        let mut log = partition.log();
        let failure = match log.end_flush(flush, outcome) {
            Ok(()) => return self.synced(partition, log.recovery_point(), log.end_offset()),
            Err(failure) => failure,
        };
        let is_open = log.is_open();
        drop(log);
        if is_open {
            self.try_again(partition, &failure);
        } else if self.failed(partition, &failure) {
            shared.distrust();
        }
    }

    /// Who waits for the sync goes on waiting.
    fn try_again(&self, partition: &Arc<Partition>, failure: &LogError) {
        warn!(partition = %partition.name(), %failure, "cannot sync a log for now; it is tried again");
        let mut state = self.lock();
        if let Some(entry) = state.dirty.get_mut(&key(partition)) {
            entry.running = false;
            entry.wanted = false;
            entry.due = self.due(Some(RETRY_AFTER));
            let due = entry.due;
            self.look_at(&mut state.looks_at, due);
        }
    }

    /// Called under the log's lock.
    fn synced(&self, partition: &Arc<Partition>, synced: Offset, end: Offset) {
        let mut state = self.lock();
        let key = key(partition);
        let Some(entry) = state.dirty.get_mut(&key) else { return };
        entry.running = false;
        if entry.wanted {
            self.begin_wanted(&mut state, key);
        } else if synced >= end {
            state.dirty.remove(&key);
        } else {
            entry.due = self.due(entry.within);
            let due = entry.due;
            self.look_at(&mut state.looks_at, due);
        }
        drop(state);
        partition.commit(synced);
    }

    /// False for a log that was deleted meanwhile: it needs no sync.
    fn failed(&self, partition: &Arc<Partition>, failure: &LogError) -> bool {
        self.lock().dirty.remove(&key(partition));
        if partition.is_offline() {
            return false;
        }
        error!(partition = %partition.name(), %failure, "a sync failed; the partition is offline until a restart");
        partition.go_offline();
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what may block. Other tasks of this worker go on elsewhere meanwhile.
fn where_blocking_is_allowed(work: impl FnOnce()) {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // There are no workers that it could hold up, or only this one.
        _ => work(),
    }
}

#[cfg(test)]
mod tests;
