//! What callers are told.

use std::sync::Arc;

use ottla_model::{ErrorCode, PartitionIndex, ProducerId, TopicName, TopicPartition};

use super::{ProducerIdAndEpoch, TransactionState, TransactionVersion};

/// A reply of the transaction coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// InitProducerId: what the producer is from now on.
    InitProducerId(Result<ProducerIdAndEpoch, ErrorCode>),
    /// InitProducerId, EndTxn: nothing was done; send the command again with a fresh producer id.
    FreshProducerIdNeeded,
    /// AddPartitionsToTxn: the same for all partitions.
    AddPartitions(Result<(), ErrorCode>),
    /// AddPartitionsToTxn with `verifyOnly`: for each partition.
    VerifyPartitions(Vec<(TopicPartition, ErrorCode)>),
    /// EndTxn: what the producer is from now on.
    End(Result<ProducerIdAndEpoch, ErrorCode>),
    /// DescribeTransactions.
    Describe(Result<Description, ErrorCode>),
    /// ListTransactions.
    List(Result<Listing, ErrorCode>),
    /// What the driver has to do. None at all means: ask again.
    Work(Result<Vec<Work>, ErrorCode>),
    /// Markers are noted.
    MarkersWritten(Result<(), ErrorCode>),
    /// A transaction that has timed out is aborted, or has ended on its own.
    AbortTimedOut(Result<(), ErrorCode>),
    /// The version is known.
    LearnVersion,
}

/// One transactional id, as DescribeTransactions shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its state.
    pub state: TransactionState,
    /// How long a transaction may be open, in milliseconds.
    pub timeout_ms: i32,
    /// When its transaction began, in milliseconds since the Unix epoch, or -1.
    pub start_timestamp_ms: i64,
    /// Its producer.
    pub producer: ProducerIdAndEpoch,
    /// Partitions of its transaction; of one that ends, those whose marker is not down.
    pub topics: Vec<(TopicName, Vec<PartitionIndex>)>,
}

/// Transactional ids, as ListTransactions shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Names in the filter of states that are no state's.
    pub unknown_states: Vec<Arc<str>>,
    /// The ids that passed the filters, in order.
    pub transactions: Vec<Listed>,
}

/// One transactional id, as ListTransactions shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// Its producer id.
    pub producer_id: ProducerId,
    /// Its state.
    pub state: TransactionState,
}

/// Something for the driver to do. Doing it twice is harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// To write markers, and tell [`MarkersWritten`](super::MarkersWritten).
    Markers(Markers),
    /// To get a fresh producer id, and send [`AbortTimedOut`](super::AbortTimedOut).
    AbortTimedOut {
        /// The transactional id.
        transactional_id: Arc<str>,
        /// The producer whose transaction has timed out.
        producer: ProducerIdAndEpoch,
    },
}

/// Markers of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    /// The transactional id.
    pub transactional_id: Arc<str>,
    /// The producer that the markers name. With version 2 its epoch is above that of the transaction's batches.
    pub producer: ProducerIdAndEpoch,
    /// Whether they commit; else they abort.
    pub committed: bool,
    /// The version by which the transaction ended, which says how the markers' epoch is checked.
    pub version: TransactionVersion,
    /// Where to write them.
    pub partitions: Vec<TopicPartition>,
}
