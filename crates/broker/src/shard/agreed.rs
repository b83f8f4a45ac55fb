//! What the catalog holds besides topics: levels of features, and quotas of clients.

use std::sync::{Arc, PoisonError};

use ottla_control::catalog::{
    ClientQuotas, Command, ConfigResource, Feature, FeatureUpdates, Features, QuotaAlteration, Reply,
};
use ottla_control::transaction;

use super::Shard;
use super::catalog::{TopicError, broker, unavailable};
use super::quotas::Quotas;
use crate::telemetry::Telemetry;

impl Shard {
    /// The levels of the features.
    pub(crate) fn features(&self) -> Features {
        *self.features.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the new consumer protocol may be used.
    pub(crate) fn has_consumer_protocol(&self) -> bool {
        self.features().level(Feature::GroupVersion) > 0
    }

    /// Changes levels of features, all of them or none.
    pub(crate) async fn update_features(
        &self,
        updates: FeatureUpdates,
        validate_only: bool,
    ) -> Result<(), TopicError> {
        let _one_at_a_time = self.catalog_changes.lock().await;
        match self.change(Command::UpdateFeatures { updates, validate_only }).await? {
            Reply::Features(result) => result?,
            _ => return Err(unavailable()),
        }
        let now = self.catalog.look(|catalog| catalog.features());
        let mut features = self.features.write().unwrap_or_else(PoisonError::into_inner);
        if *features == now {
            return Ok(());
        }
        *features = now;
        drop(features);
        // Clients take note of levels only when the epoch of the features has risen.
        self.topics.raise_version();
        for coordinator in self.all_transactions() {
            // It answers at once, and there is nothing that waits for it.
            let learn = transaction::Command::LearnVersion(now.transaction_version());
            drop(coordinator.submit(broker(), learn));
        }
        Ok(())
    }

    /// The metrics that clients push.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Asks clients for the metrics that the catalog has subscriptions of.
    pub(super) fn subscribe_to_clients(&self) {
        let subscriptions: Vec<_> = self.catalog.look(|catalog| {
            let all = catalog.config_resources().filter_map(|(resource, configs)| match resource {
                ConfigResource::ClientMetrics(name) => Some((name.clone(), Arc::clone(configs))),
                _ => None,
            });
            all.collect()
        });
        let named = subscriptions.iter().map(|(name, configs)| (name.as_str(), Arc::clone(configs)));
        self.telemetry.subscribe(named);
    }

    /// The quotas as they are enforced.
    pub(crate) fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// Changes quotas of clients, each for itself.
    pub(crate) async fn alter_quotas(
        &self,
        alterations: Vec<QuotaAlteration>,
        validate_only: bool,
    ) -> Vec<Result<(), TopicError>> {
        let _one_at_a_time = self.catalog_changes.lock().await;
        let count = alterations.len();
        let results = match self.change(Command::AlterClientQuotas { alterations, validate_only }).await {
            Ok(Reply::Quotas(results)) => results,
            Ok(_) => return vec![Err(unavailable()); count],
            Err(error) => return vec![Err(error); count],
        };
        self.quotas.set(self.client_quotas());
        results
    }

    /// The quotas as the catalog has them.
    pub(crate) fn client_quotas(&self) -> Arc<ClientQuotas> {
        self.catalog.look(|catalog| Arc::clone(catalog.quotas()))
    }
}
