//! What DescribeConfigs tells of the settings of a topic, a broker, a group and a subscription (`ConfigHelper`).

use super::broker::Settings;
use super::client_metrics::CLIENT_METRICS_SETTINGS;
use super::group::GROUP_SETTINGS;
use super::layers::{Layers, Origin, Source};
use super::scoped::ScopedSetting;
use super::table::{Update, base_row, rows};
use super::topic::{Overrides, TOPIC_SETTINGS};
use super::value::Kind;

/// One setting as it is described.
pub(crate) struct Described {
    /// Its name.
    pub(crate) name: String,
    /// The value in force; none for null and for secrets.
    pub(crate) value: Option<String>,
    /// Every place that gives a value, the one in force first.
    pub(crate) origins: Vec<Origin>,
    /// Its type.
    pub(crate) kind: Kind,
    /// What it does.
    pub(crate) doc: &'static str,
    /// True when it cannot be changed at run time.
    pub(crate) read_only: bool,
    /// True when the value is shown to nobody.
    pub(crate) sensitive: bool,
}

impl Described {
    /// Where the value in force comes from.
    pub(crate) fn source(&self) -> Source {
        self.origins.first().map_or(Source::Default, |origin| origin.source)
    }
}

/// Every setting of a topic with these of its own. What is internal is shown where it is set.
pub(crate) fn of_topic(layers: &Layers, own: &Overrides) -> Vec<Described> {
    let is_shown = |name: &str| !is_internal(name) || own.contains_key(name);
    let shown = TOPIC_SETTINGS.iter().filter(|setting| is_shown(setting.name));
    shown.map(|setting| scoped(layers, own, setting, Source::Topic)).collect()
}

/// Every setting of a group with these of its own.
pub(crate) fn of_group(layers: &Layers, own: &Overrides) -> Vec<Described> {
    let entry = |setting: &ScopedSetting| {
        let mut described = scoped(layers, own, setting, Source::Group);
        if setting.synonym.is_none() {
            described.origins.push(default_of(setting, layers.settings()));
        }
        described
    };
    GROUP_SETTINGS.iter().map(entry).collect()
}

/// Every setting of a subscription of client metrics with these of its own.
pub(crate) fn of_client_metrics(layers: &Layers, own: &Overrides) -> Vec<Described> {
    let settings = CLIENT_METRICS_SETTINGS.iter();
    settings.map(|setting| scoped(layers, own, setting, Source::ClientMetrics)).collect()
}

/// Settings that Kafka documents nowhere.
fn is_internal(name: &str) -> bool {
    name.starts_with("internal.")
}

fn default_of(setting: &ScopedSetting, settings: &Settings) -> Origin {
    let (name, value) = (setting.name.to_owned(), (setting.default)(settings));
    Origin { name, value, source: Source::Default }
}

fn scoped(layers: &Layers, own: &Overrides, setting: &ScopedSetting, source: Source) -> Described {
    let mut origins = setting.synonym.map_or_else(Vec::new, |synonym| layers.origins(synonym, false));
    let value = match own.get(setting.name) {
        Some(value) => {
            let (name, value) = (setting.name.to_owned(), Some(value.clone()));
            origins.insert(0, Origin { name, value: value.clone(), source });
            value
        }
        None => (setting.default)(layers.settings()),
    };
    Described {
        name: setting.name.to_owned(),
        value,
        origins,
        kind: setting.kind,
        doc: setting.doc,
        read_only: false,
        sensitive: false,
    }
}

/// Rates that are no settings of a file; Kafka describes them once they are set (`QuotaConfig.brokerQuotaConfigs`).
const UNLESS_SET: [&str; 3] = [
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// Every setting of this broker, and what was set of listeners.
pub(crate) fn of_broker(layers: &Layers) -> Vec<Described> {
    let settings = layers.settings();
    let is_shown = |name: &str| !UNLESS_SET.contains(&name) || settings.given().get(name).is_some();
    let known = rows().filter(|row| !row.is_internal() && is_shown(row.name)).map(|row| row.name);
    let of_listeners =
        settings.given().iter().map(|(name, _)| name).filter(|name| name.contains("listener.name."));
    known.chain(of_listeners).filter_map(|name| broker_entry(layers, name)).collect()
}

/// What was set at run time for all brokers.
pub(crate) fn of_all_brokers(layers: &Layers) -> Vec<Described> {
    let entry = |(name, value): (&String, &String)| {
        let mut described = broker_entry(layers, name)?;
        described.value = Some(value.clone()).filter(|_| !described.sensitive);
        described.origins.retain(|origin| origin.source == Source::DynamicDefault);
        Some(described)
    };
    layers.cluster().iter().filter_map(entry).collect()
}

fn broker_entry(layers: &Layers, name: &str) -> Option<Described> {
    let row = base_row(name)?;
    let sensitive = row.is_sensitive();
    let settings = layers.settings();
    let value = if row.name == name {
        settings.value_of(name)
    } else {
        settings.given().get(name).map(str::to_owned)
    };
    let mut origins = layers.origins(name, sensitive);
    if UNLESS_SET.contains(&name) {
        origins.retain(|origin| origin.source != Source::Default);
    }
    Some(Described {
        name: name.to_owned(),
        value: value.filter(|_| !sensitive),
        origins,
        kind: row.kind,
        doc: row.doc,
        read_only: row.name != name || row.update == Update::ReadOnly,
        sensitive,
    })
}
