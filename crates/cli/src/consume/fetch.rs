//! Fetches from the leaders of partitions, and writes what comes.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{ApiKey, FetchRequest, FetchResponse};
use ottla_model::ErrorCode;

use super::batch::Batches;
use super::output::Output;
use super::start::{Leaders, look_up};
use super::{Go, Incoming};
use crate::client::{Cluster, EARLIEST, Leader, Place, Problem, concerns_leader, list_offsets, topic_name};
use crate::patience::Patience;
use crate::progress::Progress;

/// How long a broker waits for records, in milliseconds: when it is the only one, and when others are waited for too.
const WAIT_MS_ALONE: i32 = 500;
const WAIT_MS_AMONG_OTHERS: i32 = 100;

/// Most bytes of an answer, and of one partition in it. A single batch that is larger still comes whole.
const ANSWER_BYTES_MAX: i32 = 16 * 1024 * 1024;
const PARTITION_BYTES_MAX: i32 = 4 * 1024 * 1024;

/// How long a partition may be unreadable for reasons that may pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// A partition that is read.
#[derive(Debug, Clone)]
struct Reading {
    topic: Arc<str>,
    leader: Leader,
    /// The next offset to be written.
    position: i64,
    /// The offset not to be written any more.
    end: Option<i64>,
}

impl Reading {
    fn is_at_end(&self) -> bool {
        self.end.is_some_and(|end| self.position >= end)
    }
}

/// Reads partitions.
pub(super) struct Fetcher {
    partitions: BTreeMap<Place, Reading>,
    read_committed: bool,
    patience: Patience,
    /// How often it has fetched, by which partitions take turns to be asked for first.
    rounds: usize,
}

impl Fetcher {
    /// Reads these partitions from `begins` up to before `ends`, where there are any.
    pub(super) fn new(
        leaders: &Leaders,
        begins: &BTreeMap<Place, i64>,
        ends: &BTreeMap<Place, i64>,
        read_committed: bool,
    ) -> Self {
        let reading = |(place, position): (&Place, &i64)| {
            let leader = *leaders.get(place)?;
            let end = ends.get(place).copied();
            Some((place.clone(), Reading { topic: Arc::from(&*place.0), leader, position: *position, end }))
        };
        let partitions = begins.iter().filter_map(reading).collect();
        Self { partitions, read_committed, patience: Patience::new(PATIENCE), rounds: 0 }
    }

    /// True when every partition is read to where it shall be; never when one has no end.
    pub(super) fn is_at_end(&self) -> bool {
        self.partitions.values().all(Reading::is_at_end)
    }

    /// The next offset of every partition.
    pub(super) fn positions(&self) -> BTreeMap<Place, i64> {
        self.partitions.iter().map(|(place, reading)| (place.clone(), reading.position)).collect()
    }

    /// Asks every leader once, writes what comes, and flushes it.
    pub(super) fn round(
        &mut self,
        cluster: &mut Cluster,
        output: &mut Output<'_>,
    ) -> Result<Go, Box<dyn Error>> {
        let mut setback = None;
        let mut go = Go::On;
        for (node, outcome) in self.exchange(cluster) {
            match outcome {
                Ok(answer) => {
                    let taken = self.take(cluster, answer, output, &mut setback)?;
                    go = if taken == Go::Ended { Go::Ended } else { go };
                }
                Err(problem) => {
                    cluster.forget(node);
                    setback = Some(problem);
                }
            }
        }
        if output.flush()? == Go::Ended {
            go = Go::Ended;
        }
        match setback {
            Some(problem) if go == Go::On => self.recover(cluster, problem, output.progress())?,
            Some(_) => {}
            None => self.patience = Patience::new(PATIENCE),
        }
        Ok(go)
    }

    /// Sends a request to every leader before the first answer is waited for.
    fn exchange(&mut self, cluster: &mut Cluster) -> Vec<(i32, Result<FetchResponse, Problem>)> {
        let mut by_node: BTreeMap<i32, Vec<(&Place, &Reading)>> = BTreeMap::new();
        for (place, reading) in self.partitions.iter().filter(|(_, reading)| !reading.is_at_end()) {
            by_node.entry(reading.leader.node).or_default().push((place, reading));
        }
        let wait_ms = if by_node.len() > 1 { WAIT_MS_AMONG_OTHERS } else { WAIT_MS_ALONE };
        let (mut posted, mut outcomes) = (Vec::new(), Vec::new());
        for (node, mut partitions) in by_node {
            // Who is asked for first is served first; so that none starves, they take turns.
            let turn = self.rounds.checked_rem(partitions.len()).unwrap_or_default();
            partitions.rotate_left(turn);
            let request = request(&partitions, wait_ms, self.read_committed);
            match cluster.node(node).and_then(|connection| connection.post(&request)) {
                Ok(sent) => posted.push((node, sent)),
                Err(problem) => outcomes.push((node, Err(problem))),
            }
        }
        for (node, sent) in posted {
            let answer = cluster.node(node).and_then(|connection| connection.receive::<FetchRequest>(sent));
            outcomes.push((node, answer));
        }
        self.rounds = self.rounds.wrapping_add(1);
        outcomes
    }

    fn take(
        &mut self,
        cluster: &mut Cluster,
        answer: FetchResponse,
        output: &mut Output<'_>,
        setback: &mut Option<Problem>,
    ) -> Result<Go, Box<dyn Error>> {
        if answer.error_code != 0 {
            *setback = Some(Problem::refused("the records cannot be read", answer.error_code, None));
            return Ok(Go::On);
        }
        for topic in answer.responses {
            for data in topic.partitions {
                let place = (topic.topic.to_string(), data.partition_index);
                let Some(reading) = self.partitions.get_mut(&place) else { continue };
                let asked = format!("{}-{} cannot be read", place.0, place.1);
                match ErrorCode::from_code(data.error_code) {
                    Some(ErrorCode::None) => {
                        let written = write(&place, reading, data, output);
                        if written.map_err(|error| told(&place, error))? == Go::Ended {
                            return Ok(Go::Ended);
                        }
                    }
                    Some(ErrorCode::OffsetOutOfRange) => skip(cluster, &place, reading, output)?,
                    _ => {
                        let problem = Problem::refused(&asked, data.error_code, None);
                        if !concerns_leader(data.error_code) && !problem.is_retriable() {
                            return Err(problem.into());
                        }
                        *setback = Some(problem);
                    }
                }
            }
        }
        Ok(Go::On)
    }

    /// Waits, and learns who the leaders are now.
    fn recover(
        &mut self,
        cluster: &mut Cluster,
        problem: Problem,
        progress: &Progress,
    ) -> Result<(), Problem> {
        self.patience.wait(problem, progress)?;
        let mut topics: Vec<String> = self.partitions.keys().map(|(topic, _)| topic.clone()).collect();
        topics.dedup();
        match look_up(cluster, &topics) {
            Ok(leaders) => {
                for (place, reading) in &mut self.partitions {
                    reading.leader = leaders.get(place).copied().unwrap_or(reading.leader);
                }
                Ok(())
            }
            Err(problem) => self.patience.wait(problem, progress),
        }
    }
}

fn request(partitions: &[(&Place, &Reading)], wait_ms: i32, read_committed: bool) -> FetchRequest {
    // Kafka takes a topic several times, so that the order stays what it is.
    let topic = |((name, index), reading): &(&Place, &Reading)| {
        let partition = FetchPartition::default()
            .with_partition(*index)
            .with_current_leader_epoch(reading.leader.epoch)
            .with_fetch_offset(reading.position)
            .with_partition_max_bytes(PARTITION_BYTES_MAX);
        FetchTopic::default().with_topic(topic_name(name)).with_partitions(vec![partition])
    };
    FetchRequest::default()
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(ANSWER_BYTES_MAX)
        .with_isolation_level(i8::from(read_committed))
        .with_topics(partitions.iter().map(topic).collect())
}

/// Writes the records of a partition, and moves its position behind what was written.
fn write(
    place: &Place,
    reading: &mut Reading,
    data: PartitionData,
    output: &mut Output<'_>,
) -> Result<Go, Box<dyn Error>> {
    let aborted = data.aborted_transactions.unwrap_or_default();
    let mut batches = Batches::new(data.records.unwrap_or_default(), &aborted);
    while let Some(batch) = batches.next()? {
        for record in batch.records {
            if record.offset < reading.position {
                continue;
            }
            if reading.end.is_some_and(|end| record.offset >= end) {
                reading.position = record.offset;
                return Ok(Go::On);
            }
            let next = record.offset.saturating_add(1);
            let topic = Arc::clone(&reading.topic);
            let incoming =
                Incoming { topic, partition: place.1, log_append_time: batch.log_append_time, record };
            let go = output.write(&incoming)?;
            if !output.is_closed() {
                reading.position = next;
            }
            if go == Go::Ended {
                return Ok(Go::Ended);
            }
        }
        reading.position = reading.position.max(batch.next_offset);
    }
    Ok(Go::On)
}

/// Goes on where the partition begins now: what was to be read next is gone, since it was too old.
fn skip(
    cluster: &mut Cluster,
    place: &Place,
    reading: &mut Reading,
    output: &Output<'_>,
) -> Result<(), Problem> {
    let wanted = BTreeMap::from([(place.clone(), (reading.leader, EARLIEST))]);
    let start = list_offsets(cluster, &wanted, false)?.get(place).copied().unwrap_or_default();
    let ((topic, index), position) = (place, reading.position);
    if start <= position {
        let text = format!("{topic}-{index} has no offset {position} any more: it lost records at its end");
        return Err(Problem::Other(text));
    }
    output
        .tell(&format!("{topic}-{index}: offsets {position} to {} are gone; going on at {start}", start - 1));
    reading.position = start;
    Ok(())
}

fn told(place: &Place, error: Box<dyn Error>) -> Box<dyn Error> {
    format!("{}-{}: {error}", place.0, place.1).into()
}

/// Whether a broker can be asked at all: what it serves is checked before anything is read.
pub(super) fn check(cluster: &mut Cluster) -> Result<(), Problem> {
    let connection = cluster.any()?;
    if connection.serves(ApiKey::Fetch, 4) {
        return Ok(());
    }
    Err(Problem::Other("the broker is older than Kafka 0.11, with which ottla cannot speak".to_owned()))
}
