//! How soon a broker is of use.

use std::time::Duration;

use super::fill::{Fill, Shape, fill};
use crate::broker::Broker;
use crate::problem::Problem;

/// What the first producer needs.
const FIRST: Shape = Shape { topics: 1, partitions_per_topic: 1, records_per_batch: 1, value_bytes: 5 };

/// The time from the exec of a broker that has just started until a first record is acknowledged. The topic is made before
/// the record, which is part of the time.
///
/// # Errors
/// The topic or the record is refused.
pub fn first_record(broker: &mut Broker) -> Result<Duration, Problem> {
    FIRST.create(broker)?;
    fill(&broker.address(), &mut Fill::new(FIRST), 1)?;
    Ok(broker.started().at.elapsed())
}
