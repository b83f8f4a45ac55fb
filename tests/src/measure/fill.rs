//! Fills many partitions with batches of the size that stock producers make.

use std::collections::VecDeque;

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};

use super::batch::batch_of;
use super::connection::Connection;
use super::topics::{NewTopic, check, create_topics, topic_name};
use crate::broker::Broker;
use crate::problem::Problem;

const PRODUCE_VERSION: i16 = 9;
const PRODUCE_LIMIT_MS: i32 = 60_000;

/// Partitions that one request has a batch for.
const PARTITIONS_PER_REQUEST: usize = 50;
const REQUESTS_UNDER_WAY: usize = 4;

/// Topics and partitions, and what a batch is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many topics.
    pub topics: u32,
    /// Partitions of each.
    pub partitions_per_topic: i32,
    /// Records in a batch.
    pub records_per_batch: u32,
    /// Bytes of a record's value.
    pub value_bytes: usize,
}

impl Shape {
    /// All partitions.
    pub fn partitions(&self) -> impl Iterator<Item = (String, i32)> + use<> {
        let count = self.partitions_per_topic;
        (0..self.topics)
            .flat_map(move |topic| (0..count).map(move |index| (format!("filled-{topic}"), index)))
    }

    /// Makes the topics.
    ///
    /// # Errors
    /// One is refused.
    pub fn create(&self, broker: &mut Broker) -> Result<(), Problem> {
        let partitions = self.partitions_per_topic;
        let topic = |topic| NewTopic { name: format!("filled-{topic}"), partitions, settings: Vec::new() };
        create_topics(broker, &(0..self.topics).map(topic).collect::<Vec<_>>())
    }
}

/// What was filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The partitions and their batches.
    pub shape: Shape,
    /// Records in each partition.
    pub records: i64,
    /// Bytes of batches in all partitions.
    pub bytes: u64,
}

impl Fill {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, records: 0, bytes: 0 }
    }
}

/// Sends so many batches to each partition, round-robin, and waits for all acknowledgements (acks=all).
///
/// # Errors
/// A batch is refused, or the connection is lost.
pub fn fill(address: &str, filled: &mut Fill, batches: u32) -> Result<(), Problem> {
    let Shape { records_per_batch, value_bytes, .. } = filled.shape;
    let batch = batch_of(records_per_batch, value_bytes)?;
    let partitions: Vec<(String, i32)> = filled.shape.partitions().collect();
    let mut connection = Connection::open(address)?;
    let mut under_way = VecDeque::new();
    for _ in 0..batches {
        for part in partitions.chunks(PARTITIONS_PER_REQUEST) {
            connection.post(PRODUCE_VERSION, &request(part, &batch))?;
            under_way.push_back(part.len());
            if under_way.len() >= REQUESTS_UNDER_WAY {
                settle(&mut connection, &mut under_way)?;
            }
        }
        filled.records = filled.records.saturating_add(records_per_batch.into());
        let bytes = (batch.len() as u64).saturating_mul(partitions.len() as u64);
        filled.bytes = filled.bytes.saturating_add(bytes);
    }
    while !under_way.is_empty() {
        settle(&mut connection, &mut under_way)?;
    }
    Ok(())
}

fn request(partitions: &[(String, i32)], batch: &Bytes) -> ProduceRequest {
    let one_topic = |part: &[(String, i32)]| {
        let data = |(_, index): &(String, i32)| {
            PartitionProduceData::default().with_index(*index).with_records(Some(batch.clone()))
        };
        let name = part.first().map_or("", |(topic, _)| topic);
        TopicProduceData::default()
            .with_name(topic_name(name))
            .with_partition_data(part.iter().map(data).collect())
    };
    let topics = partitions.chunk_by(|(one, _), (other, _)| one == other).map(one_topic).collect();
    ProduceRequest::default().with_acks(-1).with_timeout_ms(PRODUCE_LIMIT_MS).with_topic_data(topics)
}

fn settle(connection: &mut Connection, under_way: &mut VecDeque<usize>) -> Result<(), Problem> {
    let response: ProduceResponse = connection.receive::<ProduceRequest>(PRODUCE_VERSION)?;
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    let count = under_way.pop_front().unwrap_or_default();
    check(partitions.map(|partition| partition.error_code), count, "Produce")
}
