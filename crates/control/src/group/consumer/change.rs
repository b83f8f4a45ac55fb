//! Changes of a consumer group to and from their records (`GroupCoordinatorRecordHelpers`).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::member::{ClassicMetadata, Current, MemberState, Metadata, Owned};
use super::state::{Change, Resolved, TargetEpoch};
use crate::codec::{
    AssignedPartitions, ClassicMemberMetadata, ClassicProtocol, ConsumerGroupCurrentMemberAssignmentValue,
    ConsumerGroupKey, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataValue,
    ConsumerGroupPartitionMetadataValue, ConsumerGroupRegularExpressionValue,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataValue, DecodeError,
    EncodeError,
};
use crate::group::assignor::PartitionsByTopic;
use crate::machine::Record;

impl Change {
    /// The change that a record means.
    ///
    /// # Errors
    /// [`DecodeError`] when the value is malformed or of a later version.
    pub(in crate::group) fn decode(
        key: &ConsumerGroupKey<'_>,
        value: Option<&[u8]>,
    ) -> Result<Self, DecodeError> {
        Ok(match *key {
            ConsumerGroupKey::Metadata { .. } => Self::Epoch(match value {
                Some(value) => {
                    let value = ConsumerGroupMetadataValue::decode(value)?;
                    Some((value.epoch, value.metadata_hash))
                }
                None => None,
            }),
            ConsumerGroupKey::PartitionMetadata { .. } => {
                value.map(ConsumerGroupPartitionMetadataValue::decode).transpose()?;
                Self::SubscriptionRecord(value.is_some())
            }
            ConsumerGroupKey::MemberMetadata { member_id, .. } => {
                Self::Metadata(member_id.into(), value.map(decode_metadata).transpose()?.map(Arc::new))
            }
            ConsumerGroupKey::TargetAssignmentMetadata { .. } => Self::TargetEpoch(match value {
                Some(value) => {
                    let value = ConsumerGroupTargetAssignmentMetadataValue::decode(value)?;
                    Some(TargetEpoch {
                        epoch: value.assignment_epoch,
                        made_at_ms: value.assignment_timestamp_ms,
                    })
                }
                None => None,
            }),
            ConsumerGroupKey::TargetAssignmentMember { member_id, .. } => {
                Self::Target(member_id.into(), value.map(decode_target).transpose()?.map(Arc::new))
            }
            ConsumerGroupKey::CurrentMemberAssignment { member_id, .. } => {
                Self::Current(member_id.into(), value.map(decode_current).transpose()?.map(Arc::new))
            }
            ConsumerGroupKey::RegularExpression { regular_expression, .. } => {
                Self::Regex(regular_expression.into(), value.map(decode_resolved).transpose()?.map(Arc::new))
            }
        })
    }

    /// The record of the change.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is too long. Requests are checked, so this does not happen.
    pub(in crate::group) fn encode(&self, group: &str) -> Result<Record, EncodeError> {
        let (key, value) = match self {
            Self::Epoch(epoch) => {
                let value = epoch.map(|(epoch, metadata_hash)| {
                    ConsumerGroupMetadataValue { epoch, metadata_hash }.encode()
                });
                (ConsumerGroupKey::Metadata { group }, value)
            }
            Self::SubscriptionRecord(is_there) => {
                let empty = ConsumerGroupPartitionMetadataValue { topics: Vec::new() };
                (ConsumerGroupKey::PartitionMetadata { group }, is_there.then(|| empty.encode()))
            }
            Self::Metadata(member_id, metadata) => (
                ConsumerGroupKey::MemberMetadata { group, member_id },
                metadata.as_deref().map(encode_metadata),
            ),
            Self::TargetEpoch(target) => {
                let value = target.map(|target| {
                    ConsumerGroupTargetAssignmentMetadataValue {
                        assignment_epoch: target.epoch,
                        assignment_timestamp_ms: target.made_at_ms,
                    }
                    .encode()
                });
                (ConsumerGroupKey::TargetAssignmentMetadata { group }, value)
            }
            Self::Target(member_id, target) => (
                ConsumerGroupKey::TargetAssignmentMember { group, member_id },
                target.as_deref().map(encode_target),
            ),
            Self::Current(member_id, current) => (
                ConsumerGroupKey::CurrentMemberAssignment { group, member_id },
                current.as_deref().map(encode_current),
            ),
            Self::Regex(regex, resolved) => (
                ConsumerGroupKey::RegularExpression { group, regular_expression: regex },
                resolved.as_deref().map(encode_resolved),
            ),
        };
        Ok(Record { key: key.encode()?, value: value.transpose()?, headers: Vec::new() })
    }
}

fn decode_metadata(value: &[u8]) -> Result<Metadata, DecodeError> {
    let value = ConsumerGroupMemberMetadataValue::decode(value)?;
    Ok(Metadata {
        instance_id: value.instance_id.map(Arc::from),
        rack_id: value.rack_id.map(Arc::from),
        client_id: value.client_id.into(),
        client_host: value.client_host.into(),
        topics: value.subscribed_topic_names.into_iter().map(Arc::from).collect(),
        regex: value.subscribed_topic_regex.unwrap_or_default().into(),
        rebalance_timeout_ms: value.rebalance_timeout_ms,
        assignor: value.server_assignor.map(Arc::from),
        classic: value.classic_member_metadata.map(|classic| ClassicMetadata {
            session_timeout_ms: classic.session_timeout_ms,
            protocols: classic
                .supported_protocols
                .into_iter()
                .map(|protocol| (protocol.name.into(), Bytes::copy_from_slice(protocol.metadata)))
                .collect(),
        }),
    })
}

fn encode_metadata(metadata: &Metadata) -> Result<Bytes, EncodeError> {
    let classic = metadata.classic.as_ref().map(|classic| ClassicMemberMetadata {
        session_timeout_ms: classic.session_timeout_ms,
        supported_protocols: classic
            .protocols
            .iter()
            .map(|(name, metadata)| ClassicProtocol { name, metadata })
            .collect(),
    });
    let value = ConsumerGroupMemberMetadataValue {
        instance_id: metadata.instance_id.as_deref(),
        rack_id: metadata.rack_id.as_deref(),
        client_id: &metadata.client_id,
        client_host: &metadata.client_host,
        subscribed_topic_names: metadata.topics.iter().map(|topic| &**topic).collect(),
        subscribed_topic_regex: Some(&metadata.regex),
        rebalance_timeout_ms: metadata.rebalance_timeout_ms,
        server_assignor: metadata.assignor.as_deref(),
        classic_member_metadata: classic,
    };
    value.encode()
}

fn decode_target(value: &[u8]) -> Result<PartitionsByTopic, DecodeError> {
    let value = ConsumerGroupTargetAssignmentMemberValue::decode(value)?;
    let topics = value.topic_partitions.into_iter();
    Ok(topics.map(|(topic_id, partitions)| (topic_id, partitions.into_iter().collect())).collect())
}

fn encode_target(target: &PartitionsByTopic) -> Result<Bytes, EncodeError> {
    let topics = target.iter();
    let topic_partitions =
        topics.map(|(topic_id, partitions)| (*topic_id, partitions.iter().copied().collect())).collect();
    ConsumerGroupTargetAssignmentMemberValue { topic_partitions }.encode()
}

fn decode_current(value: &[u8]) -> Result<Current, DecodeError> {
    let value = ConsumerGroupCurrentMemberAssignmentValue::decode(value)?;
    let owned = |topics: &[AssignedPartitions]| -> Owned {
        let topics = topics.iter();
        topics.map(|topic| (topic.topic_id, topic.with_epochs(value.member_epoch).collect())).collect()
    };
    Ok(Current {
        epoch: value.member_epoch,
        previous_epoch: value.previous_member_epoch,
        state: MemberState::from_number(value.state),
        assigned: owned(&value.assigned_partitions),
        revoking: owned(&value.partitions_pending_revocation),
    })
}

fn encode_current(current: &Current) -> Result<Bytes, EncodeError> {
    let partitions = |owned: &Owned| {
        let topics = owned.iter().map(|(topic_id, partitions)| AssignedPartitions {
            topic_id: *topic_id,
            partitions: partitions.keys().copied().collect(),
            assignment_epochs: partitions.values().copied().collect(),
        });
        topics.collect()
    };
    let value = ConsumerGroupCurrentMemberAssignmentValue {
        member_epoch: current.epoch,
        previous_member_epoch: current.previous_epoch,
        state: current.state.number(),
        assigned_partitions: partitions(&current.assigned),
        partitions_pending_revocation: partitions(&current.revoking),
    };
    value.encode()
}

fn decode_resolved(value: &[u8]) -> Result<Resolved, DecodeError> {
    let value = ConsumerGroupRegularExpressionValue::decode(value)?;
    Ok(Resolved {
        topics: value.topics.into_iter().map(Arc::from).collect(),
        version: value.version,
        at_ms: value.timestamp_ms,
    })
}

fn encode_resolved(resolved: &Resolved) -> Result<Bytes, EncodeError> {
    let value = ConsumerGroupRegularExpressionValue {
        topics: resolved.topics.iter().map(|topic| &**topic).collect(),
        version: resolved.version,
        timestamp_ms: resolved.at_ms,
    };
    value.encode()
}

/// The partitions, without the epochs at which they came.
pub(super) fn without_epochs(owned: &Owned) -> PartitionsByTopic {
    owned.iter().map(|(topic_id, partitions)| (*topic_id, partitions.keys().copied().collect())).collect()
}

/// The partitions, as if all had come at `epoch`.
pub(super) fn with_epoch(partitions: &PartitionsByTopic, epoch: i32) -> Owned {
    let topics = partitions.iter();
    topics
        .map(|(topic_id, indexes)| {
            let epochs: BTreeMap<_, _> = indexes.iter().map(|index| (*index, epoch)).collect();
            (*topic_id, epochs)
        })
        .collect()
}
