//! Transactions of producers in a coordinator's log: records that wait for their end, and the end
//! (`CoordinatorRuntime.scheduleTransactionalWriteOperation` and `scheduleTransactionCompletion`).

use std::sync::Arc;

use bytes::Bytes;
use ottla_control::machine::{Caller, Machine};
use ottla_log::{Append, AppendError, BatchBuilder, Guard, Outcome};
use ottla_model::{ProducerEpoch, ProducerId};
use tokio::sync::oneshot;

use super::{Accepted, Coordinator};

/// The sequence number of every batch that a coordinator writes for a producer, as Kafka's does; nobody checks it.
const SEQUENCE: i32 = 0;

/// Whose transaction a command is part of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InTransaction {
    /// The producer.
    pub(crate) producer_id: ProducerId,
    /// Its epoch.
    pub(crate) producer_epoch: ProducerEpoch,
    /// What the log gave for its first batch in this partition; nothing when that is there.
    pub(crate) guard: Option<Guard>,
}

impl InTransaction {
    /// A batch for the command's records.
    pub(super) fn batch(&self) -> BatchBuilder {
        BatchBuilder::new().producer(self.producer_id, self.producer_epoch, SEQUENCE).transactional()
    }
}

impl<M> Coordinator<M>
where
    M: Machine<Command: Send, Reply: Send, Undo: Send> + Send + 'static,
{
    /// Hands a command to the machine whose records are part of a transaction. They are a batch of their own; when the log
    /// refuses it, the reply is made of the log's error.
    pub(crate) fn submit_in(
        self: &Arc<Self>,
        transaction: InTransaction,
        caller: Caller,
        command: M::Command,
    ) -> oneshot::Receiver<M::Reply> {
        self.enqueue(caller, command, Some(transaction))
    }

    /// Appends the marker that ends a transaction, and has the machine know of it. Replies that depend on it wait until
    /// it is committed.
    pub(crate) fn end_transaction(
        self: &Arc<Self>,
        producer: ProducerId,
        outcome: Outcome,
        marker: Bytes,
        append: Append,
    ) -> Result<Accepted, AppendError> {
        let mut state = self.lock();
        // The machine's lock is held, so that nobody asks between the two.
        let accepted = self.partition.append_as(marker, append)?;
        let mut held = None;
        if !self.is_unloaded() {
            state.machine.end_transaction(producer, outcome == Outcome::Commit);
            if self.partition.high_watermark() < accepted.end() {
                state.held.push_back((accepted.end(), Vec::new()));
                held = Some(accepted.end());
            }
            self.note_deadline(&state);
        }
        drop(state);
        self.release_when_committed(held);
        self.work_off();
        Ok(accepted)
    }
}
