//! What others may ask a consumer group: who may commit and fetch, and how it looks.

use std::sync::Arc;

use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use super::member::Member;
use super::state::ConsumerGroup;
use crate::group::assignor::PartitionsByTopic;
use crate::group::classic::CONSUMER;
use crate::group::command::CommitOffsets;
use crate::group::reply::{ConsumerDescribeReply, ConsumerMember, ListedGroup, NamedTopicPartitions};
use crate::group::{ConsumerGroupConfig, GroupConfig, OutlineMember, TopicsImage};

/// The name of this kind of group (`Group.GroupType.CONSUMER`).
pub(in crate::group) const GROUP_TYPE: &str = "consumer";

/// The epoch of who names none (`TxnOffsetCommitRequest`).
const UNKNOWN_EPOCH: i32 = -1;

impl ConsumerGroup {
    /// Checks who commits, and what (`ConsumerGroup.validateOffsetCommit`).
    ///
    /// A member may commit with its own epoch whatever it likes. With an older one it is late, and may commit what it
    /// had at that epoch and still has. A transactional commit may also come from a producer that does not know the
    /// member, and knows no epochs, only generations.
    pub(in crate::group) fn validate_commit(&self, commit: &CommitOffsets) -> Result<(), ErrorCode> {
        let epoch = commit.generation_or_member_epoch;
        if epoch < 0 && self.members.is_empty() {
            return Ok(());
        }
        let is_anonymous = commit.member_id.is_empty() && commit.group_instance_id.is_none();
        if commit.in_transaction && epoch == UNKNOWN_EPOCH && is_anonymous {
            return Ok(());
        }
        let member = self.members.get(&commit.member_id).ok_or(ErrorCode::UnknownMemberId)?;
        let is_classic = member.uses_classic_protocol();
        if !is_classic && !commit.knows_group_id_not_found && !commit.in_transaction {
            return Err(ErrorCode::UnsupportedVersion);
        }
        if epoch == member.current.epoch {
            return Ok(());
        }
        let may_have = |topic_id: TopicId, partition: i32| {
            member.current.epoch_of(topic_id, partition).is_some_and(|since| epoch >= since)
        };
        let mut topics = commit.topics.iter();
        let is_late = epoch < member.current.epoch
            && topics.all(|topic| {
                topic.partitions.iter().all(|partition| may_have(topic.topic_id, partition.partition))
            });
        match wrong_epoch(member) {
            _ if is_late => Ok(()),
            ErrorCode::StaleMemberEpoch if commit.in_transaction => Err(ErrorCode::IllegalGeneration),
            error => Err(error),
        }
    }

    /// Checks who fetches committed offsets (`ConsumerGroup.validateOffsetFetch`).
    pub(in crate::group) fn validate_fetch(
        &self,
        member_id: Option<&Arc<str>>,
        epoch: i32,
    ) -> Result<(), ErrorCode> {
        if member_id.is_none() && epoch < 0 {
            return Ok(());
        }
        let member = member_id.and_then(|member_id| self.members.get(member_id));
        let member = member.ok_or(ErrorCode::UnknownMemberId)?;
        if epoch == member.current.epoch { Ok(()) } else { Err(wrong_epoch(member)) }
    }

    /// Its state, as Kafka prints it.
    pub(in crate::group) fn state_name(&self) -> &'static str {
        self.state().name()
    }

    /// True when that is a member.
    pub(in crate::group) fn has(&self, member_id: &str) -> bool {
        self.members.contains_key(member_id)
    }

    /// True when the member has the partition, also when it is giving it back.
    pub(in crate::group) fn owns(
        &self,
        member_id: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
    ) -> bool {
        let member = self.members.get(member_id);
        member.is_some_and(|member| member.current.epoch_of(topic_id, partition).is_some())
    }

    /// The group in a list, if it passes the filters (`listGroups`).
    pub(in crate::group) fn listed(
        &self,
        group_id: &Arc<str>,
        states: &[String],
        types: &[String],
    ) -> Option<ListedGroup> {
        let state = self.state().name();
        let passes = |filter: &[String], name: &str| {
            filter.is_empty() || filter.iter().any(|text| text.eq_ignore_ascii_case(name))
        };
        (passes(states, state) && passes(types, GROUP_TYPE)).then(|| ListedGroup {
            group_id: Arc::clone(group_id),
            protocol_type: CONSUMER.into(),
            state,
            group_type: GROUP_TYPE,
        })
    }

    /// The assignor that most members ask for, or else the one that is used when none does.
    pub(in crate::group) fn assignor_name(&self, config: &ConsumerGroupConfig) -> Arc<str> {
        let preferred = self.index.assignors.iter().max_by_key(|(_, members)| **members);
        let default = || config.assignors.first().map_or("", |assignor| assignor.name()).into();
        preferred.map_or_else(default, |(name, _)| Arc::clone(name))
    }

    /// Its members, for who only watches.
    pub(in crate::group) fn outline_members(&self, topics: &TopicsImage) -> Vec<OutlineMember> {
        let members = self.members.iter().map(|(member_id, Member { metadata, current })| OutlineMember {
            member_id: Arc::clone(member_id),
            group_instance_id: metadata.instance_id.clone(),
            client_id: Arc::clone(&metadata.client_id),
            client_host: Arc::clone(&metadata.client_host),
            partitions: named(&current.owned(), topics)
                .into_iter()
                .map(|topic| (topic.topic, topic.partitions))
                .collect(),
        });
        members.collect()
    }

    /// The group with its members (`ConsumerGroup.asDescribedGroup`).
    pub(in crate::group) fn described(
        &self,
        group_id: Arc<str>,
        config: &GroupConfig,
        topics: &TopicsImage,
    ) -> ConsumerDescribeReply {
        let members = self.members.iter().map(|(member_id, member)| {
            let target = self.targets.get(member_id).map(|target| named(target, topics));
            described_member(member_id, member, target.unwrap_or_default(), topics)
        });
        ConsumerDescribeReply {
            error: ErrorCode::None,
            error_message: None,
            group_id,
            state: self.state().name(),
            group_epoch: self.epoch,
            assignment_epoch: self.target.epoch,
            assignor: self.assignor_name(&config.consumer),
            members: members.collect(),
        }
    }
}

fn wrong_epoch(member: &Member) -> ErrorCode {
    if member.uses_classic_protocol() { ErrorCode::IllegalGeneration } else { ErrorCode::StaleMemberEpoch }
}

fn described_member(
    member_id: &Arc<str>,
    member: &Member,
    target_assignment: Vec<NamedTopicPartitions>,
    topics: &TopicsImage,
) -> ConsumerMember {
    let Member { metadata, current } = member;
    ConsumerMember {
        member_id: Arc::clone(member_id),
        instance_id: metadata.instance_id.clone(),
        rack_id: metadata.rack_id.clone(),
        member_epoch: current.epoch,
        client_id: Arc::clone(&metadata.client_id),
        client_host: Arc::clone(&metadata.client_host),
        subscribed_topic_names: metadata.topics.iter().cloned().collect(),
        subscribed_topic_regex: Arc::clone(&metadata.regex),
        assignment: named(&current.owned(), topics),
        target_assignment,
        uses_classic_protocol: member.uses_classic_protocol(),
    }
}

/// The partitions with their topics' names. Topics that are gone are left out.
fn named(partitions: &PartitionsByTopic, topics: &TopicsImage) -> Vec<NamedTopicPartitions> {
    let topics = partitions.iter().filter_map(|(topic_id, indexes)| {
        Some(NamedTopicPartitions {
            topic_id: *topic_id,
            topic: topics.by_id(*topic_id)?.name.clone(),
            partitions: indexes.iter().copied().collect(),
        })
    });
    topics.collect()
}
