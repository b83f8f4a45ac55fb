//! What can be said about a ConsumerGroupHeartbeat without its group
//! (`GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid`), and that all of it fits a record.

use std::sync::Arc;

use ottla_model::ErrorCode;

use super::member::{JOIN_EPOCH, LEAVE_EPOCH, LEAVE_STATIC_EPOCH};
use super::refusal::Refusal;
use crate::group::command::ConsumerHeartbeat;
use crate::group::{GroupConfig, TEXT_BYTES_MAX};
use crate::machine::Caller;

/// In place of a rebalance timeout that has not changed.
pub(super) const NO_REBALANCE_TIMEOUT_MS: i32 = -1;

pub(super) fn check(
    config: &GroupConfig,
    caller: &Caller,
    heartbeat: &ConsumerHeartbeat,
) -> Result<(), Refusal> {
    let epoch = heartbeat.member_epoch;
    if heartbeat.makes_own_member_id || epoch > JOIN_EPOCH || epoch == LEAVE_EPOCH {
        not_blank(Some(&heartbeat.member_id), "MemberId can't be empty.")?;
    }
    not_blank(Some(&heartbeat.group_id), "GroupId can't be empty.")?;
    not_blank(heartbeat.instance_id.as_ref(), "InstanceId can't be empty.")?;
    not_blank(heartbeat.rack_id.as_ref(), "RackId can't be empty.")?;
    match epoch {
        JOIN_EPOCH => check_join(heartbeat)?,
        LEAVE_STATIC_EPOCH if heartbeat.instance_id.is_none() => {
            return Err(invalid("InstanceId can't be null."));
        }
        epoch if epoch < LEAVE_STATIC_EPOCH => return Err(invalid("MemberEpoch is invalid.")),
        _ => {}
    }
    if let Some(name) = &heartbeat.server_assignor
        && config.consumer.assignor(name).is_none()
    {
        let supported: Vec<&str> = config.consumer.assignors.iter().map(|assignor| assignor.name()).collect();
        return Err(Refusal::new(
            ErrorCode::UnsupportedAssignor,
            format!("ServerAssignor {name} is not supported. Supported assignors: {}.", supported.join(", ")),
        ));
    }
    fits_records(config, caller, heartbeat)
}

fn check_join(heartbeat: &ConsumerHeartbeat) -> Result<(), Refusal> {
    if heartbeat.rebalance_timeout_ms == NO_REBALANCE_TIMEOUT_MS {
        return Err(invalid("RebalanceTimeoutMs must be provided in first request."));
    }
    if heartbeat.topic_partitions.as_ref().is_none_or(|partitions| !partitions.is_empty()) {
        return Err(invalid("TopicPartitions must be empty when (re-)joining."));
    }
    if heartbeat.subscribed_topic_names.is_none() && heartbeat.subscribed_topic_regex.is_none() {
        return Err(invalid(
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
        ));
    }
    Ok(())
}

/// Kafka takes any request and fails when it writes the record. Here a client is told that it asks for too much.
fn fits_records(config: &GroupConfig, caller: &Caller, heartbeat: &ConsumerHeartbeat) -> Result<(), Refusal> {
    let names = heartbeat.subscribed_topic_names.iter().flatten();
    let texts = [Some(&heartbeat.group_id), Some(&heartbeat.member_id), heartbeat.instance_id.as_ref()];
    let texts = texts.into_iter().chain([heartbeat.rack_id.as_ref(), caller.client_id.as_ref()]);
    let mut texts = texts.chain([heartbeat.subscribed_topic_regex.as_ref()]).flatten().chain(names.clone());
    let bytes: usize = names.map(|name| name.len()).sum();
    if texts.any(|text| text.len() > TEXT_BYTES_MAX) || bytes > config.member_protocols_bytes_max {
        return Err(invalid("The request does not fit the records of a group."));
    }
    Ok(())
}

/// Java's `trim` takes everything up to the space away.
fn not_blank(text: Option<&Arc<str>>, message: &str) -> Result<(), Refusal> {
    match text {
        Some(text) if text.chars().all(|letter| letter <= ' ') => Err(invalid(message)),
        _ => Ok(()),
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}
