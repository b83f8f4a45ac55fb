//! UnregisterBroker: only this broker is registered, and it stays.

use bytes::Bytes;
use kafka_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::text::text;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: UnregisterBrokerRequest = call.decode(body)?;
    let id = request.broker_id.0;
    let (error, message) = if id == call.shard.settings().node_id {
        let message = "This broker runs; it cannot be unregistered.".to_owned();
        (ErrorCode::InvalidRequest, message)
    } else {
        (ErrorCode::BrokerIdNotRegistered, format!("Broker ID {id} is not currently registered"))
    };
    let response = UnregisterBrokerResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(text(&message)));
    call.ready(&response)
}
