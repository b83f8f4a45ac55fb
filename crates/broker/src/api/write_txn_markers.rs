//! WriteTxnMarkers: ends transactions in the logs of this broker, for a coordinator elsewhere or for an administrator who
//! ends what hangs (KIP-664).

use bytes::{Bytes, BytesMut};
use ottla_control::transaction::ProducerIdAndEpoch;
use ottla_log::Outcome;
use ottla_model::{ErrorCode, TopicName, TopicPartition};
use ottla_wire::response_frame;
use ottla_wire::write_txn_markers::{self, Marker as AskedMarker, MarkerResult, Response, TopicResult};

use super::call::{Call, Closed, Started};
use crate::error_codes;
use crate::shard::Marker;

/// About the bytes of one marker in an answer.
const MARKER_ANSWER_BYTES: usize = 64;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = write_txn_markers::decode_request(call.version(), &body)?;
    Ok(Started::changing(async move {
        let mut response = Response::default();
        for marker in &request.markers {
            response.markers.push(write(&call, marker).await);
        }
        let guess = response.markers.len().saturating_mul(MARKER_ANSWER_BYTES);
        let write =
            |buffer: &mut BytesMut| write_txn_markers::encode_response(call.version(), &response, buffer);
        Ok(vec![response_frame(call.api_key(), call.version(), call.correlation_id(), guess, write)?])
    }))
}

async fn write(call: &Call, asked: &AskedMarker) -> MarkerResult {
    let AskedMarker { producer_id, producer_epoch, committed, coordinator_epoch, .. } = *asked;
    let marker = Marker {
        producer: ProducerIdAndEpoch { producer_id, producer_epoch },
        outcome: if committed { Outcome::Commit } else { Outcome::Abort },
        coordinator_epoch,
        transaction_version: asked.transaction_version.into(),
    };
    let mut topics = Vec::with_capacity(asked.topics.len());
    for topic in &asked.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for &index in &topic.partitions {
            let error = write_one(call, &topic.name, index, marker).await.err().unwrap_or_default();
            partitions.push((index, error));
        }
        topics.push(TopicResult { name: topic.name.clone(), partitions });
    }
    MarkerResult { producer_id, topics }
}

async fn write_one(call: &Call, topic: &str, index: i32, marker: Marker) -> Result<(), ErrorCode> {
    let live = call.shard.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    call.shard.partition(&live, index)?;
    let topic = TopicName::new(topic).map_err(|_| ErrorCode::UnknownTopicOrPartition)?;
    let written = call.shard.write_marker(&TopicPartition { topic, partition: index }, marker).await;
    written.map_err(|error| error_codes::of_append(&error))
}
