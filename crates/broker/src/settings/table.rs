//! The one table of a broker's settings: what acts and what is only kept, under Apache Kafka's names.

use std::fmt;

use super::broker::{ACTING, Settings};
use super::stored::STORED;
use super::value::{Check, Kind, SettingError, parse_any};

/// When a change of a setting is taken (`DynamicBrokerConfig`, KIP-226). In that order the ways to set it become fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Update {
    /// At run time, for one broker or for all.
    ClusterWide,
    /// At run time, for one broker.
    PerBroker,
    /// At start only.
    ReadOnly,
}

/// How much a setting matters, in the words of Kafka's documentation (`ConfigDef.Importance`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    /// Most people look at it.
    High,
    /// Some do.
    Medium,
    /// Few do.
    Low,
}

/// What a row does with a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// It becomes part of [`Settings`].
    Acts {
        /// The current value as Kafka prints it.
        print: fn(&Settings) -> Option<String>,
        /// Parses and sets it.
        set: fn(&mut Settings, &str) -> Result<(), SettingError>,
    },
    /// It is checked, kept and described, and nothing more.
    Stored {
        /// Kafka's default.
        default: Option<&'static str>,
    },
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Kafka's name, or one that begins with `ottla.`.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Which values it takes.
    pub(crate) check: Check,
    /// When a change is taken.
    pub(crate) update: Update,
    /// How much it matters.
    pub(crate) importance: Importance,
    /// What it does.
    pub(crate) doc: &'static str,
    pub(super) effect: Effect,
}

impl Row {
    /// True when it does something here.
    pub(crate) fn acts(&self) -> bool {
        matches!(self.effect, Effect::Acts { .. })
    }

    /// The value of a broker that sets nothing, as Kafka prints it.
    pub(crate) fn default(&self) -> Option<String> {
        match self.effect {
            Effect::Acts { print, .. } => print(&Settings::default()),
            Effect::Stored { default } => default.map(str::to_owned),
        }
    }

    /// True for values that are shown to nobody (`ConfigDef.Type.PASSWORD`).
    pub(crate) fn is_sensitive(&self) -> bool {
        self.kind == Kind::Password
    }

    /// True for settings that Kafka documents nowhere and describes to nobody (`ConfigDef.defineInternal`).
    pub(crate) fn is_internal(&self) -> bool {
        INTERNAL.contains(&self.name)
    }

    /// Checks a value and writes it as Kafka prints it.
    pub(super) fn parse(&self, text: &str) -> Result<Option<String>, SettingError> {
        parse_any(self.name, self.kind, text, self.check)
    }
}

/// Kafka's internal settings.
const INTERNAL: &[&str] = &[
    "controller.performance.always.log.threshold.ms",
    "controller.performance.sample.period.ms",
    "group.consumer.regex.refresh.interval.ms",
    "group.share.initialize.retry.interval.ms",
    "group.share.persister.class.name",
    "internal.metadata.delete.delay.millis",
    "internal.metadata.log.segment.bytes",
    "internal.metadata.max.batch.size.in.bytes",
    "log.initial.task.delay.ms",
    "producer.id.expiration.check.interval.ms",
    "remote.log.index.file.cache.ttl.ms",
    "remote.log.manager.task.retry.backoff.max.ms",
    "remote.log.manager.task.retry.backoff.ms",
    "remote.log.manager.task.retry.jitter",
    "server.max.startup.time.ms",
    "share.coordinator.cold.partition.snapshot.interval.ms",
    "share.coordinator.state.topic.prune.interval.ms",
    "unclean.leader.election.interval.ms",
    "unstable.api.versions.enable",
    "unstable.feature.versions.enable",
];

/// Every setting of a broker.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    ACTING.iter().chain(STORED.iter().copied().flatten())
}

/// The row with that name.
pub(crate) fn row(name: &str) -> Option<&'static Row> {
    rows().find(|row| row.name == name)
}

/// Settings of a listener carry its name in front: `listener.name.NAME.KEY`.
const LISTENER_PREFIX: &str = "listener.name.";

/// The row that a setting of one listener overrides, or that has the name itself
/// (`DynamicBrokerConfig.brokerConfigSynonyms`). In front of the key may stand a SASL mechanism.
pub(crate) fn base_row(name: &str) -> Option<&'static Row> {
    let Some(rest) = name.strip_prefix(LISTENER_PREFIX) else { return row(name) };
    let (_listener, key) = rest.split_once('.')?;
    row(key).or_else(|| key.split_once('.').and_then(|(_mechanism, key)| row(key)))
}

/// Names written less alike than this are not offered.
const LIKENESS_LEAST: f64 = 0.6;

/// The known name that is written most like `name`, if one is near.
pub(crate) fn nearest(name: &str) -> Option<String> {
    nearest_of(name, rows().map(|row| row.name))
}

/// The one of `known` that is written most like `name`, if one is near.
pub(crate) fn nearest_of(name: &str, known: impl Iterator<Item = &'static str>) -> Option<String> {
    known
        .map(|known| (strsim::normalized_damerau_levenshtein(name, known), known))
        .filter(|(likeness, _)| *likeness >= LIKENESS_LEAST)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known.to_owned())
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClusterWide => "cluster-wide",
            Self::PerBroker => "per-broker",
            Self::ReadOnly => "read-only",
        })
    }
}

impl fmt::Display for Importance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

#[cfg(test)]
mod tests;
