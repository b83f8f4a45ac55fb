//! What consumer groups remember of what happened to them.

use super::*;
use crate::group::tests::why::why;

/// The whole story as lines. Of assignments only the topics are text.
fn told(scene: &mut Scene) -> Vec<String> {
    why(scene)
        .1
        .into_iter()
        .map(|line| line.chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').collect())
        .collect()
}

#[test]
fn a_life_of_two_members() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.at(1_000);
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.at(3_000);
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.topics(2, &[("foo", 5)]);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.consumer_heartbeat(
        "b",
        ConsumerHeartbeat { subscribed_topic_names: Some(Vec::new()), ..beat("b", 4) },
    );
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.at(48_001);
    assert_eq!(
        told(&mut scene),
        [
            "0 a joined",
            "0 rebalance: member_joined a",
            "0 generation 2 after 0ns: unknown -> a=foo",
            "1000 b joined",
            "1000 rebalance: member_joined b",
            "3000 generation 3 after 2s: a=foo -> a=foo b=foo",
            "3000 rebalance: topics_changed ",
            "3000 generation 4 after 0ns: a=foo b=foo -> a=foo b=foo",
            "3000 rebalance: subscription_changed ",
            "3000 b left by b saying \"-\"",
            "3000 rebalance: member_left b",
            "48000 a is out, no Heartbeat in 45s, seen never",
            "48000 rebalance: member_silent a",
            "48000 empty in generation 7",
        ]
    );
}

#[test]
fn whoever_gives_nothing_back_is_put_out() {
    let mut scene = scene();
    let named = |heartbeat| ConsumerHeartbeat { instance_id: Some("i".into()), ..heartbeat };
    scene.consumer_heartbeat("a", named(joins("a", &["foo"])));
    scene.consumer_heartbeat("a", named(beat("a", -2)));
    scene.consumer_heartbeat("c", named(joins("c", &["foo"])));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("c", named(beat("c", 2)));
    scene.at(30_000);
    scene.leave("admin", &["b"]);
    scene.send("admin", Command::Delete { group_id: "g".into() });
    assert_eq!(
        told(&mut scene),
        [
            "0 a/i joined",
            "0 rebalance: member_joined a",
            "0 generation 2 after 0ns: unknown -> a=foo",
            "0 c/i replaces a",
            "0 b joined",
            "0 rebalance: member_joined b",
            "30000 c/i is out, no Revocation in 30s, seen never",
            "30000 rebalance: member_silent c",
            "30000 b left by admin saying \"-\"",
            "30000 rebalance: member_left b",
            "30000 empty in generation 5",
            "30000 deleted by admin",
        ]
    );
}

#[test]
fn groups_that_change_their_kind() {
    let mut scene = convert::classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("b", beat("b", -1));
    assert_eq!(
        told(&mut scene),
        [
            "0 a-#1 joined",
            "0 rebalance: member_joined a-#1",
            "0 generation 1 of 1, a-#1 leads",
            "0 generation 1 after 0ns: unknown -> a-#1=foo",
            "0 b joined",
            "0 rebalance: member_joined b",
            "0 b left by b saying \"-\"",
            "0 rebalance: member_left b",
        ]
    );
}
