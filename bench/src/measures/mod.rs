//! What is measured: one file for each.

mod both;
mod fetch;
mod measure;
mod produce;
mod shape;

pub use measure::{Better, Measure, Quantity};

/// All measures, in the order of tables.
pub const ALL: [&dyn Measure; 3] = [&produce::Produce, &fetch::Fetch, &both::Both];

/// The measure of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Measure> {
    ALL.into_iter().find(|measure| measure.name() == name)
}
