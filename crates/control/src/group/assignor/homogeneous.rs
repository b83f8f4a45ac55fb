//! The uniform assignor for groups whose members subscribe to the same topics (`UniformHomogeneousAssignmentBuilder`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ottla_model::{PartitionIndex, TopicId};

use super::spec::partition_count;
use super::{
    GroupAssignment, GroupSpec, MemberSpec, PartitionAssignorError, PartitionsByTopic, TopicPartitionCounts,
};

/// Each member keeps what it has up to its quota; what is left goes to those below theirs, in order.
pub(super) fn assign(
    group: &GroupSpec<'_>,
    topics: &impl TopicPartitionCounts,
) -> Result<GroupAssignment, PartitionAssignorError> {
    let mut builder = Builder::new(group, topics)?;
    for (member_id, member) in &group.members {
        builder.keep(member_id, member);
    }
    builder.assign_remaining();
    Ok(builder.target)
}

struct Builder {
    /// The subscribed topics, with the number of partitions of each.
    partition_counts: BTreeMap<TopicId, PartitionIndex>,
    /// What somebody has or had, so that a partition is kept only once.
    claimed: BTreeSet<(TopicId, PartitionIndex)>,
    unassigned: VecDeque<(TopicId, PartitionIndex)>,
    /// Members below their quota, with what they lack.
    unfilled: Vec<(String, usize)>,
    quota: usize,
    /// How many more members get one above the quota.
    members_with_extra: usize,
    /// How many members were not looked at yet.
    members_left: usize,
    target: GroupAssignment,
}

impl Builder {
    fn new(
        group: &GroupSpec<'_>,
        topics: &impl TopicPartitionCounts,
    ) -> Result<Self, PartitionAssignorError> {
        let subscribed = group.members.values().next().map(|member| member.subscribed_topic_ids.clone());
        let mut partition_counts = BTreeMap::new();
        for topic_id in subscribed.iter().flat_map(|ids| ids.iter()) {
            partition_counts.insert(*topic_id, partition_count(topics, *topic_id)?);
        }
        let assigned: BTreeSet<(TopicId, PartitionIndex)> =
            group.members.values().flat_map(|member| partitions_of(member.assignment)).collect();
        let all =
            partition_counts.iter().flat_map(|(topic_id, count)| (0..*count).map(|index| (*topic_id, index)));
        let (total, unassigned) =
            all.fold((0usize, VecDeque::new()), |(total, mut unassigned), partition| {
                if !assigned.contains(&partition) {
                    unassigned.push_back(partition);
                }
                (total.saturating_add(1), unassigned)
            });
        let members = group.members.len();
        Ok(Self {
            partition_counts,
            claimed: BTreeSet::new(),
            unassigned,
            unfilled: Vec::new(),
            quota: total.checked_div(members).unwrap_or(0),
            members_with_extra: total.checked_rem(members).unwrap_or(0),
            members_left: members,
            target: GroupAssignment::new(),
        })
    }

    /// Lets a member keep what it has up to its quota (`maybeRevokePartitions`).
    fn keep(&mut self, member_id: &str, member: &MemberSpec<'_>) {
        let mut quota = self.quota;
        let mut has_extra = self.members_with_extra > 0;
        if has_extra {
            quota = quota.saturating_add(1);
        }
        let mut kept = PartitionsByTopic::new();
        for (topic_id, partition) in partitions_of(member.assignment) {
            if !self.exists(topic_id, partition) || !self.claimed.insert((topic_id, partition)) {
                continue;
            }
            if quota > 0 {
                quota -= 1;
                kept.entry(topic_id).or_default().insert(partition);
            } else {
                self.unassigned.push_back((topic_id, partition));
            }
        }
        // A member that could not fill the place above the quota leaves it to a later one, while there are enough.
        if quota > 0 && has_extra && self.members_left > self.members_with_extra {
            quota -= 1;
            has_extra = false;
        }
        if quota > 0 {
            self.unfilled.push((member_id.to_owned(), quota));
        }
        if has_extra {
            self.members_with_extra -= 1;
        }
        self.members_left = self.members_left.saturating_sub(1);
        self.target.insert(member_id.to_owned(), kept);
    }

    fn exists(&self, topic_id: TopicId, partition: PartitionIndex) -> bool {
        self.partition_counts.get(&topic_id).is_some_and(|count| (0..*count).contains(&partition))
    }

    fn assign_remaining(&mut self) {
        for (member_id, quota) in &self.unfilled {
            let target = self.target.entry(member_id.clone()).or_default();
            for (topic_id, partition) in self.unassigned.drain(..self.unassigned.len().min(*quota)) {
                target.entry(topic_id).or_default().insert(partition);
            }
        }
    }
}

fn partitions_of(assignment: &PartitionsByTopic) -> impl Iterator<Item = (TopicId, PartitionIndex)> + '_ {
    assignment
        .iter()
        .flat_map(|(topic_id, partitions)| partitions.iter().map(|partition| (*topic_id, *partition)))
}
