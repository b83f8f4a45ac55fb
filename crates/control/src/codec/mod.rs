//! Bytes of the records that the machines keep, in Apache Kafka's own schemas.
//!
//! [`Reader`] and [`Writer`] know the primitive types of Kafka's message format, of both the old and the flexible
//! encoding (KIP-482). The files beside them each hold one family of messages, written by hand from the JSON
//! schemas in Kafka's jars: they are few, they never change (records outlive releases), and a decoder that one can
//! read is worth more here than a generator. Their tests hold bytes that Kafka's own classes wrote.
//!
//! Nothing here panics: every length is checked against the bytes that are left before anything is allocated.

mod consumer_group;
mod consumer_protocol;
mod consumer_protocol_messages;
mod group_metadata;
mod key;
mod offset_cause;
mod offset_commit;
mod reader;
#[cfg(test)]
pub(crate) mod tests;
mod transaction_log;
mod writer;

pub use consumer_group::*;
pub use consumer_protocol::ConsumerSubscription;
pub use consumer_protocol_messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, NamedPartitions, consumer_protocol_version,
};
pub use group_metadata::{GroupMetadataMember, GroupMetadataValue};
pub use key::Key;
pub use offset_cause::{Cause, CommitOddities, OFFSET_CAUSE_HEADER, OffsetCause};
pub use offset_commit::OffsetCommitValue;
pub use reader::{DecodeError, Reader};
pub use transaction_log::{TransactionLogKey, TransactionLogValue};
pub use writer::{EncodeError, Writer};
