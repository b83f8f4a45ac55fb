//! What groups remember of what happened to them.

use std::time::Duration;

use bytes::Bytes;
use ottla_model::{ErrorCode, Seen};

use super::membership::stable_pair;
use super::*;
use crate::codec::ConsumerProtocolAssignment;
use crate::group::*;

fn member(member: &EventMember) -> String {
    let instance = member.group_instance_id.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
    format!("{}{instance}", show::short(&member.member_id))
}

/// What consumers write, or else the bytes as they are.
fn assignment(bytes: &Bytes) -> String {
    let Ok(assignment) = ConsumerProtocolAssignment::decode(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    let topics = assignment.assigned_partitions.iter();
    let topics = topics.map(|(topic, partitions)| format!("{topic}{partitions:?}"));
    format!("({})", topics.collect::<Vec<_>>().join(" "))
}

fn assigned(assignments: &Option<std::sync::Arc<Assignments>>) -> String {
    let Some(assignments) = assignments else { return "unknown".to_owned() };
    let members = assignments
        .members
        .iter()
        .map(|(member_id, bytes)| format!("{}={}", show::short(member_id), assignment(bytes)));
    members.collect::<Vec<_>>().join(" ")
}

fn told(event: &GroupEvent) -> String {
    let what = match &event.what {
        Happening::Joined { member: one } => format!("{} joined", member(one)),
        Happening::Left { member: one, by, reason } => {
            format!("{} left by {} saying {:?}", member(one), by.client_id, reason.as_deref().unwrap_or("-"))
        }
        Happening::Evicted { member: one, missed, waited, last_seen } => {
            let seen =
                last_seen.map_or("never".to_owned(), |seen| format!("{} {:?} ago", seen.api, seen.ago));
            format!("{} is out, no {missed:?} in {waited:?}, seen {seen}", member(one))
        }
        Happening::Replaced { member: one, old_member_id } => {
            format!("{} replaces {}", member(one), show::short(old_member_id))
        }
        Happening::Away { member: one } => format!("{} is away", member(one)),
        Happening::RebalanceStarted(trigger) => {
            let words = trigger.words.as_ref().map(|words| format!(" saying {words:?}")).unwrap_or_default();
            format!("rebalance: {} {}{words}", trigger.reason.name(), show::short(&trigger.member_id))
        }
        Happening::Elected { generation, leader, is_new, members, .. } => {
            let leads = if *is_new { "now leads" } else { "leads" };
            format!("generation {generation} of {members}, {} {leads}", show::short(leader))
        }
        Happening::TargetMade { epoch, assignor, target } => {
            format!("target of epoch {epoch} by {assignor}: {}", assigned(target))
        }
        Happening::RebalanceFinished { generation, took, before, after } => {
            format!("generation {generation} after {took:?}: {} -> {}", assigned(before), assigned(after))
        }
        Happening::Emptied { generation } => format!("empty in generation {generation}"),
        Happening::Restored { generation, members } => format!("back with {members} in {generation}"),
        Happening::Upgraded { members } => format!("upgraded with {members}"),
        Happening::Downgraded { members } => format!("downgraded with {members}"),
        Happening::TakenBack => "taken back".to_owned(),
        Happening::Deleted { by } => {
            format!("deleted by {}", by.as_ref().map_or("nobody", |by| &by.client_id))
        }
    };
    format!("{} {what}", event.wall.0 - scene::WALL)
}

/// Everything that group `g` remembers, and what state it is in.
pub(super) fn why(scene: &mut Scene) -> (&'static str, Vec<String>) {
    scene.send("admin", Command::Why { group_id: "g".into() });
    let Some(Reply::Why(why)) = scene.answers.last() else { panic!("an answer") };
    assert_eq!(why.error, ErrorCode::None);
    (why.state, why.events.iter().map(told).collect())
}

#[test]
fn a_life_of_two_members() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.presence.0.insert("b".into(), Seen { api: "Fetch", ago: Duration::from_millis(1_500) });
    scene.at(4_000);
    scene.heartbeat("a", "a-#1", 2);
    scene.at(12_000);
    scene.heartbeat("a", "a-#1", 2);
    scene.at(12_500);
    scene.join("a", join("a-#1"));
    scene.sync("a", "a-#1", 3, &[("a-#1", "both")]);
    let member = LeavingMember {
        member_id: id("a-#1"),
        group_instance_id: None,
        reason: Some("the consumer is being closed".into()),
    };
    scene.send("a", Command::Leave(Leave { group_id: "g".into(), members: vec![member] }));
    let (state, events) = why(&mut scene);
    assert_eq!(state, "Empty");
    assert_eq!(
        events,
        [
            "0 a-#1 joined",
            "0 rebalance: member_joined a-#1",
            "0 generation 1 of 1, a-#1 leads",
            "0 b-#2 joined",
            "0 rebalance: member_joined b-#2",
            "0 generation 2 of 2, a-#1 leads",
            "0 generation 2 after 0ns: unknown -> a-#1=half b-#2=rest",
            "10000 b-#2 is out, no Heartbeat in 10s, seen Fetch 1.5s ago",
            "10000 rebalance: member_silent b-#2",
            "12500 generation 3 of 1, a-#1 leads",
            "12500 generation 3 after 2.5s: a-#1=half b-#2=rest -> a-#1=both",
            "12500 a-#1 left by a saying \"the consumer is being closed\"",
            "12500 rebalance: member_left a-#1 saying \"the consumer is being closed\"",
            "12500 empty in generation 4",
        ]
    );
    let counts: Vec<_> = scene.groups.rebalances().flat_map(|(_, counts)| counts.iter()).collect();
    assert_eq!(counts.iter().filter(|(_, count)| *count > 0).count(), 3);
    assert_eq!(counts[0], (RebalanceReason::MemberJoined, 2));
    scene.send("admin", Command::Delete { group_id: "g".into() });
    let (state, events) = why(&mut scene);
    assert_eq!((state, events.last().unwrap().as_str()), ("Dead", "12500 deleted by admin"));
}

#[test]
fn members_that_do_not_rejoin_or_sync_and_leaders_that_go() {
    let mut scene = stable_pair(GroupConfig::default());
    // The leader does not come when a third member joins.
    let patient = Join { session_timeout_ms: 60_000, ..join("") };
    scene.join("c", patient);
    for now_ms in [9_000, 18_000, 27_000] {
        scene.at(now_ms);
        scene.heartbeat("a", "a-#1", 2);
        scene.heartbeat("b", "b-#2", 2);
    }
    scene.join("b", join("b-#2"));
    scene.at(30_000);
    // Now neither asks for its assignment, until the rebalance timeout is over.
    for now_ms in [39_000, 48_000, 57_000] {
        scene.at(now_ms);
        scene.heartbeat("b", "b-#2", 3);
    }
    scene.at(60_000);
    let (_, events) = why(&mut scene);
    assert_eq!(
        events[7..],
        [
            "0 c-#3 joined",
            "0 rebalance: member_joined c-#3",
            "30000 a-#1 is out, no Rejoin in 30s, seen never",
            "30000 generation 3 of 2, b-#2 now leads",
            "60000 b-#2 is out, no Sync in 30s, seen never",
            "60000 c-#3 is out, no Sync in 30s, seen never",
            "60000 rebalance: member_did_not_sync c-#3",
            "60000 empty in generation 4",
        ]
    );
}

#[test]
fn static_members_administrators_restarts_and_failures() {
    let mut scene = Scene::new(GroupConfig::default());
    let one = |member_id: &str| Join { group_instance_id: Some("one".into()), ..join(member_id) };
    scene.join("a", one(""));
    scene.sync("a", "one-#1", 1, &[("one-#1", "all")]);
    scene.restart();
    scene.join("a", one(""));
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    let other = Join { protocols: vec![("range".into(), Bytes::from_static(b"n"))], ..one("one-#2") };
    scene.join("a", other);
    scene.sync("a", "one-#2", 2, &[("one-#2", "all")]);
    scene.appends_fail = None;
    let removed = LeavingMember { member_id: "".into(), group_instance_id: Some("one".into()), reason: None };
    scene.send("boss", Command::Leave(Leave { group_id: "g".into(), members: vec![removed] }));
    let (_, events) = why(&mut scene);
    assert_eq!(
        events,
        [
            "0 back with 1 in 1",
            "0 one-#2/one replaces one-#1",
            "0 rebalance: member_rejoined one-#2",
            "0 generation 2 of 1, one-#2 leads",
            "0 generation 2 after 0ns: one-#1=all -> one-#2=all",
            "0 rebalance: append_failed ",
            "0 one-#2/one left by boss saying \"-\"",
            "0 empty in generation 3",
        ]
    );
}

#[test]
fn of_a_group_that_never_was_nothing_is_known() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.send("admin", Command::Why { group_id: "g".into() });
    let Some(Reply::Why(why)) = scene.answers.last() else { panic!("an answer") };
    assert_eq!((why.error, why.state), (ErrorCode::GroupIdNotFound, "Dead"));
}
