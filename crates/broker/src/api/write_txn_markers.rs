//! WriteTxnMarkers: ends transactions in the logs of this broker, for a coordinator elsewhere or for an administrator who
//! ends what hangs (KIP-664).

use bytes::Bytes;
use kafka_protocol::messages::write_txn_markers_request::WritableTxnMarker;
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use ottla_control::transaction::ProducerIdAndEpoch;
use ottla_log::Outcome;
use ottla_model::{ErrorCode, TopicName, TopicPartition};

use super::call::{Call, Closed, Started};
use crate::error_codes;
use crate::shard::Marker;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: WriteTxnMarkersRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let mut response = WriteTxnMarkersResponse::default();
        for marker in &request.markers {
            response.markers.push(write(&call, marker).await);
        }
        call.answer(&response)
    }))
}

async fn write(call: &Call, asked: &WritableTxnMarker) -> WritableTxnMarkerResult {
    let marker = Marker {
        producer: ProducerIdAndEpoch {
            producer_id: asked.producer_id.0,
            producer_epoch: asked.producer_epoch,
        },
        outcome: if asked.transaction_result { Outcome::Commit } else { Outcome::Abort },
        coordinator_epoch: asked.coordinator_epoch,
        // Version 1 of the request does not say it.
        transaction_version: 0,
    };
    let mut result = WritableTxnMarkerResult::default().with_producer_id(asked.producer_id);
    for topic in &asked.topics {
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for &index in &topic.partition_indexes {
            let error = write_one(call, &topic.name, index, marker).await.err().unwrap_or_default();
            partitions.push(
                WritableTxnMarkerPartitionResult::default()
                    .with_partition_index(index)
                    .with_error_code(error.code()),
            );
        }
        let topic =
            WritableTxnMarkerTopicResult::default().with_name(topic.name.clone()).with_partitions(partitions);
        result.topics.push(topic);
    }
    result
}

async fn write_one(call: &Call, topic: &str, index: i32, marker: Marker) -> Result<(), ErrorCode> {
    let live = call.shard.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    call.shard.partition(&live, index)?;
    let topic = TopicName::new(topic).map_err(|_| ErrorCode::UnknownTopicOrPartition)?;
    let written = call.shard.write_marker(&TopicPartition { topic, partition: index }, marker).await;
    written.map_err(|error| error_codes::of_append(&error))
}
