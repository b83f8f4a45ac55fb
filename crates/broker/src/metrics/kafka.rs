//! The same numbers under the names that dashboards of Apache Kafka ask for: those that Prometheus's jmx_exporter gives Kafka's
//! MBeans by the rules of its `kafka-2_0_0.yml`. What an Ottla cannot tell, such as queues of threads that it does not have, is
//! not made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_control::group::GroupOutline;

use super::Traffic;
use super::catalog::Id;
use super::samples::{Samples, Value};
use super::scrape::whole;
use crate::shard::LiveTopic;

/// What a topic's label is in the numbers of all topics together. To Prometheus an empty label is none, as Kafka has it.
const ALL_TOPICS: &str = "";

/// `BrokerState.RUNNING`.
const RUNNING: i64 = 3;

/// Under both names Kafka counts a Fetch of a consumer, and there are no followers.
const FETCH: [&str; 2] = ["Fetch", "FetchConsumer"];

/// What one log tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogFigures {
    pub(super) size: u64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) segments: usize,
}

/// `BrokerTopicMetrics` of a topic.
pub(super) fn add_topic(samples: &mut Samples, topic: &str, traffic: Traffic) {
    samples.add(Id::JmxMessagesIn, &[topic], Value::Count(traffic.records_in));
    samples.add(Id::JmxBytesIn, &[topic], Value::Count(traffic.bytes_in));
    samples.add(Id::JmxBytesOut, &[topic], Value::Count(traffic.bytes_out));
}

/// `Log` of a partition, whose topic and number are its place.
pub(super) fn add_log(samples: &mut Samples, place: &[&str], log: LogFigures) {
    samples.add(Id::JmxLogSize, place, whole(log.size));
    samples.add(Id::JmxLogStart, place, Value::Whole(log.start));
    samples.add(Id::JmxLogEnd, place, Value::Whole(log.end));
    samples.add(Id::JmxLogSegments, place, whole(log.segments as u64));
}

/// `BrokerTopicMetrics` of all topics, `ReplicaManager` and `KafkaController`. `deleted` is what went in and out of topics that
/// are no more: a sum must not fall with them.
pub(super) fn add_cluster(samples: &mut Samples, topics: &[Arc<LiveTopic>], deleted: Traffic) {
    let (mut traffic, mut partitions, mut offline) = (deleted, 0_u64, 0_u64);
    for partition in topics.iter().flat_map(|live| &live.partitions) {
        traffic = traffic.and(partition.counters().traffic());
        partitions = partitions.saturating_add(1);
        offline = offline.saturating_add(u64::from(partition.is_offline()));
    }
    add_topic(samples, ALL_TOPICS, traffic);
    for (id, count) in [
        (Id::JmxPartitions, partitions),
        (Id::JmxLeaders, partitions.saturating_sub(offline)),
        (Id::JmxOfflineReplicas, offline),
        (Id::JmxUnderReplicated, 0),
        (Id::JmxUnderMinIsr, 0),
        // As in Kafka: one replica in sync is the least that one replica can have.
        (Id::JmxAtMinIsr, partitions.saturating_sub(offline)),
        (Id::JmxActiveControllers, 1),
        (Id::JmxActiveBrokers, 1),
        (Id::JmxFencedBrokers, 0),
        (Id::JmxTopics, topics.len() as u64),
        (Id::JmxGlobalPartitions, partitions),
        (Id::JmxOfflinePartitions, offline),
        (Id::JmxPreferredImbalance, 0),
    ] {
        samples.add(id, &[], whole(count));
    }
    for id in [Id::JmxUncleanElections, Id::JmxIsrShrinks, Id::JmxIsrExpands] {
        samples.add(id, &[], Value::Count(0));
    }
    samples.add(Id::JmxBrokerState, &[], Value::Whole(RUNNING));
}

/// `GroupMetadataManager`, which knows groups of the classic protocol, and the offsets of all.
pub(super) fn add_groups(samples: &mut Samples, outlines: &[GroupOutline]) {
    let classic = |state: Option<&str>| {
        let groups = outlines.iter().filter(|group| group.group_type == "classic");
        groups.filter(|group| state.is_none_or(|state| group.state == state)).count() as u64
    };
    samples.add(Id::JmxGroups, &[], whole(classic(None)));
    for (id, state) in [
        (Id::JmxGroupsEmpty, "Empty"),
        (Id::JmxGroupsStable, "Stable"),
        (Id::JmxGroupsPreparing, "PreparingRebalance"),
        (Id::JmxGroupsCompleting, "CompletingRebalance"),
    ] {
        samples.add(id, &[], whole(classic(Some(state))));
    }
    let offsets = outlines.iter().flat_map(|group| group.offsets.values()).map(BTreeMap::len).sum::<usize>();
    samples.add(Id::JmxOffsets, &[], whole(offsets as u64));
}

/// `RequestMetrics`: requests by API, and errors in answers by API and error.
pub(super) fn add_requests<'a>(
    samples: &mut Samples,
    requests: impl Iterator<Item = (&'a str, u64)>,
    errors: impl Iterator<Item = (&'a str, &'a str, u64)>,
) {
    for (api, count) in requests {
        let names: &[&str] = if api == FETCH[0] { &FETCH } else { &[api] };
        for name in names {
            samples.add(Id::JmxRequests, &[name], Value::Count(count));
        }
    }
    for (api, error, count) in errors {
        samples.add(Id::JmxErrors, &[api, error], Value::Count(count));
    }
}

/// The socket server's metrics.
pub(super) fn add_connections(samples: &mut Samples, open: u64, accepted: u64) {
    samples.add(Id::JmxConnections, &[], whole(open));
    samples.add(Id::JmxConnectionsMade, &[], Value::Count(accepted));
}
