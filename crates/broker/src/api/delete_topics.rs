//! DeleteTopics: by name or by id.

use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use ottla_model::{ErrorCode, TopicId};
use uuid::Uuid;

use super::call::{Call, Closed, Started};
use super::mutations;
use super::text::text;
use crate::shard::TopicError;

/// Since this version topics can be named by their ids.
const BY_STATE: i16 = 6;
/// Since this version there is a message beside the code.
const ERROR_MESSAGE: i16 = 5;
/// Since this version clients know that a quota of partitions is used up.
const STRICT_QUOTA: i16 = 5;
/// Since this version TOPIC_DELETION_DISABLED is known.
const DELETION_DISABLED: i16 = 3;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let mut request: DeleteTopicsRequest = call.decode(body)?;
    if call.version() < BY_STATE {
        let by_name = |name| DeleteTopicState::default().with_name(Some(name));
        request.topics = request.topic_names.drain(..).map(by_name).collect();
    }
    Ok(Started::changing(async move {
        let mut responses = Vec::with_capacity(request.topics.len());
        for (asked, twice) in resolved(&call, request.topics) {
            let result = match twice {
                Some(message) => {
                    Err(TopicError { error: ErrorCode::InvalidRequest, message: message.to_owned() })
                }
                None => delete(&call, &asked).await,
            };
            responses.push(answer(&call, asked, result));
        }
        call.answer(&DeleteTopicsResponse::default().with_responses(responses))
    }))
}

/// Each topic once, and what is said of one that was named more often, be it by its name or its id: those are not deleted
/// at all.
fn resolved(call: &Call, topics: Vec<DeleteTopicState>) -> Vec<(DeleteTopicState, Option<&'static str>)> {
    let mut places: HashMap<(Option<TopicName>, Uuid), usize> = HashMap::new();
    let mut found: Vec<(DeleteTopicState, Option<&'static str>)> = Vec::with_capacity(topics.len());
    for topic in topics {
        let name = topic.name.as_deref().filter(|_| topic.topic_id.is_nil());
        let live = name.and_then(|name| call.shard.topic(name));
        let key = match live {
            Some(live) => (None, Uuid::from_bytes(live.topic.id.0)),
            None => (topic.name.clone(), topic.topic_id),
        };
        // What names nothing is no second of another.
        let is_named = key != (None, Uuid::nil());
        match places.get(&key).filter(|_| is_named).and_then(|place| found.get_mut(*place)) {
            Some((first, twice)) => {
                *twice = Some(match (&first.name, &topic.name) {
                    (Some(_), Some(_)) => "Duplicate topic name.",
                    (None, None) => "Duplicate topic id.",
                    _ => "The provided topic name maps to an ID that was already supplied.",
                });
                first.name = first.name.take().or(topic.name);
                first.topic_id = first.topic_id.max(topic.topic_id);
            }
            None => {
                places.insert(key, found.len());
                found.push((topic, None));
            }
        }
    }
    found
}

/// Deletes the topic and tells its name and id.
async fn delete(call: &Call, asked: &DeleteTopicState) -> Result<(String, TopicId), TopicError> {
    let refuse = |error: ErrorCode, message: &str| Err(TopicError { error, message: message.to_owned() });
    if !call.shard.settings().delete_topic_enable {
        let known = call.version() >= DELETION_DISABLED;
        let error = if known { ErrorCode::TopicDeletionDisabled } else { ErrorCode::InvalidRequest };
        return refuse(error, "Topic deletion is disabled.");
    }
    let live = match (&asked.name, asked.topic_id.is_nil()) {
        (Some(_), false) => {
            return refuse(ErrorCode::InvalidRequest, "You may not specify both topic name and topic id.");
        }
        (None, true) => {
            return refuse(ErrorCode::InvalidRequest, "Neither topic name nor id were specified.");
        }
        (Some(name), true) => call.shard.topic(name),
        (None, false) => call.shard.topic_by_id(TopicId(asked.topic_id.into_bytes())),
    };
    let Some(live) = live else {
        return if asked.name.is_some() {
            refuse(ErrorCode::UnknownTopicOrPartition, "This server does not host this topic-partition.")
        } else {
            refuse(ErrorCode::UnknownTopicId, "This server does not host this topic ID.")
        };
    };
    if live.topic.name.is_internal() {
        return refuse(ErrorCode::InvalidRequest, "The broker needs this topic; it cannot be deleted.");
    }
    mutations::charge(call, STRICT_QUOTA, live.topic.partitions)?;
    call.shard.delete_topic(live.topic.id).await?;
    Ok((live.topic.name.to_string(), live.topic.id))
}

fn answer(
    call: &Call,
    asked: DeleteTopicState,
    result: Result<(String, TopicId), TopicError>,
) -> DeletableTopicResult {
    match result {
        Ok((name, id)) => DeletableTopicResult::default()
            .with_name(Some(text(&name).into()))
            .with_topic_id(Uuid::from_bytes(id.0)),
        Err(refusal) => {
            let mut answered = DeletableTopicResult::default()
                .with_name(asked.name)
                .with_topic_id(asked.topic_id)
                .with_error_code(refusal.error.code());
            if call.version() >= ERROR_MESSAGE {
                answered.error_message = Some(text(&refusal.message));
            }
            answered
        }
    }
}
