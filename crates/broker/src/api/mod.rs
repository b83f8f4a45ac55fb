//! Kafka's APIs: one file each, translation only. The table in [`table`] says which are served, at which versions,
//! and by whom; ApiVersions and dispatch come from it.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod api_versions;
mod ask;
mod call;
mod client_quotas;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_lag;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod describe_transactions;
mod elect_leaders;
mod fetch;
mod find_coordinator;
mod group_history;
mod group_membership;
mod group_why;
mod init_producer_id;
mod inspect_compaction;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod log_dirs;
mod measure;
mod metadata;
mod mutations;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod operations;
mod private;
mod produce;
mod reassignments;
mod table;
mod telemetry;
mod text;
mod topic_names;
mod transactions;
mod txn_offset_commit;
mod unregister_broker;
mod update_features;
mod verification;
mod without_security;
mod write_txn_markers;

use std::sync::Arc;

use bytes::Bytes;
use ottla_wire::{HeaderError, check_request, parse_header};

pub(crate) use call::{Call, Client, Closed, Started};
pub(crate) use create_topics::ToldConfigs;
pub(crate) use fetch::{ColdReads, FetchSessions};
pub(crate) use measure::Measure;
pub(crate) use table::PRODUCE;

use crate::shard::Shard;

/// The names of all APIs, in the order of the table.
pub(crate) fn api_names() -> impl ExactSizeIterator<Item = &'static str> {
    table::APIS.iter().map(|api| api.name)
}

/// Starts one request. What must happen in the order of arrival has happened on return; only the answer may wait.
///
/// # Errors
/// [`Closed`] when the connection must be closed, as Kafka does with what it cannot parse.
pub(crate) fn start(shard: &Arc<Shard>, client: &Arc<Client>, mut frame: Bytes) -> Result<Started, Closed> {
    let header = parse_header(&mut frame).map_err(|error: HeaderError| Closed::new(error.to_string()))?;
    let Some(api) = table::find(header.api_key) else {
        return Err(Closed::new(format!("API {} is not served", header.api_key)));
    };
    if api.key != ottla_wire::API_VERSIONS && !api.is_private() {
        client.note_request(shard, &header);
    }
    let call = Call::new(Arc::clone(shard), Arc::clone(client), header);
    if !api.serves(call.version()) {
        if api.key == ottla_wire::API_VERSIONS {
            return api_versions::unsupported(&call, api);
        }
        return Err(Closed::new(format!("{} has no version {} here", api.name, call.version())));
    }
    let malformed = |error| Closed::new(format!("{} version {}: {error}", api.name, call.version()));
    check_request(call.api_key(), call.version(), &frame).map_err(malformed)?;
    (api.handler)(call, frame)
}
