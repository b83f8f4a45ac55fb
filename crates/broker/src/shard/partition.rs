//! One partition: its log, its high watermark, and who waits for either.
//!
//! The log end and the high watermark are two numbers. An append moves the end; the commit stage moves the high
//! watermark when what was appended counts as committed. Readers, `acks=all` and the coordinators' replies go by
//! the high watermark only, so that a stage which syncs or copies first needs no change above it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ottla_log::{Append, AppendError, Appended, Log, Origin, Read, ReadError, ReadLimit};
use ottla_model::{LeaderEpoch, Offset, PartitionIndex, TopicName, WallMillis};
use tokio::sync::Notify;

/// When an append counts as committed.
pub(crate) trait CommitStage: Send + Sync + std::fmt::Debug {
    /// Takes note that `partition` was appended up to `end`; calls [`Partition::commit`] now or later.
    fn appended(&self, partition: &Partition, end: Offset);
}

/// Commits inside the append: what was written survives the process, which is all that Kafka promises by default.
#[derive(Debug)]
pub(crate) struct ImmediateCommit;

impl CommitStage for ImmediateCommit {
    fn appended(&self, partition: &Partition, end: Offset) {
        partition.commit(end);
    }
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
    stage: Arc<dyn CommitStage>,
    /// Woken when the high watermark moves or the partition goes away; each asks again then.
    waiters: Mutex<Vec<Arc<Notify>>>,
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
        let waiters = Mutex::new(Vec::new());
        Self { topic, index, leader_epoch, log: Mutex::new(log), high_watermark, stage, waiters }
    }

    /// The name of its directory: `TOPIC-NUMBER`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.topic, self.index)
    }

    /// The log, for what has no method here. A panic under this lock is a bug of one request; the log itself changes
    /// its numbers last, so the next request may go on with it.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The epoch that this broker leads the partition in.
    pub(crate) fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// Records below this are committed.
    pub(crate) fn high_watermark(&self) -> Offset {
        self.high_watermark.load(Ordering::Acquire)
    }

    /// Appends one batch. On return it is in the log; it is committed once [`Self::high_watermark`] has reached
    /// `next_offset`.
    pub(crate) fn append(
        &self,
        records: Bytes,
        origin: Origin,
        now: WallMillis,
    ) -> Result<Appended, AppendError> {
        let appended = {
            let mut log = self.log();
            log.append(records, Append { leader_epoch: self.leader_epoch, origin, now })?
        };
        if !appended.duplicate {
            self.stage.appended(self, appended.next_offset);
        }
        Ok(appended)
    }

    /// Moves the high watermark up to `end` and wakes who waited for it.
    pub(crate) fn commit(&self, end: Offset) {
        if self.high_watermark.fetch_max(end, Ordering::AcqRel) < end {
            self.wake();
        }
    }

    /// Reads whole batches from `from` on, below the high watermark.
    pub(crate) fn read(&self, from: Offset, max_bytes: usize, at_least_one: bool) -> Result<Read, ReadError> {
        let upper = self.high_watermark();
        self.log().read(from, ReadLimit { max_bytes, at_least_one, upper })
    }

    /// Wakes everybody who waits; each asks again.
    pub(crate) fn wake(&self) {
        let woken = std::mem::take(&mut *self.waiting());
        for waiter in woken {
            waiter.notify_one();
        }
    }

    /// Has `waiter` notified at the next change. To miss none, register first and look then.
    pub(crate) fn register(&self, waiter: &Arc<Notify>) {
        let mut waiters = self.waiting();
        if !waiters.iter().any(|known| Arc::ptr_eq(known, waiter)) {
            waiters.push(Arc::clone(waiter));
        }
    }

    /// Takes a registration back.
    pub(crate) fn unregister(&self, waiter: &Arc<Notify>) {
        self.waiting().retain(|known| !Arc::ptr_eq(known, waiter));
    }

    /// Waits until everything below `end` is committed.
    pub(crate) async fn committed(&self, end: Offset) {
        if self.high_watermark() >= end {
            return;
        }
        let waiter = Arc::new(Notify::new());
        loop {
            self.register(&waiter);
            if self.high_watermark() >= end {
                self.unregister(&waiter);
                return;
            }
            waiter.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Arc<Notify>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
