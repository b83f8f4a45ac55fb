//! InitProducerId for idempotent producers. Transactional ones are refused: transactions are not served yet.

use bytes::Bytes;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: InitProducerIdRequest = call.decode(body)?;
    let refuse = |error: ErrorCode| {
        InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    };
    if let Some(transactional_id) = &request.transactional_id {
        let error = if transactional_id.is_empty() {
            ErrorCode::InvalidRequest
        } else {
            ErrorCode::TransactionalIdAuthorizationFailed
        };
        return call.ready(&refuse(error));
    }
    // A producer that goes on tells both its id and its epoch (KIP-360).
    if (request.producer_id.0 == -1) != (request.producer_epoch == -1) {
        return call.ready(&refuse(ErrorCode::InvalidRequest));
    }
    // A producer that goes on from an id of its own is given a new one, as Kafka does without a transactional id
    // (`TransactionCoordinator.handleInitProducerId`).
    Ok(Started::changing(async move {
        let response = match call.shard.next_producer_id().await {
            Ok(id) => {
                InitProducerIdResponse::default().with_producer_id(ProducerId(id)).with_producer_epoch(0)
            }
            Err(error) => refuse(error),
        };
        call.answer(&response)
    }))
}
