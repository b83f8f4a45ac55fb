//! Settings that the catalog keeps, and changes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_model::{ErrorCode, TopicName};

use super::command::{Catalog, LIMITS, Refusal, refuse};
use super::record::CatalogRecord;
use crate::machine::Record;

/// What has settings of its own (`ConfigResource`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigResource {
    /// A topic.
    Topic(TopicName),
    /// A broker by its id, or all of them by the empty name.
    Broker(String),
    /// A group.
    Group(String),
    /// A subscription of client metrics (KIP-714).
    ClientMetrics(String),
}

impl ConfigResource {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Topic(name) => name.as_str(),
            Self::Broker(name) | Self::Group(name) | Self::ClientMetrics(name) => name,
        }
    }
}

/// Settings by name.
pub type Configs = BTreeMap<String, String>;

/// Settings of what is no topic.
pub(super) type Kept = BTreeMap<ConfigResource, Arc<Configs>>;

/// The longest value that a record takes, in bytes (`ConfigurationControlManager`).
const VALUE_BYTES_MAX: usize = 32_767;

impl Catalog {
    /// What a resource has set itself.
    #[must_use]
    pub fn configs(&self, resource: &ConfigResource) -> Arc<Configs> {
        let topic = match resource {
            ConfigResource::Topic(name) => self.topic(name.as_str()).map(|topic| Arc::clone(&topic.configs)),
            other => self.kept_configs().get(other).cloned(),
        };
        topic.unwrap_or_default()
    }

    /// Every resource that is no topic and has set something, in order.
    pub fn config_resources(&self) -> impl Iterator<Item = (&ConfigResource, &Arc<Configs>)> {
        self.kept_configs().iter()
    }

    /// Whether a resource may have these settings; their names and values were checked by the caller.
    ///
    /// # Errors
    /// [`Refusal`] for a topic that does not exist, and for more than [`LIMITS`] allow.
    pub fn check_configs(&self, resource: &ConfigResource, after: &Configs) -> Result<(), Refusal> {
        if let ConfigResource::Topic(name) = resource
            && self.topic(name.as_str()).is_none()
        {
            return refuse(ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist."));
        }
        let before = self.configs(resource);
        let is_new = before.is_empty() && !matches!(resource, ConfigResource::Topic(_));
        if is_new && self.kept_configs().len() >= LIMITS.config_resources_max
            || after.len() > LIMITS.configs_per_resource_max
        {
            return refuse(ErrorCode::PolicyViolation, "There are too many settings already.");
        }
        if after.values().any(|value| value.len() > VALUE_BYTES_MAX) {
            return refuse(
                ErrorCode::InvalidConfig,
                format!(
                    "The configuration value cannot be added because it exceeds the maximum value size of {VALUE_BYTES_MAX} bytes."
                ),
            );
        }
        Ok(())
    }

    /// Makes `after` the settings of a resource: all of them change, or none.
    pub(super) fn alter_configs(
        &self,
        resource: &ConfigResource,
        after: &Configs,
        records: &mut Vec<Record>,
    ) -> Result<(), Refusal> {
        self.check_configs(resource, after)?;
        let before = self.configs(resource);
        let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name, None));
        let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        let changes = gone.chain(changed.map(|(name, value)| (name, Some(value.clone()))));
        let changes = changes.map(|(name, value)| CatalogRecord::Config {
            resource: resource.clone(),
            name: name.clone(),
            value,
        });
        self.write(changes, records)
    }
}

/// The settings after a record.
pub(super) fn with(before: &Arc<Configs>, name: String, value: Option<String>) -> Arc<Configs> {
    let mut after = Arc::clone(before);
    let configs = Arc::make_mut(&mut after);
    match value {
        Some(value) => configs.insert(name, value),
        None => configs.remove(&name),
    };
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    fn configs(pairs: &[(&str, &str)]) -> Configs {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn alter(
        catalog: &mut Catalog,
        resource: &ConfigResource,
        after: &Configs,
    ) -> Vec<super::super::command::Undo> {
        let mut records = Vec::new();
        catalog.alter_configs(resource, after, &mut records).expect("written");
        records.iter().map(|record| catalog.replay(0, &record.as_ref(0)).expect("replays")).collect()
    }

    #[test]
    fn settings_are_what_was_asked_for_and_undo_takes_back() {
        let mut catalog = Catalog::new(1);
        let group = ConfigResource::Group("g".to_owned());
        let first = configs(&[("a", "1"), ("b", "2")]);
        assert_eq!(alter(&mut catalog, &group, &first).len(), 2);
        let second = configs(&[("b", "3"), ("c", "4")]);
        let undos = alter(&mut catalog, &group, &second);
        assert_eq!(undos.len(), 3, "one goes, one changes, one comes");
        assert_eq!(*catalog.configs(&group), second);
        assert!(alter(&mut catalog, &group, &second).is_empty(), "nothing to change");
        undos.into_iter().rev().for_each(|undo| catalog.undo(undo));
        assert_eq!(*catalog.configs(&group), first);
        alter(&mut catalog, &group, &Configs::new());
        assert_eq!(catalog.config_resources().count(), 0);
        assert!(catalog.configs(&ConfigResource::Broker(String::new())).is_empty());
    }

    #[test]
    fn a_topic_that_is_not_there_has_no_settings() {
        let mut catalog = Catalog::new(1);
        let topic = ConfigResource::Topic(TopicName::new("orders").expect("legal"));
        let refused = catalog.check_configs(&topic, &configs(&[("a", "1")])).expect_err("refused");
        assert_eq!(refused.error, ErrorCode::UnknownTopicOrPartition);
        let long = configs(&[("a", &"x".repeat(VALUE_BYTES_MAX + 1))]);
        let group = ConfigResource::Group("g".to_owned());
        let refused = catalog.check_configs(&group, &long).expect_err("refused");
        assert_eq!(refused.error, ErrorCode::InvalidConfig);
        assert!(alter(&mut catalog, &group, &Configs::new()).is_empty());
    }
}
