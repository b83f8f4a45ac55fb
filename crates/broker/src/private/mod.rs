//! What the private APIs answer: documents of JSON, as types that the broker writes and the `ottla` command reads.
//!
//! `docs/ARCHITECTURE.md` says how one is added.

mod compaction;
mod lag;
mod list;
mod offsets;
mod stopped;
mod why;

use ottla_wire::private::{self, DescribeLag, InspectCompaction, PrivateRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use compaction::{
    AllRecords, CleanedRecords, Compaction, CompactionReason, PartitionCompaction, Stopped,
};
pub use lag::{GroupLag, GroupMember, GroupsLag, Lag, LagNote, LagTotal, PartitionLag};
pub use list::List;
pub use offsets::{
    GroupDiff, GroupHistory, GroupOffsetsAt, GroupUndo, OffsetAt, OffsetChange, OffsetDifference,
    OffsetRestored,
};
pub use stopped::{
    StoppedGroups, StoppedLog, StoppedPartition, StoppedProducer, StoppedSegment, StoppedTopic, StoppedTopics,
};
pub use why::{GroupEvent, GroupWhy, MemberAssignment, MemberName, TimedEvent, TopicPartitions};

pub(crate) use list::{Counted, ListBuilder};

/// A request of a private API, with the document that answers it.
pub trait Question: PrivateRequest + Send + 'static {
    /// The answer. Fields may be added to it at any time, so readers pass over those that they do not know.
    type Document: Serialize + DeserializeOwned + Send + 'static;
}

impl Question for DescribeLag {
    type Document = GroupsLag;
}

impl Question for InspectCompaction {
    type Document = Compaction;
}

impl Question for private::GroupHistory {
    type Document = GroupHistory;
}

impl Question for private::GroupOffsetsAt {
    type Document = GroupOffsetsAt;
}

impl Question for private::GroupDiff {
    type Document = GroupDiff;
}

impl Question for private::GroupUndo {
    type Document = GroupUndo;
}

impl Question for private::GroupWhy {
    type Document = GroupWhy;
}
