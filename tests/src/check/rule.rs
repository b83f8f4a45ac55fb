//! The rules by name and number.

use std::fmt;

/// A rule. The numbers are those of the project's list of invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// What was acknowledged is read back at its offset.
    AckedDurability,
    /// An offset holds one value, whoever asks.
    OneValue,
    /// Offsets have no gaps.
    Dense,
    /// An offset that was read never holds another value later.
    NoReuse,
    /// A producer's records lie in the order in which they were sent.
    ProducerOrder,
    /// An idempotent producer's batch is there once, and sending it again gives its offset.
    NoDuplicates,
    /// Sequence numbers have no gaps, and only gaps are refused.
    Sequences,
    /// What failed is never read, and nothing is read that was not sent.
    NoAborted,
    /// A fetch gives the batch that holds its offset and those that follow.
    BatchComplete,
    /// Log start, last stable offset and high watermark are in this order and never go back.
    Bounds,
    /// The last stable offset is where the first open transaction begins, and readers of committed data stop there.
    StableOffset,
    /// A reader of committed data sees what was committed, all of it and nothing else.
    ReadCommitted,
    /// A transaction has one outcome in all partitions and groups.
    Atomicity,
    /// A producer that was followed by another does nothing any more, and transactions do not mix.
    Fencing,
    /// No transaction stays open.
    NoneOpen,
    /// A committed offset is a register.
    CommittedOffsets,
    /// Offsets inside a transaction are seen when it is committed.
    PendingOffsets,
    /// Generations of a group rise.
    Generations,
    /// A time is found at its first offset.
    TimeLookup,
    /// Topics stay as they were made, and deleted ones stay away.
    Metadata,
    /// A started broker soon serves everybody.
    Liveness,
    /// Every request has one response, in order.
    OneResponse,
}

impl Rule {
    /// All rules, by number.
    pub const ALL: [Self; 22] = [
        Self::AckedDurability,
        Self::OneValue,
        Self::Dense,
        Self::NoReuse,
        Self::ProducerOrder,
        Self::NoDuplicates,
        Self::Sequences,
        Self::NoAborted,
        Self::BatchComplete,
        Self::Bounds,
        Self::StableOffset,
        Self::ReadCommitted,
        Self::Atomicity,
        Self::Fencing,
        Self::NoneOpen,
        Self::CommittedOffsets,
        Self::PendingOffsets,
        Self::Generations,
        Self::TimeLookup,
        Self::Metadata,
        Self::Liveness,
        Self::OneResponse,
    ];

    /// The rule's number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::AckedDurability => 1,
            Self::OneValue => 2,
            Self::Dense => 3,
            Self::NoReuse => 4,
            Self::ProducerOrder => 5,
            Self::NoDuplicates => 6,
            Self::Sequences => 7,
            Self::NoAborted => 8,
            Self::BatchComplete => 9,
            Self::Bounds => 10,
            Self::StableOffset => 11,
            Self::ReadCommitted => 12,
            Self::Atomicity => 13,
            Self::Fencing => 14,
            Self::NoneOpen => 15,
            Self::CommittedOffsets => 16,
            Self::PendingOffsets => 17,
            Self::Generations => 18,
            Self::TimeLookup => 22,
            Self::Metadata => 25,
            Self::Liveness => 26,
            Self::OneResponse => 27,
        }
    }

    /// What the rule says, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::AckedDurability => "acknowledged records are read back",
            Self::OneValue => "one value per offset",
            Self::Dense => "offsets without gaps",
            Self::NoReuse => "no offset is used again",
            Self::ProducerOrder => "producers' order is the offsets' order",
            Self::NoDuplicates => "no duplicates with idempotence",
            Self::Sequences => "sequences without gaps",
            Self::NoAborted => "failed sends are never read",
            Self::BatchComplete => "fetches give whole batches, none left out",
            Self::Bounds => "log start <= last stable <= high watermark, rising",
            Self::StableOffset => "last stable offset = first open transaction",
            Self::ReadCommitted => "read_committed gives what was committed, no more",
            Self::Atomicity => "a transaction has one outcome everywhere",
            Self::Fencing => "fenced producers do nothing, transactions do not mix",
            Self::NoneOpen => "no transaction stays open",
            Self::PendingOffsets => "offsets of a transaction are seen when it commits",
            Self::CommittedOffsets => "committed offsets are registers",
            Self::Generations => "generations of a group rise",
            Self::TimeLookup => "times are found at their first offset",
            Self::Metadata => "topics stay, deleted ones stay away",
            Self::Liveness => "a started broker soon serves",
            Self::OneResponse => "one response per request, in order",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "rule {} ({})", self.number(), self.title())
    }
}
