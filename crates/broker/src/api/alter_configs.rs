//! AlterConfigs and IncrementalAlterConfigs: each resource changes as a whole or not at all, for itself.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::incremental_alter_configs_request::AlterableConfig;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResponse;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use ottla_control::catalog::{ConfigResource, Configs, Refusal};
use ottla_model::ErrorCode;
use ottla_wire::StrBytes;

use super::call::{Call, Closed, Started};
use super::describe_configs::{BROKER, CLIENT_METRICS, GROUP, TOPIC};
use super::text::text;
use super::topic_names::legal;
use crate::settings::{Edit, Operation, Wanted};

fn refuse<T>(error: ErrorCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { error, message: message.into() })
}

/// Replaces all that resources have set (AlterConfigs).
pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: AlterConfigsRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let twice = Twice::among(request.resources.iter().map(|one| (one.resource_type, &one.resource_name)));
        let mut responses = Vec::with_capacity(request.resources.len());
        for asked in &request.resources {
            let (kind, name) = (asked.resource_type, &asked.resource_name);
            let wanted = exactly(asked.configs.iter().map(|config| (&config.name, config.value.as_ref())));
            let result = alter(&call, &twice, kind, name, wanted, request.validate_only).await;
            let (error, message) = told(result);
            let response = AlterConfigsResourceResponse::default().with_resource_type(kind);
            let response = response.with_resource_name(name.clone()).with_error_code(error.code());
            responses.push(response.with_error_message(message));
        }
        call.answer(&AlterConfigsResponse::default().with_responses(responses))
    }))
}

/// Changes single settings of resources (IncrementalAlterConfigs, KIP-339).
pub(super) fn incremental(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: IncrementalAlterConfigsRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let twice = Twice::among(request.resources.iter().map(|one| (one.resource_type, &one.resource_name)));
        let mut responses = Vec::with_capacity(request.resources.len());
        for asked in &request.resources {
            let (kind, name) = (asked.resource_type, &asked.resource_name);
            let result = alter(&call, &twice, kind, name, edits(&asked.configs), request.validate_only).await;
            let (error, message) = told(result);
            let response = IncrementalResponse::default().with_resource_type(kind);
            let response = response.with_resource_name(name.clone()).with_error_code(error.code());
            responses.push(response.with_error_message(message));
        }
        call.answer(&IncrementalAlterConfigsResponse::default().with_responses(responses))
    }))
}

fn told(result: Result<(), Refusal>) -> (ErrorCode, Option<StrBytes>) {
    match result {
        Ok(()) => (ErrorCode::None, None),
        Err(refusal) => (refusal.error, Some(text(&refusal.message))),
    }
}

/// Resources that a request names more than once: none of these is changed.
struct Twice<'a>(HashSet<(i8, &'a str)>);

impl<'a> Twice<'a> {
    fn among(resources: impl Iterator<Item = (i8, &'a StrBytes)>) -> Self {
        let mut times: HashMap<(i8, &str), u32> = HashMap::new();
        for (kind, name) in resources {
            let seen = times.entry((kind, name.as_str())).or_default();
            *seen = seen.saturating_add(1);
        }
        Self(times.into_iter().filter(|(_, times)| *times > 1).map(|(resource, _)| resource).collect())
    }
}

async fn alter(
    call: &Call,
    twice: &Twice<'_>,
    kind: i8,
    name: &StrBytes,
    wanted: Result<Wanted, Refusal>,
    validate_only: bool,
) -> Result<(), Refusal> {
    if twice.0.contains(&(kind, name.as_str())) {
        return refuse(ErrorCode::InvalidRequest, "Each resource must appear at most once.");
    }
    let wanted = wanted?;
    let resource = resource(call, kind, name)?;
    call.shard.alter_configs(resource, wanted, validate_only).await
}

/// The resource of that type and name, if settings of its own can be changed here.
fn resource(call: &Call, kind: i8, name: &str) -> Result<ConfigResource, Refusal> {
    match kind {
        TOPIC if name.is_empty() => {
            refuse(ErrorCode::InvalidRequest, "Default topic resources are not allowed.")
        }
        TOPIC => legal(name).map(ConfigResource::Topic),
        BROKER => {
            check_broker(call, name)?;
            Ok(ConfigResource::Broker(name.to_owned()))
        }
        GROUP => Ok(ConfigResource::Group(name.to_owned())),
        CLIENT_METRICS => Ok(ConfigResource::ClientMetrics(name.to_owned())),
        other => refuse(ErrorCode::InvalidRequest, format!("Unknown resource type {other}")),
    }
}

/// The empty name stands for all brokers, a number for this one.
fn check_broker(call: &Call, name: &str) -> Result<(), Refusal> {
    let node_id = call.shard.settings().node_id;
    match name.parse::<i32>() {
        _ if name.is_empty() => Ok(()),
        Ok(id) if id == node_id && name == id.to_string() => Ok(()),
        Ok(_) => refuse(
            ErrorCode::InvalidRequest,
            format!("Unexpected broker id, expected {node_id}, but received {name}"),
        ),
        Err(_) => refuse(ErrorCode::InvalidRequest, format!("Node id must be an integer, but it is: {name}")),
    }
}

fn check_keys<'a>(names: impl Iterator<Item = &'a StrBytes>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return refuse(ErrorCode::InvalidRequest, "Error due to duplicate config keys");
        }
    }
    Ok(())
}

fn check_nulls<'a>(nulls: impl Iterator<Item = &'a StrBytes>) -> Result<(), Refusal> {
    let nulls: Vec<&str> = nulls.map(StrBytes::as_str).collect();
    if nulls.is_empty() {
        return Ok(());
    }
    refuse(ErrorCode::InvalidRequest, format!("Null value not supported for : {}", nulls.join(", ")))
}

fn exactly<'a>(
    configs: impl Iterator<Item = (&'a StrBytes, Option<&'a StrBytes>)> + Clone,
) -> Result<Wanted, Refusal> {
    check_keys(configs.clone().map(|(name, _)| name))?;
    check_nulls(configs.clone().filter(|(_, value)| value.is_none()).map(|(name, _)| name))?;
    let configs: Configs = configs
        .map(|(name, value)| (name.to_string(), value.map_or_else(String::new, ToString::to_string)))
        .collect();
    Ok(Wanted::Exactly(configs))
}

fn edits(configs: &[AlterableConfig]) -> Result<Wanted, Refusal> {
    check_keys(configs.iter().map(|config| &config.name))?;
    let mut edits = Vec::with_capacity(configs.len());
    let mut nulls = Vec::new();
    for config in configs {
        let operation = match config.config_operation {
            0 => Operation::Set,
            1 => Operation::Delete,
            2 => Operation::Append,
            3 => Operation::Subtract,
            other => return refuse(ErrorCode::InvalidRequest, format!("Unknown operations type {other}")),
        };
        if operation != Operation::Delete && config.value.is_none() {
            nulls.push(&config.name);
        }
        let value = config.value.as_ref().map_or_else(String::new, ToString::to_string);
        edits.push(Edit { name: config.name.to_string(), operation, value });
    }
    check_nulls(nulls.into_iter())?;
    Ok(Wanted::Edits(edits))
}
