//! What is asked of the broker from outside the groups.

use kafka_protocol::messages::consumer_group_describe_response::DescribedGroup as ModernGroup;
use kafka_protocol::messages::describe_groups_response::DescribedGroup as ClassicGroup;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerProtocolAssignment, DescribeGroupsRequest, GroupId,
    ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::cast::{PARTITIONS, TOPIC};
use super::event::{Seen, SeenMember};
use super::record::{Forgery, now};
use crate::measure::Connection;
use crate::problem::{Doing, Problem};

const CONSUMER_GROUP_DESCRIBE_VERSION: i16 = 0;
const DESCRIBE_GROUPS_VERSION: i16 = 5;
const OFFSET_FETCH_VERSION: i16 = 8;
const OFFSET_COMMIT_VERSION: i16 = 9;
const LIST_OFFSETS_VERSION: i16 = 7;
const LATEST_TIMESTAMP: i64 = -1;

/// The group is of the other kind, or there is none.
const GROUP_ID_NOT_FOUND: i16 = 69;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group_id(group: &str) -> GroupId {
    GroupId(text(group))
}

fn refused(what: &str, error: i16) -> Problem {
    Problem::new(format!("{what} was answered with error code {error}"))
}

/// Looks at a group from all sides.
pub(super) fn look(connection: &mut Connection, group: &str) -> Result<Seen, Problem> {
    let asked = now();
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![group_id(group)]);
    let answer = connection.call(CONSUMER_GROUP_DESCRIBE_VERSION, &request)?;
    let described = answer.groups.first().ok_or_else(|| refused("ConsumerGroupDescribe", -1))?;
    let (modern, state, members) = match described.error_code {
        0 => (true, described.group_state.to_string(), modern_members(described)),
        GROUP_ID_NOT_FOUND => {
            let request = DescribeGroupsRequest::default().with_groups(vec![group_id(group)]);
            let answer = connection.call(DESCRIBE_GROUPS_VERSION, &request)?;
            let described = answer.groups.first().ok_or_else(|| refused("DescribeGroups", -1))?;
            if described.error_code != 0 {
                return Err(refused("DescribeGroups", described.error_code));
            }
            (false, described.group_state.to_string(), classic_members(described)?)
        }
        error => return Err(refused("ConsumerGroupDescribe", error)),
    };
    let committed = committed(connection, group)?;
    let ends = ends(connection)?;
    Ok(Seen { group: group.to_owned(), asked, modern, state, members, committed, ends })
}

fn modern_members(group: &ModernGroup) -> Vec<SeenMember> {
    let members = group.members.iter();
    let seen = members.map(|member| SeenMember {
        id: member.member_id.to_string(),
        epoch: Some(member.member_epoch),
        partitions: member
            .assignment
            .topic_partitions
            .iter()
            .flat_map(|topic| topic.partitions.clone())
            .collect(),
    });
    seen.collect()
}

/// A member that waits for its assignment has none.
fn classic_members(group: &ClassicGroup) -> Result<Vec<SeenMember>, Problem> {
    let mut seen = Vec::new();
    for member in &group.members {
        let mut bytes = member.member_assignment.clone();
        let mut partitions = Vec::new();
        if let Some((version, _)) = bytes.split_first_chunk::<2>() {
            let version = i16::from_be_bytes(*version);
            drop(bytes.split_to(2));
            let assignment = ConsumerProtocolAssignment::decode(&mut bytes, version);
            let topics = assignment.doing("decode an assignment")?.assigned_partitions;
            partitions = topics.into_iter().flat_map(|topic| topic.partitions).collect();
        }
        seen.push(SeenMember { id: member.member_id.to_string(), epoch: None, partitions });
    }
    Ok(seen)
}

/// What a group has committed.
fn committed(connection: &mut Connection, group: &str) -> Result<Vec<(i32, i64)>, Problem> {
    let wanted = OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![wanted]);
    let answer = connection.call(OFFSET_FETCH_VERSION, &request)?;
    let group = answer.groups.first().ok_or_else(|| refused("OffsetFetch", -1))?;
    if group.error_code != 0 {
        return Err(refused("OffsetFetch", group.error_code));
    }
    let partitions = group.topics.iter().flat_map(|topic| &topic.partitions);
    Ok(partitions.map(|partition| (partition.partition_index, partition.committed_offset)).collect())
}

/// Where the partitions end.
fn ends(connection: &mut Connection) -> Result<Vec<(i32, i64)>, Problem> {
    let partitions = (0..PARTITIONS).map(|index| {
        ListOffsetsPartition::default().with_partition_index(index).with_timestamp(LATEST_TIMESTAMP)
    });
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_partitions(partitions.collect());
    let request = ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(vec![topic]);
    let answer = connection.call(LIST_OFFSETS_VERSION, &request)?;
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let each = |partition: &kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse| {
        match partition.error_code {
            0 => Ok((partition.partition_index, partition.offset)),
            error => Err(refused("ListOffsets", error)),
        }
    };
    partitions.map(each).collect()
}

/// Commits offset 0 in the name of a member; what the broker says.
pub(super) fn forge(connection: &mut Connection, forgery: &Forgery) -> Result<i16, Problem> {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(forgery.partition)
        .with_committed_offset(0)
        .with_committed_metadata(Some(StrBytes::from_static_str("forged")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group_id(&forgery.group))
        .with_member_id(text(&forgery.id))
        .with_generation_id_or_member_epoch(forgery.epoch)
        .with_topics(vec![topic]);
    let answer = connection.call(OFFSET_COMMIT_VERSION, &request)?;
    let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.next().map(|partition| partition.error_code).ok_or_else(|| refused("OffsetCommit", -1))
}
