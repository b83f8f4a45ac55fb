//! Settings that are changed at run time: kept in the catalog, in force at once.

use std::sync::{Arc, PoisonError};

use ottla_control::catalog::{Catalog, Command, ConfigResource, Configs, Refusal, Reply};
use tracing::info;

use super::catalog::unavailable;
use super::{LiveTopic, Shard};
use crate::settings::{Layers, Settings, Wanted, settle, topic_log_config};

/// The settings of the start under what the catalog keeps for brokers.
pub(super) fn layers_of(catalog: &Catalog, fixed: Arc<Settings>) -> Layers {
    let this = ConfigResource::Broker(fixed.node_id.to_string());
    let (all, this) = (catalog.configs(&ConfigResource::Broker(String::new())), catalog.configs(&this));
    Layers::new(fixed, &all, &this)
}

impl Shard {
    /// What a resource has set itself.
    pub(crate) fn configs(&self, resource: &ConfigResource) -> Arc<Configs> {
        match resource {
            // One setting is there from the beginning.
            ConfigResource::Broker(name) if name.is_empty() => Arc::new(self.layers().cluster().clone()),
            resource => self.catalog.look(|catalog| catalog.configs(resource)),
        }
    }

    /// Every resource that is no topic and has settings of its own.
    pub(crate) fn config_resources(&self) -> Vec<ConfigResource> {
        self.catalog
            .look(|catalog| catalog.config_resources().map(|(resource, _)| resource.clone()).collect())
    }

    /// Changes the settings of a resource: all of the change is made, or nothing. When this returns it is in force and
    /// survives a restart.
    pub(crate) async fn alter_configs(
        &self,
        resource: ConfigResource,
        wanted: Wanted,
        validate_only: bool,
    ) -> Result<(), Refusal> {
        let _one_at_a_time = self.catalog_changes.lock().await;
        let configs = settle(&self.layers(), &resource, &self.configs(&resource), &wanted)?;
        if validate_only {
            return self.catalog.look(|catalog| catalog.check_configs(&resource, &configs));
        }
        let names: Vec<&str> = configs.keys().map(String::as_str).collect();
        info!(?resource, set = names.join(","), "settings changed");
        match self.change(Command::AlterConfigs { resource: resource.clone(), configs }).await? {
            Reply::Altered(result) => result?,
            _ => return Err(unavailable()),
        }
        self.put_in_force(&resource);
        Ok(())
    }

    fn put_in_force(&self, resource: &ConfigResource) {
        match resource {
            ConfigResource::Topic(name) => self.take_topic_configs(name.as_str()),
            ConfigResource::Group(_) => self.configure_groups(),
            ConfigResource::ClientMetrics(_) => self.subscribe_to_clients(),
            ConfigResource::Broker(_) => {
                let fixed = Arc::clone(self.layers().fixed());
                let layers = Arc::new(self.catalog.look(|catalog| layers_of(catalog, fixed)));
                *self.layers.write().unwrap_or_else(PoisonError::into_inner) = layers;
                self.topics.all().iter().for_each(|live| self.configure_logs(live));
                self.configure_groups();
                self.changed_settings.send_replace(());
            }
        }
    }

    /// Serves a topic with the settings that the catalog has of it.
    fn take_topic_configs(&self, name: &str) {
        let topic = self.catalog.look(|catalog| catalog.topic(name).cloned());
        let (Some(topic), Some(before)) = (topic, self.topic(name)) else { return };
        let live = self.topics.put(LiveTopic { topic, partitions: before.partitions.clone() });
        self.configure_logs(&live);
    }

    fn configure_logs(&self, live: &LiveTopic) {
        let config = topic_log_config(&self.settings(), &live.topic.name, &live.topic.configs);
        for partition in &live.partitions {
            partition.log().set_config(config.clone());
        }
    }
}
