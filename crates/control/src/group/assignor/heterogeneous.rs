//! The uniform assignor for groups whose members subscribe to different topics
//! (`UniformHeterogeneousAssignmentBuilder`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ottla_model::TopicId;

use super::balancer::{Balancer, MemberIndex};
use super::spec::partition_count;
use super::{GroupAssignment, GroupSpec, PartitionAssignorError, PartitionsByTopic, TopicPartitionCounts};

/// How often all topics are gone through to balance them. More would bring little: what is moved in one topic
/// unbalances another by ever less.
const ITERATIONS_MAX: usize = 16;

/// Each member keeps what it has; partitions without an owner go to the least loaded; then partitions are moved from
/// the most to the least loaded subscriber of each topic until the loads differ by at most one, as far as the
/// subscriptions let them.
pub(super) fn assign(
    group: &GroupSpec<'_>,
    topics: &impl TopicPartitionCounts,
) -> Result<GroupAssignment, PartitionAssignorError> {
    let mut builder = Builder::new(group, topics)?;
    let mut balancer = Balancer::default();
    builder.assign_remaining(&mut balancer);
    builder.balance(&mut balancer);
    Ok(builder.target(group))
}

struct Builder {
    /// The subscribed topics, those with most partitions a subscriber first.
    topics: Vec<Topic>,
    /// How many partitions each member has.
    loads: Vec<usize>,
}

struct Topic {
    id: TopicId,
    /// In ascending order.
    subscribers: Vec<MemberIndex>,
    /// The owner of each partition, by partition.
    owners: Vec<Option<MemberIndex>>,
}

impl Builder {
    fn new(
        group: &GroupSpec<'_>,
        topics: &impl TopicPartitionCounts,
    ) -> Result<Self, PartitionAssignorError> {
        let mut by_id: BTreeMap<TopicId, Topic> = BTreeMap::new();
        for (index, member) in group.members.values().enumerate() {
            for id in member.subscribed_topic_ids.iter() {
                if let Some(topic) = by_id.get_mut(id) {
                    topic.subscribers.push(index);
                    continue;
                }
                let count = usize::try_from(partition_count(topics, *id)?).unwrap_or(0);
                by_id.insert(*id, Topic { id: *id, subscribers: vec![index], owners: vec![None; count] });
            }
        }
        let loads = keep(group, &mut by_id);
        let mut topics: Vec<Topic> = by_id.into_values().collect();
        topics.sort_by(in_balancing_order);
        Ok(Self { topics, loads })
    }

    /// Gives the partitions that nobody has to the least loaded.
    fn assign_remaining(&mut self, balancer: &mut Balancer) {
        for topic in &mut self.topics {
            balancer.start(&topic.subscribers, &self.loads);
            for owner in topic.owners.iter_mut().filter(|owner| owner.is_none()) {
                *owner = balancer.next_least_loaded(&self.loads);
                change_load(&mut self.loads, *owner, 1);
            }
        }
    }

    /// Balances topic by topic, until a whole round has moved nothing.
    fn balance(&mut self, balancer: &mut Balancer) {
        let mut last_moved = None;
        for _ in 0..ITERATIONS_MAX {
            let shared = self.topics.iter_mut().filter(|topic| topic.subscribers.len() >= 2);
            for (place, topic) in shared.enumerate() {
                if last_moved == Some(place) {
                    return;
                }
                let moved = balance_topic(topic, &mut self.loads, balancer);
                if moved > 0 || last_moved.is_none() {
                    last_moved = Some(place);
                }
            }
        }
    }

    fn target(self, group: &GroupSpec<'_>) -> GroupAssignment {
        let mut partitions: Vec<PartitionsByTopic> = vec![PartitionsByTopic::new(); self.loads.len()];
        for topic in &self.topics {
            for (partition, owner) in (0..).zip(&topic.owners) {
                if let Some(member) = owner.and_then(|owner| partitions.get_mut(owner)) {
                    member.entry(topic.id).or_default().insert(partition);
                }
            }
        }
        group.members.keys().map(|member_id| (*member_id).to_owned()).zip(partitions).collect()
    }
}

/// Enters what each member has of the topics that it subscribes to, each partition once, and answers the loads.
fn keep(group: &GroupSpec<'_>, topics: &mut BTreeMap<TopicId, Topic>) -> Vec<usize> {
    let mut loads = Vec::with_capacity(group.members.len());
    for (index, member) in group.members.values().enumerate() {
        let mut load = 0usize;
        for (id, partitions) in member.assignment {
            if !member.subscribed_topic_ids.contains(id) {
                continue;
            }
            let Some(topic) = topics.get_mut(id) else { continue };
            for partition in partitions {
                let owner = usize::try_from(*partition).ok().and_then(|place| topic.owners.get_mut(place));
                if let Some(owner @ None) = owner {
                    *owner = Some(index);
                    load = load.saturating_add(1);
                }
            }
        }
        loads.push(load);
    }
    loads
}

/// Moves partitions of a topic from its most to its least loaded subscribers. Answers how many.
fn balance_topic(topic: &mut Topic, loads: &mut [usize], balancer: &mut Balancer) -> usize {
    let mut moved = 0;
    if balancer.start(&topic.subscribers, loads) <= 1 {
        return moved;
    }
    let mut partitions: BTreeMap<MemberIndex, Vec<usize>> = BTreeMap::new();
    for (partition, owner) in topic.owners.iter().enumerate() {
        if let Some(owner) = owner {
            partitions.entry(*owner).or_default().push(partition);
        }
    }
    while !balancer.is_balanced() {
        let Some((from, partition)) = next_to_move(&mut partitions, loads, balancer) else { break };
        let to = balancer.next_least_loaded(loads);
        if balancer.is_balanced() {
            break;
        }
        if let Some(owner) = topic.owners.get_mut(partition) {
            *owner = to;
        }
        change_load(loads, Some(from), -1);
        change_load(loads, to, 1);
        moved += 1;
    }
    moved
}

/// The last partition of the most loaded member that still has one which it had before.
fn next_to_move(
    partitions: &mut BTreeMap<MemberIndex, Vec<usize>>,
    loads: &[usize],
    balancer: &mut Balancer,
) -> Option<(MemberIndex, usize)> {
    loop {
        let member = balancer.next_most_loaded(loads)?;
        if let Some(partition) = partitions.get_mut(&member).and_then(Vec::pop) {
            return Some((member, partition));
        }
        balancer.exclude_most_loaded();
    }
}

fn change_load(loads: &mut [usize], member: Option<MemberIndex>, by: isize) {
    if let Some(load) = member.and_then(|member| loads.get_mut(member)) {
        *load = load.saturating_add_signed(by);
    }
}

/// Topics with most partitions a subscriber come first, since they are hardest to balance by others; then those with
/// fewest subscribers; then by id.
fn in_balancing_order(first: &Topic, second: &Topic) -> Ordering {
    let share = |topic: &Topic| topic.owners.len() as f64 / topic.subscribers.len() as f64;
    share(second)
        .total_cmp(&share(first))
        .then(first.subscribers.len().cmp(&second.subscribers.len()))
        .then(java_order(first.id).cmp(&java_order(second.id)))
}

/// What `Uuid.compareTo` compares: two signed halves.
fn java_order(id: TopicId) -> (i64, i64) {
    let bits = u128::from_be_bytes(id.0);
    (((bits >> 64) as u64).cast_signed(), (bits as u64).cast_signed())
}
