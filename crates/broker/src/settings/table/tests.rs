//! The tables hold Apache Kafka's settings, as Apache Kafka itself tells them.

use super::*;
use crate::settings::document::OTHER_DEFAULTS;
use crate::settings::group::GROUP_SETTINGS;
use crate::settings::scoped::ScopedSetting;
use crate::settings::topic::TOPIC_SETTINGS;

/// What `tests/kafka/Settings.java` prints.
const KAFKA: &str = include_str!("../kafka-4.3.1.tsv");

struct Known {
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    values: &'static str,
    update: &'static str,
    importance: &'static str,
    internal: bool,
}

fn known(scope: &str) -> Vec<Known> {
    let rows = KAFKA.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let of_scope = rows.filter(|cells| cells[0] == scope);
    of_scope
        .map(|cells| Known {
            name: cells[1],
            kind: cells[2],
            default: cells[3],
            values: cells[4],
            update: cells[5],
            importance: cells[6],
            internal: cells[7] == "true",
        })
        .collect()
}

/// Kafka's name of a type: passwords and texts aside, they are the same words.
fn kind(kind: Kind) -> String {
    kind.to_string().to_uppercase()
}

#[test]
fn every_setting_of_a_broker_is_kafkas() {
    for known in known("broker") {
        let row = row(known.name).unwrap_or_else(|| panic!("{} is missing", known.name));
        assert_eq!(kind(row.kind), known.kind, "{}", row.name);
        assert_eq!(row.update.to_string(), known.update, "{}", row.name);
        assert_eq!(row.importance.to_string(), known.importance.to_lowercase(), "{}", row.name);
        assert_eq!(row.is_internal(), known.internal, "{}", row.name);
        let default = row.default().unwrap_or_else(|| "null".to_owned());
        let is_same = default == known.default || known.default == "null" && default.is_empty();
        let is_told =
            OTHER_DEFAULTS.iter().any(|(name, kafkas)| (*name, *kafkas) == (row.name, known.default));
        let is_told = is_told || !row.acts() && known.default == "none";
        assert!(is_same || is_told, "{}: {default} {}", row.name, known.default);
        if known.values.starts_with('[') && !matches!(row.check, Check::OneOf(_)) {
            assert_eq!(row.check.to_string(), known.values, "{}", row.name);
        }
    }
    let others = rows().filter(|row| !known("broker").iter().any(|known| known.name == row.name));
    assert!(others.into_iter().all(|row| row.name.starts_with("ottla.")));
}

fn is_kafkas(settings: &[ScopedSetting], scope: &str) {
    let all = known(scope);
    assert_eq!(settings.len(), all.len());
    for known in all {
        let setting = settings.iter().find(|setting| setting.name == known.name);
        let setting = setting.unwrap_or_else(|| panic!("{} is missing", known.name));
        assert_eq!(kind(setting.kind), known.kind, "{}", setting.name);
        let default = (setting.default)(&Settings::default()).unwrap_or_else(|| "null".to_owned());
        assert_eq!(default, known.default, "{}", setting.name);
        if known.values.starts_with('[') && !known.values.starts_with("[partitionId]") {
            assert_eq!(setting.check.to_string(), known.values, "{}", setting.name);
        }
        assert!(setting.synonym.is_none_or(|name| row(name).is_some()), "{}", setting.name);
    }
}

#[test]
fn every_setting_of_a_topic_is_kafkas() {
    is_kafkas(TOPIC_SETTINGS, "topic");
}

#[test]
fn every_setting_of_a_group_is_kafkas() {
    is_kafkas(GROUP_SETTINGS, "group");
}

#[test]
fn settings_of_topics_that_act_are_counted() {
    let acting = TOPIC_SETTINGS.iter().filter(|setting| setting.acts).count();
    let stored: Vec<&str> =
        TOPIC_SETTINGS.iter().filter(|setting| !setting.acts).map(|setting| setting.name).collect();
    eprintln!("of {} settings of topics {acting} act; stored only: {stored:?}", TOPIC_SETTINGS.len());
    // docs/compatibility.md names those that are stored only, with the reason.
    let page = include_str!("../../../../../docs/compatibility.md");
    for name in &stored {
        assert!(page.contains(&format!("`{name}`")), "docs/compatibility.md says nothing of {name}");
    }
    let told = format!("of the {} that there are, {acting} act", TOPIC_SETTINGS.len());
    assert!(page.contains(&told), "docs/compatibility.md does not say: {told}");
}

#[test]
fn settings_of_one_listener_are_known_by_their_base() {
    for (name, base) in [
        ("listener.name.internal.ssl.keystore.location", Some("ssl.keystore.location")),
        ("listener.name.internal.plain.sasl.jaas.config", Some("sasl.jaas.config")),
        ("listener.name.internal.nope", None),
        ("listener.name.", None),
    ] {
        assert_eq!(base_row(name).map(|row| row.name), base);
    }
}
