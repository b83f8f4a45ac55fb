//! GroupWhy (private): what happened in a group lately.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_control::catalog::Refusal;
use ottla_control::codec::ConsumerProtocolAssignment;
use ottla_control::group::{
    Assignments, Command, EventClient, EventMember, Happening, Missed, Reply, Trigger, WhyReply,
};
use ottla_model::ErrorCode;
use ottla_wire::private::GroupWhy;

use super::call::{Call, Closed, Started};
use super::private;
use crate::private as documents;
use crate::private::{GroupEvent, ListBuilder, MemberAssignment, MemberName, TimedEvent, TopicPartitions};

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    private::answer(call, &body, told)
}

async fn told(call: Arc<Call>, asked: GroupWhy) -> Result<documents::GroupWhy, Refusal> {
    let refuse = |error, message: &str| Refusal { error, message: message.to_owned() };
    let group_id: Arc<str> = (*asked.group).into();
    let coordinator = call
        .shard
        .group(&group_id)
        .map_err(|error| refuse(error, "this broker does not coordinate the group"))?;
    let submitted = coordinator.submit(call.caller(), Command::Why { group_id });
    let Ok(Reply::Why(reply)) = submitted.await else {
        return Err(refuse(ErrorCode::NotCoordinator, "the coordinator is stopping"));
    };
    match reply.error {
        ErrorCode::None => Ok(document(reply)),
        ErrorCode::GroupIdNotFound => Err(refuse(reply.error, "there is no such group")),
        error => Err(refuse(error, "the group cannot be asked")),
    }
}

fn document(reply: WhyReply) -> documents::GroupWhy {
    let mut events = ListBuilder::new();
    for event in reply.events.into_iter().rev() {
        events.push(TimedEvent { time_ms: event.wall.0, event: to_event(event.what) });
    }
    documents::GroupWhy {
        group: reply.group_id.to_string(),
        state: reply.state.to_owned(),
        events: events.finish(),
    }
}

fn to_event(what: Happening) -> GroupEvent {
    let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
    match what {
        Happening::Joined { member } => GroupEvent::Joined { member: name(&member) },
        Happening::Left { member, by, reason } => {
            let removed_by = (by != member.client).then(|| client(&by));
            GroupEvent::Left { member: name(&member), removed_by, reason: text(reason) }
        }
        Happening::Evicted { member, missed, waited, last_seen } => GroupEvent::Evicted {
            member: name(&member),
            missed: missed_name(missed).to_owned(),
            waited_ms: millis(waited),
            last_seen_in: last_seen.map(|seen| seen.api.to_owned()),
            last_seen_ms_ago: last_seen.map(|seen| millis(seen.ago)),
        },
        Happening::Replaced { member, old_member_id } => {
            GroupEvent::Replaced { member: name(&member), old_member_id: old_member_id.to_string() }
        }
        Happening::Away { member } => GroupEvent::Away { member: name(&member) },
        Happening::RebalanceStarted(Trigger { reason, member_id, words }) => GroupEvent::RebalanceStarted {
            reason: reason.name().to_owned(),
            member_id: member_id.to_string(),
            words: text(words),
        },
        Happening::Elected { generation, leader, is_new, members, protocol } => {
            let (leader, protocol) = (leader.to_string(), text(protocol));
            GroupEvent::Elected { generation, leader, is_new, members, protocol }
        }
        Happening::TargetMade { epoch, assignor, target } => GroupEvent::TargetMade {
            epoch,
            assignor: assignor.to_string(),
            target: target.and_then(|target| assignments(&target)),
        },
        Happening::RebalanceFinished { generation, took, before, after } => GroupEvent::RebalanceFinished {
            generation,
            took_ms: millis(took),
            before: before.and_then(|before| assignments(&before)),
            after: after.and_then(|after| assignments(&after)),
        },
        Happening::Emptied { generation } => GroupEvent::Emptied { generation },
        Happening::Restored { generation, members } => GroupEvent::Restored { generation, members },
        Happening::Upgraded { members } => GroupEvent::Upgraded { members },
        Happening::Downgraded { members } => GroupEvent::Downgraded { members },
        Happening::TakenBack => GroupEvent::TakenBack,
        Happening::Deleted { by } => GroupEvent::Deleted { by: by.as_ref().map(client) },
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn missed_name(missed: Missed) -> &'static str {
    match missed {
        Missed::Heartbeat => "heartbeat",
        Missed::Rejoin => "rejoin",
        Missed::Sync => "sync",
        Missed::Revocation => "revocation",
    }
}

fn client(client: &EventClient) -> String {
    format!("{} at {}", client.client_id, client.client_host)
}

fn name(member: &EventMember) -> MemberName {
    MemberName {
        member_id: member.member_id.to_string(),
        instance_id: member.group_instance_id.as_ref().map(|instance| instance.to_string()),
        client_id: member.client.client_id.to_string(),
        client_host: member.client.client_host.to_string(),
    }
}

/// Who has what, when all of it is what consumers write.
fn assignments(assignments: &Assignments) -> Option<Vec<MemberAssignment>> {
    let members = assignments.members.iter().filter(|_| assignments.is_consumer);
    let decoded = members.map(|(member_id, bytes)| {
        let partitions = match bytes.is_empty() {
            true => Vec::new(),
            false => ConsumerProtocolAssignment::decode(bytes).ok()?.assigned_partitions,
        };
        let topics = partitions
            .into_iter()
            .map(|(topic, partitions)| TopicPartitions { topic: topic.to_owned(), partitions });
        Some(MemberAssignment { member_id: member_id.to_string(), topics: topics.collect() })
    });
    assignments.is_consumer.then(|| decoded.collect::<Option<Vec<_>>>()).flatten()
}
