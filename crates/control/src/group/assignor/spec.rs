//! What an assignor is given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_model::{PartitionIndex, TopicId};

use super::PartitionAssignorError;

/// Partitions of several topics.
pub type PartitionsByTopic = BTreeMap<TopicId, BTreeSet<PartitionIndex>>;

/// A group as an assignor sees it (`GroupSpec`).
#[derive(Debug, Clone)]
pub struct GroupSpec<'a> {
    /// The members, by member id.
    pub members: BTreeMap<&'a str, MemberSpec<'a>>,
    /// Whether all members subscribe to the same topics.
    pub subscription_type: SubscriptionType,
}

/// A member as an assignor sees it (`MemberSubscriptionAndAssignmentImpl`).
#[derive(Debug, Clone)]
pub struct MemberSpec<'a> {
    /// Its name across restarts, of a static member.
    pub instance_id: Option<&'a str>,
    /// The rack that it runs in. No assignor reads it.
    pub rack_id: Option<&'a str>,
    /// The topics that it subscribes to and that exist. Members with the same subscription share one set.
    pub subscribed_topic_ids: Arc<BTreeSet<TopicId>>,
    /// What it shall have until now: its part of the target assignment, or that of the static member whose place it
    /// takes.
    pub assignment: &'a PartitionsByTopic,
}

/// Whether the members of a group subscribe to the same topics (`SubscriptionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionType {
    /// All to the same.
    Homogeneous,
    /// At least two to different ones.
    Heterogeneous,
}

impl SubscriptionType {
    /// The type of a group (`ConsumerGroup.subscriptionType`), from the topics that each member names, existing or
    /// not, and its regular expression, where an empty one is none. It is homogeneous when all members name the same
    /// topics and none has an expression, or when all have the same expression and none names a topic.
    #[must_use]
    pub fn of<'a, Name: Ord + 'a>(
        members: impl IntoIterator<Item = (&'a BTreeSet<Name>, Option<&'a str>)>,
    ) -> Self {
        let mut members = members
            .into_iter()
            .map(|(names, expression)| (names, expression.filter(|text| !text.is_empty())));
        let Some((names, expression)) = members.next() else { return Self::Homogeneous };
        let is_same = members.all(|member| member == (names, expression));
        if is_same && (expression.is_none() || names.is_empty()) {
            return Self::Homogeneous;
        }
        Self::Heterogeneous
    }
}

/// How many partitions topics have (`SubscribedTopicDescriber`).
pub trait TopicPartitionCounts {
    /// The number of partitions of a topic, or `None` when there is no such topic.
    fn partition_count(&self, topic_id: TopicId) -> Option<PartitionIndex>;
}

impl TopicPartitionCounts for BTreeMap<TopicId, PartitionIndex> {
    fn partition_count(&self, topic_id: TopicId) -> Option<PartitionIndex> {
        self.get(&topic_id).copied()
    }
}

/// The number of partitions of a topic that a member subscribes to.
pub(super) fn partition_count(
    topics: &impl TopicPartitionCounts,
    topic_id: TopicId,
) -> Result<PartitionIndex, PartitionAssignorError> {
    topics.partition_count(topic_id).ok_or(PartitionAssignorError::UnknownTopic(topic_id))
}
