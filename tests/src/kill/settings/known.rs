//! What the broker has acknowledged.

use std::collections::BTreeMap;

use super::change::{Change, Resource};

/// The newest transaction version, at which a cluster begins.
const TRANSACTION_VERSION: i16 = 2;

/// Settings by resource, quotas by client, and the level of a feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// What resources have set themselves; those that set nothing are not there.
    pub(super) configs: BTreeMap<Resource, BTreeMap<String, String>>,
    /// Quotas of clients, by the client's id.
    pub(super) quotas: BTreeMap<String, BTreeMap<String, f64>>,
    /// The level of `transaction.version`.
    pub(super) level: i16,
}

impl Default for Known {
    fn default() -> Self {
        Self { configs: BTreeMap::new(), quotas: BTreeMap::new(), level: TRANSACTION_VERSION }
    }
}

impl Known {
    /// Takes a change that was answered.
    pub(super) fn note(&mut self, change: &Change) {
        match change {
            Change::Set(resource, name, value) => {
                self.configs.entry(resource.clone()).or_default().insert((*name).to_owned(), value.clone());
            }
            Change::Delete(resource, name) => {
                if let Some(configs) = self.configs.get_mut(resource) {
                    configs.remove(*name);
                }
            }
            Change::Exactly(resource, configs) => {
                self.configs.insert(resource.clone(), configs.clone());
            }
            Change::Quota(client, key, Some(value)) => {
                self.quotas.entry((*client).to_owned()).or_default().insert((*key).to_owned(), *value);
            }
            Change::Quota(client, key, None) => {
                if let Some(quotas) = self.quotas.get_mut(*client) {
                    quotas.remove(*key);
                }
            }
            Change::Level(level) => self.level = *level,
        }
        self.configs.retain(|_, configs| !configs.is_empty());
        self.quotas.retain(|_, quotas| !quotas.is_empty());
    }
}
