//! Consumer groups as lines of a transcript.

use ottla_model::{ErrorCode, PartitionIndex, TopicId};

use super::list;
use crate::codec::{
    AssignedPartitions, ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupKey,
    ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataValue, ConsumerGroupRegularExpressionValue,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataValue,
};
use crate::group::*;

/// A topic by the name that its id is made of.
fn topic(id: TopicId) -> String {
    String::from_utf8_lossy(&id.0).trim_end_matches('\0').to_owned()
}

fn partitions(topics: &[(TopicId, Vec<PartitionIndex>)]) -> String {
    format!("[{}]", list(topics, |(id, of)| list(of, |partition| format!("{}-{partition}", topic(*id)))))
}

fn owned(topics: &[AssignedPartitions]) -> String {
    let show = |one: &AssignedPartitions| {
        let parts: Vec<_> = one.with_epochs(-9).collect();
        list(&parts, |(partition, epoch)| format!("{}-{partition}@{epoch}", topic(one.topic_id)))
    };
    format!("[{}]", list(topics, show))
}

pub(super) fn heartbeat(beat: &ConsumerHeartbeat) -> String {
    let mut text = format!("heartbeat {:?} epoch {}", beat.member_id, beat.member_epoch);
    if let Some(instance) = &beat.instance_id {
        text += &format!(" static {instance}");
    }
    if let Some(topics) = &beat.subscribed_topic_names {
        text += &format!(" reads [{}]", list(topics, |name| name.to_string()));
    }
    if let Some(regex) = &beat.subscribed_topic_regex {
        text += &format!(" reads {regex:?}");
    }
    if let Some(assignor) = &beat.server_assignor {
        text += &format!(" by {assignor}");
    }
    if let Some(owned) = &beat.topic_partitions {
        text += &format!(" has {}", partitions(owned));
    }
    text
}

pub(super) fn beaten(beat: &ConsumerHeartbeatReply) -> String {
    if beat.error.is_error() {
        return format!("{} {:?}", beat.error, beat.error_message.as_deref().unwrap_or_default());
    }
    let mut text = format!("{} epoch {}", beat.member_id.as_deref().unwrap_or("null"), beat.member_epoch);
    if let Some(assignment) = &beat.assignment {
        text += &format!(" has {}", partitions(assignment));
    }
    text
}

pub(super) fn described(group: &ConsumerDescribeReply) -> String {
    if group.error != ErrorCode::None {
        return format!("{} {:?}", group.error, group.error_message.as_deref().unwrap_or_default());
    }
    let named = |topics: &[NamedTopicPartitions]| {
        list(topics, |one| list(&one.partitions, |partition| format!("{}-{partition}", one.topic)))
    };
    format!(
        "{} epoch {}/{} by {} {}",
        group.state,
        group.group_epoch,
        group.assignment_epoch,
        group.assignor,
        list(&group.members, |member| format!(
            "{}({}{} epoch {} has [{}] of [{}]{})",
            member.member_id,
            member.client_id,
            member.client_host,
            member.member_epoch,
            named(&member.assignment),
            named(&member.target_assignment),
            if member.uses_classic_protocol { " classic" } else { "" },
        ))
    )
}

pub(super) fn record(key: &ConsumerGroupKey<'_>, value: Option<&[u8]>) -> String {
    let group = key.group();
    match key {
        ConsumerGroupKey::Metadata { .. } => match value {
            None => format!("{group} epoch is gone"),
            Some(value) => {
                let value = ConsumerGroupMetadataValue::decode(value).unwrap();
                let hash = if value.metadata_hash == 0 { " without topics" } else { "" };
                format!("{group} epoch {}{hash}", value.epoch)
            }
        },
        ConsumerGroupKey::PartitionMetadata { .. } => {
            format!("{group} topics are {}", if value.is_some() { "kept" } else { "gone" })
        }
        ConsumerGroupKey::MemberMetadata { member_id, .. } => match value {
            None => format!("{group} {member_id} is gone"),
            Some(value) => format!("{group} {member_id} {}", metadata(value)),
        },
        ConsumerGroupKey::TargetAssignmentMetadata { .. } => match value {
            None => format!("{group} target epoch is gone"),
            Some(value) => {
                let value = ConsumerGroupTargetAssignmentMetadataValue::decode(value).unwrap();
                let at = match value.assignment_timestamp_ms {
                    0 => "never".to_owned(),
                    at => (at - super::super::scene::WALL).to_string(),
                };
                format!("{group} target epoch {} at {at}", value.assignment_epoch)
            }
        },
        ConsumerGroupKey::TargetAssignmentMember { member_id, .. } => match value {
            None => format!("{group} {member_id} target is gone"),
            Some(value) => {
                let value = ConsumerGroupTargetAssignmentMemberValue::decode(value).unwrap();
                format!("{group} {member_id} target {}", partitions(&value.topic_partitions))
            }
        },
        ConsumerGroupKey::CurrentMemberAssignment { member_id, .. } => match value {
            None => format!("{group} {member_id} assignment is gone"),
            Some(value) => format!("{group} {member_id} {}", current(value)),
        },
        ConsumerGroupKey::RegularExpression { regular_expression, .. } => match value {
            None => format!("{group} {regular_expression:?} is gone"),
            Some(value) => {
                let value = ConsumerGroupRegularExpressionValue::decode(value).unwrap();
                let topics = list(&value.topics, |name| (*name).to_owned());
                format!("{group} {regular_expression:?} matches [{topics}] in version {}", value.version)
            }
        },
    }
}

fn metadata(value: &[u8]) -> String {
    let value = ConsumerGroupMemberMetadataValue::decode(value).unwrap();
    let mut text = format!(
        "is {}{} for {}, reads [{}]",
        value.client_id,
        value.client_host,
        value.rebalance_timeout_ms,
        list(&value.subscribed_topic_names, |name| (*name).to_owned())
    );
    if let Some(regex) = value.subscribed_topic_regex.filter(|regex| !regex.is_empty()) {
        text += &format!(" {regex:?}");
    }
    if let Some(instance) = value.instance_id {
        text += &format!(" static {instance}");
    }
    if let Some(assignor) = value.server_assignor {
        text += &format!(" by {assignor}");
    }
    if let Some(classic) = value.classic_member_metadata {
        let names = list(&classic.supported_protocols, |protocol| protocol.name.to_owned());
        text += &format!(" classic {} with {names}", classic.session_timeout_ms);
    }
    text
}

fn current(value: &[u8]) -> String {
    let value = ConsumerGroupCurrentMemberAssignmentValue::decode(value).unwrap();
    let state = match value.state {
        0 => "stable",
        1 => "unrevoked",
        2 => "unreleased",
        _ => "unknown",
    };
    let revoking = match value.partitions_pending_revocation.is_empty() {
        true => String::new(),
        false => format!(" gives back {}", owned(&value.partitions_pending_revocation)),
    };
    format!(
        "{state} epoch {}<{} has {}{revoking}",
        value.member_epoch,
        value.previous_member_epoch,
        owned(&value.assigned_partitions)
    )
}
