//! What the commands about lag share.

use clap::ValueEnum;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::{Lag, LagNote, LagTotal, PartitionLag};
use ottla_wire::private::DescribeLag;

use crate::words;

/// Which records count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum IsolationLevel {
    /// All records, as a consumer by default
    #[default]
    ReadUncommitted,
    /// None of open or aborted transactions
    ReadCommitted,
}

impl IsolationLevel {
    pub(super) fn of(self, partition: &PartitionLag) -> Option<Lag> {
        match self {
            Self::ReadUncommitted => partition.read_uncommitted,
            Self::ReadCommitted => partition.read_committed,
        }
    }

    /// Where a reader comes to the end.
    pub(super) fn end(self, partition: &PartitionLag) -> Option<i64> {
        match self {
            Self::ReadUncommitted => partition.high_watermark,
            Self::ReadCommitted => partition.last_stable_offset,
        }
    }
}

/// The question for a group, or for all.
pub(super) fn question(group: Option<&str>, summary: bool) -> DescribeLag {
    DescribeLag { groups: group.map(|group| vec![StrBytes::from_string(group.to_owned())]), summary }
}

/// What is not known, or not there.
pub(super) const NOTHING: &str = "-";

pub(super) fn number(value: Option<impl ToString>) -> String {
    value.map_or(NOTHING.to_owned(), |value| value.to_string())
}

pub(super) fn age(age_ms: Option<i64>) -> String {
    age_ms.map_or(NOTHING.to_owned(), words::duration)
}

/// Records of all partitions; at least so many when some are not known.
pub(super) fn records(total: &LagTotal) -> String {
    if total.unknown_partitions == 0 { total.records.to_string() } else { format!("{}+", total.records) }
}

/// What is peculiar, in words.
pub(super) fn notes(partition: &PartitionLag) -> String {
    let words = partition.notes.iter().map(|note| match note {
        LagNote::NoCommit => "nothing is committed",
        LagNote::PastEnd => "committed past the end",
        LagNote::BeforeStart => "what follows the commit was deleted, and is not counted",
        LagNote::NoPartition => "there is no such partition",
        LagNote::OtherTopic => "committed for a topic of this name that was deleted",
        LagNote::Unreadable => "the log cannot be read",
        LagNote::Counting => "being counted, ask again",
        LagNote::Other => "something that only a newer ottla knows",
    });
    words.collect::<Vec<_>>().join("; ")
}

/// A sentence about what a bounded list leaves out.
pub(super) fn left_out(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!("{count} more {what}: left out of the answer\n") }
}
