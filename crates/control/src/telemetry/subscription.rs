//! A subscription, and the clients that it is for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ottla_model::TopicId;

use crate::catalog::Configs;
use crate::group::TopicPattern;

/// How often metrics are pushed when nothing else is said, in milliseconds (`ClientMetricsConfigs.INTERVAL_MS_DEFAULT`).
pub(super) const INTERVAL_MS: i32 = 300_000;

/// What stands for all metrics.
const ALL: &str = "*";

/// The id of a client's instance, which the broker gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub [u8; 16]);

impl InstanceId {
    /// True for the two ids that nobody may have (`Uuid.RESERVED`).
    #[must_use]
    pub fn is_reserved(self) -> bool {
        u128::from_be_bytes(self.0) <= 1
    }

    /// Its hash in Java (`Uuid.hashCode`).
    pub(super) fn hash_code(self) -> i32 {
        let number = u128::from_be_bytes(self.0);
        let halves = (number >> 64) as u64 ^ number as u64;
        ((halves >> 32) as u32 ^ halves as u32).cast_signed()
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Kafka prints all its ids alike.
        fmt::Display::fmt(&TopicId(self.0), f)
    }
}

/// What a client is told apart by.
#[derive(Debug, Clone, Copy)]
pub struct ClientTraits<'a> {
    /// The instance.
    pub instance_id: InstanceId,
    /// The id that the client gives itself.
    pub client_id: &'a str,
    /// Its software and the version of it (KIP-511).
    pub software: (&'a str, &'a str),
    /// Where it connects from, without a slash.
    pub address: &'a str,
    /// The port there.
    pub port: u16,
}

/// A subscription (`ClientMetricsConfigs`).
#[derive(Debug)]
pub struct Subscription {
    metrics: BTreeSet<String>,
    interval_ms: i32,
    matches: BTreeMap<Trait, TopicPattern>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trait {
    InstanceId,
    ClientId,
    SoftwareName,
    SoftwareVersion,
    Address,
    Port,
}

impl Trait {
    fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "client_instance_id" => Self::InstanceId,
            "client_id" => Self::ClientId,
            "client_software_name" => Self::SoftwareName,
            "client_software_version" => Self::SoftwareVersion,
            "client_source_address" => Self::Address,
            "client_source_port" => Self::Port,
            _ => return None,
        })
    }

    fn of<'a>(self, client: &ClientTraits<'a>) -> Cow<'a, str> {
        match self {
            Self::InstanceId => client.instance_id.to_string().into(),
            Self::ClientId => client.client_id.into(),
            Self::SoftwareName => client.software.0.into(),
            Self::SoftwareVersion => client.software.1.into(),
            Self::Address => client.address.into(),
            Self::Port => client.port.to_string().into(),
        }
    }
}

impl Subscription {
    /// A subscription with these settings; nothing for a pattern that is none, which the check of settings refuses.
    #[must_use]
    pub fn new(configs: &Configs) -> Option<Self> {
        let list = |name: &str| {
            let text = configs.get(name).map_or("", String::as_str);
            text.split(',').map(str::trim).filter(|part| !part.is_empty())
        };
        let mut matches = BTreeMap::new();
        for part in list("match") {
            let (name, pattern) = part.split_once('=')?;
            matches.insert(Trait::by_name(name.trim())?, TopicPattern::compile(pattern.trim()).ok()?);
        }
        let interval_ms = configs.get("interval.ms").and_then(|text| text.parse().ok());
        Some(Self {
            metrics: list("metrics").map(str::to_owned).collect(),
            interval_ms: interval_ms.unwrap_or(INTERVAL_MS),
            matches,
        })
    }

    /// What a client has not told matches nothing.
    fn is_for(&self, client: &ClientTraits<'_>) -> bool {
        self.matches.iter().all(|(which, pattern)| {
            let told = which.of(client);
            !told.is_empty() && pattern.matcher()(&told)
        })
    }
}

/// The metrics that a client is asked for, and how often, by all subscriptions that are for it.
pub(super) fn wanted(subscriptions: &[Subscription], client: &ClientTraits<'_>) -> (Vec<String>, i32) {
    let mut metrics: BTreeSet<&str> = BTreeSet::new();
    let mut interval_ms = INTERVAL_MS;
    for subscription in subscriptions.iter().filter(|subscription| subscription.is_for(client)) {
        metrics.extend(subscription.metrics.iter().map(String::as_str));
        interval_ms = interval_ms.min(subscription.interval_ms);
    }
    if metrics.contains(ALL) {
        metrics = BTreeSet::from([ALL]);
    }
    (metrics.into_iter().map(str::to_owned).collect(), interval_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(configs: &[(&str, &str)]) -> Option<Subscription> {
        let configs = configs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Subscription::new(&configs.collect())
    }

    const CLIENT: ClientTraits<'_> = ClientTraits {
        instance_id: InstanceId([7; 16]),
        client_id: "billing-1",
        software: ("apache-kafka-java", "4.3.1"),
        address: "10.0.0.9",
        port: 4711,
    };

    #[test]
    fn a_client_is_asked_for_what_all_its_subscriptions_want() {
        let all = [
            subscription(&[
                ("metrics", "b., a."),
                ("interval.ms", "5000"),
                ("match", "client_id=billing-.*"),
            ]),
            subscription(&[("metrics", "c."), ("interval.ms", "100"), ("match", "client_id=billing")]),
            subscription(&[
                ("metrics", "d."),
                ("match", "client_software_version=4\\..*,client_source_port=4711"),
            ]),
        ];
        let all: Vec<Subscription> = all.into_iter().flatten().collect();
        let metrics = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(wanted(&all, &CLIENT), (metrics(&["a.", "b.", "d."]), 5000));
        let unnamed = ClientTraits { client_id: "", ..CLIENT };
        let anybody = [subscription(&[("metrics", "e."), ("match", "client_id=.*")]).expect("made")];
        assert_eq!(wanted(&anybody, &unnamed).0, metrics(&[]));
        assert_eq!(wanted(&[], &CLIENT), (Vec::new(), INTERVAL_MS));
        let everything = [subscription(&[("metrics", "*")]), subscription(&[("metrics", "a.")])];
        let everything: Vec<Subscription> = everything.into_iter().flatten().collect();
        assert_eq!(wanted(&everything, &CLIENT).0, metrics(&["*"]));
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(subscription(&[("match", "client_id=(?=a)")]).is_none());
        assert!(subscription(&[("match", "zoo=a")]).is_none());
    }
}
