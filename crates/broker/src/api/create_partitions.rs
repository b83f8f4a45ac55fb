//! CreatePartitions: gives topics more partitions.

use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use ottla_model::{ErrorCode, PartitionIndex};

use super::call::{Call, Closed, Started};
use super::create_topics::check_brokers;
use super::mutations;
use super::text::text;
use crate::shard::TopicError;

/// Since this version clients know that a quota of partitions is used up.
const STRICT_QUOTA: i16 = 3;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: CreatePartitionsRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let mut times: HashMap<&str, u32> = HashMap::new();
        for topic in &request.topics {
            let seen = times.entry(&topic.name).or_default();
            *seen = seen.saturating_add(1);
        }
        let mut results = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            // One that is named twice is refused, once.
            let result = match times.remove(&**topic.name) {
                Some(1) => grow(&call, topic, request.validate_only).await,
                Some(_) => refuse(ErrorCode::InvalidRequest, "Duplicate topic name."),
                None => continue,
            };
            let (error, message) = match result {
                Ok(()) => (ErrorCode::None, None),
                // Kafka has no words for this one.
                Err(TopicError { error: ErrorCode::UnknownTopicOrPartition, .. }) => {
                    (ErrorCode::UnknownTopicOrPartition, None)
                }
                Err(refusal) => (refusal.error, Some(text(&refusal.message))),
            };
            let answered = CreatePartitionsTopicResult::default()
                .with_name(topic.name.clone())
                .with_error_code(error.code())
                .with_error_message(message);
            results.push(answered);
        }
        call.answer(&CreatePartitionsResponse::default().with_results(results))
    }))
}

fn refuse(error: ErrorCode, message: impl Into<String>) -> Result<(), TopicError> {
    Err(TopicError { error, message: message.into() })
}

async fn grow(call: &Call, asked: &CreatePartitionsTopic, validate_only: bool) -> Result<(), TopicError> {
    let Some(live) = call.shard.topic(&asked.name) else {
        return refuse(ErrorCode::UnknownTopicOrPartition, "This server does not host this topic-partition.");
    };
    if live.topic.name.is_internal() {
        // Groups are spread over the partitions by hash; with more of them most groups would lose their offsets.
        return refuse(ErrorCode::InvalidRequest, "The partitions of this topic are fixed.");
    }
    // A count that is no increase is refused before its assignments are looked at.
    if let Some(assignments) = asked.assignments.as_ref().filter(|_| asked.count > live.topic.partitions) {
        let more = asked.count.saturating_sub(live.topic.partitions);
        if PartitionIndex::try_from(assignments.len()) != Ok(more) {
            return refuse(
                ErrorCode::InvalidReplicaAssignment,
                format!(
                    "Attempted to add {more} additional partition(s), but only {} assignment(s) were specified.",
                    assignments.len()
                ),
            );
        }
        for assignment in assignments {
            check_brokers(call, assignment.broker_ids.iter().map(|broker| broker.0))?;
        }
    }
    // Only what would be done is charged for.
    call.shard.create_partitions(&live.topic.name, asked.count, true).await?;
    mutations::charge(call, STRICT_QUOTA, asked.count.saturating_sub(live.topic.partitions).max(0))?;
    if validate_only {
        return Ok(());
    }
    call.shard.create_partitions(&live.topic.name, asked.count, false).await
}
