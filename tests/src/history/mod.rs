//! What clients saw: a history is a file of JSON lines, one [`Event`] a line, and a [`Dump`] is what the broker held when
//! all was over.
//!
//! A history is complete: it has a line before each request is sent and one after its answer came, so that its order in
//! time is known, and every value that was ever sent is unique, so that what is read tells which send it came from.
//! [`crate::check`] judges both.

mod dump;
mod event;
mod operation;
mod read;
mod record;
mod write;

pub use dump::{Dump, Line, LogDump, TopicDump};
pub use event::{Answer, BrokerStep, Call, Event, Step};
pub use operation::{Exchange, History, Operation, Outcome};
pub use read::{read_dump, read_events};
pub use record::{
    Aborted, Batch, Bounds, Commit, Found, ListedTopic, Marker, Partition, Run, SentBatch, Sequence, TopicId,
    Transaction, UNREADABLE, Value,
};
pub use write::{DumpWriter, OperationId, Recorder};
