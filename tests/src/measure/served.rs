//! Whether a broker serves every partition, with all that it acknowledged.

use std::ops::Range;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, MetadataRequest};

use super::connection::Connection;
use super::fill::Fill;
use super::topics::{check, ends, repeat, topic_name};
use crate::broker::Broker;
use crate::problem::Problem;

const METADATA_VERSION: i16 = 12;
const FETCH_VERSION: i16 = 12;

const SESSIONLESS_EPOCH: i32 = -1;
/// Less than any broker's own limit.
const FETCH_BYTES_MAX: i32 = 50 << 20;
/// Bytes of batches that a fetch asks of one partition, so that all of them fit into one response.
const PARTITION_BYTES_MAX: i32 = 20 << 10;
const FETCH_WAIT_MS: i32 = 1000;

/// When questions were first answered, each for all partitions, counted from the broker's exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The broker said that it is ready.
    pub ready: Duration,
    /// Metadata tells a leader for every partition.
    pub metadata: Duration,
    /// ListOffsets tells the end of every partition, which is what was acknowledged.
    pub ends: Duration,
    /// One Fetch gives the last batch of every partition.
    pub fetched: Duration,
}

/// Asks a broker that has just started until all partitions are served.
///
/// # Errors
/// The broker ended, does not serve them within the limit of its start, or has lost records.
pub fn wait_until_all_served(broker: &mut Broker, filled: &Fill) -> Result<Served, Problem> {
    let started = broker.started();
    let mut connection = Connection::open(&broker.address())?;
    let metadata = repeat(broker, || has_leaders(&mut connection, filled))?;
    let ends = repeat(broker, || ends_are(&mut connection, filled))?;
    let fetched = repeat(broker, || last_batches(&mut connection, filled))?;
    Ok(Served { ready: started.ready_after, metadata, ends, fetched })
}

/// The partitions by topic.
fn by_topic(filled: &Fill) -> impl Iterator<Item = (String, Range<i32>)> + use<> {
    let partitions = filled.shape.partitions_per_topic;
    (0..filled.shape.topics).map(move |topic| (format!("filled-{topic}"), 0..partitions))
}

fn has_leaders(connection: &mut Connection, filled: &Fill) -> Result<(), Problem> {
    let request = MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
    let response = connection.call(METADATA_VERSION, &request)?;
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let codes = partitions.map(|partition| match partition.error_code {
        0 if partition.leader_id.0 < 0 => -1,
        code => code,
    });
    check(codes, filled.shape.partitions().count(), "Metadata")
}

fn ends_are(connection: &mut Connection, filled: &Fill) -> Result<(), Problem> {
    let ends = ends(connection, by_topic(filled))?;
    match ends.iter().find(|end| **end != filled.records) {
        None => Ok(()),
        Some(end) => Err(Problem::new(format!(
            "a partition ends at {end}, after {} acknowledged records",
            filled.records
        ))),
    }
}

fn last_batches(connection: &mut Connection, filled: &Fill) -> Result<(), Problem> {
    let asked = |index: i32| {
        FetchPartition::default()
            .with_partition(index)
            .with_fetch_offset(filled.records.saturating_sub(1))
            .with_partition_max_bytes(PARTITION_BYTES_MAX)
    };
    let topics = by_topic(filled).map(|(name, partitions)| {
        FetchTopic::default().with_topic(topic_name(&name)).with_partitions(partitions.map(asked).collect())
    });
    let request = FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_wait_ms(FETCH_WAIT_MS)
        .with_min_bytes(1)
        .with_max_bytes(FETCH_BYTES_MAX)
        .with_session_epoch(SESSIONLESS_EPOCH)
        .with_topics(topics.collect());
    let response = connection.call(FETCH_VERSION, &request)?;
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let codes = partitions.map(|partition| match (partition.error_code, &partition.records) {
        (0, Some(records)) if !records.is_empty() => 0,
        (0, _) => -1,
        (code, _) => code,
    });
    check(codes, filled.shape.partitions().count(), "Fetch")
}
