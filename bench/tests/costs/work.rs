//! A load of so many requests of each kind, each sent when the one before is answered.

use ottla_bench::lean::{ConsumeLoad, FetchLimits, ProduceLoad, Until, consume, produce};
use ottla_tests::broker::Broker;
use ottla_tests::measure::{
    CommitShape, Committer, Connection, LoneMember, NewTopic, batch_of, commit_times, create_topics,
    wait_for_coordinator,
};
use ottla_tests::problem::Problem;

const TOPIC: &str = "costs";
const GROUP: &str = "readers";
/// A batch as stock producers fill it: `batch.size` is 16 KiB.
const BATCH_RECORDS: u32 = 16;
const VALUE_BYTES: usize = 1000;

/// How many requests of each kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Work {
    /// A batch each, with acks=all.
    pub(crate) produces: u64,
    /// Answered with a batch each, in a session.
    pub(crate) fetches: u64,
    /// One offset each, of the only member of a classic group.
    pub(crate) commits: u64,
}

impl Work {
    pub(crate) fn give(self, broker: &mut Broker) -> Result<(), Problem> {
        create_topics(broker, &[NewTopic { name: TOPIC.to_owned(), partitions: 1, settings: Vec::new() }])?;
        let address = broker.address();
        self.produce(&address)?;
        self.fetch(&address)?;
        self.commit(broker)
    }

    fn produce(self, address: &str) -> Result<(), Problem> {
        let load = ProduceLoad {
            topic: TOPIC.to_owned(),
            partitions: 1,
            batch: batch_of(BATCH_RECORDS, VALUE_BYTES)?,
            batches_per_request: 1,
            connections: 1,
            in_flight: 1,
            acks: -1,
            threads: 1,
            until: Until::Count(self.produces),
        };
        let done = produce(address, &load)?.requests;
        check("produced", done, self.produces)
    }

    fn fetch(self, address: &str) -> Result<(), Problem> {
        let batch_bytes = batch_of(BATCH_RECORDS, VALUE_BYTES)?.len();
        let limit = i32::try_from(batch_bytes).unwrap_or(i32::MAX);
        let records = self.produces.saturating_mul(BATCH_RECORDS.into());
        let load = ConsumeLoad {
            topic: TOPIC.to_owned(),
            partitions: 1,
            connections: 1,
            all_each: false,
            sessions: true,
            limits: FetchLimits { bytes_max: limit, partition_bytes_max: limit, bytes_min: 1, wait_ms: 500 },
            batch_bytes,
            batch_records: BATCH_RECORDS,
            end: i64::try_from(records).ok(),
            threads: 1,
            until: Until::Count(self.fetches.saturating_mul(batch_bytes as u64)),
        };
        let done = consume(address, &load)?.answers;
        check("fetched", done, self.fetches)
    }

    fn commit(self, broker: &mut Broker) -> Result<(), Problem> {
        let topic = TOPIC.to_owned();
        let (groups, rounds, first_round) = (1, 1, 0);
        let shape =
            CommitShape { topic, partitions: 1, partitions_per_request: 1, groups, rounds, first_round };
        wait_for_coordinator(broker, &shape)?;
        let address = broker.address();
        let member = LoneMember::join(&mut Connection::open(&address)?, GROUP)?;
        let mut committer = Committer::connect(&address, &member, TOPIC, i64::MAX)?;
        commit_times(&mut committer, self.commits)
    }
}

fn check(what: &str, done: u64, asked: u64) -> Result<(), Problem> {
    if done == asked {
        return Ok(());
    }
    Err(Problem::new(format!("{done} batches were {what}, where {asked} had to be")))
}
