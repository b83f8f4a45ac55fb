//! One setting of a topic, a group or a subscription of client metrics.

use super::broker::Settings;
use super::value::{Check, Kind, SettingError, parse_any};

/// One setting of something smaller than a broker.
pub(crate) struct ScopedSetting {
    /// Kafka's name.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Which values it takes.
    pub(crate) check: Check,
    /// The broker's setting that gives the default, for DescribeConfigs (`ServerTopicConfigSynonyms`).
    pub(crate) synonym: Option<&'static str>,
    /// False when it is kept and nothing more.
    pub(crate) acts: bool,
    /// The value of one that does not set it, as Kafka prints it.
    pub(crate) default: fn(&Settings) -> Option<String>,
    /// What it does, or why it does nothing.
    pub(crate) doc: &'static str,
}

/// Rows in the order name, type, which values, the broker's setting behind it, whether it acts, default, and what it does.
macro_rules! scoped {
    ($(#[$about:meta])* $visible:vis $table:ident;
        $($name:literal, $kind:ident, $check:expr, $synonym:expr, $acts:ident, $default:expr, $doc:literal;)*) => {
        $(#[$about])*
        $visible const $table: &[crate::settings::ScopedSetting] = {
            #[allow(unused_imports, reason = "not every table has rows of both kinds")]
            use crate::settings::scoped::{Acts, Stored};
            use crate::settings::value::{Check, Kind};
            &[$(crate::settings::ScopedSetting {
                name: $name,
                kind: Kind::$kind,
                check: $check,
                synonym: $synonym,
                acts: $acts,
                default: $default,
                doc: $doc,
            },)*]
        };
    };
}
pub(super) use scoped;

/// In a row: the setting does something.
#[allow(non_upper_case_globals, reason = "reads as a word of the table")]
pub(super) const Acts: bool = true;

/// In a row: it is kept only.
#[allow(non_upper_case_globals, reason = "reads as a word of the table")]
pub(super) const Stored: bool = false;

impl ScopedSetting {
    /// Checks a value and writes it as Kafka prints it.
    ///
    /// # Errors
    /// A sentence in the words of Kafka's `ConfigException`.
    pub(super) fn parse(&self, value: &str) -> Result<String, String> {
        let name = self.name;
        let is_list = self.kind == Kind::List;
        // Kafka's own check of replicas passes over what is empty.
        let may_be_empty = matches!(self.check, Check::ThrottledReplicas);
        if is_list
            && !may_be_empty
            && !value.is_empty()
            && value.split(',').any(|part| part.trim().is_empty())
        {
            return Err(format!("Configuration '{name}' values must not be empty."));
        }
        let parsed = parse_any(name, self.kind, value, self.check).map_err(|error| match error {
            SettingError::Invalid { value, reason, .. } => {
                format!("Invalid value {value} for configuration {name}: {reason}")
            }
            other => other.to_string(),
        })?;
        let parsed = parsed.unwrap_or_default();
        Ok(if is_list { without_repeats(&parsed) } else { parsed })
    }
}

/// What a list names twice counts once (`ConfigDef.parseValue`).
fn without_repeats(list: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in list.split(',') {
        if !kept.contains(&part) {
            kept.push(part);
        }
    }
    kept.join(",")
}
