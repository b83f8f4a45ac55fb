//! What callers ask of groups: the fields of Kafka's requests, without their versions.
//!
//! Where a version changes the meaning, a field says so by what it means (`requires_known_member_id`), so that the
//! machine knows no version numbers. All text and bytes are copies: nothing here may keep a request's frame alive.

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{LeaderEpoch, NO_LEADER_EPOCH, NONE, Offset, PartitionIndex, TopicId, TopicName};

use super::TopicsImage;

/// A command to the group coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// JoinGroup.
    Join(Join),
    /// SyncGroup.
    Sync(Sync),
    /// Heartbeat.
    Heartbeat(Heartbeat),
    /// LeaveGroup.
    Leave(Leave),
    /// ConsumerGroupHeartbeat.
    ConsumerHeartbeat(ConsumerHeartbeat),
    /// OffsetCommit, or TxnOffsetCommit.
    CommitOffsets(CommitOffsets),
    /// One group of an OffsetFetch.
    FetchOffsets(FetchOffsets),
    /// ListGroups, for the groups of this partition.
    List(List),
    /// One group of a DescribeGroups.
    Describe {
        /// The group.
        group_id: Arc<str>,
    },
    /// One group of a ConsumerGroupDescribe.
    ConsumerDescribe {
        /// The group.
        group_id: Arc<str>,
    },
    /// One group of a DeleteGroups.
    Delete {
        /// The group.
        group_id: Arc<str>,
    },
    /// OffsetDelete.
    DeleteOffsets(DeleteOffsets),
    /// Everything that an observer wants of a group, or of all of this partition.
    Outline {
        /// The group; nothing for all.
        group_id: Option<Arc<str>>,
    },
    /// An administrative change of offsets is taken back.
    RestoreOffsets(RestoreOffsets),
    /// What happened in a group lately.
    Why {
        /// The group.
        group_id: Arc<str>,
    },
    /// A topic is gone: its committed offsets go too. Sent to every partition of `__consumer_offsets`; sending it
    /// twice is harmless.
    TopicDeleted {
        /// The topic's name.
        topic: TopicName,
        /// Its id. Offsets that were committed for another topic of that name stay.
        topic_id: TopicId,
    },
    /// The topics as they are now, for consumer groups. Sent before any command of a member that should see them.
    LearnTopics(Arc<TopicsImage>),
}

/// JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The group.
    pub group_id: Arc<str>,
    /// The member's id, empty at its first join.
    pub member_id: Arc<str>,
    /// Name of a static member across restarts (KIP-345).
    pub group_instance_id: Option<Arc<str>>,
    /// How long the member may be silent, in milliseconds.
    pub session_timeout_ms: i32,
    /// How long the member may take to rejoin. Before version 1 it is the session timeout.
    pub rebalance_timeout_ms: i32,
    /// What kind of group it is ("consumer", "connect").
    pub protocol_type: Arc<str>,
    /// Protocols with the member's metadata under each, the preferred one first.
    pub protocols: Vec<(Arc<str>, Bytes)>,
    /// Why the member joins, in the client's words (KIP-800).
    pub reason: Option<Arc<str>>,
    /// Version 4 and later: a new dynamic member gets its id with MEMBER_ID_REQUIRED and joins again (KIP-394).
    pub requires_known_member_id: bool,
    /// Version 9 and later: a static leader that comes back may be told to skip the assignment (KIP-814).
    pub supports_skipping_assignment: bool,
}

/// SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// The group.
    pub group_id: Arc<str>,
    /// The member's id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// The generation that it joined.
    pub generation: i32,
    /// The protocol type that it knows, checked from version 5 on.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that it knows, checked from version 5 on.
    pub protocol: Option<Arc<str>>,
    /// From the leader: the assignment of each member id.
    pub assignments: Vec<(Arc<str>, Bytes)>,
}

/// Heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The group.
    pub group_id: Arc<str>,
    /// The member's id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// The generation that it believes in.
    pub generation: i32,
}

/// LeaveGroup. Versions 0 to 2 name one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// The group.
    pub group_id: Arc<str>,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

/// A member that leaves, or that an administrator removes by its instance id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingMember {
    /// The member's id, empty to remove by instance id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// Why it leaves, in the client's words (KIP-800).
    pub reason: Option<Arc<str>>,
}

/// ConsumerGroupHeartbeat (KIP-848). What has not changed since the member's last request is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerHeartbeat {
    /// The group.
    pub group_id: Arc<str>,
    /// The member's id. Empty at the first request of version 0, whose members are given one.
    pub member_id: Arc<str>,
    /// Version 1 and later: the member has chosen its id.
    pub makes_own_member_id: bool,
    /// The member's epoch, or 0 to join, -1 to leave, -2 to leave for a while as a static member.
    pub member_epoch: i32,
    /// Name of a static member across restarts.
    pub instance_id: Option<Arc<str>>,
    /// The rack that it runs in.
    pub rack_id: Option<Arc<str>>,
    /// How long the member may take to give partitions back, in milliseconds, or -1 when that has not changed.
    pub rebalance_timeout_ms: i32,
    /// The topics that it reads.
    pub subscribed_topic_names: Option<Vec<Arc<str>>>,
    /// A regular expression for topics that it reads; empty for none any more.
    pub subscribed_topic_regex: Option<Arc<str>>,
    /// The assignor that it asks for.
    pub server_assignor: Option<Arc<str>>,
    /// The partitions that it has.
    pub topic_partitions: Option<Vec<(TopicId, Vec<PartitionIndex>)>>,
}

/// OffsetCommit, or TxnOffsetCommit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOffsets {
    /// The group. The empty text is a group like any other here, for the sake of old clients.
    pub group_id: Arc<str>,
    /// The member's id, or empty when the caller is no member.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// The generation, or -1 when the caller is no member.
    pub generation_or_member_epoch: i32,
    /// How long the offsets are kept, in milliseconds, or -1 for the broker's own setting. Versions 2 to 4.
    pub retention_time_ms: i64,
    /// Version 9 and later: a generation of a group that does not exist is answered with GROUP_ID_NOT_FOUND, before
    /// with ILLEGAL_GENERATION; and members of consumer groups may commit.
    pub knows_group_id_not_found: bool,
    /// TxnOffsetCommit: the offsets count when the transaction of the records is committed. Which one that is only
    /// those know who append them.
    pub in_transaction: bool,
    /// What to commit.
    pub topics: Vec<CommitTopic>,
}

impl CommitOffsets {
    /// The retention time that means "as the broker is set".
    pub const DEFAULT_RETENTION_TIME_MS: i64 = NONE;
}

/// A topic of an OffsetCommit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its id if that is known, else zero. It is stored with the offset, unless that is committed in a transaction.
    pub topic_id: TopicId,
    /// The offsets.
    pub partitions: Vec<CommitPartition>,
}

/// A partition of an OffsetCommit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPartition {
    /// The partition.
    pub partition: PartitionIndex,
    /// The offset to read next.
    pub offset: Offset,
    /// Leader epoch of the last consumed record, or -1.
    pub leader_epoch: LeaderEpoch,
    /// Whatever the client wants to keep with it.
    pub metadata: Option<Box<str>>,
    /// Where the partition ends, if that is known. A commit past it is taken and told as odd.
    pub log_end: Option<Offset>,
}

impl CommitPartition {
    /// An offset without leader epoch and metadata.
    #[must_use]
    pub fn new(partition: PartitionIndex, offset: Offset) -> Self {
        Self { partition, offset, leader_epoch: NO_LEADER_EPOCH, metadata: None, log_end: None }
    }
}

/// One group of an OffsetFetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOffsets {
    /// The group.
    pub group_id: Arc<str>,
    /// The member's id, checked for KIP-848 groups only.
    pub member_id: Option<Arc<str>>,
    /// The member's epoch, checked for KIP-848 groups only; -1 for none.
    pub member_epoch: i32,
    /// What to look up, or `None` for every offset of the group.
    pub topics: Option<Vec<FetchTopic>>,
    /// Whether offsets that an open transaction may replace are refused with UNSTABLE_OFFSET_COMMIT (KIP-447).
    pub require_stable: bool,
}

/// A topic of an OffsetFetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its id if the request named it by id (version 10), else zero. An offset that was committed for another topic
    /// of that name is not shown.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<PartitionIndex>,
}

/// ListGroups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// Names of states, in any case; none means all.
    pub states: Vec<Arc<str>>,
    /// Names of types, in any case; none means all.
    pub types: Vec<Arc<str>>,
}

/// OffsetDelete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteOffsets {
    /// The group.
    pub group_id: Arc<str>,
    /// What to delete.
    pub topics: Vec<(TopicName, Vec<PartitionIndex>)>,
}

/// Gives committed offsets of a group without members their old values, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOffsets {
    /// The group.
    pub group_id: Arc<str>,
    /// The offsets, each partition once.
    pub offsets: Vec<RestoreOffset>,
}

/// An offset that gets its old value back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOffset {
    /// Its topic.
    pub topic: TopicName,
    /// Its partition.
    pub partition: PartitionIndex,
    /// Where the log has the record that must be the present one; `None` when no offset must be committed.
    pub expected: Option<Offset>,
    /// The old value; `None` when there was none.
    pub value: Option<RestoredValue>,
}

/// What a committed offset was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredValue {
    /// The offset to read next.
    pub offset: Offset,
    /// Leader epoch of the last consumed record, or -1.
    pub leader_epoch: LeaderEpoch,
    /// What the client kept with it.
    pub metadata: Box<str>,
    /// The topic's id, or zero.
    pub topic_id: TopicId,
}
