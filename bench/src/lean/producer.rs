//! Produces as fast as the broker takes it: the same batches again and again, so many requests under way on each
//! connection.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ottla_tests::problem::{Doing, Problem};

use super::actor::{Actor, Progress, connect, read_some, run, write_some};
use super::budget::{Budget, Until};
use super::histogram::Histogram;
use super::produce_frame::{ProduceFrame, check_produced};
use super::threads::spread;
use super::wire::LENGTH_BYTES;

const RECEIVE_BYTES: usize = 64 << 10;

/// What is produced, and how.
#[derive(Debug, Clone)]
pub struct ProduceLoad {
    /// The topic, which exists.
    pub topic: String,
    /// Its partitions that get batches, from 0 on, in turn.
    pub partitions: i32,
    /// One batch of producer id -1; the same for all.
    pub batch: Bytes,
    /// How many partitions a request has a batch for.
    pub batches_per_request: usize,
    /// How many connections.
    pub connections: usize,
    /// Requests under way on each.
    pub in_flight: usize,
    /// -1, 1 or 0, as Apache Kafka's producers mean it.
    pub acks: i16,
    /// Threads that the connections are spread over.
    pub threads: usize,
    /// When it ends, in requests.
    pub until: Until,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Produced {
    /// Acknowledged requests; those that were sent where there are no acknowledgements.
    pub requests: u64,
    /// Bytes of batches in them.
    pub bytes: u64,
    /// From the first connection until the last acknowledgement.
    pub took: Duration,
    /// From the sending of each request until its acknowledgement.
    pub latency: Histogram,
}

/// Produces.
///
/// # Errors
/// A batch is refused, or a connection is lost.
pub fn produce(address: &str, load: &ProduceLoad) -> Result<Produced, Problem> {
    let began = Instant::now();
    let budget = Budget::new(load.until);
    let tallies =
        spread(load.connections, load.threads, |numbers| produce_part(address, load, &budget, numbers))?;
    let mut total = Tally::default();
    for tally in tallies {
        total.requests = total.requests.saturating_add(tally.requests);
        total.latency.add_all(&tally.latency);
    }
    let bytes_per_request = (load.batch.len() as u64).saturating_mul(load.batches_per_request as u64);
    Ok(Produced {
        requests: total.requests,
        bytes: total.requests.saturating_mul(bytes_per_request),
        took: began.elapsed(),
        latency: total.latency,
    })
}

/// What a thread came to.
#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    latency: Histogram,
}

fn produce_part(
    address: &str,
    load: &ProduceLoad,
    budget: &Budget,
    numbers: impl Iterator<Item = usize>,
) -> Result<Tally, Problem> {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let mut producers: Vec<Box<dyn Actor + '_>> = Vec::new();
    for number in numbers {
        producers.push(Box::new(Producer::new(address, load, number, budget, Rc::clone(&tally))?));
    }
    run(&mut producers)?;
    drop(producers);
    Ok(tally.take())
}

struct Producer<'a> {
    stream: TcpStream,
    frame: ProduceFrame,
    /// How much of the frame is sent; all of it while there is nothing to send.
    sent_bytes: usize,
    correlation: i32,
    /// When the requests without an answer were sent, and with which id.
    under_way: VecDeque<(i32, Instant)>,
    in_flight: usize,
    is_answered: bool,
    partitions: i32,
    next_partition: i32,
    indexes: Vec<i32>,
    received: Vec<u8>,
    received_bytes: usize,
    budget: &'a Budget,
    tally: Rc<RefCell<Tally>>,
}

impl<'a> Producer<'a> {
    fn new(
        address: &str,
        load: &ProduceLoad,
        number: usize,
        budget: &'a Budget,
        tally: Rc<RefCell<Tally>>,
    ) -> Result<Self, Problem> {
        let frame = ProduceFrame::new(&load.topic, load.acks, &load.batch, load.batches_per_request)?;
        // Connections begin at different partitions.
        let first = number.saturating_mul(load.batches_per_request);
        let first = i32::try_from(first).doing("count partitions")?;
        Ok(Self {
            stream: connect(address)?,
            sent_bytes: frame.bytes().len(),
            received: vec![0; RECEIVE_BYTES.max(frame.answer_bytes().saturating_mul(2))],
            frame,
            correlation: 0,
            under_way: VecDeque::new(),
            in_flight: load.in_flight.max(1),
            is_answered: load.acks != 0,
            partitions: load.partitions.max(1),
            next_partition: first.checked_rem(load.partitions).unwrap_or_default(),
            indexes: Vec::with_capacity(load.batches_per_request),
            received_bytes: 0,
            budget,
            tally,
        })
    }

    /// Sends what is to be sent; true when it has sent all that it may for now.
    fn send(&mut self) -> Result<bool, Problem> {
        loop {
            let rest = self.frame.bytes().get(self.sent_bytes..).unwrap_or_default();
            if !rest.is_empty() {
                let count = write_some(&self.stream, rest)?;
                self.sent_bytes = self.sent_bytes.saturating_add(count);
                if count == 0 {
                    return Ok(false);
                }
                continue;
            }
            if self.under_way.len() >= self.in_flight || !self.budget.take(1) {
                return Ok(true);
            }
            self.begin()?;
        }
    }

    fn begin(&mut self) -> Result<(), Problem> {
        self.correlation = self.correlation.wrapping_add(1);
        self.indexes.clear();
        for _ in 0..self.indexes.capacity() {
            self.indexes.push(self.next_partition);
            let next = self.next_partition.saturating_add(1);
            self.next_partition = if next >= self.partitions { 0 } else { next };
        }
        self.frame.fill(self.correlation, &self.indexes)?;
        self.sent_bytes = 0;
        if self.is_answered {
            self.under_way.push_back((self.correlation, Instant::now()));
        } else {
            let mut tally = self.tally.borrow_mut();
            tally.requests = tally.requests.saturating_add(1);
        }
        Ok(())
    }

    /// Takes the answers that are there; true when there was one.
    fn receive(&mut self) -> Result<bool, Problem> {
        let mut found = false;
        while let Some(room) = self.received.get_mut(self.received_bytes..) {
            let full = room.len();
            let Some(count) = read_some(&self.stream, room)? else { break };
            self.received_bytes = self.received_bytes.saturating_add(count);
            found |= self.take_answers()?;
            if count < full {
                break;
            }
        }
        Ok(found)
    }

    fn take_answers(&mut self) -> Result<bool, Problem> {
        let mut taken = 0_usize;
        let now = Instant::now();
        let mut tally = self.tally.borrow_mut();
        let received = self.received.get(..self.received_bytes).unwrap_or_default();
        while let Some(frame) = first_frame(received.get(taken..).unwrap_or_default()) {
            let Some((correlation, sent)) = self.under_way.pop_front() else {
                return Err(Problem::new("an answer came that nothing had asked for"));
            };
            check_produced(frame, correlation)?;
            tally.latency.add(now.saturating_duration_since(sent));
            tally.requests = tally.requests.saturating_add(1);
            taken = taken.saturating_add(frame.len());
        }
        self.received.copy_within(taken..self.received_bytes, 0);
        self.received_bytes = self.received_bytes.saturating_sub(taken);
        Ok(taken > 0)
    }
}

/// The frame that these bytes begin with, when all of it is there.
pub(super) fn first_frame(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?);
    bytes.get(..usize::try_from(length).ok()?.saturating_add(LENGTH_BYTES))
}

impl Actor for Producer<'_> {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn turn(&mut self) -> Result<Progress, Problem> {
        loop {
            let is_idle = self.send()?;
            if !self.receive()? {
                let is_done = is_idle && self.under_way.is_empty() && self.budget.is_spent();
                return Ok(if is_done { Progress::Done } else { Progress::Waits });
            }
        }
    }
}
