//! OffsetDelete: committed offsets of topics that their group does not read.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};
use ottla_control::group::{Command, DeleteOffsets, Reply};
use ottla_model::{ErrorCode, PartitionIndex, TopicName};

use super::ask::{ask, unexpected};
use super::call::{Call, Closed, Started};
use super::text::{copied, text};

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: OffsetDeleteRequest = call.decode(body)?;
    let mut refused = Vec::new();
    let mut topics = Vec::new();
    for topic in &request.topics {
        let (there, missing) = sorted_out(&call, topic);
        if !missing.is_empty() {
            let missing = missing.into_iter().map(|part| (part, ErrorCode::UnknownTopicOrPartition));
            refused.push(answer(&topic.name, missing));
        }
        topics.extend(there);
    }
    let command = DeleteOffsets { group_id: copied(&request.group_id), topics };
    let group_id = Arc::clone(&command.group_id);
    ask(call, &group_id, Command::DeleteOffsets(command), move |call, reply| {
        let mut response = OffsetDeleteResponse::default();
        match reply {
            Ok(Reply::DeleteOffsets(reply)) if !reply.error.is_error() => {
                let deleted = reply.topics.into_iter();
                let deleted = deleted.map(|(name, parts)| answer(name.as_str(), parts.into_iter()));
                response.topics = merged(refused, deleted);
            }
            Ok(Reply::DeleteOffsets(reply)) => response.error_code = reply.error.code(),
            other => response.error_code = unexpected(other).code(),
        }
        call.answer(&response)
    })
}

/// The topic with those of the partitions that exist, and the partitions that do not: as Kafka does, a topic is
/// refused by its partitions, and the others' offsets go.
fn sorted_out(
    call: &Call,
    topic: &OffsetDeleteRequestTopic,
) -> (Option<(TopicName, Vec<PartitionIndex>)>, Vec<PartitionIndex>) {
    let partitions = topic.partitions.iter().map(|part| part.partition_index);
    let Some(live) = call.shard.topic(&topic.name) else {
        return (None, partitions.collect());
    };
    let (there, missing): (Vec<_>, Vec<_>) = partitions.partition(|part| live.partition(*part).is_some());
    let there = (!there.is_empty()).then(|| (live.topic.name.clone(), there));
    (there, missing)
}

/// Each topic once, its refused partitions first (`OffsetDeleteResponse.Builder`).
fn merged(
    refused: Vec<OffsetDeleteResponseTopic>,
    deleted: impl Iterator<Item = OffsetDeleteResponseTopic>,
) -> Vec<OffsetDeleteResponseTopic> {
    let mut topics = refused;
    for topic in deleted {
        match topics.iter_mut().find(|refused| refused.name == topic.name) {
            Some(refused) => refused.partitions.extend(topic.partitions),
            None => topics.push(topic),
        }
    }
    topics
}

fn answer(
    topic: &str,
    partitions: impl Iterator<Item = (PartitionIndex, ErrorCode)>,
) -> OffsetDeleteResponseTopic {
    let partitions = partitions.map(|(partition, error)| {
        OffsetDeleteResponsePartition::default().with_partition_index(partition).with_error_code(error.code())
    });
    OffsetDeleteResponseTopic::default().with_name(text(topic).into()).with_partitions(partitions.collect())
}
