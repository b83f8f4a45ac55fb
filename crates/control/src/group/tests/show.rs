//! Commands, replies and records as one line of a transcript each.

mod consumer;

use bytes::Bytes;
use ottla_model::ErrorCode;

use crate::codec::{GroupMetadataValue, Key, OffsetCommitValue};
use crate::group::*;
use crate::machine::Record;

/// `text` with each UUID of the scene as `#` and its number.
pub(super) fn short(text: &str) -> String {
    const PREFIX: &str = "00000000-0000-4000-8000-";
    let mut parts = text.split(PREFIX);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_at(12);
        out += &format!("#{}{rest}", u64::from_str_radix(number, 16).unwrap());
    }
    out
}

fn bytes(bytes: &Bytes) -> String {
    format!("'{}'", bytes.escape_ascii())
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(" ")
}

pub(super) fn command(command: &Command) -> String {
    match command {
        Command::Join(join) => {
            let protocols = list(&join.protocols, |(name, _)| name.to_string());
            let instance = join.group_instance_id.as_ref().map(|name| format!(" static {name}"));
            format!("join {:?}{} with {protocols}", join.member_id, instance.unwrap_or_default())
        }
        Command::Sync(sync) => {
            let assignments = list(&sync.assignments, |(id, given)| format!("{id}={}", bytes(given)));
            format!("sync {} generation {} {assignments}", sync.member_id, sync.generation)
        }
        Command::Heartbeat(beat) => format!("heartbeat {} generation {}", beat.member_id, beat.generation),
        Command::Leave(leave) => format!(
            "leave {}",
            list(&leave.members, |member| {
                let instance = member.group_instance_id.as_ref().map(|name| format!("/{name}"));
                format!("{:?}{}", member.member_id, instance.unwrap_or_default())
            })
        ),
        Command::ConsumerHeartbeat(beat) => consumer::heartbeat(beat),
        Command::ConsumerDescribe { group_id } => format!("describe consumer group {group_id}"),
        Command::LearnTopics(topics) => {
            let topics: Vec<_> = topics.topics().collect();
            format!("topics {}", list(&topics, |topic| format!("{}:{}", topic.name, topic.partition_count)))
        }
        Command::CommitOffsets(commit) => format!(
            "commit {:?} generation {} {}",
            commit.member_id,
            commit.generation_or_member_epoch,
            list(&commit.topics, |topic| list(&topic.partitions, |one| {
                format!("{}-{}@{}", topic.topic, one.partition, one.offset)
            }))
        ),
        Command::FetchOffsets(fetch) => match &fetch.topics {
            None if fetch.require_stable => "fetch stable".to_owned(),
            None => "fetch all".to_owned(),
            Some(topics) => {
                format!("fetch {}", list(topics, |topic| format!("{} {:?}", topic.topic, topic.partitions)))
            }
        },
        Command::List(filter) => format!("list {:?} {:?}", filter.states, filter.types),
        Command::Why { group_id } => format!("why {group_id}"),
        Command::Describe { group_id } => format!("describe {group_id}"),
        Command::Outline { group_id } => format!("outline {group_id:?}"),
        Command::Delete { group_id } => format!("delete {group_id}"),
        Command::DeleteOffsets(delete) => {
            format!("delete offsets {}", list(&delete.topics, |(topic, of)| format!("{topic} {of:?}")))
        }
        Command::RestoreOffsets(restore) => format!(
            "restore {}",
            list(&restore.offsets, |one| {
                let value = one.value.as_ref().map_or("none".to_owned(), |value| value.offset.to_string());
                format!("{}-{}@{value}", one.topic, one.partition)
            })
        ),
        Command::TopicDeleted { topic, .. } => format!("topic {topic} is deleted"),
    }
}

pub(super) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Join(join) if join.error.is_error() => format!("{} {:?}", join.error, join.member_id),
        Reply::Outline(outline) => {
            format!("{} {}", outline.error, list(&outline.groups, outlined)).trim_end().to_owned()
        }
        Reply::Join(join) => {
            let members = list(&join.members, |member| member.member_id.to_string());
            format!(
                "joined as {}, generation {} of {:?}, leader {}{}{}",
                join.member_id,
                join.generation,
                join.protocol.as_deref().unwrap_or("null"),
                join.leader,
                if members.is_empty() { String::new() } else { format!(", members {members}") },
                if join.skip_assignment { ", skip assignment" } else { "" },
            )
        }
        Reply::Sync(sync) if sync.error.is_error() => sync.error.to_string(),
        Reply::Sync(sync) => format!("assigned {}", bytes(&sync.assignment)),
        Reply::Heartbeat(beat) => beat.error.to_string(),
        Reply::Leave(leave) => {
            let members = list(&leave.members, |member| format!("{:?} {}", member.member_id, member.error));
            format!("left: {} {members}", leave.error)
        }
        Reply::ConsumerHeartbeat(beat) => consumer::beaten(beat),
        Reply::ConsumerDescribe(group) => consumer::described(group),
        Reply::LearnTopics => "learnt".to_owned(),
        Reply::CommitOffsets(commit) => format!(
            "committed: {}",
            list(&commit.topics, |topic| list(&topic.partitions, |(partition, error)| {
                format!("{}-{partition} {error}", topic.topic)
            }))
        ),
        Reply::FetchOffsets(fetch) => format!(
            "offsets: {} {}",
            fetch.error,
            list(&fetch.topics, |topic| list(&topic.partitions, |one| fetched(&topic.topic, one)))
        ),
        Reply::List(groups) => format!(
            "groups: {}",
            list(&groups.groups, |group| {
                format!("{} {:?} {} {}", group.group_id, group.protocol_type, group.state, group.group_type)
            })
        ),
        Reply::Describe(group) => describe(group),
        Reply::Why(why) => format!("{} {} events", why.state, why.events.len()),
        Reply::Delete(delete) => format!("deleted: {}", delete.error),
        Reply::DeleteOffsets(delete) => format!(
            "deleted: {} {}",
            delete.error,
            list(&delete.topics, |(topic, of)| list(of, |(partition, error)| {
                format!("{topic}-{partition} {error}")
            }))
        ),
        Reply::RestoreOffsets(restored) => format!(
            "restored: {} {}",
            restored.error,
            list(&restored.changed, |(topic, partition)| format!("{topic}-{partition} has changed"))
        ),
        Reply::TopicDeleted(deleted) => format!("deleted: {} {} offsets", deleted.error, deleted.offsets),
    }
}

fn fetched(topic: &ottla_model::TopicName, one: &FetchedPartition) -> String {
    let epoch = if one.leader_epoch < 0 { String::new() } else { format!("/{}", one.leader_epoch) };
    let error = if one.error.is_error() { format!(" {}", one.error) } else { String::new() };
    let metadata = if one.metadata.is_empty() { String::new() } else { format!(" {:?}", one.metadata) };
    format!("{topic}-{}@{}{epoch}{metadata}{error}", one.partition, one.offset)
}

fn describe(group: &DescribeReply) -> String {
    let error = if group.error == ErrorCode::None {
        String::new()
    } else {
        format!("{} {:?} ", group.error, group.error_message.as_deref().unwrap_or_default())
    };
    format!(
        "{error}{} {:?} {:?} {}",
        group.state,
        group.protocol_type,
        group.protocol,
        list(&group.members, |member| format!(
            "{}({}{} {} {})",
            member.member_id,
            member.client_id,
            member.client_host,
            bytes(&member.metadata),
            bytes(&member.assignment)
        ))
    )
}

pub(super) fn record(record: &Record) -> String {
    match Key::decode(&record.key).unwrap() {
        Key::OffsetCommit { group, topic, partition } => match &record.value {
            None => format!("{group} {topic}-{partition} is gone"),
            Some(value) => {
                let value = OffsetCommitValue::decode(value).unwrap();
                let expires = match value.expire_timestamp_ms {
                    -1 => String::new(),
                    at => format!(" until {}", at - super::scene::WALL),
                };
                format!("{group} {topic}-{partition}@{}{expires}", value.offset)
            }
        },
        Key::GroupMetadata { group } => match &record.value {
            None => format!("{group} is gone"),
            Some(value) => {
                let value = GroupMetadataValue::decode(value).unwrap();
                let members = list(&value.members, |member| {
                    format!("{}={}", member.member_id, bytes(&Bytes::copy_from_slice(member.assignment)))
                });
                format!(
                    "{group} generation {} of {:?}/{}, leader {}, {}",
                    value.generation,
                    value.protocol_type,
                    value.protocol.unwrap_or("null"),
                    value.leader.unwrap_or("null"),
                    if members.is_empty() { "no members" } else { &members }
                )
            }
        },
        Key::ConsumerGroup(key) => consumer::record(&key, record.value.as_deref()),
        Key::Unknown { key_type } => format!("key type {key_type}"),
    }
}

/// State, members, offsets with the number of their commit, and rebalances of a group.
fn outlined(group: &GroupOutline) -> String {
    let offsets = group.offsets.iter().flat_map(|(topic, partitions)| {
        partitions
            .iter()
            .map(move |(partition, at)| format!(" {topic}-{partition}@{} #{}", at.offset, at.commits))
    });
    let rebalances = group.rebalances.iter().filter(|(_, count)| *count > 0);
    format!(
        "{} {} members {}{} rebalances{}",
        group.group_id,
        group.state,
        group.members.len(),
        offsets.collect::<String>(),
        rebalances.map(|(reason, count)| format!(" {} {count}", reason.name())).collect::<String>(),
    )
}
