//! Carries the markers of ending transactions from their coordinators to the logs
//! (`TransactionMarkerChannelManager`).
//!
//! Each coordinator has a driver, which is parked there until a transaction ends. Markers are tried until they are down:
//! a partition that is offline holds up its own transactions only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ottla_control::machine::Caller;
use ottla_control::transaction::{
    AbortTimedOut, Command, Markers, MarkersWritten, ProducerIdAndEpoch, Reply, Transactions, Work,
};
use ottla_log::{Append, AppendError, EndMarker, Origin, Outcome};
use ottla_model::{ErrorCode, LeaderEpoch, Offset, TopicPartition};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::{Coordinator, Partition, Shard};
use crate::error_codes;

/// Transactions that one driver ends at once; more wait in the coordinator's outbox.
const IN_FLIGHT_MAX: usize = 1000;

/// The wait before the first new try of what failed, doubled with each.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(50);

/// The longest wait before a new try.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2);

/// One marker, for one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marker {
    /// The producer whose transaction ends.
    pub(crate) producer: ProducerIdAndEpoch,
    /// How it ends.
    pub(crate) outcome: Outcome,
    /// The leader epoch of the partition of `__transaction_state` that decided it.
    pub(crate) coordinator_epoch: LeaderEpoch,
    /// The version by which the transaction ended (`TransactionVersion::level`).
    pub(crate) transaction_version: i16,
}

/// What became of a marker.
enum Written {
    /// It is in the log, and down when that is committed up to the offset.
    Until(Arc<Partition>, Offset),
    /// There is nothing to mark any more.
    Needless,
}

type Driven = Coordinator<Transactions>;

impl Shard {
    /// Drives every transaction coordinator until told to stop, from when there are any.
    pub(crate) async fn run_markers(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while self.all_transactions().is_empty() {
            tokio::select! {
                () = self.transactions_loaded.notified() => {}
                _ = stop.changed() => return,
            }
        }
        let mut drivers = JoinSet::new();
        for coordinator in self.all_transactions() {
            drivers.spawn(drive(Arc::clone(&self), Arc::clone(coordinator)));
        }
        // What is not down when they are dropped is found again at the next start.
        let _ = stop.changed().await;
    }

    /// Appends a marker to a partition.
    ///
    /// # Errors
    /// What WriteTxnMarkers answers with.
    pub(crate) async fn write_marker(&self, at: &TopicPartition, marker: Marker) -> Result<(), AppendError> {
        match self.append_marker(at, marker)? {
            Written::Needless => Ok(()),
            Written::Until(partition, end) => {
                partition.committed(end).await.map_err(|_offline| AppendError::Closed)
            }
        }
    }

    fn append_marker(&self, at: &TopicPartition, marker: Marker) -> Result<Written, AppendError> {
        // A topic that was deleted has taken its transactions with it.
        let Some(live) = self.topic(at.topic.as_str()) else { return Ok(Written::Needless) };
        let Some(partition) = live.partition(at.partition) else { return Ok(Written::Needless) };
        let now = self.wall();
        let ProducerIdAndEpoch { producer_id, producer_epoch } = marker.producer;
        let batch = EndMarker {
            outcome: marker.outcome,
            coordinator_epoch: marker.coordinator_epoch,
            timestamp: now.0,
        }
        .to_batch(producer_id, producer_epoch);
        let append = Append {
            transaction_version: marker.transaction_version,
            ..Append::new(partition.leader_epoch(), Origin::Coordinator, now)
        };
        // Offsets become visible at the marker, so their coordinator has to know.
        let accepted = match self.coordinator_of(at) {
            Some(groups) => groups.end_transaction(producer_id, marker.outcome, batch, append)?,
            None => partition.append_as(batch, append)?,
        };
        Ok(Written::Until(Arc::clone(partition), accepted.end()))
    }
}

/// Takes work from a coordinator and has it done, for good.
async fn drive(shard: Arc<Shard>, coordinator: Arc<Driven>) {
    let mut in_flight = JoinSet::new();
    // Set while the coordinator cannot write down what is done: it hands out the same again, and must be given time.
    let in_trouble = Arc::new(AtomicBool::new(false));
    loop {
        while in_flight.len() >= IN_FLIGHT_MAX {
            in_flight.join_next().await;
        }
        while in_flight.try_join_next().is_some() {}
        if in_trouble.swap(false, Ordering::AcqRel) {
            tokio::time::sleep(RETRY_WAIT_MAX).await;
        }
        let work = match coordinator.submit(driver(), Command::TakeWork).await {
            Ok(Reply::Work(Ok(work))) => work,
            // It no longer coordinates; or it has too much to do, and is asked again.
            _ if coordinator.is_unloaded() => return,
            _ => {
                tokio::time::sleep(RETRY_WAIT_MAX).await;
                continue;
            }
        };
        for work in work {
            let (shard, coordinator) = (Arc::clone(&shard), Arc::clone(&coordinator));
            let in_trouble = Arc::clone(&in_trouble);
            in_flight.spawn(async move {
                let done = match work {
                    Work::Markers(markers) => write_markers(&shard, &coordinator, markers).await,
                    Work::AbortTimedOut { transactional_id, producer } => {
                        abort_timed_out(&shard, &coordinator, transactional_id, producer).await
                    }
                };
                if let Err(error) = done {
                    warn!(partition = %coordinator.partition().name(), %error, "the end of a transaction is tried again");
                    in_trouble.store(true, Ordering::Release);
                }
            });
        }
    }
}

/// Writes the markers of one transaction, until each is down or needless, and tells the coordinator.
async fn write_markers(shard: &Shard, coordinator: &Arc<Driven>, markers: Markers) -> Result<(), ErrorCode> {
    let Markers { transactional_id, producer, committed, version, mut partitions } = markers;
    let marker = Marker {
        producer,
        outcome: if committed { Outcome::Commit } else { Outcome::Abort },
        coordinator_epoch: coordinator.partition().leader_epoch(),
        transaction_version: version.level(),
    };
    let mut wait = RETRY_WAIT_MIN;
    while !partitions.is_empty() {
        let (written, left) = try_all(shard, partitions, marker).await;
        partitions = left;
        if !written.is_empty() {
            let transactional_id = Arc::clone(&transactional_id);
            let written = MarkersWritten { transactional_id, producer, partitions: written };
            match coordinator.submit(driver(), Command::MarkersWritten(written)).await {
                Ok(Reply::MarkersWritten(result)) => result?,
                _ => return Err(ErrorCode::NotCoordinator),
            }
        }
        if !partitions.is_empty() {
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(RETRY_WAIT_MAX);
        }
    }
    Ok(())
}

/// Tries every partition once. Gives those that are done, and those that are not.
async fn try_all(
    shard: &Shard,
    partitions: Vec<TopicPartition>,
    marker: Marker,
) -> (Vec<TopicPartition>, Vec<TopicPartition>) {
    let (mut done, mut left, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    for at in partitions {
        match shard.append_marker(&at, marker) {
            Ok(Written::Needless) => done.push(at),
            Ok(Written::Until(partition, end)) => waits.push((at, partition, end)),
            Err(error) if is_overtaken(&error) => {
                debug!(partition = %at, %error, "a marker has nothing to end");
                done.push(at);
            }
            Err(error) => {
                debug!(partition = %at, %error, "a marker is tried again");
                left.push(at);
            }
        }
    }
    for (at, partition, end) in waits {
        match partition.committed(end).await {
            Ok(()) => done.push(at),
            Err(_offline) => left.push(at),
        }
    }
    (done, left)
}

/// A later incarnation of the producer, or a later coordinator, has written to the partition: whatever is open there is
/// not the transaction that ends.
fn is_overtaken(error: &AppendError) -> bool {
    matches!(
        error_codes::of_append(error),
        ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced
    )
}

async fn abort_timed_out(
    shard: &Shard,
    coordinator: &Arc<Driven>,
    transactional_id: Arc<str>,
    producer: ProducerIdAndEpoch,
) -> Result<(), ErrorCode> {
    let fresh_producer_id = shard.next_producer_id().await?;
    let abort = AbortTimedOut { transactional_id, producer, fresh_producer_id };
    match coordinator.submit(driver(), Command::AbortTimedOut(abort)).await {
        Ok(Reply::AbortTimedOut(result)) => result,
        _ => Err(ErrorCode::NotCoordinator),
    }
}

/// The caller of what drivers ask.
fn driver() -> Caller {
    Caller { client_id: None, client_host: "/".into() }
}
