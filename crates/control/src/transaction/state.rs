//! States of a transactional id, and versions of the protocol between client and coordinator.

/// Where a transactional id is (`TransactionState`). Kafka's Dead and PrepareEpochFence are never in a record, and
/// never here: an id that expires is gone with its tombstone, and fencing is one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionState {
    /// It has a producer id and no transaction.
    Empty,
    /// Its transaction has begun.
    Ongoing,
    /// Its transaction is committed, and markers are being written.
    PrepareCommit,
    /// Its transaction is aborted, and markers are being written.
    PrepareAbort,
    /// Every marker of the committed transaction is written.
    CompleteCommit,
    /// Every marker of the aborted transaction is written.
    CompleteAbort,
}

/// Names that Kafka knows in filters, beside those of [`TransactionState`].
const OTHER_NAMES: [&str; 2] = ["Dead", "PrepareEpochFence"];

impl TransactionState {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 6] = [
        Self::Empty,
        Self::Ongoing,
        Self::PrepareCommit,
        Self::PrepareAbort,
        Self::CompleteCommit,
        Self::CompleteAbort,
    ];

    /// Its number in records.
    #[must_use]
    pub fn id(self) -> i8 {
        match self {
            Self::Empty => 0,
            Self::Ongoing => 1,
            Self::PrepareCommit => 2,
            Self::PrepareAbort => 3,
            Self::CompleteCommit => 4,
            Self::CompleteAbort => 5,
        }
    }

    /// The state of that number, if it can be in a record.
    #[must_use]
    pub fn from_id(id: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.id() == id)
    }

    /// Its name in Kafka's protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
        }
    }

    /// True for names that a filter of ListTransactions may hold (`TransactionState.fromName`).
    #[must_use]
    pub fn is_known_name(name: &str) -> bool {
        OTHER_NAMES.contains(&name) || Self::ALL.into_iter().any(|state| state.name() == name)
    }

    /// True while markers are being written.
    #[must_use]
    pub fn is_prepared(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }

    /// True without an open transaction: the id may expire (`isExpirationAllowed`).
    #[must_use]
    pub fn is_idle(self) -> bool {
        matches!(self, Self::Empty | Self::CompleteCommit | Self::CompleteAbort)
    }
}

/// The feature `transaction.version`, of a cluster and of what a client speaks (KIP-890).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionVersion {
    /// Partitions are added by AddPartitionsToTxn, and one epoch serves many transactions.
    V0,
    /// The same; records are flexible.
    V1,
    /// The epoch rises with every transaction, and partitions are added by the first write to them.
    V2,
}

impl TransactionVersion {
    /// The newest level, which a new cluster has.
    pub const FINALIZED: Self = Self::V2;

    /// The feature's level.
    #[must_use]
    pub const fn level(self) -> i16 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version of that level; what a later release has written counts as the newest that is known.
    #[must_use]
    pub fn from_level(level: i16) -> Self {
        match level {
            i16::MIN..=0 => Self::V0,
            1 => Self::V1,
            2.. => Self::V2,
        }
    }

    /// True when the epoch rises with every transaction.
    #[must_use]
    pub fn bumps_epoch(self) -> bool {
        self >= Self::V2
    }
}
