//! Members that subscribe by regular expressions.

use super::*;
use crate::machine::Machine;

fn matching(regex: &str, heartbeat: ConsumerHeartbeat) -> ConsumerHeartbeat {
    ConsumerHeartbeat { subscribed_topic_regex: Some(regex.into()), ..heartbeat }
}

/// A first heartbeat with an expression and no names.
fn joins_by(member_id: &str, regex: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat { subscribed_topic_names: None, ..matching(regex, joins(member_id, &[])) }
}

#[test]
fn an_expression_is_resolved_at_once_and_assigned_at_the_next_heartbeat() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins_by("a", "f.*"));
    assert!(scene.groups.deadline().is_some_and(|at| at.0.is_zero()));
    scene.at(1);
    scene.consumer_heartbeat("a", beat("a", 1));
    // The second with the same expression need not wait.
    scene.consumer_heartbeat("b", joins_by("b", "f.*"));
    scene.groups.check();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads "f.*" has []
            0   log: g a is a/127.0.0.1 for 30000, reads [] "f.*"
            0   log: g a stable epoch 1<0 has []
            0 a <- a epoch 1 has []
            0   log: g "f.*" matches [foo] in version 1
            0   log: g epoch 2
            1 a: heartbeat "a" epoch 1
            1   log: g a target [foo-0 foo-1 foo-2 foo-3]
            1   log: g target epoch 2 at 1
            1   log: g a stable epoch 2<1 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            1 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            1 b: heartbeat "b" epoch 0 reads "f.*" has []
            1   log: g b is b/127.0.0.1 for 30000, reads [] "f.*"
            1   log: g epoch 3
            1   log: g a target [foo-0 foo-1]
            1   log: g b target [foo-2 foo-3]
            1   log: g target epoch 3 at 1
            1   log: g b unreleased epoch 3<0 has []
            1 b <- b epoch 3 has []
        "##,
    );
}

#[test]
fn new_topics_are_matched_but_not_too_often() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins_by("a", "f.*"));
    scene.at(1);
    scene.consumer_heartbeat("a", beat("a", 1));
    scene.topics(2, &[("foo", 4), ("fee", 1)]);
    scene.forget_transcript();
    scene.at(10_000);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.at(10_001);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.at(10_002);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.expect(
        r##"
            10000 a: heartbeat "a" epoch 2
            10000 a <- a epoch 2
            10001 a: heartbeat "a" epoch 2
            10001 a <- a epoch 2
            10001   log: g "f.*" matches [fee foo] in version 2
            10001   log: g epoch 3
            10002 a: heartbeat "a" epoch 2
            10002   log: g a target [fee-0 foo-0 foo-1 foo-2 foo-3]
            10002   log: g target epoch 3 at 10002
            10002   log: g a stable epoch 3<2 has [fee-0@3 foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            10002 a <- a epoch 3 has [fee-0 foo-0 foo-1 foo-2 foo-3]
        "##,
    );
}

#[test]
fn expressions_are_matched_anew_when_it_was_long_ago() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins_by("a", "f.*"));
    for beats in 1..=15 {
        scene.at(40_000 * beats);
        scene.consumer_heartbeat("a", beat("a", if beats == 1 { 1 } else { 2 }));
    }
    scene.forget_transcript();
    scene.at(600_001);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.at(600_002);
    scene.expect(
        r##"
            600001 a: heartbeat "a" epoch 2
            600001 a <- a epoch 2
            600001   log: g "f.*" matches [foo] in version 1
        "##,
    );
}

#[test]
fn an_expression_that_nobody_has_any_more_is_forgotten() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins_by("a", "f.*"));
    scene.consumer_heartbeat("b", joins_by("b", "b.*"));
    scene.at(20_000);
    scene.consumer_heartbeat("a", beat("a", 1));
    scene.consumer_heartbeat("b", beat("b", 1));
    scene.forget_transcript();
    scene.consumer_heartbeat("a", matching("b.*", beat("a", 2)));
    scene.consumer_heartbeat(
        "a",
        matching(
            "",
            ConsumerHeartbeat {
                member_epoch: 2,
                topic_partitions: None,
                rebalance_timeout_ms: -1,
                ..joins("a", &["foo"])
            },
        ),
    );
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.groups.check();
    scene.expect(
        r##"
            20000 a: heartbeat "a" epoch 2 reads "b.*"
            20000   log: g a is a/127.0.0.1 for 30000, reads [] "b.*"
            20000   log: g "f.*" is gone
            20000   log: g a unrevoked epoch 2<2 has [] gives back [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            20000 a <- a epoch 2 has []
            20000 a: heartbeat "a" epoch 2 reads [foo] reads ""
            20000   log: g a is a/127.0.0.1 for 30000, reads [foo]
            20000   log: g epoch 3
            20000   log: g target epoch 3 at 20000
            20000 a <- a epoch 2
            20000 b: heartbeat "b" epoch -1
            20000   log: g b assignment is gone
            20000   log: g b target is gone
            20000   log: g b is gone
            20000   log: g "b.*" is gone
            20000   log: g epoch 4
            20000 b <- b epoch -1
        "##,
    );
}

#[test]
fn an_expression_that_is_none_is_refused() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins_by("a", "("));
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("a", matching("[", beat("a", 2)));
    scene.groups.check();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads "(" has []
            0 a <- INVALID_REGULAR_EXPRESSION "SubscribedTopicRegex `(` is not a valid regular expression: missing closing )."
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 a: heartbeat "a" epoch 2 reads "["
            0 a <- INVALID_REGULAR_EXPRESSION "SubscribedTopicRegex `[` is not a valid regular expression: missing closing ]."
        "##,
    );
}

#[test]
fn names_and_an_expression_add_up() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", matching("f.*", joins("a", &["bar"])));
    scene.at(1);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.groups.check();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [bar] reads "f.*" has []
            0   log: g a is a/127.0.0.1 for 30000, reads [bar] "f.*"
            0   log: g epoch 2
            0   log: g a target [bar-0 bar-1]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [bar-0@2 bar-1@2]
            0 a <- a epoch 2 has [bar-0 bar-1]
            0   log: g "f.*" matches [foo] in version 1
            0   log: g epoch 3
            1 a: heartbeat "a" epoch 2
            1   log: g a target [bar-0 bar-1 foo-0 foo-1 foo-2 foo-3]
            1   log: g target epoch 3 at 1
            1   log: g a stable epoch 3<2 has [bar-0@2 bar-1@2 foo-0@3 foo-1@3 foo-2@3 foo-3@3]
            1 a <- a epoch 3 has [bar-0 bar-1 foo-0 foo-1 foo-2 foo-3]
        "##,
    );
}

#[test]
fn a_member_that_is_gone_before_its_expression_is_resolved_leaves_nothing() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins_by("a", "f.*"));
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.at(1);
    scene.groups.check();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads "f.*" has []
            0   log: g a is a/127.0.0.1 for 30000, reads [] "f.*"
            0   log: g a stable epoch 1<0 has []
            0 a <- a epoch 1 has []
            0 a: heartbeat "a" epoch -1
            0   log: g a assignment is gone
            0   log: g a target is gone
            0   log: g a is gone
            0   log: g "f.*" is gone
            0   log: g epoch 2 without topics
            0 a <- a epoch -1
        "##,
    );
}
