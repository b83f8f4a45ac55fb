//! Produces at a steady rate, whatever the broker does, and notes how long each record takes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};

use super::batch::batch_of;
use super::connection::{Connection, Requests, Responses};
use super::latency::Sample;
use super::topics::{check, topic_name};
use crate::load::Gate;
use crate::problem::{Doing, Problem};

const PRODUCE_VERSION: i16 = 9;
const PRODUCE_LIMIT_MS: i32 = 30_000;

/// Bytes of a record's value.
const VALUE_BYTES: usize = 100;

/// A producer that runs: one record a request, acks=all, to partition 0 of a topic.
#[derive(Debug)]
pub struct Steady {
    gate: Arc<Gate>,
    sender: JoinHandle<Result<(), Problem>>,
    receiver: JoinHandle<Result<Vec<Sample>, Problem>>,
}

impl Steady {
    /// Begins to send so many records a second.
    ///
    /// # Errors
    /// There is no connection.
    pub fn begin(address: &str, topic: &str, per_second: u32) -> Result<Self, Problem> {
        let data = PartitionProduceData::default().with_records(Some(batch_of(1, VALUE_BYTES)?));
        let topic = TopicProduceData::default().with_name(topic_name(topic)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(PRODUCE_LIMIT_MS)
            .with_topic_data(vec![topic]);
        let (requests, responses) = Connection::open(address)?.split();
        let interval = Duration::from_secs(1).checked_div(per_second).unwrap_or(Duration::from_secs(1));
        let gate = Arc::new(Gate::default());
        let (sent, under_way) = channel();
        let until = Arc::clone(&gate);
        let sender = std::thread::spawn(move || send(requests, &request, interval, &until, &sent));
        let receiver = std::thread::spawn(move || receive(responses, &under_way));
        Ok(Self { gate, sender, receiver })
    }

    /// Stops, waits for the last responses and gives all latencies.
    ///
    /// # Errors
    /// A record was refused, or the connection was lost.
    pub fn end(self) -> Result<Vec<Sample>, Problem> {
        self.gate.close();
        let gone = || Problem::new("the steady producer ended by itself");
        self.sender.join().map_err(|_| gone())??;
        self.receiver.join().map_err(|_| gone())?
    }
}

fn send(
    mut requests: Requests,
    request: &ProduceRequest,
    interval: Duration,
    until: &Gate,
    sent: &Sender<Instant>,
) -> Result<(), Problem> {
    let mut due = Instant::now();
    while !until.is_closed() {
        let early = due.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            until.pause(early);
            continue;
        }
        sent.send(due).doing("tell of a request, since the connection is lost")?;
        requests.send(PRODUCE_VERSION, request)?;
        due += interval;
    }
    Ok(())
}

fn receive(mut responses: Responses, under_way: &Receiver<Instant>) -> Result<Vec<Sample>, Problem> {
    let mut samples = Vec::new();
    while let Ok(due) = under_way.recv() {
        let response = responses.receive::<ProduceRequest>(PRODUCE_VERSION)?;
        let took = due.elapsed();
        let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
        check(partitions.map(|partition| partition.error_code), 1, "Produce")?;
        samples.push(Sample { due, took });
    }
    Ok(samples)
}
