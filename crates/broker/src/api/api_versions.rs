//! ApiVersions: what is served. Answered from the table, also for versions of it that do not exist here.

use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use ottla_control::catalog::Feature;
use ottla_model::ErrorCode;
use ottla_wire::private::SOFTWARE_NAME;
use ottla_wire::unsupported_api_versions;

use super::call::{Call, Closed, Started};
use super::table::{APIS, Api};
use super::text::text;

/// Since this version the client names its software (KIP-511).
const NAMES_SOFTWARE: i16 = 3;
/// Since this version features are told (KIP-584).
const TELLS_FEATURES: i16 = 3;
/// Before this version clients fail on a feature that may be at level 0, so that Kafka leaves it out (KIP-1022).
const TELLS_LEVEL_0: i16 = 4;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ApiVersionsRequest = call.decode(body)?;
    let legal = call.version() < NAMES_SOFTWARE
        || (is_software_text(&request.client_software_name)
            && is_software_text(&request.client_software_version));
    if legal {
        if call.version() >= NAMES_SOFTWARE {
            call.client.note_software(&request.client_software_name, &request.client_software_version);
        }
        let tells_private = &*request.client_software_name == SOFTWARE_NAME;
        return call.ready(&served(&call, tells_private));
    }
    call.ready(&ApiVersionsResponse::default().with_error_code(ErrorCode::InvalidRequest.code()))
}

/// The answer to a version that is not served: version 0, which everyone reads, with the versions that are.
pub(super) fn unsupported(call: &Call, api: &Api) -> Result<Started, Closed> {
    Ok(Started::Ready(vec![unsupported_api_versions(call.correlation_id(), api.oldest, api.newest)?]))
}

/// Every API, the private ones for who is to know of them, and the features.
fn served(call: &Call, tells_private: bool) -> ApiVersionsResponse {
    let api_keys = APIS
        .iter()
        .filter(|api| (tells_private || !api.is_private()) && api.is_told(&call.shard))
        .map(|api| {
            ApiVersion::default()
                .with_api_key(api.key)
                .with_min_version(api.advertised_oldest())
                .with_max_version(api.newest)
        })
        .collect();
    let mut response = ApiVersionsResponse::default().with_api_keys(api_keys);
    if call.version() >= TELLS_FEATURES {
        let tells_level_0 = call.version() >= TELLS_LEVEL_0;
        let told = Feature::ALL.into_iter().filter(|it| tells_level_0 || *it.levels().start() > 0);
        response.supported_features = told.map(supported).collect();
        // The epoch first: levels that are newer than it do no harm.
        response.finalized_features_epoch = call.shard.topics_version();
        let levels = call.shard.features();
        let levels =
            Feature::ALL.into_iter().map(|it| (it, levels.level(it))).filter(|(_, level)| *level > 0);
        response.finalized_features = levels.map(|(it, level)| finalized(it, level)).collect();
    }
    response
}

fn supported(feature: Feature) -> SupportedFeatureKey {
    let (oldest, newest) = feature.levels().into_inner();
    SupportedFeatureKey::default()
        .with_name(text(feature.name()))
        .with_min_version(oldest)
        .with_max_version(newest)
}

fn finalized(feature: Feature, level: i16) -> FinalizedFeatureKey {
    FinalizedFeatureKey::default()
        .with_name(text(feature.name()))
        .with_min_version_level(level)
        .with_max_version_level(level)
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?` (`ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN`).
fn is_software_text(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    edge(text.as_bytes().first()) && edge(text.as_bytes().last()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_as_kafka_takes_them() {
        for good in ["a", "apache-kafka-java", "4.3.1", "kgo"] {
            assert!(is_software_text(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "a\n", "é"] {
            assert!(!is_software_text(bad), "{bad}");
        }
    }
}
