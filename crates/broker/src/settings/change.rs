//! Changes of settings, worked out: what a resource has set afterwards (`ConfigurationControlManager`, `ConfigAdminManager`).

use ottla_control::catalog::{ConfigResource, Configs, Refusal};
use ottla_model::ErrorCode;

use super::broker::Settings;
use super::client_metrics::{BadSubscription, check_client_metrics};
use super::dynamic::{check_dynamic, is_list};
use super::group::check_group;
use super::layers::{ALWAYS_SET, Layers};
use super::table::row;
use super::topic::{check_overrides, topic_setting};
use super::value::Kind;

/// What to do with one setting (`AlterConfigOp.OpType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Gives it the value.
    Set,
    /// Has it inherit again.
    Delete,
    /// Adds the values to its list.
    Append,
    /// Takes the values out of its list.
    Subtract,
}

/// One change of one setting.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    /// The setting.
    pub(crate) name: String,
    /// What to do.
    pub(crate) operation: Operation,
    /// The value; without meaning for `Delete`.
    pub(crate) value: String,
}

/// What somebody wants of one resource.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// These settings and no others (AlterConfigs).
    Exactly(Configs),
    /// These changes (IncrementalAlterConfigs).
    Edits(Vec<Edit>),
}

fn refuse<T>(error: ErrorCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { error, message: message.into() })
}

/// What a resource has set itself after a change: checked as a whole, so that all of the change is taken or none.
///
/// # Errors
/// [`Refusal`] with Kafka's code.
pub(crate) fn settle(
    layers: &Layers,
    resource: &ConfigResource,
    before: &Configs,
    wanted: &Wanted,
) -> Result<Configs, Refusal> {
    let after = match wanted {
        Wanted::Exactly(configs) => configs.clone(),
        Wanted::Edits(edits) => {
            let mut after = before.clone();
            for edit in edits {
                apply(resource, edit, &mut after)?;
            }
            after
        }
    };
    check(layers, resource, before, &after, wanted)
}

fn apply(resource: &ConfigResource, edit: &Edit, configs: &mut Configs) -> Result<(), Refusal> {
    let name = edit.name.as_str();
    match edit.operation {
        Operation::Set => drop(configs.insert(name.to_owned(), edit.value.clone())),
        Operation::Delete => drop(configs.remove(name)),
        Operation::Append | Operation::Subtract => {
            check_list(resource, edit)?;
            let list = configs.get(name).cloned().unwrap_or_else(|| default_list(resource, name));
            let mut parts: Vec<&str> = list.split(',').filter(|part| !part.is_empty()).collect();
            for value in edit.value.split(',') {
                let at = parts.iter().position(|part| *part == value);
                match (edit.operation, at) {
                    (Operation::Append, None) => parts.push(value),
                    (Operation::Subtract, Some(at)) => drop(parts.remove(at)),
                    _ => {}
                }
            }
            configs.insert(name.to_owned(), parts.join(","));
        }
    }
    Ok(())
}

fn check_list(resource: &ConfigResource, edit: &Edit) -> Result<(), Refusal> {
    let (name, upper, lower) = match edit.operation {
        Operation::Append => (&edit.name, "APPEND", "append"),
        _ => (&edit.name, "SUBTRACT", "subtract"),
    };
    if matches!(resource, ConfigResource::Broker(_)) {
        return match is_list(name) {
            Ok(true) => Ok(()),
            Ok(false) => refuse(
                ErrorCode::InvalidConfig,
                format!("Config value {lower} is not allowed for config key: {name}"),
            ),
            Err(unknown) => refuse(ErrorCode::InvalidConfig, unknown),
        };
    }
    let is_topic = matches!(resource, ConfigResource::Topic(_));
    if is_topic && topic_setting(name).is_some_and(|setting| setting.kind == Kind::List) {
        return Ok(());
    }
    // Kafka knows no lists of groups and subscriptions here.
    refuse(ErrorCode::InvalidConfig, format!("Can't {upper} to key {name} because its type is not LIST."))
}

/// Kafka's default of a list, on which APPEND and SUBTRACT work when nothing is set.
fn default_list(resource: &ConfigResource, name: &str) -> String {
    let default = match resource {
        ConfigResource::Topic(_) => {
            topic_setting(name).and_then(|setting| (setting.default)(&Settings::default()))
        }
        _ => row(name).and_then(super::table::Row::default),
    };
    default.unwrap_or_default()
}

fn check(
    layers: &Layers,
    resource: &ConfigResource,
    before: &Configs,
    after: &Configs,
    wanted: &Wanted,
) -> Result<Configs, Refusal> {
    let pairs = || after.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    match resource {
        ConfigResource::Topic(_) => {
            let given = pairs().map(|(name, value)| (name, Some(value)));
            check_overrides(layers.settings(), given)
                .or_else(|message| refuse(ErrorCode::InvalidConfig, message))
        }
        ConfigResource::Group(name) => {
            if name.is_empty() {
                return refuse(ErrorCode::InvalidRequest, "Default group resources are not allowed.");
            }
            check_group(layers.settings(), pairs())
                .or_else(|message| refuse(ErrorCode::InvalidConfig, message))
        }
        ConfigResource::ClientMetrics(name) => {
            if name.is_empty() {
                return refuse(ErrorCode::InvalidRequest, "Subscription name can't be empty");
            }
            check_client_metrics(pairs()).or_else(|bad| match bad {
                BadSubscription::Request(message) => refuse(ErrorCode::InvalidRequest, message),
                BadSubscription::Config(message) => refuse(ErrorCode::InvalidConfig, message),
            })
        }
        ConfigResource::Broker(name) => check_broker(layers, name, before, after, wanted),
    }
}

fn check_broker(
    layers: &Layers,
    name: &str,
    before: &Configs,
    after: &Configs,
    wanted: &Wanted,
) -> Result<Configs, Refusal> {
    let checked = check_dynamic(layers, after, !name.is_empty())
        .or_else(|message| refuse(ErrorCode::InvalidRequest, message))?;
    let touches = match wanted {
        Wanted::Exactly(configs) => configs.contains_key(ALWAYS_SET) || before.contains_key(ALWAYS_SET),
        Wanted::Edits(edits) => edits.iter().any(|edit| edit.name == ALWAYS_SET),
    };
    if !name.is_empty() && touches {
        return refuse(
            ErrorCode::InvalidConfig,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        );
    }
    if name.is_empty() && !checked.contains_key(ALWAYS_SET) {
        return refuse(
            ErrorCode::InvalidConfig,
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        );
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ottla_model::TopicName;

    use super::*;

    fn configs(pairs: &[(&str, &str)]) -> Configs {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn edited(
        resource: &ConfigResource,
        before: &[(&str, &str)],
        edits: &[(Operation, &str, &str)],
    ) -> Result<Configs, (ErrorCode, String)> {
        let layers = Layers::new(Arc::default(), &Configs::new(), &Configs::new());
        let edits = edits.iter().map(|(operation, name, value)| Edit {
            name: (*name).to_owned(),
            operation: *operation,
            value: (*value).to_owned(),
        });
        settle(&layers, resource, &configs(before), &Wanted::Edits(edits.collect()))
            .map_err(|refusal| (refusal.error, refusal.message))
    }

    #[test]
    fn edits_work_on_what_is_set_or_on_the_default() {
        let topic = ConfigResource::Topic(TopicName::new("orders").expect("legal"));
        let after = edited(
            &topic,
            &[("retention.ms", "1"), ("segment.ms", "5")],
            &[
                (Operation::Set, "retention.ms", " 2"),
                (Operation::Delete, "segment.ms", ""),
                (Operation::Append, "cleanup.policy", "compact,delete"),
            ],
        );
        assert_eq!(after, Ok(configs(&[("cleanup.policy", "delete,compact"), ("retention.ms", "2")])));
        let after = edited(&topic, &[], &[(Operation::Subtract, "cleanup.policy", "delete")]);
        assert_eq!(after, Ok(configs(&[("cleanup.policy", "")])));
    }

    #[test]
    fn refusals_have_kafkas_codes() {
        let topic = ConfigResource::Topic(TopicName::new("orders").expect("legal"));
        let group = ConfigResource::Group("g".to_owned());
        let (one, all) = (ConfigResource::Broker("1".to_owned()), ConfigResource::Broker(String::new()));
        let metrics = ConfigResource::ClientMetrics("m".to_owned());
        use ErrorCode::{InvalidConfig, InvalidRequest};
        use Operation::{Append, Delete, Set};
        for (resource, edit, error, part) in [
            (&topic, (Set, "retention.ms", "x"), InvalidConfig, "Not a number of type LONG"),
            (&topic, (Append, "retention.ms", "1"), InvalidConfig, "Can't APPEND to key retention.ms"),
            (&topic, (Set, "remote.storage.enable", "true"), InvalidConfig, "Tiered Storage"),
            (&group, (Set, "retention.ms", "1"), InvalidConfig, "Unknown group config name: retention.ms"),
            (&metrics, (Set, "retention.ms", "1"), InvalidRequest, "Unknown client metrics configuration"),
            (&metrics, (Append, "metrics", "a"), InvalidConfig, "its type is not LIST"),
            (
                &one,
                (Set, "node.id", "4"),
                InvalidRequest,
                "Cannot update these configs dynamically: [node.id]",
            ),
            (&one, (Append, "nope", "4"), InvalidConfig, "Unknown config name: nope"),
            (&one, (Append, "log.retention.ms", "4"), InvalidConfig, "append is not allowed"),
            (&one, (Set, "min.insync.replicas", "1"), InvalidConfig, "Broker-level min.insync.replicas"),
            (&all, (Delete, "min.insync.replicas", ""), InvalidConfig, "Cluster-level min.insync.replicas"),
        ] {
            let before = [("min.insync.replicas", "1")];
            let before = if *resource == all { &before[..] } else { &[] };
            let (told, message) = edited(resource, before, &[edit]).expect_err("refused");
            assert_eq!(told, error, "{message}");
            assert!(message.contains(part), "{message}");
        }
    }
}
