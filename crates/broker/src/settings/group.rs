//! The settings of a group: Apache Kafka's names, and what they inherit from the broker (`GroupConfig`).

use super::broker::Settings;
use super::scoped::{ScopedSetting, scoped};
use super::topic::Overrides;

scoped! {
    /// The settings of a group, by name.
    pub(crate) GROUP_SETTINGS;
    "consumer.assignment.interval.ms", Int, Check::AtLeast(0), Some("group.consumer.assignment.interval.ms"), Acts,
        |_| Some("1000".to_owned()),
        "Least time between two assignments of the group.";
    "consumer.heartbeat.interval.ms", Int, Check::AtLeast(1), Some("group.consumer.heartbeat.interval.ms"), Acts,
        |s| s.value_of("group.consumer.heartbeat.interval.ms"),
        "How often members of the group are told to send a heartbeat.";
    "consumer.session.timeout.ms", Int, Check::AtLeast(1), Some("group.consumer.session.timeout.ms"), Acts,
        |s| s.value_of("group.consumer.session.timeout.ms"),
        "How long a member of the group may be silent.";
    "share.assignment.interval.ms", Int, Check::AtLeast(0), Some("group.share.assignment.interval.ms"), Stored,
        |_| Some("1000".to_owned()),
        "There are no share groups yet.";
    "share.auto.offset.reset", Text, Check::ShareReset, None, Stored,
        |_| Some("latest".to_owned()),
        "There are no share groups yet.";
    "share.delivery.count.limit", Int, Check::AtLeast(2), Some("group.share.delivery.count.limit"), Stored,
        |s| s.value_of("group.share.delivery.count.limit"),
        "There are no share groups yet.";
    "share.heartbeat.interval.ms", Int, Check::AtLeast(1), Some("group.share.heartbeat.interval.ms"), Stored,
        |s| s.value_of("group.share.heartbeat.interval.ms"),
        "There are no share groups yet.";
    "share.isolation.level", Text, Check::OneOf(&["read_committed", "read_uncommitted"]), None, Stored,
        |_| Some("read_uncommitted".to_owned()),
        "There are no share groups yet.";
    "share.partition.max.record.locks", Int, Check::AtLeast(100), Some("group.share.partition.max.record.locks"), Stored,
        |s| s.value_of("group.share.partition.max.record.locks"),
        "There are no share groups yet.";
    "share.record.lock.duration.ms", Int, Check::AtLeast(1000), Some("group.share.record.lock.duration.ms"), Stored,
        |s| s.value_of("group.share.record.lock.duration.ms"),
        "There are no share groups yet.";
    "share.renew.acknowledge.enable", Boolean, Check::Any, None, Stored,
        |_| Some("true".to_owned()),
        "There are no share groups yet.";
    "share.session.timeout.ms", Int, Check::AtLeast(1), Some("group.share.session.timeout.ms"), Stored,
        |s| s.value_of("group.share.session.timeout.ms"),
        "There are no share groups yet.";
    "streams.assignment.interval.ms", Int, Check::AtLeast(0), Some("group.streams.assignment.interval.ms"), Stored,
        |_| Some("1000".to_owned()),
        "There are no streams groups yet.";
    "streams.heartbeat.interval.ms", Int, Check::AtLeast(1), Some("group.streams.heartbeat.interval.ms"), Stored,
        |s| s.value_of("group.streams.heartbeat.interval.ms"),
        "There are no streams groups yet.";
    "streams.initial.rebalance.delay.ms", Int, Check::AtLeast(0), Some("group.streams.initial.rebalance.delay.ms"), Stored,
        |s| s.value_of("group.streams.initial.rebalance.delay.ms"),
        "There are no streams groups yet.";
    "streams.num.standby.replicas", Int, Check::AtLeast(0), Some("group.streams.num.standby.replicas"), Stored,
        |s| s.value_of("group.streams.num.standby.replicas"),
        "There are no streams groups yet.";
    "streams.session.timeout.ms", Int, Check::AtLeast(1), Some("group.streams.session.timeout.ms"), Stored,
        |s| s.value_of("group.streams.session.timeout.ms"),
        "There are no streams groups yet.";
}

/// The setting with that name.
pub(crate) fn group_setting(name: &str) -> Option<&'static ScopedSetting> {
    GROUP_SETTINGS.iter().find(|setting| setting.name == name)
}

/// Checks what a group has set, each and together, and writes it as Kafka prints it.
///
/// # Errors
/// A sentence in the words of Kafka's `InvalidConfigurationException`.
pub(crate) fn check_group<'a>(
    settings: &Settings,
    given: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Overrides, String> {
    let mut overrides = Overrides::new();
    for (name, value) in given {
        let Some(setting) = group_setting(name) else {
            return Err(format!("Unknown group config name: {name}"));
        };
        overrides.insert(name.to_owned(), setting.parse(value)?);
    }
    for setting in GROUP_SETTINGS {
        check_bounds(settings, &overrides, setting)?;
    }
    for family in ["consumer", "share", "streams"] {
        let value = |key: &str| number(settings, &overrides, &format!("{family}.{key}"));
        let (session, heartbeat) = (value("session.timeout.ms"), value("heartbeat.interval.ms"));
        if session <= heartbeat {
            return Err(format!(
                "{family}.session.timeout.ms must be greater than {family}.heartbeat.interval.ms"
            ));
        }
    }
    Ok(overrides)
}

/// The broker bounds `consumer.session.timeout.ms` with `group.consumer.min.session.timeout.ms` and `.max.`, and so on.
fn check_bounds(settings: &Settings, overrides: &Overrides, setting: &ScopedSetting) -> Result<(), String> {
    let name = setting.name;
    // An interval that is not set is never bounded.
    if name.ends_with(".assignment.interval.ms") && !overrides.contains_key(name) {
        return Ok(());
    }
    let Some((family, key)) = name.split_once('.') else { return Ok(()) };
    let key = if name == "streams.num.standby.replicas" { "standby.replicas" } else { key };
    let bound = |which: &str| {
        let bound = format!("group.{family}.{which}.{key}");
        settings.value_of(&bound).and_then(|value| Some((bound, value.parse::<i64>().ok()?)))
    };
    let value = number(settings, overrides, name);
    if let Some((bound, least)) = bound("min")
        && value < least
    {
        return Err(format!("{name} must be greater than or equal to {bound}"));
    }
    if let Some((bound, most)) = bound("max")
        && value > most
    {
        return Err(format!("{name} must be less than or equal to {bound}"));
    }
    Ok(())
}

fn number(settings: &Settings, overrides: &Overrides, name: &str) -> i64 {
    let inherited = || group_setting(name).and_then(|setting| (setting.default)(settings));
    overrides.get(name).cloned().or_else(inherited).and_then(|value| value.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_group_sets_is_kept_within_the_brokers_bounds() {
        let check = |given: &[(&str, &str)]| check_group(&Settings::default(), given.iter().copied());
        assert_eq!(check(&[("consumer.session.timeout.ms", " 50000")]).expect("fits").len(), 1);
        for (given, told) in [
            (("nope", "1"), "Unknown group config name: nope"),
            (
                ("consumer.session.timeout.ms", "x"),
                "Invalid value x for configuration consumer.session.timeout.ms: Not a number of type INT",
            ),
            (
                ("consumer.session.timeout.ms", "44999"),
                "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
            ),
            (
                ("consumer.heartbeat.interval.ms", "15001"),
                "consumer.heartbeat.interval.ms must be less than or equal to group.consumer.max.heartbeat.interval.ms",
            ),
            (
                ("streams.num.standby.replicas", "3"),
                "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas",
            ),
        ] {
            assert_eq!(check(&[given]), Err(told.to_owned()));
        }
    }
}
