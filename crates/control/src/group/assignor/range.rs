//! The range assignor (`RangeAssignor`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ottla_model::{PartitionIndex, TopicId};

use super::spec::partition_count;
use super::{
    GroupAssignment, GroupSpec, MemberSpec, PartitionAssignorError, PartitionsByTopic, TopicPartitionCounts,
};

/// How a topic is shared out: the first members get one partition more when it does not divide evenly.
struct TopicRange {
    partition_count: PartitionIndex,
    quota: PartitionIndex,
    extra_partitions: PartitionIndex,
    next: PartitionIndex,
}

/// Gives each member the next run of each of its topics. Kafka has two ways for groups whose members do and do not
/// subscribe to the same topics, which come to the same.
pub(super) fn assign(
    group: &GroupSpec<'_>,
    topics: &impl TopicPartitionCounts,
) -> Result<GroupAssignment, PartitionAssignorError> {
    let mut ranges = ranges(group, topics)?;
    let mut members: Vec<(&str, &MemberSpec<'_>)> =
        group.members.iter().map(|(id, spec)| (*id, spec)).collect();
    members.sort_by(|first, second| in_assignment_order(*first, *second));
    let mut assignment = GroupAssignment::new();
    for (member_id, member) in members {
        let mut partitions = PartitionsByTopic::new();
        for topic_id in member.subscribed_topic_ids.iter() {
            let run = ranges.get_mut(topic_id).map(TopicRange::take).unwrap_or_default();
            if !run.is_empty() {
                partitions.insert(*topic_id, run.collect());
            }
        }
        assignment.insert(member_id.to_owned(), partitions);
    }
    Ok(assignment)
}

fn ranges(
    group: &GroupSpec<'_>,
    topics: &impl TopicPartitionCounts,
) -> Result<BTreeMap<TopicId, TopicRange>, PartitionAssignorError> {
    let mut subscribers: BTreeMap<TopicId, PartitionIndex> = BTreeMap::new();
    for topic_id in group.members.values().flat_map(|member| member.subscribed_topic_ids.iter()) {
        let count = subscribers.entry(*topic_id).or_default();
        *count = count.saturating_add(1);
    }
    let range = |(topic_id, members): (TopicId, PartitionIndex)| {
        let partition_count = partition_count(topics, topic_id)?;
        let quota = partition_count.checked_div(members).unwrap_or(0);
        let extra_partitions = partition_count.checked_rem(members).unwrap_or(0);
        Ok((topic_id, TopicRange { partition_count, quota, extra_partitions, next: 0 }))
    };
    subscribers.into_iter().map(range).collect()
}

impl TopicRange {
    /// The next member's run.
    fn take(&mut self) -> std::ops::Range<PartitionIndex> {
        let mut quota = self.quota;
        if self.extra_partitions > 0 {
            quota = quota.saturating_add(1);
            self.extra_partitions -= 1;
        }
        let start = self.next;
        self.next = start.saturating_add(quota).min(self.partition_count);
        start..self.next
    }
}

/// Static members come first, by instance id, so that they keep their runs when they come back under another member
/// id; the others follow by member id. Texts are compared as Java does.
fn in_assignment_order(first: (&str, &MemberSpec<'_>), second: (&str, &MemberSpec<'_>)) -> Ordering {
    match (first.1.instance_id, second.1.instance_id) {
        (Some(first), Some(second)) => utf16_order(first, second),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => utf16_order(first.0, second.0),
    }
}

/// The order of `String.compareTo`, which is not that of UTF-8 for characters beyond the basic plane.
fn utf16_order(first: &str, second: &str) -> Ordering {
    first.encode_utf16().cmp(second.encode_utf16())
}
