//! Reads everything that a scrape tells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;

use ottla_control::group::GroupOutline;
use tracing::warn;

use super::catalog::Id;
use super::kafka::{self, LogFigures};
use super::process::add_process;
use super::samples::{Samples, Value};
use super::{ApiCounters, CLOSED, Counters, DURATION_BOUNDS_US, Traffic, read};
use crate::api::api_names;
use crate::private::{GroupLag, Lag, PartitionLag};
use crate::shard::{Detail, LiveTopic, Shard};
use crate::telemetry::Telemetry;

/// Partitions of groups that are told in one scrape; each is about a dozen lines.
const GROUP_PARTITIONS_MAX: usize = 10_000;

/// Partitions of topics that are told in one scrape.
const TOPIC_PARTITIONS_MAX: usize = 10_000;

/// Groups that are told in one scrape, with or without partitions.
const GROUPS_MAX: usize = 10_000;

/// The text of one scrape.
pub(crate) async fn scrape(shard: &Arc<Shard>) -> Option<String> {
    // As for any question about lag, the offsets come first and the ends of the logs after them.
    let outlines = shard.outlines(None).await.unwrap_or_default();
    let shard = Arc::clone(shard);
    let text = tokio::task::spawn_blocking(move || {
        let mut samples = Samples::new();
        add_groups(&mut samples, &shard, &outlines);
        let (topics, deleted) = shard.topics_and_deleted();
        add_topics(&mut samples, &topics);
        kafka::add_cluster(&mut samples, &topics, deleted);
        add_broker(&mut samples, shard.counters());
        add_clients(&mut samples, shard.telemetry());
        add_process(&mut samples);
        samples.into_text()
    });
    match text.await {
        Ok(Ok(text)) => Some(text),
        Ok(Err(error)) => {
            warn!(%error, "a bug: metrics cannot be written");
            None
        }
        Err(error) => {
            warn!(%error, "reading metrics failed");
            None
        }
    }
}

pub(super) fn whole(value: u64) -> Value {
    Value::Whole(i64::try_from(value).unwrap_or(i64::MAX))
}

fn add_groups(samples: &mut Samples, shard: &Shard, outlines: &[GroupOutline]) {
    let question = shard.lag_question();
    kafka::add_groups(samples, outlines);
    let (mut left, mut left_out) = (GROUP_PARTITIONS_MAX, 0);
    for (place, outline) in outlines.iter().enumerate() {
        let partitions = outline.offsets.values().map(BTreeMap::len).sum::<usize>();
        if place >= GROUPS_MAX || partitions > left {
            left_out += partitions;
            continue;
        }
        left -= partitions;
        let group = question.group(outline, Detail::Full);
        add_group(samples, &group);
        left_out += usize::try_from(group.partitions.left_out).unwrap_or(usize::MAX);
    }
    samples.add(Id::LeftOut, &["group_partitions"], whole(left_out as u64));
}

fn add_group(samples: &mut Samples, group: &GroupLag) {
    let id = group.group.as_str();
    samples.add(Id::GroupMembers, &[id], whole(group.member_count));
    samples.add(Id::KafkaGroupMembers, &[id], whole(group.member_count));
    samples.add(Id::GroupState, &[id, &group.group_type, &group.state], Value::Whole(1));
    for (reason, count) in &group.rebalances {
        samples.add(Id::GroupRebalances, &[id, reason], Value::Count(*count));
    }
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for partition in &group.partitions.entries {
        let Some(committed) = partition.committed_offset else { continue };
        add_group_partition(samples, id, partition, committed);
        let (offsets, lags) = sums.entry(&partition.topic).or_default();
        *offsets = offsets.saturating_add(committed);
        *lags = lags.saturating_add(distance(partition, committed));
    }
    for (topic, (offsets, lags)) in sums {
        samples.add(Id::KafkaGroupOffsetSum, &[id, topic], Value::Whole(offsets));
        samples.add(Id::KafkaGroupLagSum, &[id, topic], Value::Whole(lags));
    }
}

/// What kafka_exporter takes for the lag.
fn distance(partition: &PartitionLag, committed: i64) -> i64 {
    partition.high_watermark.map_or(0, |end| end.saturating_sub(committed).max(0))
}

fn add_group_partition(samples: &mut Samples, group: &str, partition: &PartitionLag, committed: i64) {
    let index = partition.partition.to_string();
    let place = [group, partition.topic.as_str(), index.as_str()];
    samples.add(Id::GroupCommittedOffset, &place, Value::Whole(committed));
    samples.add(Id::KafkaGroupOffset, &place, Value::Whole(committed));
    samples.add(Id::GroupCommits, &place, Value::Count(partition.commits));
    if let Some(end) = partition.high_watermark {
        samples.add(Id::GroupEndOffset, &place, Value::Whole(end));
        samples.add(Id::KafkaGroupLag, &place, Value::Whole(distance(partition, committed)));
    }
    let kinds =
        [("read_uncommitted", partition.read_uncommitted), ("read_committed", partition.read_committed)];
    for (isolation, lag) in kinds {
        if let Some(lag) = lag {
            add_lag(samples, &[place[0], place[1], place[2], isolation], &lag);
        }
    }
}

fn add_lag(samples: &mut Samples, place: &[&str], lag: &Lag) {
    samples.add(Id::GroupLagRecords, place, whole(lag.records));
    samples.add(Id::GroupLagBytes, place, whole(lag.bytes));
    let age_ms = if lag.records == 0 { Some(0) } else { lag.age_ms };
    if let Some(age_ms) = age_ms {
        samples.add(Id::GroupLagSeconds, place, Value::Real(age_ms as f64 / 1000.0));
    }
}

fn add_topics(samples: &mut Samples, topics: &[Arc<LiveTopic>]) {
    let (mut left, mut left_out, mut offline) = (TOPIC_PARTITIONS_MAX, 0_usize, 0_u64);
    for live in topics {
        let topic = live.topic.name.as_str();
        let count = live.partitions.len();
        offline += live.partitions.iter().filter(|partition| partition.is_offline()).count() as u64;
        if count > left {
            left_out = left_out.saturating_add(count);
            continue;
        }
        left -= count;
        samples.add(Id::KafkaTopicPartitions, &[topic], whole(count as u64));
        let mut traffic = Traffic::default();
        for partition in &live.partitions {
            traffic = traffic.and(partition.counters().traffic());
            let index = partition.index.to_string();
            let place = [topic, index.as_str()];
            let log = partition.log();
            let (size, unsynced, segments) = (log.size_bytes(), log.unsynced_bytes(), log.segment_count());
            let (start, end) = (log.start_offset(), log.end_offset());
            drop(log);
            kafka::add_log(samples, &place, LogFigures { size, start, end, segments });
            samples.add(Id::LogSize, &place, whole(size));
            samples.add(Id::LogUnsynced, &place, whole(unsynced));
            samples.add(Id::LogSegments, &place, whole(segments as u64));
            samples.add(Id::KafkaPartitionOldest, &place, Value::Whole(start));
            samples.add(Id::KafkaPartitionOffset, &place, Value::Whole(partition.high_watermark()));
        }
        samples.add(Id::TopicRecordsIn, &[topic], Value::Count(traffic.records_in));
        samples.add(Id::TopicBytesIn, &[topic], Value::Count(traffic.bytes_in));
        samples.add(Id::TopicBytesOut, &[topic], Value::Count(traffic.bytes_out));
        kafka::add_topic(samples, topic, traffic);
    }
    samples.add(Id::OfflinePartitions, &[], whole(offline));
    samples.add(Id::LeftOut, &["topic_partitions"], whole(left_out as u64));
}

fn add_clients(samples: &mut Samples, telemetry: &Telemetry) {
    let counted = telemetry.collect(|metric| {
        let labels = [metric.name, metric.client_id, metric.instance, metric.attributes];
        let id = if metric.is_counter { Id::ClientCounter } else { Id::ClientGauge };
        samples.add(id, &labels, Value::Real(metric.value));
    });
    samples.add(Id::ClientInstances, &[], whole(counted.instances));
    samples.add(Id::ClientPushes, &[], Value::Count(counted.pushes));
    samples.add(Id::ClientMetricsLeftOut, &[], Value::Count(counted.left_out));
}

fn add_broker(samples: &mut Samples, counters: &Counters) {
    let (accepted, ended) = (read(&counters.accepted), read(&counters.ended));
    samples.add(Id::KafkaBrokers, &[], Value::Whole(1));
    samples.add(Id::BuildInfo, &[env!("CARGO_PKG_VERSION")], Value::Whole(1));
    samples.add(Id::Connections, &[], whole(accepted.saturating_sub(ended)));
    samples.add(Id::ConnectionsAccepted, &[], Value::Count(accepted));
    samples.add(Id::ReceivedBytes, &[], Value::Count(read(&counters.received_bytes)));
    samples.add(Id::SentBytes, &[], Value::Count(read(&counters.sent_bytes)));
    samples.add(Id::Compactions, &[], Value::Count(read(&counters.compactions)));
    samples.add(Id::CompactionRemoved, &[], Value::Count(read(&counters.compaction_removed_bytes)));
    kafka::add_connections(samples, accepted.saturating_sub(ended), accepted);
    let errors = counters.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let requests = api_names().zip(counters.apis.iter().map(|counted| counted.durations.iter().map(read)));
    kafka::add_requests(
        samples,
        requests.map(|(api, counts)| (api, counts.fold(0, u64::saturating_add))),
        errors
            .iter()
            .filter(|((_, error), _)| error != CLOSED)
            .map(|((api, error), count)| (*api, error.as_str(), *count)),
    );
    for (api, counted) in api_names().zip(&counters.apis) {
        add_api(samples, api, counted);
    }
    for ((api, error), count) in errors {
        samples.add(Id::RequestErrors, &[api, &error], Value::Count(count));
    }
}

fn add_api(samples: &mut Samples, api: &str, counted: &ApiCounters) {
    let bounds = DURATION_BOUNDS_US.iter().map(|&us| us as f64 / 1e6).chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = bounds.zip(counted.durations.iter().map(read)).collect();
    let requests = buckets.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
    samples.add(Id::Requests, &[api], Value::Count(requests));
    let seconds = read(&counted.duration_us) as f64 / 1e6;
    samples.add(Id::RequestSeconds, &[api], Value::Histogram(seconds, buckets));
}
