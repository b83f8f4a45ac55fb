//! What the private APIs answer: documents of JSON, as types that the broker writes and the `ottla` command reads.
//!
//! `docs/ARCHITECTURE.md` says how one is added.

mod compaction;
mod list;

use ottla_wire::private::{InspectCompaction, PrivateRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use compaction::{
    AllRecords, CleanedRecords, Compaction, CompactionReason, PartitionCompaction, Stopped,
};
pub use list::List;

pub(crate) use list::{Counted, ListBuilder};

/// A request of a private API, with the document that answers it.
pub trait Question: PrivateRequest + Send + 'static {
    /// The answer. Fields may be added to it at any time, so readers pass over those that they do not know.
    type Document: Serialize + DeserializeOwned + Send + 'static;
}

impl Question for InspectCompaction {
    type Document = Compaction;
}
