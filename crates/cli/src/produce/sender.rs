//! Sends records to the leaders of their partitions, until they are acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use kafka_protocol::messages::InitProducerIdRequest;
use kafka_protocol::messages::metadata_response::MetadataResponsePartition;
use ottla_log::Compression;
use ottla_model::ErrorCode;

use super::batches::{Batch, Producer, groups};
use super::delivery::{Answer, exchange};
use super::options::{Acks, Produce};
use super::{Outgoing, Written};
use crate::client::{Cluster, Leader, Problem, concerns_leader, is_retriable};
use crate::patience::Patience;
use crate::progress::Progress;

/// How long a topic may take to be created.
const TOPIC_PATIENCE: Duration = Duration::from_secs(5);

/// Sends records.
pub(super) struct Sender<'a> {
    cluster: Cluster,
    topic: String,
    acks: i16,
    compression: Compression,
    timeout: Duration,
    producer: Option<Producer>,
    /// Of the next record of each partition.
    sequences: BTreeMap<i32, i32>,
    leaders: BTreeMap<i32, Leader>,
    partition_count: i32,
    written: BTreeMap<i32, Written>,
    bytes: u64,
    progress: &'a Progress,
}

/// What is left to do for a partition: the batch that is on its way, and the records behind it.
#[derive(Debug, Default)]
struct Queue {
    sending: Option<Batch>,
    waiting: VecDeque<Vec<Outgoing>>,
}

impl<'a> Sender<'a> {
    /// Finds the topic, and asks for a producer id when everything is to be acknowledged.
    pub(super) fn begin(
        cluster: Cluster,
        options: &Produce,
        progress: &'a Progress,
    ) -> Result<Self, Problem> {
        let mut sender = Self {
            cluster,
            topic: options.topic.clone(),
            acks: options.acks.code(),
            compression: options.compression.compression(),
            timeout: options.timeout,
            producer: None,
            sequences: BTreeMap::new(),
            leaders: BTreeMap::new(),
            partition_count: 0,
            written: BTreeMap::new(),
            bytes: 0,
            progress,
        };
        let mut patience = Patience::new(sender.timeout.min(TOPIC_PATIENCE));
        while let Err(problem) = sender.look_up() {
            patience.wait(problem, progress)?;
        }
        if let Some(partition) = options.partition.filter(|&partition| partition >= sender.partition_count) {
            let (topic, count) = (&sender.topic, sender.partition_count);
            return Err(Problem::Other(format!(
                "topic '{topic}' has no partition {partition}; it has {count}, counted from 0"
            )));
        }
        while options.acks == Acks::All && sender.producer.is_none() {
            match sender.producer_id() {
                Ok(producer) => sender.producer = Some(producer),
                Err(problem) => patience.wait(problem, progress)?,
            }
        }
        Ok(sender)
    }

    /// How many partitions the topic has.
    pub(super) fn partition_count(&self) -> i32 {
        self.partition_count
    }

    /// Records and bytes that were sent.
    pub(super) fn sent(&self) -> (u64, u64) {
        (self.written.values().map(|written| written.records).sum(), self.bytes)
    }

    /// What was written to each partition.
    pub(super) fn written(&self) -> Vec<Written> {
        self.written.values().copied().collect()
    }

    /// Asks who leads the topic's partitions.
    fn look_up(&mut self) -> Result<(), Problem> {
        let answer = self.cluster.metadata(Some(std::slice::from_ref(&self.topic)), true)?;
        let missing = || Problem::Other("the broker answered without the topic".to_owned());
        let topic = answer.topics.into_iter().next().ok_or_else(missing)?;
        match ErrorCode::from_code(topic.error_code) {
            Some(ErrorCode::None) => {}
            // This is told while it is being created too, so it may pass.
            Some(ErrorCode::UnknownTopicOrPartition) => {
                let name = &self.topic;
                let text = format!("there is no topic '{name}'; create it with ottla topic create {name}");
                return Err(Problem::Refused(topic.error_code, text));
            }
            Some(ErrorCode::InvalidTopicException) => {
                return Err(Problem::Other(format!("'{}' is no name that a topic can have", self.topic)));
            }
            _ => return Err(Problem::refused(&format!("topic '{}'", self.topic), topic.error_code, None)),
        }
        let count =
            topic.partitions.iter().map(|partition| partition.partition_index.saturating_add(1)).max();
        self.partition_count = count.unwrap_or_default().max(self.partition_count);
        let leader = |partition: &MetadataResponsePartition| {
            let leader = Leader { node: partition.leader_id.0, epoch: partition.leader_epoch };
            (leader.node >= 0).then_some((partition.partition_index, leader))
        };
        self.leaders = topic.partitions.iter().filter_map(leader).collect();
        match self.partition_count {
            0 => Err(Problem::refused(&self.topic, ErrorCode::LeaderNotAvailable.code(), None)),
            _ => Ok(()),
        }
    }

    fn producer_id(&mut self) -> Result<Producer, Problem> {
        let request = InitProducerIdRequest::default().with_transactional_id(None);
        let answer = self.cluster.any()?.send(&request)?;
        if answer.error_code != 0 {
            let asked = "no producer id is given (with --acks 1 none is needed)";
            return Err(Problem::refused(asked, answer.error_code, None));
        }
        Ok(Producer { id: answer.producer_id.0, epoch: answer.producer_epoch })
    }

    /// Sends records, by partition, and returns when all are acknowledged.
    pub(super) fn send(&mut self, records: BTreeMap<i32, Vec<Outgoing>>) -> Result<(), Problem> {
        let queue = |(partition, records)| (partition, Queue { sending: None, waiting: groups(records) });
        let mut queues: BTreeMap<i32, Queue> = records.into_iter().map(queue).collect();
        let mut patience = Patience::new(self.timeout);
        loop {
            for (partition, queue) in &mut queues {
                self.fill(*partition, queue)?;
            }
            queues.retain(|_, queue| queue.sending.is_some());
            if queues.is_empty() {
                return Ok(());
            }
            let before = self.sent().0;
            let setback = self.round(&mut queues)?;
            if self.sent().0 > before {
                patience = Patience::new(self.timeout);
            }
            if let Some(problem) = setback {
                let number = queues.values().filter_map(first_number).min().unwrap_or_default();
                patience.wait(problem, self.progress).map_err(|problem| told_of(number, &problem))?;
                // Whoever does not answer is asked again by the next request.
                if let Err(problem) = self.look_up() {
                    patience.wait(problem, self.progress).map_err(|problem| told_of(number, &problem))?;
                }
            }
        }
    }

    /// Makes the next batch of a partition when none is on its way.
    fn fill(&self, partition: i32, queue: &mut Queue) -> Result<(), Problem> {
        if queue.sending.is_none()
            && let Some(records) = queue.waiting.pop_front()
        {
            let sequence = self.sequences.get(&partition).copied().unwrap_or_default();
            queue.sending = Some(self.batch(records, sequence)?);
        }
        Ok(())
    }

    fn batch(&self, records: Vec<Outgoing>, sequence: i32) -> Result<Batch, Problem> {
        let batch = Batch::new(records, self.compression, self.producer, sequence);
        batch.map_err(|error| Problem::Other(format!("records cannot be compressed: {error}")))
    }

    /// Sends one batch of each partition to its leader. Gives what stands in the way of some, if it may pass.
    fn round(&mut self, queues: &mut BTreeMap<i32, Queue>) -> Result<Option<Problem>, Problem> {
        let mut by_node: BTreeMap<i32, BTreeMap<i32, bytes::Bytes>> = BTreeMap::new();
        let mut setback = None;
        for (partition, queue) in queues.iter() {
            let Some(batch) = &queue.sending else { continue };
            match self.leaders.get(partition) {
                Some(leader) => {
                    by_node.entry(leader.node).or_default().insert(*partition, batch.encoded.clone());
                }
                None => {
                    let asked = format!("{}-{partition}", self.topic);
                    setback = Some(Problem::refused(&asked, ErrorCode::LeaderNotAvailable.code(), None));
                }
            }
        }
        for (node, outcome) in exchange(&mut self.cluster, &self.topic, self.acks, by_node) {
            match outcome {
                Ok(answers) => {
                    for answer in answers {
                        if let Some(queue) = queues.get_mut(&answer.partition) {
                            let problem = self.take(answer, queue)?;
                            setback = problem.or(setback);
                        }
                    }
                }
                Err(problem) if problem.is_retriable() => {
                    self.cluster.forget(node);
                    setback = Some(problem);
                }
                Err(problem) => return Err(problem),
            }
        }
        Ok(setback)
    }

    /// Takes what a leader said of a partition's batch.
    fn take(&mut self, answer: Answer, queue: &mut Queue) -> Result<Option<Problem>, Problem> {
        let Some(batch) = queue.sending.take() else { return Ok(None) };
        let place = format!("{}-{}", self.topic, answer.partition);
        match ErrorCode::from_code(answer.error_code) {
            // What it has already was written by a request whose answer did not arrive.
            Some(ErrorCode::None | ErrorCode::DuplicateSequenceNumber) => {
                self.sequences.insert(answer.partition, batch.next_sequence());
                self.note(&answer, &batch);
                Ok(None)
            }
            Some(ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge) => match batch.halves() {
                Ok((sequence, first, second)) => {
                    queue.waiting.push_front(second);
                    queue.sending = Some(self.batch(first, sequence)?);
                    Ok(None)
                }
                Err(record) => Err(Problem::Other(format!(
                    "record {} has {} bytes, more than {place} takes (max.message.bytes)",
                    record.number,
                    record.bytes()
                ))),
            },
            _ => {
                let problem = Problem::refused(&place, answer.error_code, answer.message.as_deref());
                if is_retriable(answer.error_code) || concerns_leader(answer.error_code) {
                    queue.sending = Some(batch);
                    return Ok(Some(problem));
                }
                let number = batch.records.first().map_or(0, |record| record.number);
                Err(told_of(number, &problem))
            }
        }
    }

    fn note(&mut self, answer: &Answer, batch: &Batch) {
        let count = batch.records.len() as u64;
        let bytes = batch.records.iter().map(|record| record.bytes() as u64).sum::<u64>();
        self.bytes = self.bytes.saturating_add(bytes);
        let first = Some(answer.base_offset).filter(|&offset| offset >= 0);
        let last = first.map(|first| first.saturating_add(i64::try_from(count).unwrap_or_default() - 1));
        let partition = answer.partition;
        let written = self.written.entry(partition);
        let nothing = Written { partition, records: 0, first_offset: first, last_offset: last };
        let written = written.or_insert(nothing);
        written.records = written.records.saturating_add(count);
        written.last_offset = last.or(written.last_offset);
    }
}

fn first_number(queue: &Queue) -> Option<u64> {
    queue.sending.as_ref().and_then(|batch| batch.records.first()).map(|record| record.number)
}

fn told_of(number: u64, problem: &Problem) -> Problem {
    Problem::Other(format!("records from number {number} on are not sent: {problem}"))
}
