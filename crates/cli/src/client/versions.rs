//! Which versions of Kafka's APIs these commands speak.
//!
//! The highest one of each is as high as its fields are understood here: topic ids in the place of names, and what
//! transactions of version 2 change, are left to other clients.

use std::ops::RangeInclusive;

use kafka_protocol::messages::ApiKey;

/// The versions of an API that these commands speak.
pub(super) fn spoken(key: ApiKey) -> RangeInclusive<i16> {
    match key {
        ApiKey::Produce => 3..=11,
        ApiKey::Fetch => 4..=12,
        ApiKey::ListOffsets => 1..=7,
        ApiKey::Metadata => 4..=12,
        ApiKey::OffsetCommit => 2..=8,
        ApiKey::OffsetFetch => 1..=7,
        ApiKey::FindCoordinator => 0..=3,
        ApiKey::JoinGroup => 2..=7,
        ApiKey::Heartbeat | ApiKey::LeaveGroup | ApiKey::SyncGroup => 0..=2,
        ApiKey::CreateTopics => 2..=7,
        ApiKey::DeleteTopics => 1..=5,
        ApiKey::CreatePartitions => 0..=3,
        ApiKey::DescribeConfigs => 1..=4,
        ApiKey::IncrementalAlterConfigs => 0..=1,
        ApiKey::InitProducerId => 0..=4,
        _ => 0..=0,
    }
}
