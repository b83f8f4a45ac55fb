//! InitProducerId: an id and an epoch for an idempotent or a transactional producer.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use ottla_control::transaction::{Command, InitProducerId, ProducerIdAndEpoch, Reply};
use ottla_model::{ErrorCode, NONE};

use super::call::{Call, Closed, Parts, Started};
use super::text::copied;
use super::transactions::{ask, known_to, unexpected};

/// Since this version a fenced producer is told so (KIP-588).
const KNOWS_FENCED: i16 = 4;

/// "No epoch", as `RecordBatch.NO_PRODUCER_EPOCH`.
const NO_EPOCH: i16 = -1;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: InitProducerIdRequest = call.decode(body)?;
    // A producer that goes on tells both its id and its epoch (KIP-360).
    let expected = match (request.producer_id.0, request.producer_epoch) {
        (NONE, NO_EPOCH) => None,
        (NONE, _) | (_, NO_EPOCH) => {
            return answer(&call, Err(ErrorCode::InvalidRequest)).map(Started::Ready);
        }
        (producer_id, producer_epoch) => Some(ProducerIdAndEpoch { producer_id, producer_epoch }),
    };
    let Some(transactional_id) = &request.transactional_id else { return Ok(idempotent(call)) };
    let transactional_id = copied(transactional_id);
    let init = InitProducerId {
        transactional_id: Arc::clone(&transactional_id),
        timeout_ms: request.transaction_timeout_ms,
        enable_two_phase_commit: request.enable_2_pc,
        keep_prepared_transaction: request.keep_prepared_txn,
        expected,
        fresh_producer_id: None,
    };
    let command = move |fresh_producer_id| {
        Command::InitProducerId(InitProducerId { fresh_producer_id, ..init.clone() })
    };
    ask(call, &transactional_id, command, |call, reply| {
        let producer = match reply {
            Ok(Reply::InitProducerId(producer)) => producer,
            other => Err(unexpected(other)),
        };
        answer(call, producer)
    })
}

/// A producer that goes on from an id of its own is given a new one, as Kafka does without a transactional id
/// (`TransactionCoordinator.handleInitProducerId`).
fn idempotent(call: Call) -> Started {
    Started::changing(async move {
        let fresh = call.shard.next_producer_id().await;
        answer(&call, fresh.map(|producer_id| ProducerIdAndEpoch { producer_id, producer_epoch: 0 }))
    })
}

fn answer(call: &Call, producer: Result<ProducerIdAndEpoch, ErrorCode>) -> Result<Parts, Closed> {
    let (error, producer) = match producer {
        Ok(producer) => (ErrorCode::None, producer),
        Err(error) => {
            let error = known_to(call.version(), KNOWS_FENCED, error);
            (error, ProducerIdAndEpoch { producer_id: NONE, producer_epoch: NO_EPOCH })
        }
    };
    let response = InitProducerIdResponse::default()
        .with_error_code(error.code())
        .with_producer_id(producer.producer_id.into())
        .with_producer_epoch(producer.producer_epoch);
    call.answer(&response)
}
