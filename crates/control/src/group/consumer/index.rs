//! What decisions ask of all members at once, kept up to date with each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_model::{PartitionIndex, TopicId};

use super::member::Member;
use super::shared_map::SharedMap;

/// How many members name a topic, and how many resolved expressions match it (`SubscriptionCount`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Subscribers {
    pub(super) by_name: usize,
    pub(super) by_regex: usize,
}

/// Counts over members and resolved expressions. Each is a function of those, so that taking a change back is the
/// same as making it the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    pub(super) topics: BTreeMap<Arc<str>, Subscribers>,
    pub(super) regexes: BTreeMap<Arc<str>, usize>,
    pub(super) assignors: BTreeMap<Arc<str>, usize>,
    /// Static members: instance id and member id.
    instances: SharedMap<(Arc<str>, Arc<str>), ()>,
    /// How many members have each partition. More than one would be a bug.
    owners: SharedMap<(TopicId, PartitionIndex), usize>,
    pub(super) classic_members: usize,
    pub(super) classic_protocols: BTreeMap<Arc<str>, usize>,
}

impl Index {
    pub(super) fn add(&mut self, member_id: &Arc<str>, member: &Member) {
        let metadata = &member.metadata;
        for topic in &metadata.topics {
            self.topics.entry(Arc::clone(topic)).or_default().by_name += 1;
        }
        member.regex().into_iter().for_each(|regex| increment(&mut self.regexes, regex));
        metadata.assignor.iter().for_each(|assignor| increment(&mut self.assignors, assignor));
        if let Some(instance) = &metadata.instance_id {
            self.instances.insert((Arc::clone(instance), Arc::clone(member_id)), ());
        }
        for partition in member.current.partitions() {
            let owners = self.owners.get(&partition).copied().unwrap_or_default();
            self.owners.insert(partition, owners.saturating_add(1));
        }
        if let Some(classic) = &metadata.classic {
            self.classic_members += 1;
            classic.protocols.iter().for_each(|(name, _)| increment(&mut self.classic_protocols, name));
        }
    }

    pub(super) fn remove(&mut self, member_id: &Arc<str>, member: &Member) {
        let metadata = &member.metadata;
        for topic in &metadata.topics {
            self.change_topic(topic, |count| count.by_name = count.by_name.saturating_sub(1));
        }
        member.regex().into_iter().for_each(|regex| decrement(&mut self.regexes, regex));
        metadata.assignor.iter().for_each(|assignor| decrement(&mut self.assignors, assignor));
        if let Some(instance) = &metadata.instance_id {
            self.instances.remove(&(Arc::clone(instance), Arc::clone(member_id)));
        }
        for partition in member.current.partitions() {
            match self.owners.remove(&partition) {
                Some(owners) if owners > 1 => drop(self.owners.insert(partition, owners.saturating_sub(1))),
                _ => {}
            }
        }
        if let Some(classic) = &metadata.classic {
            self.classic_members = self.classic_members.saturating_sub(1);
            classic.protocols.iter().for_each(|(name, _)| decrement(&mut self.classic_protocols, name));
        }
    }

    pub(super) fn add_resolved(&mut self, topics: &BTreeSet<Arc<str>>) {
        for topic in topics {
            self.topics.entry(Arc::clone(topic)).or_default().by_regex += 1;
        }
    }

    pub(super) fn remove_resolved(&mut self, topics: &BTreeSet<Arc<str>>) {
        for topic in topics {
            self.change_topic(topic, |count| count.by_regex = count.by_regex.saturating_sub(1));
        }
    }

    fn change_topic(&mut self, topic: &Arc<str>, change: impl FnOnce(&mut Subscribers)) {
        if let Some(count) = self.topics.get_mut(topic) {
            change(count);
            if *count == Subscribers::default() {
                self.topics.remove(topic);
            }
        }
    }

    /// The member of that instance id.
    pub(super) fn static_member(&self, instance_id: &Arc<str>) -> Option<&Arc<str>> {
        let from = (Arc::clone(instance_id), Arc::default());
        let (found, ()) = self.instances.at_or_after(&from)?;
        Some(found).filter(|(instance, _)| instance == instance_id).map(|(_, member_id)| member_id)
    }

    /// True while a member has the partition, also one that is giving it back.
    pub(super) fn is_owned(&self, topic_id: TopicId, partition: PartitionIndex) -> bool {
        self.owners.contains_key(&(topic_id, partition))
    }
}

fn increment<K: Ord + Clone>(counts: &mut BTreeMap<K, usize>, key: &K) {
    *counts.entry(key.clone()).or_default() += 1;
}

fn decrement<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}
