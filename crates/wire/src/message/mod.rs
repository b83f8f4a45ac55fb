//! Messages with code of their own, one module an API, one type for all versions.
//!
//! DescribeLogDirs, ListOffsets, OffsetCommit, OffsetFetch and WriteTxnMarkers are here because `kafka-protocol` lacks their newest versions,
//! Produce and Fetch because nearly every byte of a broker's traffic is in them: their records are never copied. The answer
//! of CreateTopics is here because it repeats the same settings for every topic.
//! All decoders check every length themselves and take slices of the body. Without [`crate::check_request`] they
//! are as safe, but what they build may take up to 40 bytes of memory for each byte of the body.

pub mod create_topics;
pub mod describe_log_dirs;
pub mod fetch;
mod leader;
pub mod list_offsets;
pub mod offset_commit;
pub mod offset_fetch;
pub mod private;
pub mod produce;
pub mod write_txn_markers;

pub use leader::{CurrentLeader, NodeEndpoint};

use crate::{Malformed, Reason, Unencodable};

/// Refuses versions outside of `min..=max` before a decoder starts.
fn check_version(version: i16, min: i16, max: i16) -> Result<(), Malformed> {
    if (min..=max).contains(&version) { Ok(()) } else { Err(Malformed::new(Reason::NoSchema, 0)) }
}

/// Refuses versions outside of `min..=max` before an encoder starts.
fn check_encodable(version: i16, min: i16, max: i16) -> Result<(), Unencodable> {
    if (min..=max).contains(&version) { Ok(()) } else { Err(Unencodable::Version) }
}
