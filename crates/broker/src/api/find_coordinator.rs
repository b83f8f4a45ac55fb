//! FindCoordinator: this broker, for every group and transactional id. Makes `__consumer_offsets` and
//! `__transaction_state` when it is first asked, as Kafka does.

use bytes::Bytes;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};

/// `FindCoordinatorRequest.CoordinatorType.GROUP`.
const GROUP: i8 = 0;
/// `FindCoordinatorRequest.CoordinatorType.TRANSACTION`.
const TRANSACTION: i8 = 1;
/// Since this version a request asks for several keys (KIP-699).
const SEVERAL_KEYS: i16 = 4;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: FindCoordinatorRequest = call.decode(body)?;
    let is_missing = match request.key_type {
        GROUP => call.shard.all_groups().is_empty(),
        TRANSACTION => call.shard.all_transactions().is_empty(),
        _ => false,
    };
    if is_missing {
        return Ok(Started::changing(async move {
            let ensured = match request.key_type {
                TRANSACTION => call.shard.ensure_transactions().await,
                _ => call.shard.ensure_groups().await,
            };
            call.answer(&answer(&call, &request, ensured.err()))
        }));
    }
    call.ready(&answer(&call, &request, None))
}

fn answer(
    call: &Call,
    request: &FindCoordinatorRequest,
    failed: Option<ErrorCode>,
) -> FindCoordinatorResponse {
    let find = |key: &StrBytes| find(call, request.key_type, key, failed);
    if call.version() >= SEVERAL_KEYS {
        let coordinators = request.coordinator_keys.iter().map(find).collect();
        return FindCoordinatorResponse::default().with_coordinators(coordinators);
    }
    let found = find(&request.key);
    let mut response = FindCoordinatorResponse::default()
        .with_error_code(found.error_code)
        .with_node_id(found.node_id)
        .with_host(found.host)
        .with_port(found.port);
    if call.version() >= 1 {
        response.error_message = found.error_message;
    }
    response
}

fn find(call: &Call, key_type: i8, key: &StrBytes, failed: Option<ErrorCode>) -> Coordinator {
    let error = match key_type {
        GROUP | TRANSACTION => failed,
        _ => Some(ErrorCode::InvalidRequest),
    };
    let coordinator = Coordinator::default().with_key(key.clone());
    match error {
        Some(error) => coordinator
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_code(error.code())
            .with_error_message(Some(StrBytes::from_static_str(error.name()))),
        None => {
            // What Kafka says here differs by version, and some clients show it.
            let success = if call.version() >= SEVERAL_KEYS { "" } else { "NONE" };
            let (host, port) = &call.client.advertised;
            coordinator
                .with_node_id(BrokerId(call.shard.settings().node_id))
                .with_host(StrBytes::from_string(host.to_string()))
                .with_port(i32::from(*port))
                .with_error_message(Some(StrBytes::from_static_str(success)))
        }
    }
}
