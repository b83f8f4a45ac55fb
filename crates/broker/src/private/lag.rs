//! What `ottla group list`, `describe` and `lag` show. Times are milliseconds since 1970, sizes are bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::List;

/// Groups and how far they are behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupsLag {
    /// The wall clock by which ages are told.
    pub now_ms: i64,
    /// The groups, by id.
    pub groups: List<GroupLag>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupLag {
    /// Its id.
    pub group: String,
    /// Its kind, as Kafka prints it: `classic`, `consumer`.
    pub group_type: String,
    /// Its state, as Kafka prints it.
    pub state: String,
    /// Its protocol type, or empty.
    pub protocol_type: String,
    /// The protocol of a stable classic group, the assignor of a consumer group, or empty.
    pub protocol: String,
    /// How many members it has.
    pub member_count: u64,
    /// Its members, by id; none when only a summary was asked for.
    pub members: List<GroupMember>,
    /// How many rebalances have begun since this broker coordinates it, by reason.
    pub rebalances: BTreeMap<String, u64>,
    /// How often offsets were committed, as far as the log remembers.
    pub commits: u64,
    /// How far the group is behind in all its partitions, for a reader of everything.
    pub read_uncommitted: LagTotal,
    /// The same for a reader of committed records.
    pub read_committed: LagTotal,
    /// The partitions that the group has committed offsets of, or that are assigned to a member, by name and number;
    /// none when only a summary was asked for.
    pub partitions: List<PartitionLag>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Its id.
    pub member_id: String,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<String>,
    /// The client id of its request.
    pub client_id: String,
    /// The address of its connection.
    pub client_host: String,
    /// How many partitions it owns.
    pub partition_count: u64,
}

/// How far a group is behind over several partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagTotal {
    /// Records.
    pub records: u64,
    /// Bytes of their batches.
    pub bytes: u64,
    /// Age of the oldest next record, in milliseconds; nothing when nothing is unread or no record has a time.
    pub age_ms: Option<i64>,
    /// Partitions whose lag is not known: no offset is committed, or counting could not be done.
    pub unknown_partitions: u64,
}

/// How far a group is behind in one partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionLag {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// The member that it is assigned to.
    pub owner: Option<String>,
    /// The committed offset.
    pub committed_offset: Option<i64>,
    /// When it was committed.
    pub committed_at_ms: Option<i64>,
    /// How often an offset was committed here, as far as the log remembers.
    pub commits: u64,
    /// The first offset that can be read.
    pub start_offset: Option<i64>,
    /// Where a reader of everything comes to the end.
    pub high_watermark: Option<i64>,
    /// Where a reader of committed records does.
    pub last_stable_offset: Option<i64>,
    /// How far a reader of everything is behind; nothing when that is not known.
    pub read_uncommitted: Option<Lag>,
    /// The same for a reader of committed records.
    pub read_committed: Option<Lag>,
    /// What is peculiar about it.
    pub notes: Vec<LagNote>,
}

/// How far a reader is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// Records that it would receive: no control records, none of aborted transactions, no gaps.
    pub records: u64,
    /// Bytes of the batches that they are in, as they are stored.
    pub bytes: u64,
    /// Offset of the next of them.
    pub next_offset: Option<i64>,
    /// How old that is; nothing when there is none, or it has no timestamp.
    pub age_ms: Option<i64>,
}

/// What is peculiar about a group's place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LagNote {
    /// No offset is committed, so where the group begins depends on `auto.offset.reset`.
    NoCommit,
    /// The committed offset lies past the end: the log has lost records, or the commit is wrong. The lag is 0.
    PastEnd,
    /// The committed offset lies before the start of the log: what was in between is gone, and is not counted.
    BeforeStart,
    /// The topic or partition does not exist. The lag is 0.
    NoPartition,
    /// The offset was committed for another topic of this name, which was deleted. The lag is 0.
    OtherTopic,
    /// The log cannot be read.
    Unreadable,
    /// Segments from before the last start have to be read first, and that takes longer than a question may. Asked
    /// again, the answer is there sooner or later.
    Counting,
    /// Something that this reader does not know yet.
    #[serde(other)]
    Other,
}
