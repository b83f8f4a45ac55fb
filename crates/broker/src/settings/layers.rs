//! The settings of this broker in layers: what it was started with, under what was set at run time for all brokers, under
//! what was set at run time for this one (`DynamicBrokerConfig`).

use std::sync::Arc;

use tracing::warn;

use super::broker::Settings;
use super::table::row;
use super::topic::Overrides;

/// Where a value comes from (`DescribeConfigsResponse.ConfigSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Set on the topic.
    Topic,
    /// Set at run time on this broker.
    DynamicBroker,
    /// Set at run time on all brokers.
    DynamicDefault,
    /// Set at start.
    Static,
    /// Nobody has set it.
    Default,
    /// Set on the subscription of client metrics.
    ClientMetrics,
    /// Set on the group.
    Group,
}

impl Source {
    /// The number in DescribeConfigs.
    pub(crate) const fn code(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefault => 3,
            Self::Static => 4,
            Self::Default => 5,
            Self::ClientMetrics => 7,
            Self::Group => 8,
        }
    }
}

/// One value of one setting, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The name that gives it.
    pub(crate) name: String,
    /// The value; none for a secret.
    pub(crate) value: Option<String>,
    /// Who set it.
    pub(crate) source: Source,
}

/// Kafka writes this setting for the whole cluster when one is made, and lets nobody take it back (KIP-966).
pub(crate) const ALWAYS_SET: &str = "min.insync.replicas";

/// The layers, and what is in force of them.
#[derive(Debug)]
pub(crate) struct Layers {
    fixed: Arc<Settings>,
    cluster: Overrides,
    broker: Overrides,
    settings: Arc<Settings>,
}

impl Layers {
    /// The settings of the start under those of run time.
    pub(crate) fn new(fixed: Arc<Settings>, cluster: &Overrides, broker: &Overrides) -> Self {
        let mut cluster = cluster.clone();
        if !cluster.contains_key(ALWAYS_SET) {
            cluster.insert(ALWAYS_SET.to_owned(), fixed.min_insync_replicas.to_string());
        }
        let mut settings = Settings::clone(&fixed);
        for (name, value) in cluster.iter().chain(broker) {
            // They were checked when they were set; a catalog of another version may hold others.
            if let Err(error) = settings.set(name, value) {
                warn!(%error, "a setting that was made at run time is ignored");
            }
        }
        Self { fixed, cluster, broker: broker.clone(), settings: Arc::new(settings) }
    }

    /// The same start with other settings of run time.
    pub(crate) fn with(&self, cluster: &Overrides, broker: &Overrides) -> Self {
        Self::new(Arc::clone(&self.fixed), cluster, broker)
    }

    /// What this broker was started with.
    pub(crate) fn fixed(&self) -> &Arc<Settings> {
        &self.fixed
    }

    /// What is in force.
    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// What was set at run time for all brokers.
    pub(crate) fn cluster(&self) -> &Overrides {
        &self.cluster
    }

    /// What was set at run time for this broker.
    pub(crate) fn broker(&self) -> &Overrides {
        &self.broker
    }

    /// Every layer that gives `name` or a synonym of it a value, the one in force first. What stands in front of the name
    /// itself is left out, as by Kafka.
    pub(crate) fn origins(&self, name: &str, is_sensitive: bool) -> Vec<Origin> {
        let names = synonyms(name);
        let shown = |value: Option<&str>| value.filter(|_| !is_sensitive).map(str::to_owned);
        let origin = |name: &str, value: &str, source| Origin {
            name: name.to_owned(),
            value: shown(Some(value)),
            source,
        };
        let mut origins = Vec::new();
        for (layer, source) in
            [(&self.broker, Source::DynamicBroker), (&self.cluster, Source::DynamicDefault)]
        {
            let found = names.iter().filter_map(|name| Some((name, layer.get(*name)?)));
            origins.extend(found.map(|(name, value)| origin(name, value, source)));
        }
        for name in &names {
            if let Some(value) = self.fixed.given().get(name) {
                origins.push(origin(name, value, Source::Static));
            }
        }
        for name in &names {
            if let Some(value) = row(name).and_then(super::table::Row::default) {
                origins.push(origin(name, &value, Source::Default));
            }
        }
        let first = origins.iter().position(|origin| origin.name == name).unwrap_or(origins.len());
        origins.split_off(first)
    }
}

/// A setting and those that it inherits from (`DynamicBrokerConfig.brokerConfigSynonyms`).
fn synonyms(name: &str) -> Vec<&str> {
    const FAMILIES: [&[&str]; 4] = [
        &["log.roll.ms", "log.roll.hours"],
        &["log.roll.jitter.ms", "log.roll.jitter.hours"],
        &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
        &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    ];
    let family =
        FAMILIES.iter().find(|family| family.contains(&name) && (name != "log.flush.scheduler.interval.ms"));
    if let Some(family) = family {
        return family.to_vec();
    }
    match name.strip_prefix("listener.name.").and_then(|rest| rest.split_once('.')) {
        Some((_listener, base)) => vec![name, base],
        None => vec![name],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(pairs: &[(&str, &str)]) -> Overrides {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn told(layers: &Layers, name: &str) -> Vec<(String, String, Source)> {
        let origins = layers.origins(name, false).into_iter();
        origins.map(|origin| (origin.name, origin.value.unwrap_or_default(), origin.source)).collect()
    }

    #[test]
    fn the_nearest_layer_wins_and_all_are_told() {
        let mut fixed = Settings::default();
        fixed.set("message.max.bytes", "3000").expect("fits");
        let layers = Layers::new(
            Arc::new(fixed),
            &overrides(&[("message.max.bytes", "2000")]),
            &overrides(&[("message.max.bytes", "1000")]),
        );
        assert_eq!(layers.settings().message_max_bytes, 1000);
        let name = || "message.max.bytes".to_owned();
        assert_eq!(
            told(&layers, "message.max.bytes"),
            [
                (name(), "1000".to_owned(), Source::DynamicBroker),
                (name(), "2000".to_owned(), Source::DynamicDefault),
                (name(), "3000".to_owned(), Source::Static),
                (name(), "1048588".to_owned(), Source::Default),
            ]
        );
        let layers = layers.with(&Overrides::new(), &Overrides::new());
        assert_eq!(layers.settings().message_max_bytes, 3000);
    }

    #[test]
    fn a_synonym_is_told_behind_the_name_only() {
        let mut fixed = Settings::default();
        fixed.set("log.retention.hours", "5").expect("fits");
        let layers = Layers::new(Arc::new(fixed), &Overrides::new(), &Overrides::new());
        assert_eq!(told(&layers, "log.retention.ms"), []);
        let names = |name| told(&layers, name).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
        assert_eq!(names("log.retention.hours"), ["log.retention.hours", "log.retention.hours"]);
        assert_eq!(told(&layers, ALWAYS_SET).first().map(|told| told.2), Some(Source::DynamicDefault));
    }

    #[test]
    fn secrets_are_shown_to_nobody() {
        let mut fixed = Settings::default();
        fixed.set("ssl.key.password", "secret").expect("fits");
        assert!(!format!("{fixed:?}").contains("secret"));
        let layers = Layers::new(Arc::new(fixed), &Overrides::new(), &Overrides::new());
        let origins = layers.origins("ssl.key.password", true);
        assert_eq!(
            origins.first().map(|origin| (origin.source, &origin.value)),
            Some((Source::Static, &None))
        );
    }
}
