//! The records, batches and partitions that produce and fetch share.

use bytes::Bytes;
use ottla_tests::measure::batch_of;
use ottla_tests::problem::{Doing, Problem};

use crate::lean::{ConsumeLoad, FetchLimits, ProduceLoad, Until, produce};
use crate::stage::Stage;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The point's name.
    pub(super) name: &'static str,
    /// Bytes of a record's value.
    pub(super) value_bytes: usize,
    /// Records in a batch.
    pub(super) batch_records: u32,
    /// Partitions of the topic.
    pub(super) partitions: i32,
    /// Connections that produce, each with five requests under way.
    pub(super) connections: usize,
    /// Partitions that a request has a batch for.
    pub(super) batches_per_request: usize,
    /// Bytes of batches at full size.
    pub(super) bytes: u64,
}

/// Batches as large as those of Java's producer, with records of 1 KB. The bytes are each measure's own.
pub(super) const SMALL_BATCHES: Shape = Shape {
    name: "1 KB records, 16 KB batches",
    value_bytes: 1000,
    batch_records: 16,
    partitions: 4,
    connections: 4,
    batches_per_request: 1,
    bytes: 0,
};

/// The same bytes of batches in records of 100 B.
pub(super) const SMALL_RECORDS: Shape =
    Shape { name: "100 B records, 16 KB batches", value_bytes: 100, batch_records: 150, ..SMALL_BATCHES };

/// Requests under way on a connection, as Java's producer has them.
const IN_FLIGHT: usize = 5;

/// The defaults of stock consumers.
const LIMITS: FetchLimits =
    FetchLimits { bytes_max: 50 << 20, partition_bytes_max: 1 << 20, bytes_min: 1, wait_ms: 500 };

/// How long a consumer waits that is to end with the last byte: short, so that the wait for more does not count for long.
const LAST_WAIT_MS: i32 = 50;

impl Shape {
    pub(super) fn batch(&self) -> Result<Bytes, Problem> {
        batch_of(self.batch_records, self.value_bytes)
    }

    /// Producing this to a topic, with acks=all, until so many bytes of batches are sent.
    pub(super) fn producing(&self, topic: &str, bytes: u64) -> Result<ProduceLoad, Problem> {
        let batch = self.batch()?;
        let request_bytes = (batch.len() as u64).saturating_mul(self.batches_per_request as u64).max(1);
        Ok(ProduceLoad {
            topic: topic.to_owned(),
            partitions: self.partitions,
            batch,
            batches_per_request: self.batches_per_request,
            connections: self.connections,
            in_flight: IN_FLIGHT,
            acks: -1,
            threads: 1,
            until: Until::Count(bytes.max(1).div_ceil(request_bytes)),
        })
    }

    /// Consuming this from a topic again and again, up to where each partition ends, until so many bytes are there.
    pub(super) fn consuming(&self, topic: &str, end: i64, bytes: u64) -> Result<ConsumeLoad, Problem> {
        Ok(ConsumeLoad {
            topic: topic.to_owned(),
            partitions: self.partitions,
            connections: self.connections,
            all_each: false,
            sessions: true,
            limits: LIMITS,
            batch_bytes: self.batch()?.len(),
            batch_records: self.batch_records,
            end: Some(end),
            threads: 1,
            until: Until::Count(bytes),
        })
    }

    /// Consuming all that a load produces once, while it is produced or afterwards.
    pub(super) fn consuming_once(&self, produced: &ProduceLoad) -> Result<ConsumeLoad, Problem> {
        let Until::Count(requests) = produced.until else {
            return Err(Problem::new("what is produced for a time has no size"));
        };
        let batches = requests.saturating_mul(produced.batches_per_request as u64);
        let bytes = batches.saturating_mul(produced.batch.len() as u64);
        let load = self.consuming(&produced.topic, 0, bytes)?;
        // A connection has at least one partition.
        let partitions = usize::try_from(self.partitions).doing("count partitions")?;
        let connections = self.connections.min(partitions);
        let limits = FetchLimits { wait_ms: LAST_WAIT_MS, ..LIMITS };
        Ok(ConsumeLoad { end: None, limits, connections, ..load })
    }
}

/// The shape of this name.
pub(super) fn named<'a>(shapes: &'a [Shape], name: &str) -> Result<&'a Shape, Problem> {
    let found = shapes.iter().find(|shape| shape.name == name);
    found.ok_or_else(|| Problem::new(format!("there is no point {name:?}")))
}

/// Fills a topic with so many bytes, evenly, and gives its name and where each partition ends.
pub(super) fn fill(stage: &mut Stage, shape: &Shape, bytes: u64) -> Result<(String, i64), Problem> {
    let topic = stage.topic(shape.partitions, &[])?;
    let partitions = u64::from(shape.partitions.unsigned_abs());
    let batches = bytes.div_ceil(shape.batch()?.len() as u64).div_ceil(partitions);
    if stage.is_broker() {
        // One connection, so that all partitions get as many batches.
        let load = Shape { connections: 1, batches_per_request: 1, ..*shape }.producing(&topic, bytes)?;
        let until = Until::Count(batches.saturating_mul(partitions));
        produce(&stage.address(), &ProduceLoad { until, ..load })?;
    }
    let end = i64::try_from(batches).doing("count records")?.saturating_mul(shape.batch_records.into());
    Ok((topic, end))
}
