//! What is measured: one file for each.

mod both;
mod commits;
mod connections;
mod fan_out;
mod fetch;
mod flush;
mod latency;
mod measure;
mod memory;
mod partitions;
mod produce;
mod recovery;
mod shape;
mod start;
mod stock;
mod topics;

pub use commits::commit_beside;
pub use measure::{Better, Measure, Quantity};

/// All measures, in the order of tables.
pub const ALL: [&dyn Measure; 14] = [
    &start::Start,
    &produce::Produce,
    &fetch::Fetch,
    &both::Both,
    &latency::Latency,
    &commits::Commits,
    &flush::Flush,
    &topics::Topics,
    &partitions::Partitions,
    &connections::Connections,
    &fan_out::FanOut,
    &memory::MemoryAfter,
    &recovery::Recovery,
    &stock::Stock,
];

/// The measure of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Measure> {
    ALL.into_iter().find(|measure| measure.name() == name)
}
