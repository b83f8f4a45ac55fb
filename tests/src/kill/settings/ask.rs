//! The requests: one for each change, and those that describe everything.

use std::collections::BTreeMap;

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::alter_configs_request::{
    AlterConfigsResource as WholeResource, AlterableConfig as WholeConfig,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterConfigsRequest, ApiVersionsRequest, DescribeClientQuotasRequest,
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
    UpdateFeaturesRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::TOPICS;
use super::change::{Change, LISTED, Resource, is_listed, own_source, resources};
use super::known::Known;
use crate::measure::Connection;
use crate::problem::Problem;

const SET: i8 = 0;
const DELETE: i8 = 1;
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const FEATURE: &str = "transaction.version";
const TIMEOUT_MS: i32 = 10_000;
/// Kafka keeps it set for all brokers, whoever sets what.
const ALWAYS_SET: &str = "min.insync.replicas";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Makes the change.
///
/// # Errors
/// The broker refused it, or the connection was lost.
pub(super) fn make(connection: &mut Connection, change: &Change) -> Result<(), Problem> {
    let (error, message) = match change {
        Change::Set(resource, name, value) => alter(connection, resource, name, SET, Some(value))?,
        Change::Delete(resource, name) => alter(connection, resource, name, DELETE, None)?,
        Change::Exactly(resource, configs) => replace(connection, resource, configs)?,
        Change::Quota(client, key, value) => limit(connection, client, key, *value)?,
        Change::Level(level) => finalize(connection, *level)?,
    };
    if error == 0 {
        return Ok(());
    }
    let message = message.unwrap_or_default();
    Err(Problem::new(format!("{change:?} was refused with error {error}: {message}")))
}

type Told = (i16, Option<StrBytes>);

fn alter(
    connection: &mut Connection,
    resource: &Resource,
    name: &str,
    operation: i8,
    value: Option<&String>,
) -> Result<Told, Problem> {
    let config = AlterableConfig::default()
        .with_name(text(name))
        .with_config_operation(operation)
        .with_value(value.map(|value| text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(resource.0)
        .with_resource_name(text(&resource.1))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = connection.call(1, &request)?;
    only(response.responses.into_iter().map(|told| (told.error_code, told.error_message)))
}

fn replace(
    connection: &mut Connection,
    resource: &Resource,
    configs: &BTreeMap<String, String>,
) -> Result<Told, Problem> {
    let configs = configs
        .iter()
        .map(|(name, value)| WholeConfig::default().with_name(text(name)).with_value(Some(text(value))));
    let resource = WholeResource::default()
        .with_resource_type(resource.0)
        .with_resource_name(text(&resource.1))
        .with_configs(configs.collect());
    let response = connection.call(2, &AlterConfigsRequest::default().with_resources(vec![resource]))?;
    only(response.responses.into_iter().map(|told| (told.error_code, told.error_message)))
}

fn limit(connection: &mut Connection, client: &str, key: &str, value: Option<f64>) -> Result<Told, Problem> {
    let entity =
        EntityData::default().with_entity_type(text("client-id")).with_entity_name(Some(text(client)));
    let operation = OpData::default()
        .with_key(text(key))
        .with_value(value.unwrap_or_default())
        .with_remove(value.is_none());
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![operation]);
    let response = connection.call(1, &AlterClientQuotasRequest::default().with_entries(vec![entry]))?;
    only(response.entries.into_iter().map(|told| (told.error_code, told.error_message)))
}

fn finalize(connection: &mut Connection, level: i16) -> Result<Told, Problem> {
    let upgrade_type = if level == 1 { SAFE_DOWNGRADE } else { UPGRADE };
    let update = FeatureUpdateKey::default()
        .with_feature(text(FEATURE))
        .with_max_version_level(level)
        .with_upgrade_type(upgrade_type);
    let request =
        UpdateFeaturesRequest::default().with_timeout_ms(TIMEOUT_MS).with_feature_updates(vec![update]);
    let response = connection.call(2, &request)?;
    Ok((response.error_code, response.error_message))
}

fn only(mut told: impl Iterator<Item = Told>) -> Result<Told, Problem> {
    told.next().ok_or_else(|| Problem::new("the answer tells nothing of the change"))
}

/// Everything as the broker tells it now.
///
/// # Errors
/// The broker contradicts itself, or the connection was lost.
pub(super) fn described(connection: &mut Connection, expected: &Known) -> Result<Known, Problem> {
    let configs = configs(connection)?;
    let mut listed = listed(connection)?;
    listed.sort();
    let with_settings: Vec<Resource> =
        configs.keys().filter(|resource| is_listed(resource)).cloned().collect();
    if listed != with_settings {
        let problem = format!("{listed:?} are listed and {with_settings:?} have settings: {expected:?}");
        return Err(Problem::new(problem));
    }
    Ok(Known { configs, quotas: quotas(connection)?, level: level(connection)? })
}

fn configs(connection: &mut Connection) -> Result<BTreeMap<Resource, BTreeMap<String, String>>, Problem> {
    let asked = resources(&TOPICS);
    let of_request = asked.iter().map(|(kind, name)| {
        DescribeConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(text(name))
            .with_configuration_keys(None)
    });
    let request = DescribeConfigsRequest::default().with_resources(of_request.collect());
    let mut found = BTreeMap::new();
    for told in connection.call(4, &request)?.results {
        if told.error_code != 0 {
            return Err(Problem::new(format!("{told:?}")));
        }
        let resource = (told.resource_type, told.resource_name.to_string());
        let own = told.configs.into_iter().filter(|config| config.config_source == own_source(&resource));
        let own: BTreeMap<String, String> = own
            .filter(|config| config.name.as_str() != ALWAYS_SET)
            .map(|config| (config.name.to_string(), config.value.unwrap_or_default().to_string()))
            .collect();
        if !own.is_empty() {
            found.insert(resource, own);
        }
    }
    Ok(found)
}

fn listed(connection: &mut Connection) -> Result<Vec<Resource>, Problem> {
    let request = ListConfigResourcesRequest::default().with_resource_types(LISTED.to_vec());
    let told = connection.call(1, &request)?.config_resources;
    Ok(told.into_iter().map(|one| (one.resource_type, one.resource_name.to_string())).collect())
}

fn quotas(connection: &mut Connection) -> Result<BTreeMap<String, BTreeMap<String, f64>>, Problem> {
    let told = connection.call(1, &DescribeClientQuotasRequest::default())?;
    let entries = told.entries.unwrap_or_default().into_iter().map(|entry| {
        let name = entry.entity.into_iter().next().and_then(|part| part.entity_name);
        let values = entry.values.into_iter().map(|value| (value.key.to_string(), value.value));
        (name.unwrap_or_default().to_string(), values.collect())
    });
    Ok(entries.collect())
}

fn level(connection: &mut Connection) -> Result<i16, Problem> {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("tests"))
        .with_client_software_version(text("1"));
    let told = connection.call(4, &request)?.finalized_features;
    let feature = told.into_iter().find(|feature| feature.name.as_str() == FEATURE);
    Ok(feature.map_or(0, |feature| feature.max_version_level))
}
