//! What the private APIs answer: documents of JSON, as types that the broker writes and the `ottla` command reads.
//!
//! `docs/ARCHITECTURE.md` says how one is added.

mod compaction;
mod lag;
mod list;

use ottla_wire::private::{DescribeLag, InspectCompaction, PrivateRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use compaction::{Compaction, CompactionReason, PartitionCompaction};
pub use lag::{GroupLag, GroupMember, GroupsLag, Lag, LagNote, LagTotal, PartitionLag};
pub use list::List;

pub(crate) use list::Counted;

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
