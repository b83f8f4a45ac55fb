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

fn ask(address: &str, shape: &CommitShape) -> Result<(), Problem> {
    let mut connection = Connection::open(address)?;
    let key = StrBytes::from_string(CommitShape::group(0));
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![key]);
    let response = connection.call(FIND_COORDINATOR_VERSION, &request)?;
    check(response.coordinators.iter().map(|found| found.error_code), 1, "FindCoordinator")?;
    committed_of(&mut connection, shape, 0).map(drop)
}
