//! A producer without idempotence: acks 0, 1 or all by request, up to 5 requests in flight, and nothing is ever sent
//! twice. It also writes to the topics that come and go, by their ids.

use std::collections::VecDeque;
use std::mem::take;

use super::client::Client;
use super::connection::{Connection, Lost};
use super::produce::{BY_ID, BY_NAME, InFlight, Maker, Prepared, choose_partitions, give_up, post, settle};

const IN_FLIGHT_MAX: u64 = 5;
/// Rests between requests, in milliseconds.
const REST_MS: u64 = 8;
/// Once in so many requests nobody waits for an acknowledgement.
const ACKS_NONE_ONCE_IN: u64 = 50;
/// Once in so many requests a topic that comes and goes is written to.
const PASSING_ONCE_IN: u64 = 4;

pub(super) fn run(mut client: Client) {
    let mut maker = Maker::new(client.id);
    let mut in_flight = VecDeque::new();
    client.keep_connected(|client, connection| {
        let outcome = serve(client, connection, &mut maker, &mut in_flight);
        for flight in take(&mut in_flight) {
            give_up(client, &flight);
        }
        outcome
    });
}

fn serve(
    client: &mut Client,
    connection: &mut Connection,
    maker: &mut Maker,
    in_flight: &mut VecDeque<InFlight>,
) -> Result<(), Lost> {
    loop {
        let depth = 1 + client.random.below(IN_FLIGHT_MAX);
        while (in_flight.len() as u64) < depth && !client.is_stopped() {
            send(client, connection, maker, in_flight)?;
        }
        let Some(flight) = in_flight.pop_front() else { return Ok(()) };
        settle(client, connection, flight).map_err(|_| Lost)?;
        client.rest(REST_MS);
    }
}

fn send(
    client: &mut Client,
    connection: &mut Connection,
    maker: &mut Maker,
    in_flight: &mut VecDeque<InFlight>,
) -> Result<(), Lost> {
    let passing = client.random.once_in(PASSING_ONCE_IN);
    let topics = if passing { client.world.passing().clone() } else { client.world.stable.clone() };
    // A broker closes the connection when acks=0 fails, which a topic that goes would cause.
    let acks = match (passing, client.random.below(ACKS_NONE_ONCE_IN)) {
        (false, 0) => 0,
        (_, number) if number % 2 == 0 => 1,
        _ => -1,
    };
    let chosen = choose_partitions(&mut client.random, &topics);
    let batches: Vec<Prepared> = chosen
        .iter()
        .filter_map(|(topic, index)| maker.make(&mut client.random, (topic, *index), acks, |_| None))
        .collect();
    if batches.is_empty() {
        client.rest(REST_MS);
        return Ok(());
    }
    let version = if passing || client.random.once_in(2) { BY_ID } else { BY_NAME };
    let (flight, sent) = post(client, connection, version, batches);
    if acks == 0 {
        give_up(client, &flight);
    } else {
        in_flight.push_back(flight);
    }
    sent
}
