//! `bench-versus load`: the lean load alone, for whoever has a broker to look at.

#![allow(clippy::print_stdout, reason = "what came of it is what the command is for")]

use std::time::Duration;

use clap::{Args, Subcommand};
use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::protocol::StrBytes;
use ottla_tests::measure::{Connection, Usage, batch_of};
use ottla_tests::problem::Problem;

use crate::lean::{ConsumeLoad, FetchLimits, ProduceLoad, Until, consume, produce};

const CREATE_TOPICS_VERSION: i16 = 7;
const CREATE_LIMIT_MS: i32 = 60_000;
/// The error code of a topic that is there already.
const TOPIC_EXISTS: i16 = 36;

#[derive(Debug, Args)]
pub(super) struct Load {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Produces the same batches again and again
    Produce(Produce),
    /// Fetches what `produce` with the same shape has produced, again and again, from 0 on
    Fetch(Fetch),
}

/// What both directions have.
#[derive(Debug, Args)]
struct Shape {
    /// Where the broker listens
    #[arg(long, global = true, default_value = "127.0.0.1:9092")]
    address: String,
    /// The topic, made where it is missing
    #[arg(long, global = true, default_value = "bench")]
    topic: String,
    /// Its partitions
    #[arg(long, global = true, default_value_t = 1)]
    partitions: i32,
    /// Bytes of a record's value
    #[arg(long, global = true, default_value_t = 1000)]
    value_bytes: usize,
    /// Records in a batch
    #[arg(long, global = true, default_value_t = 16)]
    batch_records: u32,
    /// How many connections
    #[arg(long, global = true, default_value_t = 1)]
    connections: usize,
    /// Threads that the connections are spread over
    #[arg(long, global = true, default_value_t = 1)]
    threads: usize,
    /// When the load ends, in megabytes of batches
    #[arg(long, global = true, default_value_t = 1000)]
    megabytes: u64,
    /// The process id of the broker, to tell what the load cost it
    #[arg(long, global = true)]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct Produce {
    /// Requests under way on each connection
    #[arg(long, default_value_t = 5)]
    in_flight: usize,
    /// How many partitions a request has a batch for
    #[arg(long, default_value_t = 1)]
    batches_per_request: usize,
    /// -1, 1 or 0
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    acks: i16,
}

#[derive(Debug, Args)]
struct Fetch {
    /// Bytes that a fetch asks of one partition
    #[arg(long, default_value_t = 1 << 20)]
    partition_bytes: i32,
    /// Bytes that a fetch asks for
    #[arg(long, default_value_t = 50 << 20)]
    bytes: i32,
    /// Uses fetch sessions
    #[arg(long)]
    sessions: bool,
    /// Every connection fetches all partitions, not only its share
    #[arg(long)]
    all_each: bool,
    /// The records that each partition has
    #[arg(long)]
    end: i64,
}

impl Load {
    pub(super) fn run(&self) -> Result<(), Problem> {
        let shape = &self.shape;
        let before = shape.pid.map(Usage::of_process).transpose()?;
        let (bytes, took, more) = match &self.what {
            What::Produce(load) => load.run(shape)?,
            What::Fetch(load) => load.run(shape)?,
        };
        let rate = bytes as f64 / 1e6 / took.as_secs_f64();
        println!("{bytes} bytes in {:.2} s, {rate:.0} MB/s; {more}", took.as_secs_f64());
        if let (Some(before), Some(id)) = (before, shape.pid) {
            let used = Usage::of_process(id)?.since(&before);
            let per_gigabyte = 1e9 / bytes as f64;
            println!(
                "broker: {:.3} s of CPU a GB (user {:.3}, system {:.3}), {:.0} reads and writes, {:.0} switches",
                used.cpu_seconds() * per_gigabyte,
                used.user_seconds * per_gigabyte,
                used.system_seconds * per_gigabyte,
                used.reads_and_writes as f64 * per_gigabyte,
                used.context_switches as f64 * per_gigabyte,
            );
        }
        Ok(())
    }
}

impl Shape {
    fn make_topic(&self) -> Result<(), Problem> {
        let topic = CreatableTopic::default()
            .with_name(StrBytes::from_string(self.topic.clone()).into())
            .with_num_partitions(self.partitions)
            .with_replication_factor(1);
        let request =
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(CREATE_LIMIT_MS);
        let response = Connection::open(&self.address)?.call(CREATE_TOPICS_VERSION, &request)?;
        match response.topics.first().map(|topic| topic.error_code) {
            Some(0 | TOPIC_EXISTS) => Ok(()),
            code => Err(Problem::new(format!("the topic could not be made: {code:?}"))),
        }
    }
}

impl Produce {
    fn run(&self, shape: &Shape) -> Result<(u64, Duration, String), Problem> {
        shape.make_topic()?;
        let batch = batch_of(shape.batch_records, shape.value_bytes)?;
        let request_bytes = (batch.len() as u64).saturating_mul(self.batches_per_request as u64).max(1);
        let load = ProduceLoad {
            topic: shape.topic.clone(),
            partitions: shape.partitions,
            batch,
            batches_per_request: self.batches_per_request,
            connections: shape.connections,
            in_flight: self.in_flight,
            acks: self.acks,
            threads: shape.threads,
            until: Until::Count(shape.megabytes.saturating_mul(1_000_000).div_ceil(request_bytes)),
        };
        let produced = produce(&shape.address, &load)?;
        let (p50, p99) = (produced.latency.at(0.5), produced.latency.at(0.99));
        let text = format!("{} requests, p50 {p50:.3} ms, p99 {p99:.3} ms", produced.requests);
        Ok((produced.bytes, produced.took, text))
    }
}

impl Fetch {
    fn run(&self, shape: &Shape) -> Result<(u64, Duration, String), Problem> {
        let batch = batch_of(shape.batch_records, shape.value_bytes)?;
        let load = ConsumeLoad {
            topic: shape.topic.clone(),
            partitions: shape.partitions,
            connections: shape.connections,
            all_each: self.all_each,
            sessions: self.sessions,
            limits: FetchLimits {
                bytes_max: self.bytes,
                partition_bytes_max: self.partition_bytes,
                bytes_min: 1,
                wait_ms: 500,
            },
            batch_bytes: batch.len(),
            batch_records: shape.batch_records,
            end: Some(self.end),
            threads: shape.threads,
            until: Until::Count(shape.megabytes.saturating_mul(1_000_000)),
        };
        let consumed = consume(&shape.address, &load)?;
        Ok((consumed.bytes, consumed.took, format!("{} answers", consumed.answers)))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn topics_that_exist_are_told_apart() {
        assert_eq!(super::TOPIC_EXISTS, kafka_protocol::error::ResponseError::TopicAlreadyExists.code());
    }
}
