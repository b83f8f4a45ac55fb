//! DescribeConfigs: the settings of topics, groups, subscriptions and this broker, with where each value comes from.

use std::collections::HashSet;

use bytes::Bytes;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use ottla_control::catalog::ConfigResource;
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::text::text;
use super::topic_names::legal;
use crate::settings::describe::{self, Described};

/// `ConfigResource.Type`.
pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;

/// Since this version types and documentation are told.
const TELLS_TYPE: i16 = 3;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeConfigsRequest = call.decode(body)?;
    // A resource that is asked for twice is described once.
    let mut seen = HashSet::new();
    let once =
        request.resources.iter().filter(|asked| seen.insert((asked.resource_type, &asked.resource_name)));
    let results = once.map(|resource| {
        let described = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match entries(&call, resource) {
            Ok(entries) => {
                let wanted = entries.into_iter().filter(|entry| is_wanted(resource, &entry.name));
                let configs = wanted.map(|entry| answer(&call, &request, entry));
                described.with_error_message(Some(text(""))).with_configs(configs.collect())
            }
            Err((error, message)) => {
                described.with_error_code(error.code()).with_error_message(Some(text(&message)))
            }
        }
    });
    call.ready(&DescribeConfigsResponse::default().with_results(results.collect()))
}

fn is_wanted(resource: &DescribeConfigsResource, name: &str) -> bool {
    // Kafka takes an empty list like a missing one.
    let keys = resource.configuration_keys.as_deref().unwrap_or_default();
    keys.is_empty() || keys.iter().any(|key| key.as_str() == name)
}

fn entries(call: &Call, resource: &DescribeConfigsResource) -> Result<Vec<Described>, (ErrorCode, String)> {
    let layers = call.shard.layers();
    let name = resource.resource_name.as_str();
    let invalid = |message: &str| Err((ErrorCode::InvalidRequest, message.to_owned()));
    match resource.resource_type {
        TOPIC => {
            let name = legal(name).map_err(|illegal| (illegal.error, illegal.message))?;
            // Kafka has no words for this one.
            let missing = || (ErrorCode::UnknownTopicOrPartition, String::new());
            let live = call.shard.topic(name.as_str()).ok_or_else(missing)?;
            Ok(describe::of_topic(&layers, &live.topic.configs))
        }
        // The empty name stands for what is set on all brokers at run time.
        BROKER if name.is_empty() => Ok(describe::of_all_brokers(&layers)),
        BROKER => check_broker(layers.settings().node_id, name).map(|()| describe::of_broker(&layers)),
        GROUP if name.is_empty() => invalid("Group name must not be empty"),
        GROUP => {
            let own = call.shard.configs(&ConfigResource::Group(name.to_owned()));
            Ok(describe::of_group(&layers, &own))
        }
        CLIENT_METRICS if name.is_empty() => invalid("Client metrics subscription name must not be empty"),
        CLIENT_METRICS => {
            let own = call.shard.configs(&ConfigResource::ClientMetrics(name.to_owned()));
            Ok(describe::of_client_metrics(&layers, &own))
        }
        BROKER_LOGGER => invalid("The levels of the log are set at start, with RUST_LOG"),
        other => invalid(&format!("Unexpected resource type {other} for resource {name}")),
    }
}

fn check_broker(node_id: i32, name: &str) -> Result<(), (ErrorCode, String)> {
    let message = match name.parse::<i32>() {
        Ok(id) if id == node_id => return Ok(()),
        Ok(id) => {
            format!("Unexpected broker id, expected {node_id} or empty string, but received {id}")
        }
        Err(_) => format!("Broker id must be an integer, but it is: {name}"),
    };
    Err((ErrorCode::InvalidRequest, message))
}

fn answer(call: &Call, request: &DescribeConfigsRequest, entry: Described) -> DescribeConfigsResourceResult {
    let mut answered = DescribeConfigsResourceResult::default()
        .with_name(text(&entry.name))
        .with_config_source(entry.source().code())
        .with_is_sensitive(entry.sensitive)
        .with_read_only(entry.read_only);
    if request.include_synonyms {
        let synonyms = entry.origins.iter().map(|origin| {
            DescribeConfigsSynonym::default()
                .with_name(text(&origin.name))
                .with_value(origin.value.as_deref().map(text))
                .with_source(origin.source.code())
        });
        answered.synonyms = synonyms.collect();
    }
    if call.version() >= TELLS_TYPE {
        answered.config_type = entry.kind.code();
        answered.documentation = request.include_documentation.then(|| text(entry.doc));
    }
    answered.with_value(entry.value.as_deref().map(text))
}
