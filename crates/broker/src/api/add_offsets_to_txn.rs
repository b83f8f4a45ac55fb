//! AddOffsetsToTxn: adds the partition of `__consumer_offsets` that a group lives in to a transaction. Clients of version 2
//! of transactions do without.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use ottla_control::transaction::{AddPartitions, Command, ProducerIdAndEpoch, Reply, TransactionVersion};
use ottla_model::{CONSUMER_OFFSETS, ErrorCode, TopicName, TopicPartition};

use super::call::{Call, Closed, Started};
use super::text::copied;
use super::transactions::{KNOWS_FENCED, known_to, unexpected};

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: AddOffsetsToTxnRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let error = add(&call, &request).await.err().unwrap_or_default();
        let error = known_to(call.version(), KNOWS_FENCED, error);
        call.answer(&AddOffsetsToTxnResponse::default().with_error_code(error.code()))
    }))
}

async fn add(call: &Call, request: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    // A producer asks before it looks for the group's coordinator, and the marker will need the partition.
    call.shard.ensure_groups().await?;
    let topic = TopicName::new(CONSUMER_OFFSETS).map_err(|_| ErrorCode::UnknownServerError)?;
    let partition = call.shard.group_partition(&request.group_id);
    let add = AddPartitions {
        transactional_id: copied(&request.transactional_id),
        producer: ProducerIdAndEpoch {
            producer_id: request.producer_id.0,
            producer_epoch: request.producer_epoch,
        },
        partitions: vec![TopicPartition { topic, partition }],
        client_version: TransactionVersion::V0,
    };
    let coordinator = Arc::clone(call.shard.transaction(&request.transactional_id)?);
    let reply = coordinator.submit(call.caller(), Command::AddPartitions(add)).await;
    match reply.map_err(|_| ErrorCode::NotCoordinator) {
        Ok(Reply::AddPartitions(added)) => added,
        other => Err(unexpected(other)),
    }
}
