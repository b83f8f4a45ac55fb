//! GetTelemetrySubscriptions and PushTelemetry (KIP-714).

use bytes::Bytes;
use kafka_protocol::messages::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse, PushTelemetryRequest,
    PushTelemetryResponse,
};
use ottla_control::telemetry::{ClientTraits, InstanceId};
use ottla_log::Compression;
use uuid::Uuid;

use super::call::{Call, Closed, Started};
use super::text::text;
use crate::telemetry::Pushed;

/// Codecs that metrics may be compressed with, in Kafka's order: Zstandard, LZ4, gzip, Snappy.
const ACCEPTED: [i8; 4] = [4, 3, 1, 2];

fn traits(call: &Call, instance_id: Uuid) -> ClientTraits<'_> {
    ClientTraits {
        instance_id: InstanceId(instance_id.into_bytes()),
        client_id: call.short_client_id(),
        software: call.client.software(),
        address: call.client.host.trim_start_matches('/'),
        port: call.client.peer.port(),
    }
}

/// GetTelemetrySubscriptions.
pub(super) fn get(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: GetTelemetrySubscriptionsRequest = call.decode(body)?;
    let telemetry = call.shard.telemetry();
    let response = GetTelemetrySubscriptionsResponse::default();
    let response = match telemetry.get(&traits(&call, request.client_instance_id)) {
        Err(error) => response.with_error_code(error.code()),
        Ok(offer) => response
            .with_client_instance_id(Uuid::from_bytes(offer.instance_id.0))
            .with_subscription_id(offer.subscription_id)
            .with_accepted_compression_types(ACCEPTED.to_vec())
            .with_push_interval_ms(offer.interval_ms)
            .with_telemetry_max_bytes(i32::try_from(telemetry.bytes_max()).unwrap_or(i32::MAX))
            .with_delta_temporality(true)
            .with_requested_metrics(offer.metrics.iter().map(|name| text(name)).collect()),
    };
    call.ready(&response)
}

/// PushTelemetry.
pub(super) fn push(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: PushTelemetryRequest = call.decode(body)?;
    let pushed = Pushed {
        subscription_id: request.subscription_id,
        is_terminating: request.terminating,
        compression: Compression::from_id(request.compression_type.into()),
        metrics: request.metrics,
    };
    let taken = call.shard.telemetry().push(&traits(&call, request.client_instance_id), pushed);
    let code = taken.err().map_or(0, |error| error.code());
    call.ready(&PushTelemetryResponse::default().with_error_code(code))
}
