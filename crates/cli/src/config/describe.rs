//! `ottla config describe` and `ottla config get`.

use std::collections::BTreeMap;
use std::error::Error;

use clap::Args;
use kafka_protocol::messages::DescribeConfigsRequest;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult as Answered;
use ottla_model::ErrorCode;
use serde::Serialize;

use super::resource::{Kind, Resource};
use crate::ask::{self, Bootstrap};
use crate::client::{Cluster, Problem, text};
use crate::table::{Align, Table};

/// Longest value that a table shows, in characters.
const VALUE_CHARACTERS_MAX: usize = 60;

/// Shows settings, and where each comes from.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// What has the settings
    #[arg(value_enum)]
    kind: Kind,

    /// Its name; of a broker its id, or `default`
    name: String,

    /// Show all settings, not only those that somebody has set
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// Prints the value of one setting, and nothing else.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// What has the setting
    #[arg(value_enum)]
    kind: Kind,

    /// Its name; of a broker its id, or `default`
    name: String,

    /// The setting
    key: String,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    /// Nothing when the broker keeps it to itself.
    value: Option<String>,
    /// Where it comes from.
    source: &'static str,
    read_only: bool,
    sensitive: bool,
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let resource = Resource::named(self.kind, &self.name)?;
        let mut cluster = Cluster::connect(&self.bootstrap)?;
        let mut settings = settings(&mut cluster, &resource, None)?;
        settings.retain(|setting| self.all || setting.source != "default");
        if self.json { ask::print_json(&settings) } else { ask::print(&to_text(&resource, &settings)) }
    }
}

impl Get {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let resource = Resource::named(self.kind, &self.name)?;
        let mut cluster = Cluster::connect(&self.bootstrap)?;
        let found = settings(&mut cluster, &resource, Some(&self.key))?;
        let Some(setting) = found.into_iter().find(|setting| setting.name == self.key) else {
            let words = resource.words();
            return Err(
                format!("{words} has no setting '{}'; see ottla config describe --all", self.key).into()
            );
        };
        if self.json {
            return ask::print_json(&setting);
        }
        match setting.value {
            Some(value) => ask::print(&format!("{value}\n")),
            None if setting.sensitive => {
                Err(format!("'{}' is secret; the broker does not tell it", self.key).into())
            }
            None => Err(format!("'{}' is not set", self.key).into()),
        }
    }
}

/// The settings that a resource has of its own, without defaults of the broker.
pub(crate) fn own_settings(
    cluster: &mut Cluster,
    resource: &Resource,
) -> Result<BTreeMap<String, Option<String>>, Problem> {
    let own = settings(cluster, resource, None)?.into_iter().filter(|setting| setting.source == OWN);
    Ok(own.map(|setting| (setting.name, setting.value)).collect())
}

/// The source of what was set for the topic itself.
const OWN: &str = "topic";

fn settings(cluster: &mut Cluster, resource: &Resource, key: Option<&str>) -> Result<Vec<Setting>, Problem> {
    let asked = DescribeConfigsResource::default()
        .with_resource_type(resource.code())
        .with_resource_name(text(resource.name()))
        .with_configuration_keys(key.map(|key| vec![text(key)]));
    let request = DescribeConfigsRequest::default().with_resources(vec![asked]);
    let answer = resource.connection(cluster)?.send(&request)?;
    let result = answer.results.into_iter().next();
    let result = result.ok_or_else(|| Problem::Other("the broker answered without a result".to_owned()))?;
    match ErrorCode::from_code(result.error_code) {
        Some(ErrorCode::None) => {}
        Some(ErrorCode::UnknownTopicOrPartition) => {
            return Err(Problem::Other(format!("there is no {}", resource.words())));
        }
        _ => {
            let asked = format!("the settings of {} cannot be read", resource.words());
            return Err(Problem::refused(&asked, result.error_code, result.error_message.as_deref()));
        }
    }
    let mut settings: Vec<Setting> = result.configs.into_iter().map(setting).collect();
    settings.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(settings)
}

fn setting(config: Answered) -> Setting {
    Setting {
        name: config.name.to_string(),
        value: config.value.map(|value| value.to_string()),
        source: source(config.config_source),
        read_only: config.read_only,
        sensitive: config.is_sensitive,
    }
}

/// `ConfigEntry.ConfigSource`, in words.
fn source(code: i8) -> &'static str {
    match code {
        1 => OWN,
        2 => "broker",
        3 => "all brokers",
        4 => "settings file",
        5 => "default",
        6 => "broker's logger",
        7 => "client metrics",
        8 => "group",
        _ => "unknown",
    }
}

fn to_text(resource: &Resource, settings: &[Setting]) -> String {
    let columns =
        [("SETTING", Align::Left), ("VALUE", Align::Left), ("FROM", Align::Left), ("NOTE", Align::Left)];
    let mut table = Table::new(columns);
    for setting in settings {
        let value = match &setting.value {
            Some(value) if value.chars().count() > VALUE_CHARACTERS_MAX => {
                value.chars().take(VALUE_CHARACTERS_MAX - 1).chain(['…']).collect()
            }
            Some(value) => value.clone(),
            None if setting.sensitive => "(secret)".to_owned(),
            None => "-".to_owned(),
        };
        let note = if setting.read_only { "only read at start" } else { "" };
        table.row([setting.name.clone(), value, setting.source.to_owned(), note.to_owned()]);
    }
    if table.is_empty() {
        return format!("nothing is set for {}; --all shows the defaults\n", resource.words());
    }
    table.to_text()
}
