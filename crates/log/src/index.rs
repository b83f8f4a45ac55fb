//! The two indexes of a segment: sorted entries of a fixed size, as in Kafka's files.

mod entries;
mod offset_index;
mod time_index;

pub(crate) use offset_index::{OffsetIndex, OffsetPosition};
pub(crate) use time_index::{TimeIndex, TimestampOffset};
