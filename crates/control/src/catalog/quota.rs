//! Client quotas as the catalog keeps them (KIP-546, `ClientQuotaControlManager`, `ClientQuotasImage`): for which users,
//! client ids and addresses there are which limits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ottla_model::ErrorCode;

use super::Refusal;
use super::record::CatalogRecord;

/// Most entities with quotas; a limit of Ottla's own.
pub const QUOTA_ENTITIES_MAX: usize = 100_000;

/// What a part of an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKind {
    /// The id that a client gives itself.
    ClientId,
    /// The address that it connects from.
    Ip,
    /// The user that it has authenticated as.
    User,
}

impl EntityKind {
    /// Kafka's name of it (`ClientQuotaEntity`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientId => "client-id",
            Self::Ip => "ip",
            Self::User => "user",
        }
    }

    /// The kind with that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::ClientId, Self::Ip, Self::User].into_iter().find(|kind| kind.name() == name)
    }
}

/// Whom a quota is for; no name stands for the default of all that have none of their own.
pub type QuotaEntity = BTreeMap<EntityKind, Option<String>>;

/// What is limited (`QuotaConfig`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaKey {
    /// Connections made from an address, a second.
    ConnectionCreationRate,
    /// Bytes fetched, a second.
    ConsumerByteRate,
    /// Partitions created and deleted, a second.
    ControllerMutationRate,
    /// Bytes produced, a second.
    ProducerByteRate,
    /// Time of the threads that serve requests, in percent of one of them.
    RequestPercentage,
}

impl QuotaKey {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ConnectionCreationRate,
        Self::ConsumerByteRate,
        Self::ControllerMutationRate,
        Self::ProducerByteRate,
        Self::RequestPercentage,
    ];

    /// Kafka's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionCreationRate => "connection_creation_rate",
            Self::ConsumerByteRate => "consumer_byte_rate",
            Self::ControllerMutationRate => "controller_mutation_rate",
            Self::ProducerByteRate => "producer_byte_rate",
            Self::RequestPercentage => "request_percentage",
        }
    }

    /// The quota with that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// Whether it is for addresses, or else for users and client ids.
    fn is_of_ip(self) -> bool {
        self == Self::ConnectionCreationRate
    }

    /// The largest value, and the name of the type that ends there, of the quotas that are whole numbers.
    fn integer_max(self) -> Option<(f64, &'static str)> {
        match self {
            Self::ConnectionCreationRate => Some((f64::from(i32::MAX), "an INT")),
            Self::ConsumerByteRate | Self::ProducerByteRate => Some((9_223_372_036_854_775_807.0, "a LONG")),
            Self::ControllerMutationRate | Self::RequestPercentage => None,
        }
    }
}

/// The quotas of one entity.
pub type QuotaValues = BTreeMap<QuotaKey, f64>;

/// The quotas of all entities.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientQuotas {
    entities: BTreeMap<QuotaEntity, QuotaValues>,
}

/// One alteration as a client sends it: names that may mean nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaAlteration {
    /// Kinds and names of the entity.
    pub entity: BTreeMap<String, Option<String>>,
    /// Quotas by name; no value takes one away.
    pub ops: Vec<(String, Option<f64>)>,
}

/// How one kind of an entity has to be (`DescribeClientQuotasRequest.MATCH_TYPE_*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// This name.
    Exact(String),
    /// The default.
    Default,
    /// Any name, the default included.
    Specified,
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { error: ErrorCode::InvalidRequest, message: message.into() })
}

impl ClientQuotas {
    /// True when there is no quota at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// The quotas of an entity, by its own names only.
    #[must_use]
    pub fn of(&self, entity: &QuotaEntity) -> Option<&QuotaValues> {
        self.entities.get(entity)
    }

    /// Every entity with its quotas, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&QuotaEntity, &QuotaValues)> {
        self.entities.iter()
    }

    /// The entities that match, `strict` without any further kind.
    ///
    /// # Errors
    /// INVALID_REQUEST for addresses together with users or client ids.
    pub fn matching(
        &self,
        filter: &BTreeMap<EntityKind, Match>,
        strict: bool,
    ) -> Result<Vec<(&QuotaEntity, &QuotaValues)>, Refusal> {
        if filter.contains_key(&EntityKind::Ip) && filter.len() > 1 {
            return invalid(
                "Invalid entity filter component combination. IP filter component should not be used with user or \
                 clientId filter component.",
            );
        }
        let matches = |entity: &QuotaEntity| {
            let fits = filter.iter().all(|(kind, wanted)| match (entity.get(kind), wanted) {
                (Some(Some(name)), Match::Exact(wanted)) => name == wanted,
                (Some(None), Match::Default) | (Some(_), Match::Specified) => true,
                _ => false,
            });
            fits && (!strict || entity.len() == filter.len())
        };
        Ok(self.entities.iter().filter(|(entity, _)| matches(entity)).collect())
    }

    /// Sets a quota, or takes it away; gives what was there.
    pub(crate) fn replay(&mut self, entity: &QuotaEntity, key: QuotaKey, value: Option<f64>) -> Option<f64> {
        let values = self.entities.entry(entity.clone()).or_default();
        let before = match value {
            Some(value) => values.insert(key, value),
            None => values.remove(&key),
        };
        if values.is_empty() {
            self.entities.remove(entity);
        }
        before
    }

    /// The records that each alteration leads to, in the order of the request.
    pub(super) fn alter(&self, alterations: &[QuotaAlteration]) -> Vec<Result<Vec<CatalogRecord>, Refusal>> {
        let mut seen = BTreeSet::new();
        let mut added = 0_usize;
        let mut results: Vec<Result<Vec<CatalogRecord>, Refusal>> = Vec::with_capacity(alterations.len());
        for alteration in alterations {
            let result = if seen.insert(&alteration.entity) {
                self.alter_one(alteration, &mut added)
            } else {
                invalid(format!("Ignoring duplicate entity {}", shown(&alteration.entity)))
            };
            results.push(result);
        }
        results
    }

    fn alter_one(
        &self,
        alteration: &QuotaAlteration,
        added: &mut usize,
    ) -> Result<Vec<CatalogRecord>, Refusal> {
        let mut names = BTreeSet::new();
        if alteration.ops.iter().any(|(name, _)| !names.insert(name)) {
            // Kafka means to name the quota, and then says this of the entity.
            return invalid(format!("Ignoring duplicate entity {}", shown(&alteration.entity)));
        }
        let entity = checked_entity(&alteration.entity)?;
        let before = self.of(&entity);
        let mut records = Vec::new();
        for (name, value) in &alteration.ops {
            // What is not there can be taken away by any name.
            let key = match value {
                Some(value) => checked_quota(&entity, name, *value)?,
                None => match QuotaKey::by_name(name) {
                    Some(key) => key,
                    None => continue,
                },
            };
            if before.and_then(|values| values.get(&key)) != value.as_ref() {
                records.push(CatalogRecord::ClientQuota { entity: entity.clone(), key, value: *value });
            }
        }
        let is_new = before.is_none() && !records.is_empty();
        if is_new && self.entities.len().saturating_add(*added) >= QUOTA_ENTITIES_MAX {
            return Err(Refusal {
                error: ErrorCode::PolicyViolation,
                message: format!("There are {QUOTA_ENTITIES_MAX} entities with quotas already."),
            });
        }
        *added = added.saturating_add(usize::from(is_new));
        Ok(records)
    }
}

fn checked_entity(asked: &BTreeMap<String, Option<String>>) -> Result<QuotaEntity, Refusal> {
    let mut entity = QuotaEntity::new();
    for (kind, name) in asked {
        let Some(known) = EntityKind::by_name(kind) else {
            return invalid(format!("Unhandled client quota entity type: {kind}"));
        };
        if name.as_ref().is_some_and(String::is_empty) {
            return invalid(format!("Empty {kind} not supported"));
        }
        entity.insert(known, name.clone());
    }
    match entity.get(&EntityKind::Ip) {
        _ if entity.is_empty() => invalid("Invalid empty client quota entity"),
        Some(_) if entity.len() > 1 => {
            invalid("Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId")
        }
        // Kafka also takes names and looks them up, once.
        Some(Some(ip)) if ip.parse::<IpAddr>().is_err() => {
            invalid(format!("{ip} is not a valid IP or resolvable host."))
        }
        _ => Ok(entity),
    }
}

fn checked_quota(entity: &QuotaEntity, name: &str, value: f64) -> Result<QuotaKey, Refusal> {
    let is_of_ip = entity.contains_key(&EntityKind::Ip);
    let Some(key) = QuotaKey::by_name(name).filter(|key| key.is_of_ip() == is_of_ip) else {
        return invalid(format!("Invalid configuration key {name}"));
    };
    // Not a number is no more than 0 either.
    if value.is_nan() || value <= 0.0 {
        return invalid(format!("Quota {name} must be greater than 0"));
    }
    if let Some((max, kind)) = key.integer_max() {
        if value > max {
            return invalid(format!("Proposed value for {name} is too large for {kind}."));
        }
        if (value % 1.0).abs() > 1e-6 {
            return invalid(format!("{name} cannot be a fractional value."));
        }
    }
    Ok(key)
}

/// An entity as Kafka prints it.
fn shown(entity: &BTreeMap<String, Option<String>>) -> String {
    let parts = entity.iter().map(|(kind, name)| format!("{kind}={}", name.as_deref().unwrap_or("null")));
    format!("ClientQuotaEntity(entries={{{}}})", parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(parts: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
        parts.iter().map(|(kind, name)| ((*kind).to_owned(), name.map(str::to_owned))).collect()
    }

    fn alteration(parts: &[(&str, Option<&str>)], ops: &[(&str, Option<f64>)]) -> QuotaAlteration {
        let ops = ops.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        QuotaAlteration { entity: entity(parts), ops }
    }

    fn apply(quotas: &mut ClientQuotas, alteration: &QuotaAlteration) -> Result<usize, String> {
        let mut results = quotas.alter(std::slice::from_ref(alteration));
        let records = results.pop().expect("one").map_err(|refusal| refusal.message)?;
        for record in &records {
            let CatalogRecord::ClientQuota { entity, key, value } = record else { panic!("{record:?}") };
            quotas.replay(entity, *key, *value);
        }
        Ok(records.len())
    }

    #[test]
    fn quotas_are_set_changed_and_taken_away() {
        let mut quotas = ClientQuotas::default();
        let user = [("user", Some("a"))];
        let set = alteration(&user, &[("producer_byte_rate", Some(5.0)), ("request_percentage", Some(0.5))]);
        assert_eq!(apply(&mut quotas, &set), Ok(2));
        assert_eq!(apply(&mut quotas, &set), Ok(0), "nothing changes");
        let change = alteration(&user, &[("producer_byte_rate", Some(6.0)), ("request_percentage", None)]);
        assert_eq!(apply(&mut quotas, &change), Ok(2));
        let key = QuotaEntity::from([(EntityKind::User, Some("a".to_owned()))]);
        assert_eq!(quotas.of(&key), Some(&QuotaValues::from([(QuotaKey::ProducerByteRate, 6.0)])));
        assert_eq!(
            apply(&mut quotas, &alteration(&user, &[("producer_byte_rate", None), ("no", None)])),
            Ok(1)
        );
        assert!(quotas.is_empty());
    }

    #[test]
    fn what_kafka_refuses_is_refused_in_its_words() {
        let mut quotas = ClientQuotas::default();
        let rate = ("producer_byte_rate", Some(1.0));
        for (parts, ops, message) in [
            (&[][..], &[rate][..], "Invalid empty client quota entity"),
            (&[("group", None)], &[rate], "Unhandled client quota entity type: group"),
            (&[("user", Some(""))], &[rate], "Empty user not supported"),
            (
                &[("user", None), ("ip", None)],
                &[rate],
                "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId",
            ),
            (&[("ip", Some("no such"))], &[rate], "no such is not a valid IP or resolvable host."),
            (&[("ip", None)], &[rate], "Invalid configuration key producer_byte_rate"),
            (&[("user", None)], &[("what", Some(1.0))], "Invalid configuration key what"),
            (
                &[("user", None)],
                &[("producer_byte_rate", Some(0.0))],
                "Quota producer_byte_rate must be greater than 0",
            ),
            (
                &[("user", None)],
                &[("request_percentage", Some(f64::NAN))],
                "Quota request_percentage must be greater than 0",
            ),
            (
                &[("user", None)],
                &[("producer_byte_rate", Some(1.5))],
                "producer_byte_rate cannot be a fractional value.",
            ),
            (
                &[("ip", None)],
                &[("connection_creation_rate", Some(3e9))],
                "Proposed value for connection_creation_rate is too large for an INT.",
            ),
            (
                &[("user", None)],
                &[rate, rate],
                "Ignoring duplicate entity ClientQuotaEntity(entries={user=null})",
            ),
        ] {
            assert_eq!(apply(&mut quotas, &alteration(parts, ops)), Err(message.to_owned()));
        }
        let twice = alteration(&[("user", None)], &[rate]);
        let results = quotas.alter(&[twice.clone(), twice]);
        assert!(matches!(&results[..], [Ok(records), Err(_)] if records.len() == 1));
    }

    #[test]
    fn filters_match_names_and_defaults() {
        let mut quotas = ClientQuotas::default();
        let rate = &[("producer_byte_rate", Some(1.0))];
        for parts in [
            &[("user", Some("a"))][..],
            &[("user", None)],
            &[("user", Some("a")), ("client-id", None)],
            &[("client-id", Some("c"))],
        ] {
            assert_eq!(apply(&mut quotas, &alteration(parts, rate)), Ok(1));
        }
        let count = |filter: &[(EntityKind, Match)], strict| {
            let filter = filter.iter().cloned().collect();
            quotas.matching(&filter, strict).map(|found| found.len()).map_err(|refusal| refusal.error)
        };
        let user_a = (EntityKind::User, Match::Exact("a".to_owned()));
        assert_eq!(count(&[], false), Ok(4));
        assert_eq!(count(&[], true), Ok(0));
        assert_eq!(count(std::slice::from_ref(&user_a), false), Ok(2));
        assert_eq!(count(std::slice::from_ref(&user_a), true), Ok(1));
        assert_eq!(count(&[(EntityKind::User, Match::Default)], false), Ok(1));
        assert_eq!(count(&[(EntityKind::User, Match::Specified)], false), Ok(3));
        assert_eq!(count(&[user_a.clone(), (EntityKind::ClientId, Match::Default)], true), Ok(1));
        assert_eq!(count(&[user_a, (EntityKind::Ip, Match::Default)], true), Err(ErrorCode::InvalidRequest));
    }
}
