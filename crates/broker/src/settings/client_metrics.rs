//! The settings of a subscription of client metrics (`ClientMetricsConfigs`, KIP-714).

use ottla_control::group::TopicPattern;

use super::scoped::{ScopedSetting, scoped};
use super::topic::Overrides;

scoped! {
    /// The settings of a subscription, by name.
    pub(crate) CLIENT_METRICS_SETTINGS;
    "interval.ms", Int, Check::Any, None, Acts,
        |_| Some("300000".to_owned()),
        "How often clients of the subscription push their metrics.";
    "match", List, Check::Any, None, Acts,
        |_| Some(String::new()),
        "Which clients the subscription is for, as NAME=PATTERN; all when it is empty.";
    "metrics", List, Check::Any, None, Acts,
        |_| Some(String::new()),
        "Beginnings of the names of the metrics that are asked for; * stands for all.";
}

/// What clients can be told apart by.
const MATCHES: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// The least and the longest `interval.ms`.
const INTERVAL_MS: std::ops::RangeInclusive<i64> = 100..=3_600_000;

/// Why what a subscription has set is refused: Kafka has a code for each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadSubscription {
    /// INVALID_REQUEST.
    Request(String),
    /// INVALID_CONFIG.
    Config(String),
}

/// The setting with that name.
pub(crate) fn client_metrics_setting(name: &str) -> Option<&'static ScopedSetting> {
    CLIENT_METRICS_SETTINGS.iter().find(|setting| setting.name == name)
}

/// Checks what a subscription has set, and writes it as Kafka prints it.
///
/// # Errors
/// [`BadSubscription`] in Kafka's words.
pub(crate) fn check_client_metrics<'a>(
    given: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Overrides, BadSubscription> {
    let mut overrides = Overrides::new();
    for (name, value) in given {
        let unknown = || BadSubscription::Request(format!("Unknown client metrics configuration: {name}"));
        let setting = client_metrics_setting(name).ok_or_else(unknown)?;
        overrides.insert(name.to_owned(), setting.parse(value).map_err(BadSubscription::Config)?);
    }
    if let Some(interval) = overrides.get("interval.ms")
        && !interval.parse().is_ok_and(|interval| INTERVAL_MS.contains(&interval))
    {
        return Err(BadSubscription::Request(format!(
            "Invalid value {interval} for interval.ms, interval must be between 100 and 3600000 (1 hour)"
        )));
    }
    let patterns = overrides.get("match").map_or("", String::as_str);
    for pattern in patterns.split(',').filter(|pattern| !pattern.is_empty()) {
        if !is_match(pattern) {
            return Err(BadSubscription::Config(format!("Illegal client matching pattern: {pattern}")));
        }
    }
    Ok(overrides)
}

fn is_match(pattern: &str) -> bool {
    let mut parts = pattern.split('=');
    let (Some(name), Some(value), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    MATCHES.contains(&name.trim()) && !value.is_empty() && TopicPattern::compile(value.trim()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_checked_as_kafka_does() {
        let check = |given: &[(&str, &str)]| check_client_metrics(given.iter().copied());
        let kept = check(&[("match", "client_id=a.*, client_source_port=1"), ("interval.ms", "100")]);
        assert_eq!(kept.expect("fits")["match"], "client_id=a.*,client_source_port=1");
        for (given, told) in [
            (
                ("nope", "1"),
                BadSubscription::Request("Unknown client metrics configuration: nope".to_owned()),
            ),
            (
                ("interval.ms", "99"),
                BadSubscription::Request(
                    "Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)"
                        .to_owned(),
                ),
            ),
            (("match", "b"), BadSubscription::Config("Illegal client matching pattern: b".to_owned())),
            (("match", "x=y"), BadSubscription::Config("Illegal client matching pattern: x=y".to_owned())),
            (
                ("match", "client_id=("),
                BadSubscription::Config("Illegal client matching pattern: client_id=(".to_owned()),
            ),
        ] {
            assert_eq!(check(&[given]), Err(told));
        }
    }
}
