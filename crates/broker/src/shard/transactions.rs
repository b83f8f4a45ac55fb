//! The transaction coordinators: one state machine a partition of `__transaction_state`.

use std::sync::Arc;

use ottla_control::transaction::{TransactionConfig, Transactions, partition_for};
use ottla_model::{ErrorCode, PartitionIndex, TRANSACTION_STATE, TopicName};

use super::coordinator::Coordinator;
use super::router::Route;
use super::{LiveTopic, Shard};
use crate::error::OpenError;

impl Shard {
    /// The coordinator of a transactional id. Like Kafka, a broker coordinates nothing until `__transaction_state`
    /// exists, which FindCoordinator sees to.
    pub(crate) fn transaction(
        &self,
        transactional_id: &str,
    ) -> Result<&Arc<Coordinator<Transactions>>, ErrorCode> {
        let coordinators = self.transactions.get().ok_or(ErrorCode::NotCoordinator)?;
        match self.seams.router.transaction(transactional_id) {
            Route::Local => {}
            Route::Remote(_) => return Err(ErrorCode::NotCoordinator),
        }
        let count = PartitionIndex::try_from(coordinators.len()).unwrap_or(PartitionIndex::MAX);
        let index = usize::try_from(partition_for(transactional_id, count)).unwrap_or(usize::MAX);
        coordinators.get(index).ok_or(ErrorCode::NotCoordinator)
    }

    /// Every coordinator, for questions about all transactions.
    pub(crate) fn all_transactions(&self) -> &[Arc<Coordinator<Transactions>>] {
        self.transactions.get().map_or(&[], Vec::as_slice)
    }

    /// Sees to it that transactions can be coordinated.
    pub(crate) async fn ensure_transactions(&self) -> Result<(), ErrorCode> {
        if self.transactions.get().is_some() {
            return Ok(());
        }
        let name = TopicName::new(TRANSACTION_STATE).map_err(|_| ErrorCode::UnknownServerError)?;
        self.create_if_missing(&name).await?;
        self.load_transactions().map_err(|_| ErrorCode::CoordinatorNotAvailable)
    }

    /// Replays `__transaction_state`, if it exists.
    pub(super) fn load_transactions(&self) -> Result<(), OpenError> {
        let Some(live) = self.topic(TRANSACTION_STATE) else { return Ok(()) };
        let coordinators = self.open_transactions(&live)?;
        // Two callers may come here at once; both made the same coordinators over the same logs, and the first wins
        // before any command has reached the second.
        let _ = self.transactions.set(coordinators);
        self.transactions_loaded.notify_one();
        self.timers.notify_one();
        Ok(())
    }

    fn open_transactions(&self, live: &LiveTopic) -> Result<Vec<Arc<Coordinator<Transactions>>>, OpenError> {
        let mut coordinators = Vec::with_capacity(live.partitions.len());
        for partition in &live.partitions {
            let timers = Arc::clone(&self.timers);
            let opened = Coordinator::open(
                Transactions::new(self.transaction_config()),
                Arc::clone(partition),
                Arc::clone(&self.clock),
                Box::new(move || timers.notify_one()),
            );
            let wrong = |reason| OpenError::Log { partition: partition.name(), reason };
            coordinators.push(Arc::new(opened.map_err(wrong)?));
        }
        Ok(coordinators)
    }

    fn transaction_config(&self) -> TransactionConfig {
        let settings = self.settings();
        TransactionConfig {
            max_timeout_ms: settings.transaction_max_timeout_ms,
            transactional_id_expiration_ms: settings.transactional_id_expiration_ms,
            version: self.features().transaction_version(),
            ..TransactionConfig::default()
        }
    }
}
