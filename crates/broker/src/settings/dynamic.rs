//! Changes of a broker's settings at run time: which are taken (`DynamicBrokerConfig.validate`).

use std::sync::Arc;

use super::broker::Settings;
use super::layers::Layers;
use super::table::{Update, base_row, nearest};
use super::topic::Overrides;
use super::value::{Kind, SettingError};
use super::{groups, together};

/// Checks what a broker shall have set at run time, each and together with everything else that is set, and writes it as
/// Kafka prints it. With `per_broker` it is for this broker, else for all.
///
/// # Errors
/// A sentence, in Kafka's words where Kafka refuses it.
pub(crate) fn check_dynamic(
    layers: &Layers,
    wanted: &Overrides,
    per_broker: bool,
) -> Result<Overrides, String> {
    check_names(layers, wanted, per_broker)?;
    let mut checked = Overrides::new();
    for (name, value) in wanted {
        checked.insert(name.clone(), printed(name, value)?);
    }
    let after = if per_broker {
        layers.with(layers.cluster(), &checked)
    } else {
        layers.with(&checked, layers.broker())
    };
    check_together(after.settings())?;
    Ok(checked)
}

fn check_names(layers: &Layers, wanted: &Overrides, per_broker: bool) -> Result<(), String> {
    for name in wanted.keys() {
        if base_row(name).is_none() {
            let hint = nearest(name).map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            return Err(format!("Unknown config name: {name}{hint}"));
        }
    }
    let are = |is: &dyn Fn(&str, Update) -> bool| {
        let found = wanted.keys().filter(|name| base_row(name).is_some_and(|row| is(name, row.update)));
        found.map(String::as_str).collect::<Vec<_>>()
    };
    let refuse = |what: &str, names: Vec<&str>| match names.is_empty() {
        true => Ok(()),
        false => Err(format!("{what}: [{}]", names.join(", "))),
    };
    refuse("Cannot update these configs dynamically", are(&|_, update| update == Update::ReadOnly))?;
    refuse(
        "These security configs can be dynamically updated only per-listener using the listener prefix",
        are(&|name, _| name.starts_with("ssl.")),
    )?;
    // A listener is bound once.
    let listeners = wanted.get("listeners").filter(|text| *text != &layers.settings().listeners.join(","));
    if per_broker && listeners.is_some() {
        return Err("listeners are bound at start: write them into the settings file and restart".to_owned());
    }
    if per_broker {
        return Ok(());
    }
    refuse(
        "Cannot update these configs at default cluster level, broker id must be specified",
        are(&|_, update| update == Update::PerBroker),
    )
}

fn printed(name: &str, value: &str) -> Result<String, String> {
    let Some(row) = base_row(name) else { return Err(format!("Unknown config name: {name}")) };
    match row.parse(value) {
        Ok(printed) => Ok(printed.unwrap_or_default()),
        Err(SettingError::Invalid { value, reason, .. }) => {
            Err(format!("Invalid value {value} for configuration {name}: {reason}"))
        }
        Err(other) => Err(other.to_string()),
    }
}

fn check_together(settings: &Arc<Settings>) -> Result<(), String> {
    let checked = together::check(settings).and_then(|()| groups::check(settings));
    checked.map_err(|error| error.to_string())
}

/// Whether APPEND and SUBTRACT are for a broker's setting of that name.
///
/// # Errors
/// An unknown name.
pub(crate) fn is_list(name: &str) -> Result<bool, String> {
    base_row(name).map(|row| row.kind == Kind::List).ok_or_else(|| format!("Unknown config name: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_changed_at_run_time_is_told_in_kafkas_words() {
        let layers = Layers::new(Arc::default(), &Overrides::new(), &Overrides::new());
        for (per_broker, name, value, told) in [
            (true, "node.id", "4", "Cannot update these configs dynamically: [node.id]"),
            (
                true,
                "ssl.keystore.type",
                "JKS",
                "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.type]",
            ),
            (
                false,
                "listeners",
                "PLAINTEXT://:9",
                "Cannot update these configs at default cluster level, broker id must be specified: [listeners]",
            ),
            (
                true,
                "log.cleaner.min.cleanable.ratio",
                "7",
                "Invalid value 7.0 for configuration log.cleaner.min.cleanable.ratio: Value must be no more than 1",
            ),
            (
                true,
                "log.retention.mss",
                "7",
                "Unknown config name: log.retention.mss; did you mean 'log.retention.ms'?",
            ),
            (
                false,
                "log.retention.ms",
                "0",
                "invalid value '0' for setting 'log.retention.ms': write -1 for no limit, or a number above 0",
            ),
        ] {
            let wanted = Overrides::from([(name.to_owned(), value.to_owned())]);
            assert_eq!(check_dynamic(&layers, &wanted, per_broker), Err(told.to_owned()));
        }
        let wanted = Overrides::from([("log.retention.ms".to_owned(), " 8".to_owned())]);
        assert_eq!(check_dynamic(&layers, &wanted, true).expect("fits")["log.retention.ms"], "8");
    }
}
