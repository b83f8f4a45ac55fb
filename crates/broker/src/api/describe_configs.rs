//! DescribeConfigs: the settings of topics and of this broker, with where each value comes from.

use std::collections::HashSet;

use bytes::Bytes;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use ottla_model::{ErrorCode, TopicName};

use super::call::{Call, Closed, Started};
use super::text::text;
use crate::settings::{Overrides, ROWS, Settings, TOPIC_SETTINGS};

/// `ConfigResource.Type`.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// `DescribeConfigsResponse.ConfigSource`.
const SET_ON_TOPIC: i8 = 1;
const SET_ON_BROKER: i8 = 4;
const IS_DEFAULT: i8 = 5;

/// Settings of a topic whose first synonym is null on a broker that does not set it; Kafka then tells none.
const NULL_ON_BROKER: &[&str] = &["flush.ms", "retention.ms", "segment.jitter.ms", "segment.ms"];

/// Since this version types and documentation are told.
const TELLS_TYPE: i16 = 3;

/// One value of one setting, and where it comes from.
pub(super) struct Origin {
    name: &'static str,
    value: Option<String>,
    source: i8,
}

/// One setting as it is described.
pub(super) struct Entry {
    /// Its name.
    pub(super) name: &'static str,
    /// The value in force.
    pub(super) value: Option<String>,
    /// Every place that gives a value, the one in force first.
    origins: Vec<Origin>,
    kind: i8,
    doc: &'static str,
    read_only: bool,
}

/// Where the value in force comes from.
pub(super) fn source_of(entry: &Entry) -> i8 {
    entry.origins.first().map_or(IS_DEFAULT, |origin| origin.source)
}

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
                let wanted = entries.into_iter().filter(|entry| is_wanted(resource, entry.name));
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

fn entries(call: &Call, resource: &DescribeConfigsResource) -> Result<Vec<Entry>, (ErrorCode, String)> {
    let settings = call.shard.settings();
    match resource.resource_type {
        TOPIC => {
            let name = TopicName::new(&resource.resource_name).map_err(|illegal| {
                (ErrorCode::InvalidTopicException, format!("Topic name is invalid: {illegal}"))
            })?;
            let live = call.shard.topic(name.as_str()).ok_or_else(|| {
                let message = "This server does not host this topic-partition.";
                (ErrorCode::UnknownTopicOrPartition, message.to_owned())
            })?;
            Ok(topic_entries(settings, &live.topic.configs).collect())
        }
        // The empty name stands for what is set on all brokers at run time: nothing.
        BROKER if resource.resource_name.is_empty() => Ok(Vec::new()),
        BROKER => match resource.resource_name.parse::<i32>() {
            Ok(id) if id == settings.node_id => Ok(broker_entries(settings).collect()),
            Ok(id) => Err((
                ErrorCode::InvalidRequest,
                format!(
                    "Unexpected broker id, expected {} or empty string, but received {id}",
                    settings.node_id
                ),
            )),
            Err(_) => Err((
                ErrorCode::InvalidRequest,
                format!("Broker id must be an integer, but it is: {}", resource.resource_name),
            )),
        },
        other => Err((ErrorCode::InvalidRequest, format!("Resource type {other} is not served here."))),
    }
}

/// Every setting of a topic with these overrides.
pub(super) fn topic_entries<'a>(
    settings: &'a Settings,
    overrides: &'a Overrides,
) -> impl Iterator<Item = Entry> + 'a {
    let defaults = Settings::default();
    TOPIC_SETTINGS.iter().filter(|setting| is_shown(setting.name)).map(move |setting| {
        let mut origins = Vec::new();
        if let Some(own) = overrides.get(setting.name) {
            origins.push(Origin { name: setting.name, value: Some(own.clone()), source: SET_ON_TOPIC });
        }
        let (inherited, default) = ((setting.default)(settings), (setting.default)(&defaults));
        let inherited_name = setting.synonym.unwrap_or(setting.name);
        if inherited != default {
            origins.push(Origin { name: inherited_name, value: Some(inherited), source: SET_ON_BROKER });
        }
        let value =
            origins.first().map_or(default.clone(), |origin| origin.value.clone().unwrap_or_default());
        // A setting that the broker does not have, or has as null, adds no default.
        if setting.synonym.is_some() && !NULL_ON_BROKER.contains(&setting.name) {
            origins.push(Origin { name: inherited_name, value: Some(default), source: IS_DEFAULT });
        }
        let value = Some(value);
        Entry {
            name: setting.name,
            value,
            origins,
            kind: setting.kind.code(),
            doc: setting.doc,
            read_only: false,
        }
    })
}

/// Internal settings are shown to nobody, as in Kafka.
fn is_shown(name: &str) -> bool {
    !name.starts_with("internal.")
}

fn broker_entries(settings: &Settings) -> impl Iterator<Item = Entry> + '_ {
    let defaults = Settings::default();
    ROWS.iter().map(move |row| {
        let (value, default) = ((row.print)(settings), (row.print)(&defaults));
        let mut origins = Vec::new();
        if value != default {
            origins.push(Origin { name: row.name, value: value.clone(), source: SET_ON_BROKER });
        }
        if default.is_some() {
            origins.push(Origin { name: row.name, value: default, source: IS_DEFAULT });
        }
        Entry { name: row.name, value, origins, kind: row.kind.code(), doc: row.doc, read_only: true }
    })
}

fn answer(call: &Call, request: &DescribeConfigsRequest, entry: Entry) -> DescribeConfigsResourceResult {
    let mut answered = DescribeConfigsResourceResult::default()
        .with_name(text(entry.name))
        .with_config_source(source_of(&entry))
        .with_read_only(entry.read_only);
    if request.include_synonyms {
        let synonyms = entry.origins.iter().map(|origin| {
            DescribeConfigsSynonym::default()
                .with_name(text(origin.name))
                .with_value(origin.value.as_deref().map(text))
                .with_source(origin.source)
        });
        answered.synonyms = synonyms.collect();
    }
    if call.version() >= TELLS_TYPE {
        answered.config_type = entry.kind;
        answered.documentation = request.include_documentation.then(|| text(entry.doc));
    }
    answered.with_value(entry.value.as_deref().map(text))
}
