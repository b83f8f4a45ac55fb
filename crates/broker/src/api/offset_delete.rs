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
    let mut unknown = Vec::new();
    let mut topics = Vec::new();
    for topic in &request.topics {
        let partitions: Vec<PartitionIndex> =
            topic.partitions.iter().map(|part| part.partition_index).collect();
        match known(&call, topic) {
            Some(name) => topics.push((name, partitions)),
            None => {
                let refused = partitions.into_iter().map(|part| (part, ErrorCode::UnknownTopicOrPartition));
                unknown.push(answer(&topic.name, refused));
            }
        }
    }
    let command = DeleteOffsets { group_id: copied(&request.group_id), topics };
    let group_id = Arc::clone(&command.group_id);
    ask(call, &group_id, Command::DeleteOffsets(command), move |call, reply| {
        let mut response = OffsetDeleteResponse::default();
        match reply {
            Ok(Reply::DeleteOffsets(reply)) if !reply.error.is_error() => {
                let deleted = reply.topics.into_iter();
                response.topics =
                    deleted.map(|(name, parts)| answer(name.as_str(), parts.into_iter())).collect();
                response.topics.extend(unknown);
            }
            Ok(Reply::DeleteOffsets(reply)) => response.error_code = reply.error.code(),
            other => response.error_code = unexpected(other).code(),
        }
        call.answer(&response)
    })
}

/// The topic, if it exists with all of the partitions that are named.
fn known(call: &Call, topic: &OffsetDeleteRequestTopic) -> Option<TopicName> {
    call.shard.topic(&topic.name).map(|live| live.topic.name.clone())
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
