//! What consumer groups remember of what happened to them.

use std::time::Duration;

use ottla_model::{ErrorCode, Seen};

use super::super::why::why;
use super::convert::{classic_of_one, subscription};
use super::*;

#[test]
fn a_life_of_two_members() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.at(1_000);
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.at(2_000);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.at(2_500);
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.at(3_000);
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.presence.0.insert("b".into(), Seen { api: "Fetch", ago: Duration::from_millis(1_500) });
    scene.at(40_000);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.at(50_000);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("a", beat("a", -1));
    assert_eq!(counts(&scene), [("member_joined", 2), ("member_left", 1), ("member_silent", 1)]);
    let (state, events) = why(&mut scene);
    assert_eq!(state, "Empty");
    assert_eq!(
        events,
        [
            "0 a joined",
            "0 rebalance: member_joined a",
            "0 target of epoch 2 by uniform: a=(foo[0, 1, 2, 3])",
            "0 generation 2 after 0ns:  -> a=(foo[0, 1, 2, 3])",
            "1000 b joined",
            "1000 rebalance: member_joined b",
            "1000 target of epoch 3 by uniform: a=(foo[0, 1]) b=(foo[2, 3])",
            "3000 generation 3 after 2s: a=(foo[0, 1, 2, 3]) -> a=(foo[0, 1]) b=(foo[2, 3])",
            "48000 b is out, no Heartbeat in 45s, seen Fetch 1.5s ago",
            "48000 rebalance: member_silent b",
            "50000 target of epoch 4 by uniform: a=(foo[0, 1, 2, 3])",
            "50000 generation 4 after 2s: a=(foo[0, 1]) b=(foo[2, 3]) -> a=(foo[0, 1, 2, 3])",
            "50000 a left by a saying \"-\"",
            "50000 rebalance: member_left a",
            "50000 empty in generation 5"
        ]
    );
}

/// The reasons of the rebalances of all groups.
fn counts(scene: &Scene) -> Vec<(&'static str, u64)> {
    let counts = scene.groups.rebalances().flat_map(|(_, counts)| counts.iter());
    counts.filter(|(_, count)| *count > 0).map(|(reason, count)| (reason.name(), count)).collect()
}

#[test]
fn members_that_do_not_give_back() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    for now_ms in [0, 10_000, 20_000, 29_999] {
        scene.at(now_ms);
        scene.consumer_heartbeat("a", beat("a", 2));
        scene.consumer_heartbeat("b", beat("b", 3));
    }
    scene.at(30_000);
    scene.consumer_heartbeat("b", beat("b", 3));
    let (_, events) = why(&mut scene);
    assert_eq!(
        events[6..],
        [
            "0 target of epoch 3 by uniform: a=(foo[0, 1]) b=(foo[2, 3])",
            "30000 a is out, no Revocation in 30s, seen never",
            "30000 rebalance: member_did_not_revoke a",
            "30000 target of epoch 4 by uniform: b=(foo[0, 1, 2, 3])",
            "30000 generation 4 after 30s: a=(foo[0, 1, 2, 3]) -> b=(foo[0, 1, 2, 3])"
        ]
    );
}

#[test]
fn static_members_subscriptions_and_topics() {
    let mut scene = scene();
    let one =
        |member_id: &str| ConsumerHeartbeat { instance_id: Some("one".into()), ..joins(member_id, &["foo"]) };
    scene.consumer_heartbeat("a", one("a"));
    scene.consumer_heartbeat("a", ConsumerHeartbeat { instance_id: Some("one".into()), ..beat("a", -2) });
    scene.consumer_heartbeat("a", one("a2"));
    scene.consumer_heartbeat("a", ConsumerHeartbeat { instance_id: Some("one".into()), ..beat("a2", -2) });
    scene.consumer_heartbeat("a", one("a2"));
    let both = ConsumerHeartbeat {
        instance_id: Some("one".into()),
        subscribed_topic_names: Some(vec!["foo".into(), "bar".into()]),
        ..beat("a2", 2)
    };
    scene.consumer_heartbeat("a", both);
    scene.topics(2, &[("foo", 4), ("bar", 3)]);
    scene.consumer_heartbeat("a", ConsumerHeartbeat { instance_id: Some("one".into()), ..beat("a2", 3) });
    let removed = LeavingMember {
        member_id: "".into(),
        group_instance_id: Some("one".into()),
        reason: Some("too slow".into()),
    };
    scene.send("boss", Command::Leave(Leave { group_id: "g".into(), members: vec![removed] }));
    let (_, events) = why(&mut scene);
    assert_eq!(
        events,
        [
            "0 a/one joined",
            "0 rebalance: member_joined a",
            "0 target of epoch 2 by uniform: a=(foo[0, 1, 2, 3])",
            "0 generation 2 after 0ns:  -> a=(foo[0, 1, 2, 3])",
            "0 a/one is away",
            "0 a2/one replaces a",
            "0 a2/one is away",
            "0 a2/one replaces a2",
            "0 rebalance: subscription_changed a2",
            "0 target of epoch 3 by uniform: a2=(bar[0, 1] foo[0, 1, 2, 3])",
            "0 generation 3 after 0ns: a2=(foo[0, 1, 2, 3]) -> a2=(bar[0, 1] foo[0, 1, 2, 3])",
            "0 rebalance: topics_changed ",
            "0 target of epoch 4 by uniform: a2=(bar[0, 1, 2] foo[0, 1, 2, 3])",
            "0 generation 4 after 0ns: a2=(bar[0, 1] foo[0, 1, 2, 3]) -> a2=(bar[0, 1, 2] foo[0, 1, 2, 3])",
            "0 a2/one left by boss saying \"too slow\"",
            "0 rebalance: member_left a2 saying \"too slow\"",
            "0 empty in generation 5"
        ]
    );
}

#[test]
fn restarts_and_failures() {
    let mut scene = pair();
    scene.consumer_heartbeat("c", joins("c", &["foo"]));
    scene.restart();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.appends_fail = None;
    scene.at(5_000);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.consumer_heartbeat("b", has("b", 3, &[("foo", &[2])]));
    scene.consumer_heartbeat("c", beat("c", 4));
    let (_, events) = why(&mut scene);
    assert_eq!(
        events,
        [
            "0 back with 3 in 4",
            "0 a left by a saying \"-\"",
            "0 rebalance: member_left a",
            "0 taken back",
            "5000 generation 4 after 5s: a=(foo[0, 1]) b=(foo[2, 3]) c=() -> a=(foo[0, 1]) b=(foo[2]) c=(foo[3])"
        ]
    );
}

#[test]
fn groups_that_never_were() {
    let mut scene = scene();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    let (state, events) = why(&mut scene);
    assert_eq!(state, "Dead");
    assert_eq!(
        events,
        [
            "0 a joined",
            "0 rebalance: member_joined a",
            "0 target of epoch 2 by uniform: a=(foo[0, 1, 2, 3])",
            "0 generation 2 after 0ns:  -> a=(foo[0, 1, 2, 3])",
            "0 taken back"
        ]
    );
}

#[test]
fn upgrades_and_downgrades() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.join("a", subscription("a-#1", &["foo"], &[]));
    scene.consumer_heartbeat("b", beat("b", -1));
    // What is counted outlives the kind of the group.
    assert_eq!(counts(&scene), [("member_joined", 2), ("downgraded", 1)]);
    let (_, events) = why(&mut scene);
    assert_eq!(
        events,
        [
            "0 a-#1 joined",
            "0 rebalance: member_joined a-#1",
            "0 generation 1 of 1, a-#1 leads",
            "0 generation 1 after 0ns: unknown -> a-#1=(foo[0, 1, 2, 3])",
            "0 upgraded with 1",
            "0 b joined",
            "0 rebalance: member_joined b",
            "0 target of epoch 2 by uniform: a-#1=(foo[0, 1]) b=(foo[2, 3])",
            "0 b left by b saying \"-\"",
            "0 downgraded with 1",
            "0 rebalance: downgraded "
        ]
    );
}

#[test]
fn what_is_kept_of_a_deleted_group_is_what_happened() {
    let mut scene = pair();
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.send("boss", Command::Delete { group_id: "g".into() });
    scene.groups.check();
    assert_eq!(counts(&scene), []);
    let (state, events) = why(&mut scene);
    assert_eq!((state, events.last().unwrap().as_str()), ("Dead", "0 deleted by boss"));
}
