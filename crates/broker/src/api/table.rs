//! The one table of served APIs.

use bytes::Bytes;
use ottla_wire::PRIVATE_KEY_MIN;

use super::call::{Call, Closed, Started};
use super::{
    add_offsets_to_txn, add_partitions_to_txn, alter_configs, api_versions, client_quotas,
    consumer_group_describe, consumer_group_heartbeat, create_partitions, create_topics, delete_groups,
    delete_records, delete_topics, describe_cluster, describe_configs, describe_groups, describe_lag,
    describe_producers, describe_quorum, describe_topic_partitions, describe_transactions, elect_leaders,
    fetch, find_coordinator, group_history, group_membership, group_why, init_producer_id,
    inspect_compaction, list_config_resources, list_groups, list_offsets, log_dirs, metadata, offset_commit,
    offset_delete, offset_fetch, offset_for_leader_epoch, produce, reassignments, telemetry, transactions,
    txn_offset_commit, unregister_broker, update_features, without_security, write_txn_markers,
};
use crate::shard::Shard;

/// Answers a request of one API. The body has been checked against the schema.
pub(super) type Handler = fn(Call, Bytes) -> Result<Started, Closed>;

/// One API.
pub(super) struct Api {
    /// Its key.
    pub(super) key: i16,
    /// Kafka's name of it.
    pub(super) name: &'static str,
    /// The oldest version that is served.
    pub(super) oldest: i16,
    /// The newest version that is served.
    pub(super) newest: i16,
    /// Who answers it.
    pub(super) handler: Handler,
}

impl Api {
    pub(super) fn serves(&self, version: i16) -> bool {
        (self.oldest..=self.newest).contains(&version)
    }

    /// True for an API that is none of Kafka's. Other clients than `ottla` are not told of it.
    pub(super) fn is_private(&self) -> bool {
        self.key >= PRIVATE_KEY_MIN
    }

    /// False for what clients are not told of with these settings. As with Kafka, where it takes a plug-in, they are told to
    /// push metrics only where somebody looks at them. Who asks all the same is answered.
    pub(super) fn is_told(&self, shard: &Shard) -> bool {
        !matches!(self.key, GET_TELEMETRY_SUBSCRIPTIONS | PUSH_TELEMETRY) || shard.telemetry().is_told()
    }

    /// The oldest version that is advertised. Kafka advertises Produce from 0, though it serves it from 3 only:
    /// older librdkafka takes a higher minimum for a broker that knows no compression (KAFKA-18659).
    pub(super) fn advertised_oldest(&self) -> i16 {
        if self.key == PRODUCE { 0 } else { self.oldest }
    }
}

/// The key of Produce.
pub(crate) const PRODUCE: i16 = 0;

const GET_TELEMETRY_SUBSCRIPTIONS: i16 = 71;
const PUSH_TELEMETRY: i16 = 72;

macro_rules! apis {
    ($($key:expr, $name:literal, $oldest:literal..=$newest:literal, $handler:path;)*) => {
        /// Every API that is served, by key.
        pub(super) const APIS: &[Api] = &[$(Api {
            key: $key, name: $name, oldest: $oldest, newest: $newest, handler: $handler,
        },)*];
    };
}

apis! {
    PRODUCE, "Produce", 3..=13, produce::handle;
    1, "Fetch", 4..=18, fetch::handle;
    2, "ListOffsets", 1..=11, list_offsets::handle;
    3, "Metadata", 0..=13, metadata::handle;
    8, "OffsetCommit", 2..=10, offset_commit::handle;
    9, "OffsetFetch", 1..=10, offset_fetch::handle;
    10, "FindCoordinator", 0..=6, find_coordinator::handle;
    11, "JoinGroup", 0..=9, group_membership::join;
    12, "Heartbeat", 0..=4, group_membership::heartbeat;
    13, "LeaveGroup", 0..=5, group_membership::leave;
    14, "SyncGroup", 0..=5, group_membership::sync;
    15, "DescribeGroups", 0..=6, describe_groups::handle;
    16, "ListGroups", 0..=5, list_groups::handle;
    18, "ApiVersions", 0..=4, api_versions::handle;
    19, "CreateTopics", 2..=7, create_topics::handle;
    20, "DeleteTopics", 1..=6, delete_topics::handle;
    21, "DeleteRecords", 0..=2, delete_records::handle;
    22, "InitProducerId", 0..=5, init_producer_id::handle;
    23, "OffsetForLeaderEpoch", 2..=4, offset_for_leader_epoch::handle;
    24, "AddPartitionsToTxn", 0..=5, add_partitions_to_txn::handle;
    25, "AddOffsetsToTxn", 0..=4, add_offsets_to_txn::handle;
    26, "EndTxn", 0..=5, transactions::end;
    27, "WriteTxnMarkers", 1..=2, write_txn_markers::handle;
    28, "TxnOffsetCommit", 0..=5, txn_offset_commit::handle;
    29, "DescribeAcls", 1..=3, without_security::describe_acls;
    30, "CreateAcls", 1..=3, without_security::create_acls;
    31, "DeleteAcls", 1..=3, without_security::delete_acls;
    32, "DescribeConfigs", 1..=4, describe_configs::handle;
    33, "AlterConfigs", 0..=2, alter_configs::handle;
    34, "AlterReplicaLogDirs", 1..=2, log_dirs::alter;
    35, "DescribeLogDirs", 1..=5, log_dirs::describe;
    37, "CreatePartitions", 0..=3, create_partitions::handle;
    38, "CreateDelegationToken", 1..=3, without_security::create_token;
    39, "RenewDelegationToken", 1..=2, without_security::renew_token;
    40, "ExpireDelegationToken", 1..=2, without_security::expire_token;
    41, "DescribeDelegationToken", 1..=3, without_security::describe_tokens;
    42, "DeleteGroups", 0..=2, delete_groups::handle;
    43, "ElectLeaders", 0..=2, elect_leaders::handle;
    44, "IncrementalAlterConfigs", 0..=1, alter_configs::incremental;
    45, "AlterPartitionReassignments", 0..=1, reassignments::alter;
    46, "ListPartitionReassignments", 0..=0, reassignments::list;
    47, "OffsetDelete", 0..=0, offset_delete::handle;
    48, "DescribeClientQuotas", 0..=1, client_quotas::describe;
    49, "AlterClientQuotas", 0..=1, client_quotas::alter;
    50, "DescribeUserScramCredentials", 0..=0, without_security::describe_scram;
    55, "DescribeQuorum", 0..=2, describe_quorum::handle;
    57, "UpdateFeatures", 0..=2, update_features::handle;
    60, "DescribeCluster", 0..=2, describe_cluster::handle;
    61, "DescribeProducers", 0..=0, describe_producers::handle;
    64, "UnregisterBroker", 0..=0, unregister_broker::handle;
    65, "DescribeTransactions", 0..=0, describe_transactions::describe;
    66, "ListTransactions", 0..=2, describe_transactions::list;
    68, "ConsumerGroupHeartbeat", 0..=1, consumer_group_heartbeat::handle;
    69, "ConsumerGroupDescribe", 0..=1, consumer_group_describe::handle;
    GET_TELEMETRY_SUBSCRIPTIONS, "GetTelemetrySubscriptions", 0..=0, telemetry::get;
    PUSH_TELEMETRY, "PushTelemetry", 0..=0, telemetry::push;
    74, "ListConfigResources", 0..=1, list_config_resources::handle;
    75, "DescribeTopicPartitions", 0..=0, describe_topic_partitions::handle;
    // Private: what `ottla` commands ask.
    0x5000, "InspectCompaction", 0..=0, inspect_compaction::handle;
    0x5010, "DescribeLag", 0..=0, describe_lag::handle;
    0x5020, "GroupHistory", 0..=0, group_history::history;
    0x5021, "GroupOffsetsAt", 0..=0, group_history::offsets_at;
    0x5022, "GroupDiff", 0..=0, group_history::diff;
    0x5023, "GroupUndo", 0..=0, group_history::undo;
    0x5024, "GroupWhy", 0..=0, group_why::handle;
}

/// The place of an API in the table.
pub(super) fn place(key: i16) -> Option<usize> {
    APIS.iter().position(|api| api.key == key)
}

/// The API with that key, if it is served.
pub(super) fn find(key: i16) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_know_every_version_that_is_served() {
        for api in APIS {
            let known = ottla_wire::versions(api.key).expect("an API with a schema");
            assert!(*known.start() <= api.oldest && api.newest <= *known.end(), "{}", api.name);
            assert_eq!(ottla_wire::api_name(api.key), Some(api.name));
        }
        assert!(APIS.is_sorted_by_key(|api| api.key));
    }
}
