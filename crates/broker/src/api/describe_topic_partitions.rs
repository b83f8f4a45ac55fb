//! DescribeTopicPartitions: topics by name, in pages of so many partitions (KIP-966,
//! `DescribeTopicPartitionsRequestHandler`).

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::describe_topic_partitions_request::Cursor as Asked;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
use ottla_model::{ErrorCode, TopicName};
use uuid::Uuid;

use super::call::{Call, Closed, Started};
use super::operations;
use super::text::text;
use crate::shard::LiveTopic;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeTopicPartitionsRequest = call.decode(body)?;
    let cursor = request.cursor.as_ref();
    if cursor.is_some_and(|cursor| !is_legal(&request, cursor)) {
        return call.ready(&refuse_all(&request));
    }
    // Earlier pages have told what stands before the cursor.
    let is_due = |name: &str| cursor.is_none_or(|cursor| name >= cursor.topic_name.as_str());
    let mut page = Page { call: &call, cursor, room: room(&call, &request), response: Default::default() };
    if request.topics.is_empty() {
        let topics = call.shard.topics();
        let mut topics = topics.iter().filter(|live| is_due(live.topic.name.as_str()));
        let _ = topics.try_for_each(|live| page.add(live));
    } else {
        // Each topic once, in the order of the names: a cursor needs one.
        let names: BTreeSet<&str> = request.topics.iter().map(|topic| topic.name.as_str()).collect();
        let mut names = names.into_iter().filter(|name| is_due(name));
        let _ = names.try_for_each(|name| match call.shard.topic(name) {
            Some(live) => page.add(&live),
            None => page.add_missing(name),
        });
    }
    call.ready(&page.response)
}

/// A cursor stands at a partition of a topic that is asked for.
fn is_legal(request: &DescribeTopicPartitionsRequest, cursor: &Asked) -> bool {
    let is_asked =
        request.topics.is_empty() || request.topics.iter().any(|topic| topic.name == cursor.topic_name);
    is_asked && cursor.partition_index >= 0
}

fn refuse_all(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| {
        DescribeTopicPartitionsResponseTopic::default()
            .with_error_code(ErrorCode::InvalidRequest.code())
            .with_name(Some(topic.name.clone()))
    });
    DescribeTopicPartitionsResponse::default().with_topics(topics.collect())
}

/// How many partitions the answer may have.
fn room(call: &Call, request: &DescribeTopicPartitionsRequest) -> usize {
    let most = call.shard.settings().max_request_partition_size_limit;
    usize::try_from(request.response_partition_limit.min(most)).unwrap_or(0).max(1)
}

/// An answer that is being filled.
struct Page<'a> {
    call: &'a Call,
    cursor: Option<&'a Asked>,
    room: usize,
    response: DescribeTopicPartitionsResponse,
}

/// The page is full.
struct Full;

impl Page<'_> {
    fn add(&mut self, live: &Arc<LiveTopic>) -> Result<(), Full> {
        let name = live.topic.name.as_str();
        if self.room == 0 {
            return self.end_at(name, 0);
        }
        let first = self.cursor.filter(|cursor| cursor.topic_name.as_str() == name);
        let first = first.and_then(|cursor| usize::try_from(cursor.partition_index).ok()).unwrap_or(0);
        let partitions = live.partitions.get(first..).unwrap_or_default();
        let node = BrokerId(self.call.shard.settings().node_id);
        let told = partitions.iter().take(self.room).map(|partition| {
            DescribeTopicPartitionsResponsePartition::default()
                .with_partition_index(partition.index)
                .with_leader_id(node)
                .with_leader_epoch(partition.leader_epoch())
                .with_replica_nodes(vec![node])
                .with_isr_nodes(vec![node])
                .with_eligible_leader_replicas(Some(Vec::new()))
                .with_last_known_elr(Some(Vec::new()))
        });
        let topic = self.topic(name, live.topic.name.is_internal());
        let topic = topic.with_topic_id(Uuid::from_bytes(live.topic.id.0)).with_partitions(told.collect());
        self.response.topics.push(topic);
        match partitions.get(self.room) {
            Some(next) => self.end_at(name, next.index),
            None => {
                self.room = self.room.saturating_sub(partitions.len());
                Ok(())
            }
        }
    }

    fn add_missing(&mut self, name: &str) -> Result<(), Full> {
        if self.room == 0 {
            return self.end_at(name, 0);
        }
        let (error, is_internal) = match TopicName::new(name) {
            Ok(legal) => (ErrorCode::UnknownTopicOrPartition, legal.is_internal()),
            Err(_) => (ErrorCode::InvalidTopicException, false),
        };
        self.response.topics.push(self.topic(name, is_internal).with_error_code(error.code()));
        Ok(())
    }

    fn topic(&self, name: &str, is_internal: bool) -> DescribeTopicPartitionsResponseTopic {
        DescribeTopicPartitionsResponseTopic::default()
            .with_name(Some(text(name).into()))
            .with_is_internal(is_internal)
            .with_topic_authorized_operations(operations::TOPIC)
    }

    /// The next page begins there.
    fn end_at(&mut self, name: &str, partition: i32) -> Result<(), Full> {
        let cursor = Cursor::default().with_topic_name(text(name).into()).with_partition_index(partition);
        self.response.next_cursor = Some(cursor);
        Err(Full)
    }
}
