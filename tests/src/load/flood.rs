//! Many commits for many groups, of which only the last acknowledged value of each is remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::committer::{find_coordinator, group_name};
use super::connection::{Connection, Lost};
use super::topics::create;
use super::world::{OPERATOR, World};
use crate::problem::Problem;

const OFFSET_COMMIT_VERSION: i16 = 8;
const OFFSET_FETCH_VERSION: i16 = 8;

/// Rests while there is nothing to do, in milliseconds.
const REST_MS: u64 = 4;

const TOPIC: &str = "flooded";
const PARTITIONS: i32 = 50;
/// Clients that commit at a time, and how many groups each has. No two share a group.
const CLIENTS: u32 = 4;
const GROUPS: u64 = 50;

/// How many values there are: one a group and partition.
pub const KEYS: u64 = CLIENTS as u64 * GROUPS * PARTITIONS.unsigned_abs() as u64;

/// What is known of one group and partition. Values rise.
#[derive(Debug, Clone, Copy, Default)]
struct Register {
    /// The last value that was acknowledged.
    acknowledged: Option<i64>,
    /// The last value that was asked for.
    asked: Option<i64>,
}

/// Running clients.
#[derive(Debug)]
pub struct Flood {
    world: Arc<World>,
    progress: Arc<Progress>,
    threads: Vec<JoinHandle<Flooder>>,
}

/// How many commits there were, and are to be.
#[derive(Debug, Default)]
struct Progress {
    acknowledged: AtomicU64,
    goal: AtomicU64,
}

#[derive(Debug)]
struct Flooder {
    id: u32,
    /// By group and partition.
    registers: Vec<Vec<Register>>,
    next: i64,
}

/// What all clients know when they have stopped.
#[derive(Debug)]
pub struct Known(Vec<Flooder>);

impl Flood {
    /// Makes the topic and starts clients that commit until the goal is reached, which is 0 at first.
    ///
    /// # Errors
    /// The broker does not make the topic.
    pub fn start(world: &Arc<World>) -> Result<Self, Problem> {
        let client = Client::new(Arc::clone(world), OPERATOR);
        let made = Connection::open(Arc::clone(world), OPERATOR)
            .and_then(|mut connection| create(&client, &mut connection, TOPIC, PARTITIONS, [].into()));
        let made = made.map_err(|Lost| Problem::new("the connection was lost while the topic was made"))?;
        made.map_err(|error| Problem::new(format!("the topic was refused with error {error}")))?;
        let progress = Arc::new(Progress::default());
        let start = |id| {
            let (world, progress) = (Arc::clone(world), Arc::clone(&progress));
            std::thread::spawn(move || run(Client::new(world, id), &progress))
        };
        let threads = (OPERATOR + 1..=CLIENTS).map(start).collect();
        Ok(Self { world: Arc::clone(world), progress, threads })
    }

    /// How many commits were acknowledged, each of one group and partition.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.progress.acknowledged.load(Ordering::Relaxed)
    }

    /// Has the clients go on until so many commits were acknowledged, or a few more.
    pub fn set_goal(&self, commits: u64) {
        self.progress.goal.store(commits, Ordering::Relaxed);
    }

    /// Stops all clients.
    ///
    /// # Panics
    /// A client panicked.
    #[must_use]
    pub fn stop(self) -> Known {
        self.world.gate.close();
        let joined = self.threads.into_iter().map(|thread| match thread.join() {
            Ok(flooder) => flooder,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        Known(joined.collect())
    }
}

fn run(mut client: Client, progress: &Progress) -> Flooder {
    let partitions = usize::try_from(PARTITIONS).unwrap_or_default();
    let registers = (0..GROUPS).map(|_| vec![Register::default(); partitions]).collect();
    let mut flooder = Flooder { id: client.id, registers, next: 1 };
    client.keep_connected(|client, connection| {
        find_coordinator(client, connection, GROUPS)?;
        while !client.is_stopped() {
            if progress.acknowledged.load(Ordering::Relaxed) >= progress.goal.load(Ordering::Relaxed) {
                client.rest(REST_MS);
                continue;
            }
            let number = client.random.below(GROUPS);
            let count = flooder.commit(connection, number)?;
            progress.acknowledged.fetch_add(count, Ordering::Relaxed);
        }
        Ok(())
    });
    flooder
}

impl Flooder {
    /// Commits the next value for every partition; gives how many were acknowledged.
    fn commit(&mut self, connection: &mut Connection, number: u64) -> Result<u64, Lost> {
        let group = group_name(self.id, number);
        let place = usize::try_from(number).unwrap_or_default();
        let Some(registers) = self.registers.get_mut(place) else { return Ok(0) };
        let value = self.next;
        self.next = value.saturating_add(1);
        let partition = |index: i32| {
            OffsetCommitRequestPartition::default()
                .with_partition_index(index)
                .with_committed_offset(value)
                .with_committed_metadata(Some(StrBytes::from_string(value.to_string())))
        };
        let topic = OffsetCommitRequestTopic::default()
            .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
            .with_partitions((0..PARTITIONS).map(partition).collect());
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(StrBytes::from_string(group)))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        registers.iter_mut().for_each(|register| register.asked = Some(value));
        let response = connection.call(OFFSET_COMMIT_VERSION, &request)?;
        let mut count = 0;
        for part in response.topics.iter().flat_map(|topic| &topic.partitions) {
            let register =
                usize::try_from(part.partition_index).ok().and_then(|index| registers.get_mut(index));
            if let Some(register) = register.filter(|_| part.error_code == 0) {
                register.acknowledged = Some(value);
                count += 1;
            }
        }
        Ok(count)
    }
}

impl Known {
    /// Reads every value back; gives how many were acknowledged at all, and what is wrong with any.
    ///
    /// # Errors
    /// The broker refuses to be read.
    pub fn compare(&self, world: &Arc<World>) -> Result<(u64, Vec<String>), Problem> {
        let lost = |Lost| Problem::new("the connection was lost while commits were read");
        let mut connection = Connection::open(Arc::clone(world), OPERATOR).map_err(lost)?;
        let (mut compared, mut wrong) = (0, Vec::new());
        for Flooder { id, registers, .. } in &self.0 {
            for (number, registers) in (0..).zip(registers) {
                let group = group_name(*id, number);
                let read = read(&mut connection, &group).map_err(lost)?;
                for (index, register) in (0..).zip(registers) {
                    let value = read.iter().find(|(other, _)| *other == index).and_then(|(_, value)| *value);
                    compared += u64::from(register.acknowledged.is_some());
                    if value < register.acknowledged || value > register.asked {
                        wrong.push(format!(
                            "{group} on partition {index} reads {value:?}, known is {register:?}"
                        ));
                    }
                }
            }
        }
        Ok((compared, wrong))
    }
}

/// The values of a group: none where nothing is committed or its metadata is another one's.
fn read(connection: &mut Connection, group: &str) -> Result<Vec<(i32, Option<i64>)>, Lost> {
    let topics = OffsetFetchRequestTopics::default()
        .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_partition_indexes((0..PARTITIONS).collect());
    let wanted = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_topics(Some(vec![topics]));
    let request = OffsetFetchRequest::default().with_groups(vec![wanted]).with_require_stable(true);
    let response = connection.call(OFFSET_FETCH_VERSION, &request)?;
    let parts = response.groups.iter().flat_map(|group| &group.topics).flat_map(|topic| &topic.partitions);
    let value = |offset: i64, metadata: Option<&StrBytes>| {
        let fits = metadata.is_some_and(|metadata| metadata.as_str() == offset.to_string());
        Some(offset).filter(|offset| *offset >= 0 && fits)
    };
    let read = parts.filter(|part| part.error_code == 0);
    Ok(read
        .map(|part| (part.partition_index, value(part.committed_offset, part.metadata.as_ref())))
        .collect())
}
