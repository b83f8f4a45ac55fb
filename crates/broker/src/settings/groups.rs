//! Settings of groups that must fit each other (`GroupCoordinatorConfig`).

use super::broker::Settings;
use super::value::SettingError;

/// Checks what no setting tells alone.
///
/// # Errors
/// [`SettingError::Invalid`] for a setting that contradicts another, as Kafka refuses to start with it.
pub(super) fn check(settings: &Settings) -> Result<(), SettingError> {
    for (name, least, most, value) in [
        (
            "group.consumer.heartbeat.interval.ms",
            settings.group_consumer_min_heartbeat_interval_ms,
            settings.group_consumer_max_heartbeat_interval_ms,
            settings.group_consumer_heartbeat_interval_ms,
        ),
        (
            "group.consumer.session.timeout.ms",
            settings.group_consumer_min_session_timeout_ms,
            settings.group_consumer_max_session_timeout_ms,
            settings.group_consumer_session_timeout_ms,
        ),
        (
            "group.consumer.assignment.interval.ms",
            settings.group_consumer_min_assignment_interval_ms,
            settings.group_consumer_max_assignment_interval_ms,
            settings.group_consumer_assignment_interval_ms,
        ),
    ] {
        if !(least..=most).contains(&value) {
            let reason = format!("it must lie between its .min. and .max. settings, {least} and {most}");
            return Err(invalid(name, value.to_string(), reason));
        }
    }
    let session_timeout_ms = settings.group_consumer_session_timeout_ms;
    let heartbeat_interval_ms = settings.group_consumer_heartbeat_interval_ms;
    if heartbeat_interval_ms >= session_timeout_ms {
        let name = "group.consumer.heartbeat.interval.ms";
        let reason = format!("it must be less than group.consumer.session.timeout.ms, {session_timeout_ms}");
        return Err(invalid(name, heartbeat_interval_ms.to_string(), reason));
    }
    let assignors = &settings.group_consumer_assignors;
    let is_twice = |name: &String| assignors.iter().filter(|other| *other == name).count() > 1;
    if assignors.is_empty() || assignors.iter().any(is_twice) {
        let reason = "it must name at least one assignor, and none twice".to_owned();
        return Err(invalid("group.consumer.assignors", assignors.join(","), reason));
    }
    Ok(())
}

fn invalid(name: &str, value: String, reason: String) -> SettingError {
    SettingError::Invalid { name: name.to_owned(), value, reason }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        for (pairs, part) in [
            (&["group.consumer.session.timeout.ms=44999"][..], "between"),
            (&["group.consumer.heartbeat.interval.ms=15001"], "between"),
            (
                &["group.consumer.min.session.timeout.ms=5000", "group.consumer.session.timeout.ms=5000"],
                "less than",
            ),
            (&["group.consumer.min.session.timeout.ms=60001"], "between"),
            (&["group.consumer.assignors="], "at least one"),
            (&["group.consumer.assignors=range,range"], "none twice"),
            (&["group.consumer.assignors=sticky"], "uniform"),
            (&["group.consumer.migration.policy=never"], "bidirectional"),
        ] {
            let pairs = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            let error = Sources { pairs, ..Sources::default() }.load().expect_err("refused").to_string();
            assert!(error.contains(part), "{error}");
        }
        let pairs = vec!["group.consumer.assignors=range".to_owned()];
        let loaded = Sources { pairs, ..Sources::default() }.load().expect("loads");
        assert_eq!(loaded.settings.group_consumer_assignors, ["range"]);
    }
}
