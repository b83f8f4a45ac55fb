//! ApiVersions: what is served. Answered from the table, also for versions of it that do not exist here.

use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use ottla_control::transaction::TransactionVersion;
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
        let tells_private = &*request.client_software_name == SOFTWARE_NAME;
        return call.ready(&served(call.version(), call.shard.topics_version(), tells_private));
    }
    call.ready(&ApiVersionsResponse::default().with_error_code(ErrorCode::InvalidRequest.code()))
}

/// The answer to a version that is not served: version 0, which everyone reads, with the versions that are.
pub(super) fn unsupported(call: &Call, api: &Api) -> Result<Started, Closed> {
    Ok(Started::Ready(vec![unsupported_api_versions(call.correlation_id(), api.oldest, api.newest)?]))
}

/// Every API, the private ones for who is to know of them, and the features.
fn served(version: i16, topics_version: i64, tells_private: bool) -> ApiVersionsResponse {
    let api_keys = APIS
        .iter()
        .filter(|api| tells_private || !api.is_private())
        .map(|api| {
            ApiVersion::default()
                .with_api_key(api.key)
                .with_min_version(api.advertised_oldest())
                .with_max_version(api.newest)
        })
        .collect();
    let mut response = ApiVersionsResponse::default().with_api_keys(api_keys);
    if version >= TELLS_FEATURES {
        let told = FEATURES.iter().filter(|feature| feature.oldest > 0 || version >= TELLS_LEVEL_0);
        response.supported_features = told.map(Feature::supported).collect();
        response.finalized_features = FEATURES.iter().map(Feature::finalized).collect();
        response.finalized_features_epoch = topics_version;
    }
    response
}

/// A feature of the cluster (KIP-584): what all of a cluster's brokers agree on, and clients may need to know.
struct Feature {
    name: &'static str,
    oldest: i16,
    newest: i16,
}

/// The features that this broker has, each at its newest level.
const FEATURES: &[Feature] = &[
    // The new consumer protocol (`GroupVersion.GV_1`).
    Feature { name: "group.version", oldest: 0, newest: 1 },
    // An epoch for every transaction, and partitions that a write adds (`TransactionVersion.TV_2`, KIP-890).
    Feature { name: "transaction.version", oldest: 0, newest: TransactionVersion::FINALIZED.level() },
];

impl Feature {
    fn supported(&self) -> SupportedFeatureKey {
        SupportedFeatureKey::default()
            .with_name(text(self.name))
            .with_min_version(self.oldest)
            .with_max_version(self.newest)
    }

    fn finalized(&self) -> FinalizedFeatureKey {
        FinalizedFeatureKey::default()
            .with_name(text(self.name))
            .with_min_version_level(self.newest)
            .with_max_version_level(self.newest)
    }
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
