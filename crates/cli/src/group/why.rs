//! `ottla group why`.

use std::error::Error;

use clap::Args;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::{GroupEvent, GroupWhy, MemberAssignment, MemberName};

use super::time_text;
use crate::ask::{self, Bootstrap, Broker};

/// Members whose assignments one line shows.
const ASSIGNMENTS_SHOWN_MAX: usize = 20;

/// Shows what happened in a group lately, and so why it rebalanced.
///
/// The broker remembers the last events of each group; a restart forgets them.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The group
    group: String,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl Why {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let question = ottla_wire::private::GroupWhy { group: StrBytes::from_string(self.group) };
        let document = Broker::connect(&self.bootstrap)?.ask(&question)?;
        if self.json { ask::print_json(&document) } else { ask::print(&to_text(&document)) }
    }
}

fn to_text(why: &GroupWhy) -> String {
    let mut text = format!("{} is {}\n", printable(&why.group), why.state);
    if why.events.entries.is_empty() {
        text.push_str("nothing has happened since the broker started\n");
    }
    for event in why.events.entries.iter().rev() {
        let lines = lines_of(&event.event);
        for (number, line) in lines.iter().enumerate() {
            let time = if number == 0 { time_text(event.time_ms) } else { " ".repeat(24) };
            text.push_str(&format!("{time}  {}\n", printable(line)));
        }
    }
    text
}

/// Names come from elsewhere and may hold anything.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn lines_of(event: &GroupEvent) -> Vec<String> {
    match event {
        GroupEvent::Joined { member } => vec![format!("{} joined", who(member))],
        GroupEvent::Left { member, removed_by, reason } => {
            let how = removed_by.as_ref().map_or("left".to_owned(), |by| format!("was removed by {by}"));
            vec![format!("{} {how}{}", member_name(member), saying(reason.as_deref()))]
        }
        GroupEvent::Evicted { member, missed, waited_ms, last_seen_in, last_seen_ms_ago } => {
            let waited = seconds(*waited_ms);
            let why = match missed.as_str() {
                "heartbeat" => format!("{waited} without a heartbeat"),
                "rejoin" => format!("it did not rejoin within {waited}"),
                "revocation" => format!("it did not give partitions back within {waited}"),
                "sync" => format!("it did not ask for its assignment within {waited}"),
                other => format!("it missed {other} for {waited}"),
            };
            let seen = last_seen_in.as_ref().map(|api| {
                let ago = last_seen_ms_ago.map(|ms| format!(" {} before", seconds(ms))).unwrap_or_default();
                format!(", last seen in {api}{ago}")
            });
            vec![format!("{} was put out: {why}{}", who(member), seen.unwrap_or_default())]
        }
        GroupEvent::Replaced { member, old_member_id } => {
            vec![format!(
                "{} came back as {}, which fences {old_member_id}",
                member_name(member),
                member.member_id
            )]
        }
        GroupEvent::Away { member } => vec![format!("{} is away, and keeps its partitions", who(member))],
        GroupEvent::RebalanceStarted { reason, member_id, words } => {
            vec![format!("rebalance: {}{}", reason_text(reason, member_id), saying(words.as_deref()))]
        }
        GroupEvent::Elected { generation, leader, is_new, members, protocol } => {
            let leads = if *is_new { "is the new leader" } else { "leads" };
            let protocol = protocol.as_ref().map(|name| format!(" with {name}")).unwrap_or_default();
            vec![format!("generation {generation}: {members} members{protocol}, {leader} {leads}")]
        }
        GroupEvent::TargetMade { epoch, assignor, target } => {
            let mut lines = vec![format!("epoch {epoch}: {assignor} has made a new target")];
            lines.extend(assignment_lines("target", target.as_deref()));
            lines
        }
        GroupEvent::RebalanceFinished { generation, took_ms, before, after } => {
            let mut lines = vec![format!("generation {generation} is assigned, after {}", seconds(*took_ms))];
            lines.extend(assignment_lines("before", before.as_deref()));
            lines.extend(assignment_lines("after", after.as_deref()));
            lines
        }
        GroupEvent::Emptied { generation } => vec![format!("generation {generation}: nobody is left")],
        GroupEvent::Restored { generation, members } => {
            vec![format!("the broker started, with {members} members in generation {generation}")]
        }
        GroupEvent::Upgraded { members } => {
            vec![format!("upgraded to a consumer group, with {members} members of the classic protocol")]
        }
        GroupEvent::Downgraded { members } => {
            vec![format!("downgraded to a classic group, of {members} members")]
        }
        GroupEvent::TakenBack => {
            vec!["the log did not take the last changes: what is told of them has not been".to_owned()]
        }
        GroupEvent::Deleted { by } => vec![by.as_ref().map_or_else(
            || "the group was deleted: it was empty, and its offsets had expired".to_owned(),
            |by| format!("the group was deleted by {by}"),
        )],
        GroupEvent::Other => vec!["something that only a newer ottla knows".to_owned()],
    }
}

fn member_name(member: &MemberName) -> &str {
    member.instance_id.as_deref().unwrap_or(&member.member_id)
}

fn who(member: &MemberName) -> String {
    format!("{} ({} at {})", member_name(member), member.client_id, member.client_host)
}

fn saying(words: Option<&str>) -> String {
    words.filter(|words| !words.is_empty()).map_or(String::new(), |words| format!(", saying \"{words}\""))
}

fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

fn reason_text(reason: &str, member: &str) -> String {
    match reason {
        "member_joined" => format!("{member} joined"),
        "member_rejoined" => format!("{member} joined again"),
        "static_member_replaced" => format!("{member} took the place of its old process"),
        "member_left" => format!("{member} left"),
        "member_silent" => format!("{member} was silent"),
        "member_did_not_sync" => format!("{member} did not ask for its assignment"),
        "member_did_not_revoke" => format!("{member} did not give partitions back"),
        "subscription_changed" => format!("{member} reads other topics now"),
        "topics_changed" => "the topics that the group reads have changed".to_owned(),
        "append_failed" => "the assignment could not be written".to_owned(),
        "downgraded" => "the last member of the new protocol left".to_owned(),
        "group_too_large" => "the group is larger than group.max.size".to_owned(),
        other => format!("{other} {member}"),
    }
}

fn assignment_lines(title: &str, members: Option<&[MemberAssignment]>) -> Vec<String> {
    let Some(members) = members else { return Vec::new() };
    let shown = members.iter().take(ASSIGNMENTS_SHOWN_MAX).map(|member| {
        let topics =
            member.topics.iter().map(|topic| format!("{} {}", topic.topic, ranges(&topic.partitions)));
        let topics = topics.collect::<Vec<_>>().join(", ");
        format!("  {title}: {} has {}", member.member_id, if topics.is_empty() { "nothing" } else { &topics })
    });
    let mut lines: Vec<String> = shown.collect();
    let others = members.len().saturating_sub(ASSIGNMENTS_SHOWN_MAX);
    if others > 0 {
        lines.push(format!("  {title}: and {others} more members"));
    }
    lines
}

/// Partitions with those in a row taken together: `0-3 7`.
fn ranges(partitions: &[i32]) -> String {
    let mut sorted = partitions.to_vec();
    sorted.sort_unstable();
    let mut ranges: Vec<(i32, i32)> = Vec::new();
    for partition in sorted {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(partition) => *last = partition,
            _ => ranges.push((partition, partition)),
        }
    }
    let text = |(first, last): &(i32, i32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use ottla_broker::private::TopicPartitions;

    use super::*;

    #[test]
    fn partitions_in_a_row_are_taken_together() {
        for (partitions, text) in
            [(&[][..], ""), (&[3], "3"), (&[0, 1, 2], "0-2"), (&[7, 1, 0, 9, 8], "0-1 7-9"), (&[1, 3], "1 3")]
        {
            assert_eq!(ranges(partitions), text);
        }
    }

    fn member() -> MemberName {
        MemberName {
            member_id: "a-1".to_owned(),
            instance_id: None,
            client_id: "a".to_owned(),
            client_host: "/10.0.0.1".to_owned(),
        }
    }

    #[test]
    fn consumer_groups_in_words() {
        let target = MemberAssignment {
            member_id: "a-1".to_owned(),
            topics: vec![TopicPartitions { topic: "orders".to_owned(), partitions: vec![0, 1, 2, 5] }],
        };
        let made =
            GroupEvent::TargetMade { epoch: 7, assignor: "range".to_owned(), target: Some(vec![target]) };
        let silent = GroupEvent::Evicted {
            member: member(),
            missed: "revocation".to_owned(),
            waited_ms: 60_000,
            last_seen_in: None,
            last_seen_ms_ago: None,
        };
        for (event, lines) in [
            (made, &["epoch 7: range has made a new target", "  target: a-1 has orders 0-2 5"][..]),
            (silent, &["a-1 (a at /10.0.0.1) was put out: it did not give partitions back within 60.0 s"]),
            (
                GroupEvent::Away { member: member() },
                &["a-1 (a at /10.0.0.1) is away, and keeps its partitions"],
            ),
            (
                GroupEvent::Upgraded { members: 3 },
                &["upgraded to a consumer group, with 3 members of the classic protocol"],
            ),
            (GroupEvent::Downgraded { members: 2 }, &["downgraded to a classic group, of 2 members"]),
        ] {
            assert_eq!(lines_of(&event), lines);
        }
    }

    #[test]
    fn an_eviction_in_words() {
        let evicted = GroupEvent::Evicted {
            member: member(),
            missed: "heartbeat".to_owned(),
            waited_ms: 45_000,
            last_seen_in: Some("Fetch".to_owned()),
            last_seen_ms_ago: Some(46_120),
        };
        let line =
            "a-1 (a at /10.0.0.1) was put out: 45.0 s without a heartbeat, last seen in Fetch 46.1 s before";
        assert_eq!(lines_of(&evicted), [line]);
    }
}
