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
