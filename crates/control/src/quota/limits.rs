//! Which quota counts for a client (`ClientQuotaManager.DefaultQuotaCallback`).

use crate::catalog::{ClientQuotas, EntityKind, QuotaEntity, QuotaKey};

/// Whom a meter counts for. A quota of a user counts all of the user's clients together, one of a client id all users that
/// have it; a default gives each its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MeterId {
    /// The quota.
    pub key: QuotaKey,
    /// The user; nothing for all.
    pub user: Option<String>,
    /// The client id; nothing for all.
    pub client_id: Option<String>,
}

/// A quota that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Whom it counts.
    pub meter: MeterId,
    /// Its value.
    pub bound: f64,
}

/// The quota that counts for a client: the one of the entity that says most about it. A client without an id has only what
/// its user has.
#[must_use]
pub fn limit_for(quotas: &ClientQuotas, key: QuotaKey, user: &str, client_id: &str) -> Option<Limit> {
    let named = |name: &str| Some(Some(name.to_owned()));
    let default = || Some(None);
    let has_id = !client_id.is_empty();
    // In the order in which they count: the user's name or default, the client id's, and which of them the meter tells
    // apart.
    let candidates = [
        (named(user), named(client_id), true, true),
        (named(user), default(), true, true),
        (named(user), None, true, false),
        (default(), named(client_id), true, true),
        (default(), default(), true, true),
        (default(), None, true, false),
        (None, named(client_id), false, true),
        (None, default(), false, true),
    ];
    for (of_user, of_client, by_user, by_client) in candidates {
        if by_client && !has_id {
            continue;
        }
        let parts = [(EntityKind::User, of_user), (EntityKind::ClientId, of_client)];
        let entity: QuotaEntity = parts.into_iter().filter_map(|(kind, name)| Some((kind, name?))).collect();
        if let Some(bound) = quotas.of(&entity).and_then(|values| values.get(&key)) {
            let meter = MeterId {
                key,
                user: by_user.then(|| user.to_owned()),
                client_id: by_client.then(|| client_id.to_owned()),
            };
            return Some(Limit { meter, bound: *bound });
        }
    }
    None
}

/// The quota that counts for connections from an address: its own, or the default.
#[must_use]
pub fn limit_for_ip(quotas: &ClientQuotas, key: QuotaKey, ip: &str) -> Option<Limit> {
    let of = |name: Option<&str>| {
        let entity = QuotaEntity::from([(EntityKind::Ip, name.map(str::to_owned))]);
        quotas.of(&entity).and_then(|values| values.get(&key)).copied()
    };
    let bound = of(Some(ip)).or_else(|| of(None))?;
    Some(Limit { meter: MeterId { key, user: None, client_id: Some(ip.to_owned()) }, bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: QuotaKey = QuotaKey::ProducerByteRate;

    /// A user, a client id (of each: any, the default, a name), and the limit.
    type Limited<'a> = (Option<Option<&'a str>>, Option<Option<&'a str>>, f64);

    fn quotas(entities: &[Limited<'_>]) -> ClientQuotas {
        let mut quotas = ClientQuotas::default();
        for (user, client, bound) in entities {
            let mut entity = QuotaEntity::new();
            let name = |name: Option<&str>| name.map(str::to_owned);
            user.map(|user| entity.insert(EntityKind::User, name(user)));
            client.map(|client| entity.insert(EntityKind::ClientId, name(client)));
            quotas.replay(&entity, KEY, Some(*bound));
        }
        quotas
    }

    /// The order of `/config/users/<user>/clients/<client>` to `/config/clients/<default>` in Kafka's documentation.
    #[test]
    fn the_closest_quota_counts() {
        let (name, default) = (|name| Some(Some(name)), Some(None));
        let mut entities = vec![
            (name("u"), name("c"), 1.0),
            (name("u"), default, 2.0),
            (name("u"), None, 3.0),
            (default, name("c"), 4.0),
            (default, default, 5.0),
            (default, None, 6.0),
            (None, name("c"), 7.0),
            (None, default, 8.0),
        ];
        let meters = [
            (Some("u"), Some("c")),
            (Some("u"), Some("c")),
            (Some("u"), None),
            (Some("u"), Some("c")),
            (Some("u"), Some("c")),
            (Some("u"), None),
            (None, Some("c")),
            (None, Some("c")),
        ];
        for (user, client_id) in meters {
            let limit = limit_for(&quotas(&entities), KEY, "u", "c").expect("a quota");
            assert_eq!(limit.bound, entities[0].2);
            assert_eq!((limit.meter.user.as_deref(), limit.meter.client_id.as_deref()), (user, client_id));
            entities.remove(0);
        }
        assert_eq!(limit_for(&quotas(&entities), KEY, "u", "c"), None);
    }

    #[test]
    fn others_quotas_do_not_count() {
        let quotas =
            quotas(&[(Some(Some("v")), None, 1.0), (None, Some(Some("d")), 2.0), (None, Some(None), 3.0)]);
        assert_eq!(limit_for(&quotas, KEY, "u", "c").map(|limit| limit.bound), Some(3.0));
        assert_eq!(limit_for(&quotas, KEY, "u", ""), None, "a client without an id");
        assert_eq!(limit_for(&quotas, QuotaKey::ConsumerByteRate, "v", "d"), None);
    }
}
