//! UpdateFeatures: changes levels of features, all that are named or none (KIP-584, KIP-778).

use bytes::Bytes;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::update_features_response::UpdatableFeatureResult;
use kafka_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use ottla_control::catalog::UpgradeType;

use super::call::{Call, Closed, Started};
use super::text::text;

/// Since this version there are three ways to change a level, and one can be tried out.
const UPGRADE_TYPE: i16 = 1;
/// Since this version features have no errors of their own.
const ONE_ERROR: i16 = 2;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: UpdateFeaturesRequest = call.decode(body)?;
    Ok(Started::changing(async move {
        let updates = request.feature_updates.iter().map(|update| {
            (update.feature.to_string(), (update.max_version_level, upgrade_type(call.version(), update)))
        });
        let validate_only = call.version() >= UPGRADE_TYPE && request.validate_only;
        let result = call.shard.update_features(updates.collect(), validate_only).await;
        call.answer(&answer(&call, &request, result))
    }))
}

fn upgrade_type(version: i16, update: &FeatureUpdateKey) -> UpgradeType {
    if version < UPGRADE_TYPE {
        return if update.allow_downgrade { UpgradeType::SafeDowngrade } else { UpgradeType::Upgrade };
    }
    match update.upgrade_type {
        1 => UpgradeType::Upgrade,
        2 => UpgradeType::SafeDowngrade,
        3 => UpgradeType::UnsafeDowngrade,
        _ => UpgradeType::Unknown,
    }
}

fn answer(
    call: &Call,
    request: &UpdateFeaturesRequest,
    result: Result<(), crate::shard::TopicError>,
) -> UpdateFeaturesResponse {
    let response = UpdateFeaturesResponse::default();
    match result {
        Err(refusal) => {
            let message = format!(
                "The update failed for all features since the following feature had an error: {}",
                refusal.message
            );
            response.with_error_code(refusal.error.code()).with_error_message(Some(text(&message)))
        }
        Ok(()) => {
            let mut response = response.with_error_message(None);
            if call.version() < ONE_ERROR {
                let done = request.feature_updates.iter().map(|update| {
                    UpdatableFeatureResult::default()
                        .with_feature(update.feature.clone())
                        .with_error_message(Some(text("NONE")))
                });
                response.results = done.collect();
            }
            response
        }
    }
}
