//! One partition: its log, its high watermark, and who waits for either.
//!
//! The log end and the high watermark are two numbers. An append moves the end; the commit stage moves the high
//! watermark when what was appended counts as committed. Readers, `acks=all` and the coordinators' replies go by
//! the high watermark only, so that a stage which syncs or copies first needs no change above it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ottla_log::{Append, AppendError, Appended, Isolation, Log, Read, ReadError, UnreadLook};
use ottla_model::{LeaderEpoch, Monotonic, Offset, PartitionIndex, TopicName};
use tokio::sync::Notify;

use crate::metrics::{PartitionCounters, count};

/// When an append counts as committed.
pub(crate) trait CommitStage: Send + Sync + std::fmt::Debug {
    /// Takes note that `partition` was appended up to `end`; calls [`Partition::commit`] now or later. Called under the
    /// log's lock, so that calls come in the order of the offsets; it must not take that lock itself.
    fn appended(&self, partition: &Arc<Partition>, end: Offset, sync: Needs);

    /// Does now, on this thread, what the commit of a partition waits for whose appender offered that
    /// ([`Partition::let_appender_sync`]). Called without locks, after [`Self::appended`]. The commit may still come later.
    fn sync_here(&self, _partition: &Arc<Partition>) {}
}

/// When an append has to be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Before it is acknowledged or read.
    First,
    /// Within so many milliseconds (`flush.ms`).
    Within(i64),
    /// As soon as possible, though nobody waits for it: so much is unsynced that its sync, and those of other logs behind
    /// it, would take long.
    Soon,
}

/// Unsynced bytes of a log that are synced in the background without waiting for the time. At 200 MB/s that is a third of a
/// second, which is how long the sync of another log may have to wait.
const UNSYNCED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What an append led to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    /// What the log did.
    pub(crate) appended: Appended,
    /// When it has to be on disk. With [`Needs::First`] every producer waits, whatever its acks.
    pub(crate) sync: Needs,
}

impl Accepted {
    /// The high watermark that the records need.
    pub(crate) fn end(&self) -> Offset {
        self.appended.last_offset.saturating_add(1)
    }
}

/// The log takes no more, and what waits for its commit will not get it: its disk failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offline;

/// Where a partition begins and ends for readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The first offset that can be read.
    pub(crate) start: Offset,
    /// Where a reader of everything comes to the end.
    pub(crate) high_watermark: Offset,
    /// Where a reader of committed records does.
    pub(crate) last_stable: Offset,
}

/// What readers have not seen, by the same bounds.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The bounds.
    pub(crate) bounds: Bounds,
    /// For a reader of everything.
    pub(crate) uncommitted: UnreadLook,
    /// For a reader of committed records.
    pub(crate) committed: UnreadLook,
}

/// One partition of a topic.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Its topic's name.
    pub(crate) topic: TopicName,
    /// Its number.
    pub(crate) index: PartitionIndex,
    leader_epoch: LeaderEpoch,
    log: Mutex<Log>,
    high_watermark: AtomicI64,
    /// Set for good when a sync failed or the log was deleted.
    offline: AtomicBool,
    stage: Arc<dyn CommitStage>,
    /// Whoever appends calls [`Self::sync_here`] afterwards.
    appender_syncs: AtomicBool,
    /// Read or appended to since housekeeping looked last.
    touched: AtomicBool,
    /// When housekeeping saw that; nothing while the log is cold.
    warmth: Mutex<Option<Monotonic>>,
    counters: PartitionCounters,
    /// Woken when the high watermark moves or the partition goes away; each asks again then.
    waiters: Mutex<HashMap<usize, Arc<Notify>>>,
}

impl Partition {
    /// A partition over its opened log. All that the log holds at start is committed.
    pub(crate) fn new(
        topic: TopicName,
        index: PartitionIndex,
        leader_epoch: LeaderEpoch,
        log: Log,
        stage: Arc<dyn CommitStage>,
    ) -> Self {
        let high_watermark = AtomicI64::new(log.end_offset());
        let waiters = Mutex::default();
        let (log, offline) = (Mutex::new(log), AtomicBool::new(false));
        let (touched, warmth) = (AtomicBool::new(false), Mutex::default());
        let counters = PartitionCounters::default();
        let appender_syncs = AtomicBool::new(false);
        Self {
            topic,
            index,
            leader_epoch,
            log,
            high_watermark,
            offline,
            stage,
            appender_syncs,
            touched,
            warmth,
            counters,
            waiters,
        }
    }

    /// The name of its directory: `TOPIC-NUMBER`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.topic, self.index)
    }

    /// True when the log was touched since it was last cooled, and so may hold descriptors.
    pub(crate) fn is_warm(&self) -> bool {
        self.touched.load(Ordering::Acquire)
            || self.warmth.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Has the log give back its descriptors and maps if nobody has read or appended for `idle`. The next one opens them
    /// again.
    pub(crate) fn cool_if_idle(&self, now: Monotonic, idle: Duration) {
        let touched = self.touched.swap(false, Ordering::AcqRel);
        let mut state = self.warmth.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            _ if touched => *state = Some(now),
            Some(since) if now.since(*since) >= idle => {
                // What is not on disk yet stays open, and is looked at again.
                let mut log = self.log();
                log.cool();
                if log.is_cold() {
                    *state = None;
                }
            }
            _ => {}
        }
    }

    /// The log, for what has no method here. A panic under this lock is a bug of one request; the log itself changes
    /// its numbers last, so the next request may go on with it.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it counts.
    pub(crate) fn counters(&self) -> &PartitionCounters {
        &self.counters
    }

    /// The epoch that this broker leads the partition in.
    pub(crate) fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// Records below this are committed.
    pub(crate) fn high_watermark(&self) -> Offset {
        self.high_watermark.load(Ordering::Acquire)
    }

    /// Appends one batch outside of transactions.
    #[cfg(test)]
    pub(crate) fn append(
        self: &Arc<Self>,
        records: Bytes,
        origin: ottla_log::Origin,
        now: ottla_model::WallMillis,
    ) -> Result<Accepted, AppendError> {
        self.append_as(records, Append::new(self.leader_epoch, origin, now))
    }

    /// Appends one batch. On return it is in the log; it is committed once [`Self::high_watermark`] has reached its end.
    pub(crate) fn append_as(
        self: &Arc<Self>,
        records: Bytes,
        append: Append,
    ) -> Result<Accepted, AppendError> {
        self.touch();
        let bytes = records.len() as u64;
        let mut log = self.log();
        let appended = log.append(records, append)?;
        let unsynced = appended.last_offset.saturating_add(1).saturating_sub(log.recovery_point());
        let first = unsynced > 0 && unsynced >= log.config().flush_messages;
        let sync = match log.newest_unsynced_bytes() {
            _ if first => Needs::First,
            0..UNSYNCED_BYTES_MAX => Needs::Within(log.config().flush_ms),
            _ => Needs::Soon,
        };
        // A duplicate repeats a promise, so it waits as the first time; it leaves nothing else to do.
        if !appended.duplicate {
            let records = appended.last_offset.saturating_sub(appended.base_offset).saturating_add(1);
            count(&self.counters.records_in, u64::try_from(records).unwrap_or(0));
            count(&self.counters.bytes_in, bytes);
        }
        if first || !appended.duplicate {
            self.stage.appended(self, appended.next_offset, sync);
        }
        Ok(Accepted { appended, sync })
    }

    /// Moves the high watermark up to `end` and wakes who waited for it.
    pub(crate) fn commit(&self, end: Offset) {
        if self.high_watermark.fetch_max(end, Ordering::AcqRel) < end {
            self.wake();
        }
    }

    /// Has those who append to it sync it themselves: each promises to call [`Self::sync_here`]. What is appended by one at a
    /// time, and waited for, gets its answer without a way to another thread and back.
    pub(super) fn let_appender_sync(&self) {
        self.appender_syncs.store(true, Ordering::Release);
    }

    /// True when whoever appends syncs.
    pub(super) fn appender_syncs(&self) -> bool {
        self.appender_syncs.load(Ordering::Acquire)
    }

    /// Syncs what the commit of an append waits for, on this thread, unless another does that already. May block.
    pub(super) fn sync_here(self: &Arc<Self>) {
        self.stage.sync_here(self);
    }

    /// Counts what a reader is given.
    pub(super) fn count_out(&self, read: &Read) {
        count(&self.counters.bytes_out, read.bytes.len() as u64);
    }

    /// Where the log begins, and where readers come to its end.
    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds_of(&self.log())
    }

    fn bounds_of(&self, log: &Log) -> Bounds {
        let high_watermark = self.high_watermark();
        let last_stable = log.last_stable_offset(high_watermark);
        Bounds { start: log.start_offset(), high_watermark, last_stable }
    }

    /// What readers of either kind have not seen who come to `from`, under one hold of the log's lock.
    pub(crate) fn unread(&self, from: Offset) -> Result<Looked, ReadError> {
        let mut log = self.log();
        let bounds = self.bounds_of(&log);
        if from < bounds.high_watermark {
            self.touch();
        }
        let uncommitted = log.unread(from, bounds.high_watermark, Isolation::ReadUncommitted)?;
        let committed = log.unread(from, bounds.last_stable, Isolation::ReadCommitted)?;
        Ok(Looked { bounds, uncommitted, committed })
    }

    /// Takes note that the log is used.
    pub(super) fn touch(&self) {
        self.touched.store(true, Ordering::Release);
    }

    /// Wakes everybody who waits; each asks again.
    pub(crate) fn wake(&self) {
        let woken = std::mem::take(&mut *self.waiting());
        woken.values().for_each(|waiter| waiter.notify_one());
    }

    /// Has `waiter` notified at the next change. To miss none, register first and look then.
    pub(crate) fn register(&self, waiter: &Arc<Notify>) {
        self.waiting().insert(Arc::as_ptr(waiter).addr(), Arc::clone(waiter));
    }

    /// Takes a registration back.
    pub(crate) fn unregister(&self, waiter: &Arc<Notify>) {
        self.waiting().remove(&Arc::as_ptr(waiter).addr());
    }

    /// Waits until everything below `end` is committed.
    ///
    /// # Errors
    /// [`Offline`] when that will never be.
    pub(crate) async fn committed(&self, end: Offset) -> Result<(), Offline> {
        if self.high_watermark() >= end {
            return Ok(());
        }
        let registered = Registered { partition: self, waiter: Arc::new(Notify::new()) };
        loop {
            self.register(&registered.waiter);
            if self.high_watermark() >= end {
                return Ok(());
            }
            if self.is_offline() {
                return Err(Offline);
            }
            registered.waiter.notified().await;
        }
    }

    /// True when nothing more will be committed.
    pub(crate) fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire)
    }

    /// Tells everybody who waits that it was in vain.
    pub(crate) fn go_offline(&self) {
        self.offline.store(true, Ordering::Release);
        self.wake();
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<usize, Arc<Notify>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registration that is taken back when its wait ends, however it ends.
struct Registered<'a> {
    partition: &'a Partition,
    waiter: Arc<Notify>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.partition.unregister(&self.waiter);
    }
}
