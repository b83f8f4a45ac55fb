//! What callers ask of transactions: the fields of Kafka's requests, without their versions.

use std::sync::Arc;

use ottla_model::{ProducerEpoch, ProducerId, TopicPartition};

use super::TransactionVersion;

/// A producer and its incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerIdAndEpoch {
    /// The id.
    pub producer_id: ProducerId,
    /// The epoch of it.
    pub producer_epoch: ProducerEpoch,
}

/// A command to the transaction coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// InitProducerId with a transactional id.
    InitProducerId(InitProducerId),
    /// AddPartitionsToTxn of one transaction, AddOffsetsToTxn (the group's partition of `__consumer_offsets`), or
    /// the first write to a partition by a client of version 2.
    AddPartitions(AddPartitions),
    /// The same with `verifyOnly`: asks whether partitions belong to the open transaction.
    VerifyPartitions(VerifyPartitions),
    /// EndTxn.
    End(End),
    /// One id of a DescribeTransactions.
    Describe {
        /// The transactional id.
        transactional_id: Arc<str>,
    },
    /// ListTransactions, for the ids of this partition.
    List(List),
    /// From the driver: asks for markers to write. It is parked while there are none.
    TakeWork,
    /// From the driver: markers are down.
    MarkersWritten(MarkersWritten),
    /// From the driver: a transaction has timed out whose epochs are used up, and here is what it takes to abort it.
    AbortTimedOut(AbortTimedOut),
    /// The level of the feature `transaction.version` has changed.
    LearnVersion(TransactionVersion),
}

/// InitProducerId.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitProducerId {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// How long its transactions may be open, in milliseconds.
    pub timeout_ms: i32,
    /// Whether transactions are to stay open for a coordinator outside (KIP-939), which no operator can allow here.
    pub enable_two_phase_commit: bool,
    /// Whether a prepared transaction is to be kept (KIP-939).
    pub keep_prepared_transaction: bool,
    /// What the producer was before, when it goes on (KIP-360).
    pub expected: Option<ProducerIdAndEpoch>,
    /// A producer id that nobody ever had. Callers leave it out at first and bring it when they are told
    /// [`FreshProducerIdNeeded`](super::Reply::FreshProducerIdNeeded), so that none is used up in vain.
    pub fresh_producer_id: Option<ProducerId>,
}

/// AddPartitionsToTxn of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitions {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// The producer of the request.
    pub producer: ProducerIdAndEpoch,
    /// The partitions.
    pub partitions: Vec<TopicPartition>,
    /// What the client speaks.
    pub client_version: TransactionVersion,
}

/// AddPartitionsToTxn of one transaction, with `verifyOnly`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyPartitions {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// The producer of the request.
    pub producer: ProducerIdAndEpoch,
    /// The partitions.
    pub partitions: Vec<TopicPartition>,
}

/// EndTxn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// The producer of the request.
    pub producer: ProducerIdAndEpoch,
    /// Whether to commit; else abort.
    pub committed: bool,
    /// What the client speaks: version 2 from version 5 of the request on.
    pub client_version: TransactionVersion,
    /// As in [`InitProducerId`].
    pub fresh_producer_id: Option<ProducerId>,
}

/// ListTransactions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// Names of states; none means all.
    pub states: Vec<Arc<str>>,
    /// Producer ids; none means all.
    pub producer_ids: Vec<ProducerId>,
    /// Only transactions that began longer ago than that, in milliseconds; below 0 for all.
    pub duration_ms: Option<i64>,
}

/// Markers that are down, or whose partitions are no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkersWritten {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// The producer that the markers name.
    pub producer: ProducerIdAndEpoch,
    /// The partitions that they are in.
    pub partitions: Vec<TopicPartition>,
}

/// What it takes to abort a transaction that has timed out at the last epoch of its producer id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbortTimedOut {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// The producer whose transaction has timed out.
    pub producer: ProducerIdAndEpoch,
    /// A producer id that nobody ever had.
    pub fresh_producer_id: ProducerId,
}
