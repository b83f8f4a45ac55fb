//! Groups with everything that an observer wants of them at one moment: their offsets, their members, and counts.

use std::sync::Arc;

use ottla_model::{ErrorCode, PartitionIndex, TopicName};

use super::classic::{self, CONSUMER};
use super::consumer;
use super::events::RebalanceCounts;
use super::groups::{Group, Groups};
use super::offsets::GroupOffsets;
use super::reply::{DescribedMember, OutlineReply};
use crate::codec::ConsumerProtocolAssignment;

/// A group, as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOutline {
    /// Its id.
    pub group_id: Arc<str>,
    /// Its kind, as Kafka prints it.
    pub group_type: &'static str,
    /// Its state, as Kafka prints it.
    pub state: &'static str,
    /// Its protocol type, or empty.
    pub protocol_type: Arc<str>,
    /// The protocol of a stable classic group, the assignor of a consumer group, or empty.
    pub protocol: Arc<str>,
    /// Its members, by id.
    pub members: Vec<OutlineMember>,
    /// Its committed offsets.
    pub offsets: GroupOffsets,
    /// Its rebalances.
    pub rebalances: RebalanceCounts,
}

/// A member, as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// Its instance id, of a static member.
    pub group_instance_id: Option<Arc<str>>,
    /// Client id of its request.
    pub client_id: Arc<str>,
    /// Address of its connection.
    pub client_host: Arc<str>,
    /// The partitions that it has. In a classic group only the leader knows them for certain: they are what it wrote,
    /// if that can be read.
    pub partitions: Vec<(TopicName, Vec<PartitionIndex>)>,
}

impl Groups {
    /// One group, or all of this partition of `__consumer_offsets` in the order of their ids.
    pub(super) fn outline(&self, group_id: Option<&Arc<str>>) -> OutlineReply {
        let outline = |id: &Arc<str>| self.groups.get(id).map(|group| self.outline_of(id, group));
        match group_id {
            Some(id) => match outline(id) {
                Some(group) => OutlineReply { error: ErrorCode::None, groups: vec![group] },
                None => OutlineReply { error: ErrorCode::GroupIdNotFound, groups: Vec::new() },
            },
            None => {
                let groups = self.group_ids().iter().filter_map(outline).collect();
                OutlineReply { error: ErrorCode::None, groups }
            }
        }
    }

    fn outline_of(&self, group_id: &Arc<str>, group: &Group) -> GroupOutline {
        let GroupKind { group_type, protocol_type, protocol, members } = self.kind_of(group);
        GroupOutline {
            group_id: Arc::clone(group_id),
            group_type,
            state: group.state_name(),
            protocol_type,
            protocol,
            members,
            offsets: self.offsets.group(group_id).cloned().unwrap_or_default(),
            rebalances: self.rebalances.counts(group_id),
        }
    }

    fn kind_of(&self, group: &Group) -> GroupKind {
        if let Some(consumer) = group.consumer() {
            return GroupKind {
                group_type: consumer::GROUP_TYPE,
                protocol_type: CONSUMER.into(),
                protocol: consumer.assignor_name(&self.config.consumer),
                members: consumer.outline_members(&self.topics),
            };
        }
        let described = group.classic.described();
        let reads = group.classic.is_consumer_protocol();
        GroupKind {
            group_type: classic::GROUP_TYPE,
            protocol_type: described.protocol_type,
            protocol: described.protocol,
            members: described.members.into_iter().map(|member| classic_member(member, reads)).collect(),
        }
    }
}

/// What is different in groups of different kinds.
struct GroupKind {
    group_type: &'static str,
    protocol_type: Arc<str>,
    protocol: Arc<str>,
    members: Vec<OutlineMember>,
}

fn classic_member(member: DescribedMember, reads: bool) -> OutlineMember {
    let assignment = ConsumerProtocolAssignment::decode(&member.assignment).ok().filter(|_| reads);
    let topics = assignment.map(|assignment| assignment.assigned_partitions).unwrap_or_default();
    let partitions =
        topics.into_iter().filter_map(|(topic, indexes)| Some((TopicName::new(topic).ok()?, indexes)));
    OutlineMember {
        partitions: partitions.collect(),
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
    }
}
