//! Who has what in a consumer group, as those are told who only watch.

use std::sync::Arc;

use bytes::Bytes;

use super::change::without_epochs;
use super::member::Current;
use super::state::ConsumerGroup;
use crate::codec::ConsumerProtocolAssignment;
use crate::group::TopicsImage;
use crate::group::assignor::PartitionsByTopic;
use crate::group::events::Assignments;

/// Version of the embedded protocol that assignments are kept in: all have the same fields.
const VERSION: i16 = 0;

impl Current {
    /// The partitions that nobody else may have: those of the member, and those that it is giving back.
    pub(super) fn owned(&self) -> PartitionsByTopic {
        let mut owned = without_epochs(&self.assigned);
        for (topic_id, partitions) in without_epochs(&self.revoking) {
            owned.entry(topic_id).or_default().extend(partitions);
        }
        owned
    }
}

/// What every member has, unless that is too large to be kept.
pub(super) fn owned(group: &ConsumerGroup, topics: &TopicsImage) -> Option<Arc<Assignments>> {
    let members = group.members.iter();
    Assignments::kept(true, members.map(|(id, member)| (id, encoded(&member.current.owned(), topics))))
}

/// What every member shall have, unless that is too large to be kept.
pub(super) fn targets(group: &ConsumerGroup, topics: &TopicsImage) -> Option<Arc<Assignments>> {
    Assignments::kept(true, group.targets.iter().map(|(id, target)| (id, encoded(target, topics))))
}

/// Topics that are gone have no name any more, and are left out.
fn encoded(partitions: &PartitionsByTopic, topics: &TopicsImage) -> Bytes {
    let named = partitions.iter().filter_map(|(topic_id, indexes)| {
        Some((topics.by_id(*topic_id)?.name.as_str(), indexes.iter().copied().collect()))
    });
    let assignment = ConsumerProtocolAssignment { assigned_partitions: named.collect(), user_data: None };
    // Names of topics always fit.
    assignment.encode(VERSION).unwrap_or_default()
}
