//! One change that an administrator makes.

use std::collections::BTreeMap;

use super::known::Known;
use crate::load::Random;

/// `ConfigResource.Type`.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// What has settings: its type and name.
pub(super) type Resource = (i8, String);

/// What can be changed at run time: type, name, setting, and the range that values are drawn from.
const SETTINGS: &[(i8, &str, &str, std::ops::Range<u64>)] = &[
    (BROKER, "1", "log.retention.ms", 1..1_000_000),
    (BROKER, "1", "log.segment.bytes", 1_048_576..9_000_000),
    (BROKER, "", "log.retention.bytes", 1..1_000_000),
    (BROKER, "", "message.max.bytes", 1_000_000..2_000_000),
    (GROUP, "g1", "consumer.session.timeout.ms", 45_000..60_000),
    (GROUP, "g2", "consumer.heartbeat.interval.ms", 5_000..15_000),
    (CLIENT_METRICS, "m1", "interval.ms", 100..3_600_000),
    (CLIENT_METRICS, "m2", "interval.ms", 100..3_600_000),
];
const TOPIC_SETTINGS: [&str; 3] = ["retention.ms", "segment.ms", "flush.messages"];
const QUOTAS: [&str; 3] = ["producer_byte_rate", "consumer_byte_rate", "controller_mutation_rate"];
const CLIENTS: [&str; 2] = ["app-1", "app-2"];
const VALUE_MAX: u64 = 1_000_000;
const DELETE_ONCE_IN: u64 = 4;

/// A change.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// IncrementalAlterConfigs, SET.
    Set(Resource, &'static str, String),
    /// IncrementalAlterConfigs, DELETE.
    Delete(Resource, &'static str),
    /// AlterConfigs: these settings and no others.
    Exactly(Resource, BTreeMap<String, String>),
    /// AlterClientQuotas; none removes.
    Quota(&'static str, &'static str, Option<f64>),
    /// UpdateFeatures of `transaction.version`.
    Level(i16),
}

impl Change {
    /// Any change that the broker takes as it is.
    pub(super) fn draw(random: &mut Random, topics: &[&str], known: &Known) -> Self {
        match random.below(6) {
            0 => Self::Level(if known.level == 2 { 1 } else { 2 }),
            1 => {
                let value = Some(value(random) as f64).filter(|_| !random.once_in(DELETE_ONCE_IN));
                Self::Quota(any(random, &CLIENTS), any(random, &QUOTAS), value)
            }
            2 => {
                let configs = TOPIC_SETTINGS.map(|name| (name.to_owned(), value(random).to_string()));
                let kept = random.index(configs.len().saturating_add(1));
                Self::Exactly(topic(random, topics), configs.into_iter().take(kept).collect())
            }
            3 => {
                let (resource, name) = (topic(random, topics), any(random, &TOPIC_SETTINGS));
                Self::set_or_delete(random, resource, name, 1..VALUE_MAX)
            }
            _ => {
                let at = random.index(SETTINGS.len());
                let Some((kind, resource, name, range)) = SETTINGS.get(at) else { return Self::Level(2) };
                Self::set_or_delete(random, (*kind, (*resource).to_owned()), name, range.clone())
            }
        }
    }

    fn set_or_delete(
        random: &mut Random,
        resource: Resource,
        name: &'static str,
        range: std::ops::Range<u64>,
    ) -> Self {
        if random.once_in(DELETE_ONCE_IN) {
            return Self::Delete(resource, name);
        }
        let value = range.start.saturating_add(random.below(range.end.saturating_sub(range.start)));
        Self::Set(resource, name, value.to_string())
    }
}

/// Every resource whose settings may be changed.
pub(super) fn resources(topics: &[&str]) -> Vec<Resource> {
    let topics = topics.iter().map(|topic| (TOPIC, (*topic).to_owned()));
    let mut all: Vec<Resource> =
        topics.chain(SETTINGS.iter().map(|(kind, name, ..)| (*kind, (*name).to_owned()))).collect();
    all.sort();
    all.dedup();
    all
}

/// The `ConfigSource` of what a resource has set itself.
pub(super) fn own_source(resource: &Resource) -> i8 {
    match resource {
        (TOPIC, _) => 1,
        (BROKER, name) if name.is_empty() => 3,
        (BROKER, _) => 2,
        (CLIENT_METRICS, _) => 7,
        _ => 8,
    }
}

/// True for resources that ListConfigResources tells only when they have settings.
pub(super) fn is_listed(resource: &Resource) -> bool {
    matches!(resource.0, GROUP | CLIENT_METRICS)
}

/// The types of these.
pub(super) const LISTED: [i8; 2] = [CLIENT_METRICS, GROUP];

fn value(random: &mut Random) -> u64 {
    random.below(VALUE_MAX).saturating_add(1)
}

fn topic(random: &mut Random, topics: &[&str]) -> Resource {
    (TOPIC, random.pick(topics).copied().unwrap_or_default().to_owned())
}

fn any(random: &mut Random, among: &[&'static str]) -> &'static str {
    random.pick(among).copied().unwrap_or_default()
}
