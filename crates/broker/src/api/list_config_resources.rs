//! ListConfigResources (KIP-1142): what has settings of its own. Version 0 was ListClientMetricsResources (KIP-1000).

use bytes::Bytes;
use kafka_protocol::messages::list_config_resources_response::ConfigResource as Listed;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use ottla_control::catalog::ConfigResource;
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::describe_configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use super::text::text;

/// The types that version 1 lists.
const LISTED: [i8; 5] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC];

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ListConfigResourcesRequest = call.decode(body)?;
    let listed = if call.version() == 0 { &LISTED[1..2] } else { &LISTED[..] };
    let wanted = &request.resource_types;
    if wanted.iter().any(|kind| !listed.contains(kind)) {
        let refused = ListConfigResourcesResponse::default();
        return call.ready(&refused.with_error_code(ErrorCode::UnsupportedVersion.code()));
    }
    let found = listed.iter().filter(|kind| wanted.is_empty() || wanted.contains(kind));
    let resources = found.flat_map(|kind| {
        let named =
            |name: String| Listed::default().with_resource_name(text(&name)).with_resource_type(*kind);
        names(&call, *kind).into_iter().map(named).collect::<Vec<_>>()
    });
    call.ready(&ListConfigResourcesResponse::default().with_config_resources(resources.collect()))
}

fn names(call: &Call, kind: i8) -> Vec<String> {
    let own = |is: fn(&ConfigResource) -> bool| {
        let resources = call.shard.config_resources().into_iter();
        resources.filter(is).map(|resource| resource.name().to_owned()).collect()
    };
    match kind {
        GROUP => own(|resource| matches!(resource, ConfigResource::Group(_))),
        CLIENT_METRICS => own(|resource| matches!(resource, ConfigResource::ClientMetrics(_))),
        TOPIC => call.shard.topics().iter().map(|live| live.topic.name.to_string()).collect(),
        _ => vec![call.shard.settings().node_id.to_string()],
    }
}
