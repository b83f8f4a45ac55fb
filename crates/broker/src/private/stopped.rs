//! What `ottla inspect topics`, `log` and `groups` show of a data directory that no broker uses. Times are milliseconds since
//! 1970, sizes are bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{GroupsLag, Stopped};

/// The topics of a stopped data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedTopics {
    /// How the broker stopped.
    pub stopped: Stopped,
    /// The cluster id that is told to clients.
    pub cluster_id: String,
    /// The topics, by name.
    pub topics: Vec<StoppedTopic>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedTopic {
    /// Its name.
    pub topic: String,
    /// Its id, as Kafka prints it.
    pub id: String,
    /// True for those that the broker keeps for itself.
    pub internal: bool,
    /// The settings that it has of its own.
    pub configs: BTreeMap<String, String>,
    /// Its partitions, in order.
    pub partitions: Vec<StoppedPartition>,
}

/// A partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedPartition {
    /// Its number.
    pub partition: i32,
    /// The first offset that can be read.
    pub start_offset: i64,
    /// The offset that the next record will have.
    pub end_offset: i64,
    /// How many segments there are.
    pub segments: u64,
    /// Bytes of their batches.
    pub size_bytes: u64,
    /// Producers that are remembered, by which duplicates are noticed.
    pub producers: u64,
}

/// One partition's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedLog {
    /// How the broker stopped.
    pub stopped: Stopped,
    /// Its topic.
    pub topic: String,
    /// The partition.
    pub partition: StoppedPartition,
    /// Its segments, by offset.
    pub segments: Vec<StoppedSegment>,
    /// The producers that it remembers, by id.
    pub producers: Vec<StoppedProducer>,
}

/// A segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedSegment {
    /// Its first offset, by which its files are named.
    pub base_offset: i64,
    /// The offset after its last one.
    pub end_offset: i64,
    /// Bytes of its batches.
    pub size_bytes: u64,
    /// The largest timestamp of its records.
    pub largest_timestamp_ms: Option<i64>,
}

/// A producer that a log remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedProducer {
    /// Its id.
    pub producer_id: i64,
    /// Its newest epoch.
    pub producer_epoch: i16,
    /// Sequence number of its newest record, or -1.
    pub last_sequence: i32,
    /// Timestamp of what it wrote last.
    pub last_timestamp_ms: i64,
    /// Where its open transaction begins.
    pub transaction_first_offset: Option<i64>,
}

/// The groups of a stopped data directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoppedGroups {
    /// How the broker stopped.
    pub stopped: Stopped,
    /// The groups, with their committed offsets, and with the members that they had.
    pub groups: GroupsLag,
}
