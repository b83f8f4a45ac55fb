//! Settings that must fit each other (`KafkaConfig.validateValues`, `LogConfig.validateValues`).

use super::broker::Settings;
use super::value::SettingError;

/// Checks what no setting tells alone.
///
/// # Errors
/// [`SettingError::Invalid`] for a setting that contradicts another, as Kafka refuses to start with it.
pub(super) fn check(settings: &Settings) -> Result<(), SettingError> {
    let (least, most) =
        (settings.log_cleaner_min_compaction_lag_ms, settings.log_cleaner_max_compaction_lag_ms);
    if least > most {
        let reason = format!("it must not be more than log.cleaner.max.compaction.lag.ms, {most}");
        return Err(invalid("log.cleaner.min.compaction.lag.ms", least, reason));
    }
    let (least, most) = (settings.group_min_session_timeout_ms, settings.group_max_session_timeout_ms);
    if least > most {
        let reason = format!("it must not be more than group.max.session.timeout.ms, {most}");
        return Err(invalid("group.min.session.timeout.ms", least, reason));
    }
    let overrides = &settings.max_connections_per_ip_overrides;
    let written = overrides.split(',').filter(|entry| !entry.trim().is_empty()).count();
    if settings.connections_of_addresses().filter(|(_, most)| *most >= 0).count() != written {
        let reason = "write it as ADDRESS:NUMBER, separated by commas".to_owned();
        return Err(invalid("max.connections.per.ip.overrides", overrides, reason));
    }
    check_retention(settings)
}

/// Kafka takes every age at which segments go but 0.
fn check_retention(settings: &Settings) -> Result<(), SettingError> {
    if settings.effective_retention_ms() != 0 {
        return Ok(());
    }
    let name = match (settings.log_retention_ms, settings.log_retention_minutes) {
        (Some(_), _) => "log.retention.ms",
        (None, Some(_)) => "log.retention.minutes",
        (None, None) => "log.retention.hours",
    };
    Err(invalid(name, 0, "write -1 for no limit, or a number above 0".to_owned()))
}

fn invalid(name: &str, value: impl ToString, reason: String) -> SettingError {
    SettingError::Invalid { name: name.to_owned(), value: value.to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        for (pairs, part) in [
            (
                &["log.cleaner.min.compaction.lag.ms=2", "log.cleaner.max.compaction.lag.ms=1"][..],
                "not be more than log.cleaner.max.compaction.lag.ms, 1",
            ),
            (&["group.max.session.timeout.ms=5"], "not be more than group.max.session.timeout.ms, 5"),
            (&["max.connections.per.ip.overrides=a:1"], "ADDRESS:NUMBER"),
            (&["max.connections.per.ip.overrides=10.0.0.1:1,10.0.0.2"], "ADDRESS:NUMBER"),
            (&["log.retention.ms=0"], "write -1 for no limit"),
            (&["log.retention.minutes=0"], "write -1 for no limit"),
            (&["log.retention.hours=0"], "write -1 for no limit"),
            (&["log.cleanup.policy=compact,,delete"], "values must not be empty"),
        ] {
            let pairs = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            let error = Sources { pairs, ..Sources::default() }.load().expect_err("refused").to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
