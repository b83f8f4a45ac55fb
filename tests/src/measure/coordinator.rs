//! Waits until a broker coordinates groups.

use std::time::Duration;

use kafka_protocol::messages::FindCoordinatorRequest;
use kafka_protocol::protocol::StrBytes;

use super::commits::{CommitShape, committed_of};
use super::connection::Connection;
use super::topics::{check, repeat};
use crate::broker::Broker;
use crate::problem::Problem;

const FIND_COORDINATOR_VERSION: i16 = 4;

/// Groups that fall, by the hashes of their names, into every one of 50 partitions of the offsets log.
const GROUPS_OF_ALL_COORDINATORS: u32 = 500;

/// Asks for the coordinator of the shape's first group, which makes `__consumer_offsets` where it is missing, and then
/// for what that group has committed, until both are answered: the coordinator has read its log then. Gives the time
/// since the broker's exec.
///
/// # Errors
/// The broker ended, or does not answer within the limit of its start.
pub fn wait_for_coordinator(broker: &mut Broker, shape: &CommitShape) -> Result<Duration, Problem> {
    let address = broker.address();
    repeat(broker, || ask(&address, shape))
}

/// Does the same for so many groups of the shape that they meet every coordinator.
///
/// # Errors
/// As [`wait_for_coordinator`].
pub fn wait_for_all_coordinators(broker: &mut Broker, shape: &CommitShape) -> Result<Duration, Problem> {
    wait_for_coordinator(broker, shape)?;
    let mut connection = Connection::open(&broker.address())?;
    let mut took = broker.started().at.elapsed();
    for group in 0..shape.groups.min(GROUPS_OF_ALL_COORDINATORS) {
        took = repeat(broker, || committed_of(&mut connection, shape, group).map(drop))?;
    }
    Ok(took)
}

fn ask(address: &str, shape: &CommitShape) -> Result<(), Problem> {
    let mut connection = Connection::open(address)?;
    let key = StrBytes::from_string(CommitShape::group(0));
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![key]);
    let response = connection.call(FIND_COORDINATOR_VERSION, &request)?;
    check(response.coordinators.iter().map(|found| found.error_code), 1, "FindCoordinator")?;
    committed_of(&mut connection, shape, 0).map(drop)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn so_many_groups_meet_every_coordinator() {
        // As Java hashes text.
        let hash = |text: &str| {
            text.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
        };
        let partition = |group| (hash(&CommitShape::group(group)) & i32::MAX) % 50;
        let met: BTreeSet<i32> = (0..GROUPS_OF_ALL_COORDINATORS).map(partition).collect();
        assert_eq!(met.len(), 50);
    }
}
