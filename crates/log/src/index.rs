//! The indexes of a segment: entries of a fixed size, as in Kafka's files.

mod entries;
mod offset_index;
mod time_index;
mod transaction_index;

pub(crate) use offset_index::{OffsetIndex, OffsetPosition};
pub(crate) use time_index::{TimeIndex, TimestampOffset};
pub use transaction_index::AbortedTransaction;
pub(crate) use transaction_index::{TRANSACTION_ENTRY_BYTES, TransactionIndex};
