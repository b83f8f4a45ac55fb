//! Names and numbers that every part of Ottla shares.
//!
//! **Invariant**: this crate depends on nothing but the standard library, so that the crates which decide
//! (`ottla-control`) and store (`ottla-log`) share a vocabulary without sharing anything else.

mod error_code;
mod names;
mod presence;
mod time;
mod topic_id;

pub use error_code::ErrorCode;
pub use names::{IllegalName, TopicName, TopicPartition};
pub use presence::{Presence, Seen, Unseen};
pub use time::{Env, Monotonic, Random, WallMillis};
pub use topic_id::TopicId;

/// Position of a record in a partition, counted from 0.
pub type Offset = i64;
/// Number of a partition in its topic, counted from 0.
pub type PartitionIndex = i32;
/// Leader epoch of a partition: raised whenever a suffix of the log may have been lost (KIP-101).
pub type LeaderEpoch = i32;
/// Identity of an idempotent producer, handed out by the broker (KIP-98).
pub type ProducerId = i64;
/// Incarnation of a producer id; a higher one fences a lower one (KIP-98).
pub type ProducerEpoch = i16;

/// The "no value" that Kafka writes for offsets, epochs, producer ids and timestamps.
pub const NONE: i64 = -1;
/// "No leader epoch", as `RecordBatch.NO_PARTITION_LEADER_EPOCH`.
pub const NO_LEADER_EPOCH: LeaderEpoch = -1;

/// The topic that holds committed offsets and group metadata.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The topic that holds the state of transactions.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The topic that holds the state of share groups.
pub const SHARE_GROUP_STATE: &str = "__share_group_state";
/// The log that holds the topic catalog, in the record schemas of Kafka's own metadata log.
pub const CLUSTER_METADATA: &str = "__cluster_metadata";
