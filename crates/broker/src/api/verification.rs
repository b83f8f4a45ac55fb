//! Asks a transaction's coordinator whether partitions belong to it, or to add them (KIP-890,
//! `AddPartitionsToTxnManager`).
//!
//! What begins a transaction in a partition needs a guard of the log, and the coordinator's word. The guard is fetched
//! first: a marker that is written in between takes it away.

use std::sync::Arc;
use std::time::Duration;

use ottla_control::machine::Caller;
use ottla_control::transaction::{
    AddPartitions, Command, ProducerIdAndEpoch, Reply, TransactionVersion, Transactions, VerifyPartitions,
};
use ottla_model::{ErrorCode, TopicPartition};
use tokio::time::Instant;

use super::call::Call;
use crate::shard::Coordinator;

/// How long a transaction that is just ending is waited for (`add.partitions.to.txn.retry.backoff.max.ms`).
const CONCURRENT_PATIENCE: Duration = Duration::from_millis(100);
/// The wait between two looks at it (`add.partitions.to.txn.retry.backoff.ms`).
const CONCURRENT_WAIT: Duration = Duration::from_millis(20);

/// What a client's version allows (`TransactionSupportedOperation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// Its partitions are verified.
    Verify {
        /// The client knows TRANSACTION_ABORTABLE.
        knows_abortable: bool,
    },
    /// What it writes to is added to its transaction (transaction version 2).
    Add,
}

impl Operation {
    /// True when the client's epoch rises with each transaction.
    pub(super) fn bumps_epochs(self) -> bool {
        self == Self::Add
    }
}

/// A question to a coordinator that has to be answered before anything is appended.
pub(super) struct Question {
    coordinator: Result<Arc<Coordinator<Transactions>>, ErrorCode>,
    caller: Caller,
    operation: Operation,
    command: Command,
    partitions: usize,
}

impl Question {
    /// The question about these partitions, or none when nothing is to be asked.
    pub(super) fn new(
        call: &Call,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        partitions: Vec<TopicPartition>,
        operation: Operation,
    ) -> Option<Self> {
        let is_needed =
            operation == Operation::Add || call.shard.settings().transaction_partition_verification_enable;
        if partitions.is_empty() || !is_needed {
            return None;
        }
        let coordinator = call.shard.transaction(transactional_id).map(Arc::clone);
        let transactional_id = Arc::from(transactional_id);
        let asked = partitions.len();
        let command = match operation {
            Operation::Add => {
                let client_version = TransactionVersion::V2;
                Command::AddPartitions(AddPartitions {
                    transactional_id,
                    producer,
                    partitions,
                    client_version,
                })
            }
            Operation::Verify { .. } => {
                Command::VerifyPartitions(VerifyPartitions { transactional_id, producer, partitions })
            }
        };
        Some(Self { coordinator, caller: call.caller(), operation, command, partitions: asked })
    }

    /// Asks, and asks again for a while when the transaction before is just ending. Gives a verdict for each partition,
    /// in the codes that writers know.
    pub(super) async fn verdicts(self) -> Vec<ErrorCode> {
        let deadline = Instant::now() + CONCURRENT_PATIENCE;
        loop {
            let verdicts = self.ask().await;
            let is_ending =
                self.operation == Operation::Add && verdicts.contains(&ErrorCode::ConcurrentTransactions);
            if !is_ending || Instant::now() >= deadline {
                return verdicts.into_iter().map(|verdict| told(verdict, self.operation)).collect();
            }
            tokio::time::sleep(CONCURRENT_WAIT).await;
        }
    }

    async fn ask(&self) -> Vec<ErrorCode> {
        let reply = match &self.coordinator {
            Ok(coordinator) => coordinator
                .submit(self.caller.clone(), self.command.clone())
                .await
                .map_err(|_| ErrorCode::NotCoordinator),
            Err(_) => Err(ErrorCode::CoordinatorNotAvailable),
        };
        let for_all = match reply {
            Ok(Reply::VerifyPartitions(verdicts)) => {
                return verdicts.into_iter().map(|(_, verdict)| verdict).collect();
            }
            Ok(Reply::AddPartitions(added)) => added.err().unwrap_or_default(),
            Ok(_) => ErrorCode::UnknownServerError,
            Err(error) => error,
        };
        vec![for_all; self.partitions]
    }
}

/// What a writer is told instead of the coordinator's word.
fn told(error: ErrorCode, operation: Operation) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::TransactionAbortable if operation == (Operation::Verify { knows_abortable: false }) => {
            ErrorCode::InvalidTxnState
        }
        other => other,
    }
}
