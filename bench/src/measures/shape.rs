//! The records, batches and partitions that produce and fetch share.

use bytes::Bytes;
use ottla_tests::measure::batch_of;
use ottla_tests::problem::Problem;

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

/// Requests under way on a connection, as Java's producer has them.
pub(super) const IN_FLIGHT: usize = 5;

impl Shape {
    pub(super) fn batch(&self) -> Result<Bytes, Problem> {
        batch_of(self.batch_records, self.value_bytes)
    }
}

/// The shape of this name.
pub(super) fn named<'a>(shapes: &'a [Shape], name: &str) -> Result<&'a Shape, Problem> {
    let found = shapes.iter().find(|shape| shape.name == name);
    found.ok_or_else(|| Problem::new(format!("there is no point {name:?}")))
}
