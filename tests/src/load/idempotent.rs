//! A producer with idempotence, acks=all and up to 5 requests in flight, as the Java client's `Sender` is by default:
//! what it has no answer to when the connection is lost it sends again, in the same order, with the same sequences.

use std::collections::{HashMap, VecDeque};
use std::mem::take;

use kafka_protocol::messages::{InitProducerIdRequest, ProducerId};

use super::client::Client;
use super::connection::{Connection, Lost};
use super::produce::{BY_ID, BY_NAME, InFlight, Maker, Prepared, choose_partitions, give_up, post, settle};
use crate::history::{Answer, Call, Partition, Sequence};

/// `max.in.flight.requests.per.connection`, the most that idempotence allows.
const IN_FLIGHT_MAX: u64 = 5;
const INIT_PRODUCER_ID_VERSION: i16 = 4;

/// Rests between requests, in milliseconds.
const REST_MS: u64 = 8;

/// Once in so many times with nothing in flight, the producer begins a new epoch, becomes a new producer, or sends what
/// the broker must refuse.
const NEW_EPOCH_ONCE_IN: u64 = 60;
const NEW_ID_ONCE_IN: u64 = 80;
const GAP_ONCE_IN: u64 = 40;
const STALE_ONCE_IN: u64 = 40;
/// How many sequence numbers a gap leaves out.
const GAP: i32 = 7;

const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;

/// Kafka's retriable errors of Produce.
const RETRIABLE: [i16; 9] = [2, 3, 5, 6, 7, 19, 20, 56, 100];

pub(super) fn run(mut client: Client) {
    let maker = Maker::new(client.id);
    let mut producer = Producer {
        maker,
        identity: None,
        sequences: HashMap::new(),
        again: VecDeque::new(),
        in_flight: VecDeque::new(),
    };
    client.keep_connected(|client, connection| {
        let outcome = producer.serve(client, connection);
        if outcome.is_err() {
            producer.take_back(client);
        }
        outcome
    });
}

struct Producer {
    maker: Maker,
    /// Producer id and epoch.
    identity: Option<(i64, i16)>,
    /// The next sequence number of each partition in this epoch.
    sequences: HashMap<Partition, i32>,
    /// Requests to be sent again before any new one.
    again: VecDeque<Vec<Prepared>>,
    in_flight: VecDeque<InFlight>,
}

impl Producer {
    fn serve(&mut self, client: &mut Client, connection: &mut Connection) -> Result<(), Lost> {
        loop {
            let (id, epoch) = match self.identity {
                Some(identity) => identity,
                None => self.become_new(client, connection)?,
            };
            let depth = 1 + client.random.below(IN_FLIGHT_MAX);
            while (self.in_flight.len() as u64) < depth {
                let request = match self.again.pop_front() {
                    Some(request) => request,
                    None if client.is_stopped() => break,
                    None => self.next_request(client, id, epoch),
                };
                self.send(client, connection, request)?;
            }
            if self.in_flight.is_empty() {
                return Ok(());
            }
            self.receive(client, connection)?;
            if self.in_flight.is_empty() && self.again.is_empty() && !client.is_stopped() {
                self.misbehave(client, connection, id, epoch)?;
            }
            client.rest(REST_MS);
        }
    }

    fn become_new(&mut self, client: &Client, connection: &mut Connection) -> Result<(i64, i16), Lost> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
            .with_transaction_timeout_ms(i32::MAX);
        let operation = client.invoke(Call::ProducerId);
        let response = client.or_unknown(operation, connection.call(INIT_PRODUCER_ID_VERSION, &request))?;
        if response.error_code != 0 {
            client.refused(operation, response.error_code);
            return Err(Lost);
        }
        client.ok(operation, Answer::ProducerId { id: response.producer_id.0 });
        let identity = (response.producer_id.0, response.producer_epoch);
        self.identity = Some(identity);
        self.sequences.clear();
        Ok(identity)
    }

    fn next_request(&mut self, client: &mut Client, id: i64, epoch: i16) -> Vec<Prepared> {
        let chosen = choose_partitions(&mut client.random, &client.world.stable);
        let mut batches = Vec::new();
        for (topic, index) in chosen {
            let next = self.sequences.entry(topic.partition(index)).or_insert(0);
            let sequence = |count: u32| {
                let sequence = Sequence { id, epoch, first: *next };
                *next = sequence.after(count);
                Some(sequence)
            };
            batches.extend(self.maker.make(&mut client.random, (&topic, index), -1, sequence));
        }
        batches
    }

    fn send(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        request: Vec<Prepared>,
    ) -> Result<(), Lost> {
        let version = if client.random.once_in(2) { BY_ID } else { BY_NAME };
        let (flight, sent) = post(client, connection, version, request);
        self.in_flight.push_back(flight);
        sent
    }

    /// Takes the next response. After an error all others are awaited too, and what failed is sent again or given up.
    fn receive(&mut self, client: &Client, connection: &mut Connection) -> Result<(), Lost> {
        let mut failed = Vec::new();
        while let Some(flight) = self.in_flight.pop_front() {
            let settled = match settle(client, connection, flight) {
                Ok(settled) => settled,
                Err(flight) => {
                    // In the order of the first time: what failed before it, itself, what was in flight behind it.
                    self.take_back(client);
                    self.again.push_front(flight.parts.into_iter().map(|(prepared, _)| prepared).collect());
                    self.put_back(failed);
                    return Err(Lost);
                }
            };
            failed
                .extend(settled.into_iter().filter_map(|(prepared, result)| Some((prepared, result.err()?))));
            if failed.is_empty() {
                return Ok(());
            }
        }
        self.resolve(failed);
        Ok(())
    }

    fn put_back(&mut self, failed: Vec<(Prepared, i16)>) {
        for (prepared, _) in failed.into_iter().rev() {
            self.again.push_front(vec![prepared]);
        }
    }

    /// Out of order is what every batch after a failed one of its partition is called, and goes away with its reason.
    fn resolve(&mut self, failed: Vec<(Prepared, i16)>) {
        let mut first_errors: HashMap<Partition, i16> = HashMap::new();
        let hopeless = failed.iter().any(|(prepared, error)| {
            let first = first_errors.insert(prepared.batch.partition, *error).is_none();
            !(RETRIABLE.contains(error) || *error == OUT_OF_ORDER_SEQUENCE_NUMBER && !first)
        });
        if hopeless {
            // None of it is ever sent again, so that what failed stays failed; a new epoch begins with new sequences.
            self.again.clear();
            self.new_epoch();
        } else {
            self.put_back(failed);
        }
    }

    fn new_epoch(&mut self) {
        self.identity = self.identity.and_then(|(id, epoch)| Some((id, epoch.checked_add(1)?)));
        self.sequences.clear();
    }

    /// Now and then, with nothing in flight: a new epoch, a new id, or a batch that must be refused.
    fn misbehave(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        id: i64,
        epoch: i16,
    ) -> Result<(), Lost> {
        if self.identity != Some((id, epoch)) {
            return Ok(());
        }
        if client.random.once_in(GAP_ONCE_IN) {
            return self.probe(client, connection, |next| Sequence {
                id,
                epoch,
                first: next.saturating_add(GAP),
            });
        }
        if epoch > 0 && client.random.once_in(STALE_ONCE_IN) {
            return self.probe(client, connection, |_| Sequence { id, epoch: epoch - 1, first: 0 });
        }
        if client.random.once_in(NEW_EPOCH_ONCE_IN) {
            self.new_epoch();
        } else if client.random.once_in(NEW_ID_ONCE_IN) {
            self.identity = None;
        }
        Ok(())
    }

    /// Sends a batch that the broker must refuse, to a partition that knows this epoch. It is never sent again.
    fn probe(
        &mut self,
        client: &mut Client,
        connection: &mut Connection,
        sequence: impl Fn(i32) -> Sequence,
    ) -> Result<(), Lost> {
        let Some((topic, index)) = choose_partitions(&mut client.random, &client.world.stable).pop() else {
            return Ok(());
        };
        // A compacted partition may have forgotten what it knew only when the producer is long gone; this one is not.
        let Some(next) = self.sequences.get(&topic.partition(index)).copied().filter(|next| *next > 0) else {
            return Ok(());
        };
        let sequence = |_| Some(sequence(next));
        let made = self.maker.make(&mut client.random, (&topic, index), -1, sequence);
        let (flight, sent) = post(client, connection, BY_NAME, made.into_iter().collect());
        if sent.is_err() {
            give_up(client, &flight);
            return sent;
        }
        settle(client, connection, flight).map(drop).map_err(|_| Lost)
    }

    /// The connection is lost: what is in flight has an unknown outcome and is sent again, before what waits already.
    fn take_back(&mut self, client: &Client) {
        for flight in take(&mut self.in_flight).into_iter().rev() {
            give_up(client, &flight);
            self.again.push_front(flight.parts.into_iter().map(|(prepared, _)| prepared).collect());
        }
    }
}
