//! What callers are told: the fields of Kafka's responses.

use std::sync::Arc;

use super::events::GroupEvent;
use crate::codec::CommitOddities;
use bytes::Bytes;
use ottla_model::{ErrorCode, LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};

use super::outline::GroupOutline;

/// The reply to a [`Command`](super::Command), of the variant of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To JoinGroup.
    Join(JoinReply),
    /// To SyncGroup.
    Sync(SyncReply),
    /// To Heartbeat.
    Heartbeat(HeartbeatReply),
    /// To LeaveGroup.
    Leave(LeaveReply),
    /// To ConsumerGroupHeartbeat.
    ConsumerHeartbeat(ConsumerHeartbeatReply),
    /// To OffsetCommit.
    CommitOffsets(CommitOffsetsReply),
    /// To one group of an OffsetFetch.
    FetchOffsets(FetchOffsetsReply),
    /// To ListGroups.
    List(ListReply),
    /// To one group of a DescribeGroups.
    Describe(DescribeReply),
    /// To one group of a ConsumerGroupDescribe.
    ConsumerDescribe(ConsumerDescribeReply),
    /// To one group of a DeleteGroups.
    Delete(DeleteReply),
    /// To OffsetDelete.
    DeleteOffsets(DeleteOffsetsReply),
    /// To an observer.
    Outline(OutlineReply),
    /// To the wish to take a change of offsets back.
    RestoreOffsets(RestoreOffsetsReply),
    /// To the question what happened in a group.
    Why(WhyReply),
    /// To the news that a topic is gone.
    TopicDeleted(TopicDeletedReply),
    /// To the topics as they are now.
    LearnTopics,
}

macro_rules! into_reply {
    ($($variant:ident($type:ty);)*) => {$(
        impl From<$type> for Reply {
            fn from(reply: $type) -> Self {
                Self::$variant(reply)
            }
        }
    )*};
}

into_reply! {
    Join(JoinReply);
    Sync(SyncReply);
    Heartbeat(HeartbeatReply);
    Leave(LeaveReply);
    ConsumerHeartbeat(ConsumerHeartbeatReply);
    ConsumerDescribe(ConsumerDescribeReply);
    CommitOffsets(CommitOffsetsReply);
    FetchOffsets(FetchOffsetsReply);
    List(ListReply);
    Describe(DescribeReply);
    Delete(DeleteReply);
    DeleteOffsets(DeleteOffsetsReply);
    Outline(OutlineReply);
    RestoreOffsets(RestoreOffsetsReply);
    Why(WhyReply);
    TopicDeleted(TopicDeletedReply);
}

/// The generation in a JoinGroup response that is an error.
pub const NO_GENERATION: i32 = -1;

/// To JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinReply {
    /// The outcome.
    pub error: ErrorCode,
    /// The generation, or -1.
    pub generation: i32,
    /// The group's protocol type, if it has one.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that was chosen. Before version 7 a missing one is sent as empty text.
    pub protocol: Option<Arc<str>>,
    /// The leader's member id, or empty.
    pub leader: Arc<str>,
    /// True for a static leader that came back and must not assign again (KIP-814).
    pub skip_assignment: bool,
    /// The caller's member id, or empty.
    pub member_id: Arc<str>,
    /// For the leader: all members.
    pub members: Vec<JoinMember>,
}

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// Its metadata under the chosen protocol.
    pub metadata: Bytes,
}

impl JoinReply {
    /// A refusal.
    #[must_use]
    pub fn error(member_id: Arc<str>, error: ErrorCode) -> Self {
        Self {
            error,
            generation: NO_GENERATION,
            protocol_type: None,
            protocol: None,
            leader: Arc::default(),
            skip_assignment: false,
            member_id,
            members: Vec::new(),
        }
    }
}

/// To SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReply {
    /// The outcome.
    pub error: ErrorCode,
    /// The group's protocol type, if it has one.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that was chosen.
    pub protocol: Option<Arc<str>>,
    /// The member's assignment; empty with an error.
    pub assignment: Bytes,
}

impl SyncReply {
    /// A refusal.
    #[must_use]
    pub fn error(error: ErrorCode) -> Self {
        Self { error, protocol_type: None, protocol: None, assignment: Bytes::new() }
    }
}

/// To Heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatReply {
    /// The outcome; REBALANCE_IN_PROGRESS asks the member to rejoin.
    pub error: ErrorCode,
}

/// To LeaveGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveReply {
    /// The outcome for the whole request, from version 3 on.
    pub error: ErrorCode,
    /// The outcome for each member, from version 3 on.
    pub members: Vec<LeftMember>,
}

/// The outcome for a leaving member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftMember {
    /// The member's id, as the request had it.
    pub member_id: Arc<str>,
    /// Its instance id, as the request had it.
    pub group_instance_id: Option<Arc<str>>,
    /// The outcome.
    pub error: ErrorCode,
}

impl LeaveReply {
    /// The one error of versions 0 to 2: that of the request, or else that of its only member
    /// (`LeaveGroupResponse.getError`).
    #[must_use]
    pub fn single_error(&self) -> ErrorCode {
        if self.error.is_error() {
            return self.error;
        }
        self.members.first().map_or(ErrorCode::None, |member| member.error)
    }
}

/// To ConsumerGroupHeartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerHeartbeatReply {
    /// The outcome.
    pub error: ErrorCode,
    /// What is wrong.
    pub error_message: Option<Box<str>>,
    /// The member's id.
    pub member_id: Option<Arc<str>>,
    /// The member's epoch.
    pub member_epoch: i32,
    /// How often the member shall send a heartbeat, in milliseconds.
    pub heartbeat_interval_ms: i32,
    /// The partitions that the member has now, when it should know.
    pub assignment: Option<Vec<(TopicId, Vec<PartitionIndex>)>>,
}

impl ConsumerHeartbeatReply {
    /// A refusal.
    #[must_use]
    pub fn error(error: ErrorCode, error_message: Option<Box<str>>) -> Self {
        Self {
            error,
            error_message,
            member_id: None,
            member_epoch: 0,
            heartbeat_interval_ms: 0,
            assignment: None,
        }
    }
}

/// To OffsetCommit: each topic and partition of the request, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOffsetsReply {
    /// The topics.
    pub topics: Vec<CommittedTopic>,
    /// What was committed and is odd all the same, for the broker's log.
    pub odd: Vec<OddCommit>,
}

/// A commit that was taken and looks like a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddCommit {
    /// The topic.
    pub topic: TopicName,
    /// The partition of it.
    pub partition: PartitionIndex,
    /// The offset before.
    pub previous: Option<Offset>,
    /// The offset that was committed.
    pub offset: Offset,
    /// Where the partition ended.
    pub log_end: Option<Offset>,
    /// What is odd.
    pub oddities: CommitOddities,
}

/// The outcome for a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its id, as the request had it.
    pub topic_id: TopicId,
    /// The outcome for each partition.
    pub partitions: Vec<(PartitionIndex, ErrorCode)>,
}

/// To one group of an OffsetFetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOffsetsReply {
    /// The group.
    pub group_id: Arc<str>,
    /// The outcome for the whole group. Before version 2 it goes into every partition.
    pub error: ErrorCode,
    /// The offsets: in the order of the request, or by name and number when all were asked for.
    pub topics: Vec<FetchedTopic>,
}

/// Offsets of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its id, as the request had it, or zero when all offsets were asked for.
    pub topic_id: TopicId,
    /// The offsets.
    pub partitions: Vec<FetchedPartition>,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The partition.
    pub partition: PartitionIndex,
    /// The outcome. No offset is not an error.
    pub error: ErrorCode,
    /// The offset, or -1 when none is committed.
    pub offset: Offset,
    /// Its leader epoch, or -1.
    pub leader_epoch: LeaderEpoch,
    /// Its metadata; never null.
    pub metadata: Box<str>,
}

/// To ListGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReply {
    /// The outcome.
    pub error: ErrorCode,
    /// The groups of this partition, by id.
    pub groups: Vec<ListedGroup>,
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its id.
    pub group_id: Arc<str>,
    /// Its protocol type, or empty.
    pub protocol_type: Arc<str>,
    /// Name of its state, as Kafka prints it (`PreparingRebalance`).
    pub state: &'static str,
    /// Name of its type, as Kafka prints it (`classic`).
    pub group_type: &'static str,
}

/// To one group of a DescribeGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeReply {
    /// The outcome. GROUP_ID_NOT_FOUND is told from version 6 on; before, the state Dead alone says it.
    pub error: ErrorCode,
    /// What is wrong, from version 6 on.
    pub error_message: Option<Box<str>>,
    /// The group.
    pub group_id: Arc<str>,
    /// Name of its state, as Kafka prints it.
    pub state: &'static str,
    /// Its protocol type, or empty.
    pub protocol_type: Arc<str>,
    /// The protocol of a stable group, or empty.
    pub protocol: Arc<str>,
    /// Its members, by id.
    pub members: Vec<DescribedMember>,
}

impl DescribeReply {
    /// A refusal.
    #[must_use]
    pub fn error(group_id: Arc<str>, error: ErrorCode, state: &'static str) -> Self {
        Self {
            error,
            error_message: None,
            group_id,
            state,
            protocol_type: Arc::default(),
            protocol: Arc::default(),
            members: Vec::new(),
        }
    }
}

/// A member of a described group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// Client id of its request.
    pub client_id: Arc<str>,
    /// Address of its connection.
    pub client_host: Arc<str>,
    /// Its metadata under the chosen protocol, when the group is stable.
    pub metadata: Bytes,
    /// Its assignment.
    pub assignment: Bytes,
}

/// To one group of a ConsumerGroupDescribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerDescribeReply {
    /// The outcome.
    pub error: ErrorCode,
    /// What is wrong.
    pub error_message: Option<Box<str>>,
    /// The group.
    pub group_id: Arc<str>,
    /// Name of its state, as Kafka prints it, or empty.
    pub state: &'static str,
    /// Its epoch.
    pub group_epoch: i32,
    /// The epoch of its target assignment.
    pub assignment_epoch: i32,
    /// The assignor that it uses, or empty.
    pub assignor: Arc<str>,
    /// Its members, by id.
    pub members: Vec<ConsumerMember>,
}

impl ConsumerDescribeReply {
    /// A refusal.
    #[must_use]
    pub fn error(group_id: Arc<str>, error: ErrorCode, error_message: Option<Box<str>>) -> Self {
        Self {
            error,
            error_message,
            group_id,
            state: "",
            group_epoch: 0,
            assignment_epoch: 0,
            assignor: Arc::default(),
            members: Vec::new(),
        }
    }
}

/// A member of a described consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub instance_id: Option<Arc<str>>,
    /// The rack that it runs in.
    pub rack_id: Option<Arc<str>>,
    /// Its epoch.
    pub member_epoch: i32,
    /// Client id of its last request that told something new.
    pub client_id: Arc<str>,
    /// Address of that request's connection.
    pub client_host: Arc<str>,
    /// The topics that it names.
    pub subscribed_topic_names: Vec<Arc<str>>,
    /// Its regular expression, or empty.
    pub subscribed_topic_regex: Arc<str>,
    /// The partitions that it has, also those that it is giving back.
    pub assignment: Vec<NamedTopicPartitions>,
    /// The partitions that it shall have.
    pub target_assignment: Vec<NamedTopicPartitions>,
    /// Whether it uses the classic protocol.
    pub uses_classic_protocol: bool,
}

/// Partitions of a topic that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTopicPartitions {
    /// The topic's id.
    pub topic_id: TopicId,
    /// Its name.
    pub topic: TopicName,
    /// The partitions.
    pub partitions: Vec<PartitionIndex>,
}

/// To one group of a DeleteGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteReply {
    /// The group.
    pub group_id: Arc<str>,
    /// The outcome.
    pub error: ErrorCode,
}

/// To OffsetDelete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteOffsetsReply {
    /// The outcome for the whole request; without topics when it is an error.
    pub error: ErrorCode,
    /// The outcome for each partition.
    pub topics: Vec<(TopicName, Vec<(PartitionIndex, ErrorCode)>)>,
}

/// To an observer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineReply {
    /// The outcome: GROUP_ID_NOT_FOUND when there is no such group.
    pub error: ErrorCode,
    /// The groups, by id.
    pub groups: Vec<GroupOutline>,
}

/// To the news that a topic is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicDeletedReply {
    /// The outcome.
    pub error: ErrorCode,
    /// Offsets that were deleted.
    pub offsets: usize,
}

/// To the wish to take a change of offsets back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOffsetsReply {
    /// The outcome; NON_EMPTY_GROUP when the group has members.
    pub error: ErrorCode,
    /// Offsets that are not what they were after that change. If there is any, nothing was restored.
    pub changed: Vec<(TopicName, PartitionIndex)>,
}

/// To the question what happened in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyReply {
    /// The group.
    pub group_id: Arc<str>,
    /// The outcome. GROUP_ID_NOT_FOUND when there is neither a group nor a memory of one.
    pub error: ErrorCode,
    /// Name of the group's state; Dead when there is none any more.
    pub state: &'static str,
    /// What happened, the oldest first.
    pub events: Vec<GroupEvent>,
}
