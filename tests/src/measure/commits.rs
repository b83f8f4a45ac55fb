//! Many committed offsets of many groups, and the question whether they are all there.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest, OffsetFetchResponse};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::topics::{check, topic_name};
use crate::problem::Problem;

const OFFSET_COMMIT_VERSION: i16 = 9;
const OFFSET_FETCH_VERSION: i16 = 8;

/// A commit from outside a group, as simple consumers make it.
const NO_GENERATION: i32 = -1;

/// Connections, each with a thread of its own, that a load of commits goes over.
const CONNECTIONS: u32 = 4;
const REQUESTS_UNDER_WAY: usize = 32;

/// How far apart the offsets of two rounds lie; more than there are keys.
const ROUND_STRIDE: u64 = 1 << 32;

/// Which offsets are committed: every group commits for every partition of one topic, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitShape {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: i32,
    /// Partitions in one request; a divisor of the above.
    pub partitions_per_request: usize,
    /// How many groups there are.
    pub groups: u32,
    /// How often each offset is committed.
    pub rounds: u32,
    /// The first of these times, for what is committed once more.
    pub first_round: u32,
}

impl CommitShape {
    /// Offsets that differ in group or partition.
    #[must_use]
    pub fn keys(&self) -> u64 {
        u64::from(self.groups).saturating_mul(u64::from(self.partitions.unsigned_abs()))
    }

    /// All commits.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.keys().saturating_mul(self.rounds.into())
    }

    /// Commits that change nothing once all others are made: the last ones of the first group.
    #[must_use]
    pub fn last_of_first_group(&self) -> Self {
        Self { groups: 1, first_round: self.rounds.saturating_sub(1), ..self.clone() }
    }

    /// The name of a group.
    #[must_use]
    pub fn group(number: u32) -> String {
        format!("group-{number:06}")
    }

    /// What a group commits for a partition in a round. No other key ever gets the same.
    fn offset(&self, round: u32, group: u32, partition: i32) -> i64 {
        let place = u64::from(group)
            .saturating_mul(u64::from(self.partitions.unsigned_abs()))
            .saturating_add(u64::from(partition.unsigned_abs()));
        let offset = u64::from(round).saturating_mul(ROUND_STRIDE).saturating_add(place);
        i64::try_from(offset).unwrap_or(i64::MAX)
    }

    /// Begins with round 0 of all groups, and so on.
    fn requests(&self, connection: u32) -> impl Iterator<Item = OffsetCommitRequest> + '_ {
        let groups = move || (connection..self.groups).step_by(CONNECTIONS as usize);
        let partitions: Vec<i32> = (0..self.partitions).collect();
        let rounds =
            (self.first_round..self.rounds).flat_map(move |round| groups().map(move |group| (round, group)));
        rounds.flat_map(move |(round, group)| {
            let request = |part: &[i32]| self.request(round, group, part);
            partitions.chunks(self.partitions_per_request.max(1)).map(request).collect::<Vec<_>>()
        })
    }

    fn request(&self, round: u32, group: u32, partitions: &[i32]) -> OffsetCommitRequest {
        let partition = |index: &i32| {
            OffsetCommitRequestPartition::default()
                .with_partition_index(*index)
                .with_committed_offset(self.offset(round, group, *index))
                .with_committed_leader_epoch(0)
                .with_committed_metadata(Some(StrBytes::from_static_str("")))
        };
        let topic = OffsetCommitRequestTopic::default()
            .with_name(topic_name(&self.topic))
            .with_partitions(partitions.iter().map(partition).collect());
        OffsetCommitRequest::default()
            .with_group_id(group_id(group))
            .with_generation_id_or_member_epoch(NO_GENERATION)
            .with_topics(vec![topic])
    }
}

fn group_id(group: u32) -> GroupId {
    GroupId(StrBytes::from_string(CommitShape::group(group)))
}

/// Commits all of a shape and gives the time that it took. Commits of one group keep their order.
///
/// # Errors
/// A commit is refused, or a connection is lost.
pub fn commit_all(address: &str, shape: &CommitShape) -> Result<Duration, Problem> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|connection| scope.spawn(move || commit_part(address, shape, connection)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(Problem::new("a committer ended by itself")))
        })
    })?;
    Ok(began.elapsed())
}

fn commit_part(address: &str, shape: &CommitShape, number: u32) -> Result<(), Problem> {
    let mut connection = Connection::open(address)?;
    let mut under_way = VecDeque::new();
    for request in shape.requests(number) {
        connection.post(OFFSET_COMMIT_VERSION, &request)?;
        under_way.push_back(request.topics.iter().map(|topic| topic.partitions.len()).sum());
        // Half of them at a time, so that requests share packets.
        if under_way.len() >= REQUESTS_UNDER_WAY {
            settle(&mut connection, &mut under_way, REQUESTS_UNDER_WAY / 2)?;
        }
    }
    settle(&mut connection, &mut under_way, 0)
}

fn settle(connection: &mut Connection, under_way: &mut VecDeque<usize>, left: usize) -> Result<(), Problem> {
    while under_way.len() > left {
        let response = connection.receive::<OffsetCommitRequest>(OFFSET_COMMIT_VERSION)?;
        let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        let count = under_way.pop_front().unwrap_or_default();
        check(partitions.map(|partition| partition.error_code), count, "OffsetCommit")?;
    }
    Ok(())
}

/// Checks that the last commit of every key is there.
///
/// # Errors
/// One is missing or older, or the connection is lost.
pub fn committed_all(address: &str, shape: &CommitShape) -> Result<(), Problem> {
    let mut connection = Connection::open(address)?;
    let last_round = shape.rounds.saturating_sub(1);
    for group in 0..shape.groups {
        let found = committed_of(&mut connection, shape, group)?;
        for (partition, offset) in (0..).zip(found) {
            let expected = shape.offset(last_round, group, partition);
            if offset != expected {
                let group = CommitShape::group(group);
                return Err(Problem::new(format!(
                    "{group} has committed {offset} for partition {partition}, where {expected} was acknowledged"
                )));
            }
        }
    }
    Ok(())
}

/// What a group has committed, by partition.
pub(super) fn committed_of(
    connection: &mut Connection,
    shape: &CommitShape,
    group: u32,
) -> Result<Vec<i64>, Problem> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(topic_name(&shape.topic))
        .with_partition_indexes((0..shape.partitions).collect());
    let wanted =
        OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![wanted]);
    let response: OffsetFetchResponse = connection.call(OFFSET_FETCH_VERSION, &request)?;
    check(response.groups.iter().map(|group| group.error_code), 1, "OffsetFetch")?;
    let topics = response.groups.iter().flat_map(|group| &group.topics);
    let mut partitions: Vec<_> = topics.flat_map(|topic| &topic.partitions).collect();
    let count = usize::try_from(shape.partitions).unwrap_or_default();
    check(partitions.iter().map(|partition| partition.error_code), count, "OffsetFetch")?;
    partitions.sort_by_key(|partition| partition.partition_index);
    Ok(partitions.iter().map(|partition| partition.committed_offset).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_committed_in_every_round_with_its_own_offset() {
        let topic = "t".to_owned();
        let shape = CommitShape {
            topic,
            partitions: 4,
            partitions_per_request: 2,
            groups: 9,
            rounds: 3,
            first_round: 0,
        };
        let mut offsets: Vec<i64> = (0..CONNECTIONS)
            .flat_map(|connection| shape.requests(connection).collect::<Vec<_>>())
            .flat_map(|request| request.topics)
            .flat_map(|topic| topic.partitions)
            .map(|partition| partition.committed_offset)
            .collect();
        offsets.sort_unstable();
        let stride = i64::try_from(ROUND_STRIDE).unwrap();
        let expected: Vec<i64> =
            (0..3).flat_map(|round| (0..36).map(move |key| round * stride + key)).collect();
        assert_eq!(offsets, expected);
        let again = shape.last_of_first_group();
        let again: Vec<_> =
            (0..CONNECTIONS).flat_map(|number| again.requests(number).collect::<Vec<_>>()).collect();
        let last: Vec<_> = shape.requests(0).filter(|request| request.group_id == group_id(0)).collect();
        assert_eq!(again, last[4..]);
        assert_eq!((shape.keys(), shape.commits()), (36, 108));
    }
}
