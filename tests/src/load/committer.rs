//! Commits offsets for many groups without members, with metadata, and reads them back.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    FindCoordinatorRequest, GroupId, OffsetCommitRequest, OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::client::Client;
use super::connection::{Connection, Lost};
use super::random::Random;
use super::topics::Topic;
use crate::history::{Answer, Call, Commit, OperationId, Partition};

const FIND_COORDINATOR_VERSION: i16 = 4;
/// The type of coordinator that groups have.
const GROUP: i8 = 0;
const OFFSET_COMMIT_VERSION: i16 = 8;
const OFFSET_FETCH_VERSION: i16 = 8;

/// How many groups each committer has.
pub(super) const GROUPS: u64 = 12;
/// Rests between two requests, in milliseconds.
const REST_MS: u64 = 6;
const READ_ONCE_IN: u64 = 4;
/// Once in so many partitions one is left out of a commit.
const LEFT_OUT_ONCE_IN: u64 = 2;
/// Most characters after the number in most metadata, and in a few.
const FILLER_CHARS_MAX: u64 = 40;
const LARGE_FILLER_CHARS_MAX: u64 = 1300;
const LARGE_ONCE_IN: u64 = 50;

/// As whom a client commits.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) member_id: StrBytes,
    /// -1 when the client is no member.
    pub(super) generation: i32,
}

impl Membership {
    pub(super) fn none() -> Self {
        Self { member_id: StrBytes::default(), generation: -1 }
    }
}

/// Errors after which a commit may have been done: the coordinator is not there, or not any more.
const UNSURE: [i16; 2] = [15, 16];

pub(super) fn run(mut client: Client) {
    let mut next = 1;
    client.keep_connected(|client, connection| {
        find_coordinator(client, connection, GROUPS)?;
        while !client.is_stopped() {
            let group = group_name(client.id, client.random.below(GROUPS));
            if client.random.once_in(READ_ONCE_IN) {
                committed(client, connection, &group)?;
            } else {
                commit(client, connection, &group, &Membership::none(), &mut next)?;
            }
            client.rest(REST_MS);
        }
        Ok(())
    });
}

/// The name of a committer's group. No two committers share a group, so the commits of one are made one after another.
pub(super) fn group_name(client: u32, number: u64) -> String {
    format!("group-{client}-{number}")
}

/// Asks where the groups' coordinator is, as every stock client does first: that makes the offsets topic.
pub(super) fn find_coordinator(
    client: &Client,
    connection: &mut Connection,
    groups: u64,
) -> Result<(), Lost> {
    let keys = (0..groups).map(|number| StrBytes::from_string(group_name(client.id, number)));
    let request =
        FindCoordinatorRequest::default().with_key_type(GROUP).with_coordinator_keys(keys.collect());
    let response = connection.call(FIND_COORDINATOR_VERSION, &request)?;
    if response.coordinators.iter().all(|coordinator| coordinator.error_code == 0) {
        Ok(())
    } else {
        Err(Lost)
    }
}

/// Commits for some partitions; gives the error of one that was refused, if any was.
pub(super) fn commit(
    client: &mut Client,
    connection: &mut Connection,
    group: &str,
    membership: &Membership,
    next: &mut u64,
) -> Result<Option<i16>, Lost> {
    let mut topics = Vec::new();
    let mut under_way: Vec<(Partition, OperationId)> = Vec::new();
    for topic in client.world.stable.clone() {
        let mut partitions = Vec::new();
        for index in 0..topic.partitions {
            if client.random.once_in(LEFT_OUT_ONCE_IN) {
                continue;
            }
            let commit = new_commit(&mut client.random, next);
            partitions.push(
                OffsetCommitRequestPartition::default()
                    .with_partition_index(index)
                    .with_committed_offset(commit.offset)
                    .with_committed_leader_epoch(commit.leader_epoch)
                    .with_committed_metadata(Some(StrBytes::from_string(commit.metadata.clone()))),
            );
            let (group, partition) = (group.to_owned(), topic.partition(index));
            let (generation, transaction) = (membership.generation, None);
            let call = Call::Commit { group, partition, commit, generation, transaction };
            under_way.push((partition, client.invoke(call)));
        }
        if !partitions.is_empty() {
            let name = TopicName(StrBytes::from_string(topic.name));
            topics.push(OffsetCommitRequestTopic::default().with_name(name).with_partitions(partitions));
        }
    }
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_generation_id_or_member_epoch(membership.generation)
        .with_member_id(membership.member_id.clone())
        .with_topics(topics);
    let response = connection.call(OFFSET_COMMIT_VERSION, &request);
    let response = response.inspect_err(|_| {
        for (_, operation) in &under_way {
            client.unknown(*operation);
        }
    })?;
    let mut refused = None;
    for (partition, operation) in under_way {
        let topic = client.world.stable.iter().find(|topic| topic.id == partition.topic);
        let parts =
            response.topics.iter().filter(|part| topic.is_some_and(|topic| topic.name == part.name.as_str()));
        let mut parts = parts.flat_map(|topic| &topic.partitions);
        let part = parts.find(|part| part.partition_index == partition.index);
        let error = part.map_or(-1, |part| part.error_code);
        refused = refused.or(Some(error).filter(|error| *error != 0));
        match error {
            0 => client.ok(operation, Answer::Done),
            error if UNSURE.contains(&error) => client.unsure(operation, error),
            error => client.refused(operation, error),
        }
    }
    Ok(refused)
}

/// A commit that no other is equal to. Its offset need not exist, as Kafka does not ask for that.
pub(super) fn new_commit(random: &mut Random, next: &mut u64) -> Commit {
    let number = *next;
    *next += 1;
    let max = if random.once_in(LARGE_ONCE_IN) { LARGE_FILLER_CHARS_MAX } else { FILLER_CHARS_MAX };
    let filler: String =
        (0..random.below(max)).map(|_| *random.pick(&['a', 'ö', '字', '"']).unwrap_or(&'a')).collect();
    Commit {
        offset: i64::try_from(random.below(1 << 40)).unwrap_or_default(),
        leader_epoch: i32::try_from(random.below(5)).unwrap_or_default() - 1,
        metadata: format!("{number}:{filler}"),
    }
}

/// Reads what a group has committed for the stable topics.
pub(super) fn committed(
    client: &Client,
    connection: &mut Connection,
    group: &str,
) -> Result<Vec<(Partition, Option<Commit>)>, Lost> {
    let topics = &client.world.stable;
    let asked = |topic: &Topic| {
        OffsetFetchRequestTopics::default()
            .with_name(TopicName(StrBytes::from_string(topic.name.clone())))
            .with_partition_indexes((0..topic.partitions).collect())
    };
    let wanted = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_topics(Some(topics.iter().map(asked).collect()));
    let request = OffsetFetchRequest::default().with_groups(vec![wanted]).with_require_stable(true);
    let partitions = topics.iter().flat_map(|topic| (0..topic.partitions).map(move |index| (topic, index)));
    let invoke = |(topic, index): (&Topic, i32)| {
        let partition = topic.partition(index);
        let operation = client.invoke(Call::Committed { group: group.to_owned(), partition });
        (topic.name.clone(), partition, operation)
    };
    let under_way: Vec<_> = partitions.map(invoke).collect();
    let response = connection.call(OFFSET_FETCH_VERSION, &request);
    let response = response.inspect_err(|_| {
        for (.., operation) in &under_way {
            client.unknown(*operation);
        }
    })?;
    let group = response.groups.first();
    let mut read = Vec::new();
    for (name, partition, operation) in under_way {
        let parts =
            group.into_iter().flat_map(|group| &group.topics).filter(|topic| topic.name.as_str() == name);
        let mut parts = parts.flat_map(|topic| &topic.partitions);
        let part = parts.find(|part| part.partition_index == partition.index);
        let error = group.filter(|group| group.error_code != 0).map(|group| group.error_code);
        let Some(part) = part.filter(|part| error.is_none() && part.error_code == 0) else {
            client.refused(operation, error.or(part.map(|part| part.error_code)).unwrap_or(-1));
            continue;
        };
        let commit = (part.committed_offset >= 0).then(|| Commit {
            offset: part.committed_offset,
            leader_epoch: part.committed_leader_epoch,
            metadata: part.metadata.as_ref().map(ToString::to_string).unwrap_or_default(),
        });
        client.ok(operation, Answer::Committed(commit.clone()));
        read.push((partition, commit));
    }
    Ok(read)
}
