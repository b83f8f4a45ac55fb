//! UpdateFeatures, and what the levels change.

use std::path::Path;

use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{
    ApiVersionsRequest, FindCoordinatorRequest, UpdateFeaturesRequest, UpdateFeaturesResponse,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use crate::support::groups::heartbeat;
use crate::support::*;

const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;

fn update(client: &mut Client, feature: &str, level: i16, upgrade_type: i8) -> UpdateFeaturesResponse {
    let update = FeatureUpdateKey::default()
        .with_feature(StrBytes::from_string(feature.to_owned()))
        .with_max_version_level(level)
        .with_upgrade_type(upgrade_type);
    client.send(2, &UpdateFeaturesRequest::default().with_feature_updates(vec![update])).unwrap()
}

/// The epoch, and each feature with its level.
fn finalized(client: &mut Client) -> (i64, Vec<(String, i16)>) {
    let request = ApiVersionsRequest::default()
        .with_client_software_name("test".into())
        .with_client_software_version("1".into());
    let response = client.send(4, &request).unwrap();
    let levels = response.finalized_features.iter();
    let levels = levels.map(|feature| (feature.name.to_string(), feature.max_version_level));
    (response.finalized_features_epoch, levels.collect())
}

fn levels(given: &[(&str, i16)]) -> Vec<(String, i16)> {
    given.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect()
}

fn broker_in(dir: &Path) -> Broker {
    Broker::builder().data_dir(dir).start().unwrap()
}

#[test]
fn levels_are_told_with_a_newer_epoch_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    let newest = levels(&[("group.version", 1), ("metadata.version", 30), ("transaction.version", 2)]);
    let (first_epoch, told) = finalized(&mut before);
    assert_eq!(told, newest);
    let response = update(&mut before, "transaction.version", 1, SAFE_DOWNGRADE);
    assert_eq!((response.error_code, response.error_message), (0, None));
    assert_eq!(update(&mut before, "group.version", 0, SAFE_DOWNGRADE).error_code, 0);
    let low = levels(&[("metadata.version", 30), ("transaction.version", 1)]);
    let (second_epoch, told) = finalized(&mut before);
    assert_eq!(told, low, "a level of 0 stands for none");
    assert!(second_epoch > first_epoch);
    broker.stop();

    let broker = broker_in(dir.path());
    let mut after = client(&broker);
    let (third_epoch, told) = finalized(&mut after);
    assert_eq!(told, low);
    assert!(third_epoch >= second_epoch, "{third_epoch} < {second_epoch}");
    assert_eq!(update(&mut after, "transaction.version", 2, UPGRADE).error_code, 0);
    assert_eq!(update(&mut after, "group.version", 1, UPGRADE).error_code, 0);
    assert_eq!(finalized(&mut after).1, newest);
}

#[test]
fn one_bad_level_refuses_all() {
    let broker = broker();
    let mut client = client(&broker);
    let key = |feature: &str, level| {
        FeatureUpdateKey::default()
            .with_feature(StrBytes::from_string(feature.to_owned()))
            .with_max_version_level(level)
            .with_upgrade_type(SAFE_DOWNGRADE)
    };
    let both = vec![key("transaction.version", 0), key("zoo.version", 1)];
    let mut request = UpdateFeaturesRequest::default().with_feature_updates(both);
    let response = client.send(1, &request).unwrap();
    assert_eq!(response.error_code, ErrorCode::InvalidUpdateVersion.code());
    assert_eq!(
        response.error_message.as_deref(),
        Some(
            "The update failed for all features since the following feature had an error: Invalid update version \
             1 for feature zoo.version. Local controller 1 does not support this feature."
        )
    );
    request.feature_updates.pop();
    request.validate_only = true;
    let response = client.send(1, &request).unwrap();
    assert_eq!((response.error_code, response.results.len()), (0, 1));
    let unchanged = levels(&[("group.version", 1), ("metadata.version", 30), ("transaction.version", 2)]);
    assert_eq!(finalized(&mut client).1, unchanged);
    let refused = update(&mut client, "transaction.version", 1, UPGRADE);
    assert_eq!(refused.error_code, ErrorCode::InvalidUpdateVersion.code());
}

#[test]
fn without_the_group_version_the_new_protocol_is_refused() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec!["g".into()]);
    assert_eq!(client.send(4, &find).unwrap().coordinators[0].error_code, 0);
    assert_eq!(update(&mut client, "group.version", 0, SAFE_DOWNGRADE).error_code, 0);
    let refused = heartbeat(&mut client, "g", "m", 0, Some(&["orders"]));
    assert_eq!(refused.error_code, ErrorCode::UnsupportedVersion.code());
    assert_eq!(update(&mut client, "group.version", 1, UPGRADE).error_code, 0);
    assert_eq!(heartbeat(&mut client, "g", "m", 0, Some(&["orders"])).error_code, 0);
}
