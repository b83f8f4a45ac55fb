//! Members that come, go, and pass partitions on.

use std::sync::Arc;

use super::*;
use crate::machine::Machine;

#[test]
fn a_partition_passes_on_when_it_was_given_back() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.describe_consumer();
    scene.groups.check();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 b: heartbeat "b" epoch 0 reads [foo] has []
            0   log: g b is b/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 3
            0   log: g a target [foo-0 foo-1]
            0   log: g b target [foo-2 foo-3]
            0   log: g target epoch 3 at 0
            0   log: g b unreleased epoch 3<0 has []
            0 b <- b epoch 3 has []
            0 a: heartbeat "a" epoch 2
            0   log: g a unrevoked epoch 2<2 has [foo-0@2 foo-1@2] gives back [foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1]
            0 b: heartbeat "b" epoch 3
            0   log: g b unreleased epoch 3<3 has []
            0 b <- b epoch 3
            0 a: heartbeat "a" epoch 2 has [foo-0 foo-1]
            0   log: g a stable epoch 3<2 has [foo-0@2 foo-1@2]
            0 a <- a epoch 3
            0 b: heartbeat "b" epoch 3
            0   log: g b stable epoch 3<3 has [foo-2@3 foo-3@3]
            0 b <- b epoch 3 has [foo-2 foo-3]
            0 a: heartbeat "a" epoch 3
            0 a <- a epoch 3
            0 admin: describe consumer group g
            0 admin <- Stable epoch 3/3 by uniform a(a/127.0.0.1 epoch 3 has [foo-0 foo-1] of [foo-0 foo-1]) b(b/127.0.0.1 epoch 3 has [foo-2 foo-3] of [foo-2 foo-3])
        "##,
    );
}

#[test]
fn epochs_tell_who_is_behind() {
    let mut scene = pair();
    // It has missed the answer with epoch 3, and has no more than it should have.
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0])]));
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 2])]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.consumer_heartbeat("a", beat("a", 4));
    scene.consumer_heartbeat("a", beat("stranger", 3));
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 2 has [foo-0]
            0 a <- a epoch 3
            0 a: heartbeat "a" epoch 2 has [foo-0 foo-2]
            0 a <- FENCED_MEMBER_EPOCH "The consumer group member has a smaller member epoch (2) than the one known by the group coordinator (3). The member must abandon all its partitions and rejoin."
            0 a: heartbeat "a" epoch 2
            0 a <- FENCED_MEMBER_EPOCH "The consumer group member has a smaller member epoch (2) than the one known by the group coordinator (3). The member must abandon all its partitions and rejoin."
            0 a: heartbeat "a" epoch 4
            0 a <- FENCED_MEMBER_EPOCH "The consumer group member has a greater member epoch (4) than the one known by the group coordinator (3). The member must abandon all its partitions and rejoin."
            0 a: heartbeat "stranger" epoch 3
            0 a <- UNKNOWN_MEMBER_ID "Member stranger is not a member of group g."
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0 a <- a epoch 3 has [foo-0 foo-1]
        "##,
    );
}

#[test]
fn a_member_that_leaves_leaves_its_partitions_at_once() {
    let mut scene = pair();
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.describe_consumer();
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.describe_consumer();
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.at(60_000);
    assert_eq!(scene.groups.deadline(), None, "nobody is waited for");
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch -1
            0   log: g b assignment is gone
            0   log: g b target is gone
            0   log: g b is gone
            0   log: g epoch 4
            0 b <- b epoch -1
            0 admin: describe consumer group g
            0 admin <- Assigning epoch 4/3 by uniform a(a/127.0.0.1 epoch 3 has [foo-0 foo-1] of [foo-0 foo-1])
            0 a: heartbeat "a" epoch 3
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 4 at 0
            0   log: g a stable epoch 4<3 has [foo-0@2 foo-1@2 foo-2@4 foo-3@4]
            0 a <- a epoch 4 has [foo-0 foo-1 foo-2 foo-3]
            0 a: heartbeat "a" epoch -1
            0   log: g a assignment is gone
            0   log: g a target is gone
            0   log: g a is gone
            0   log: g epoch 5 without topics
            0 a <- a epoch -1
            0 admin: describe consumer group g
            0 admin <- Empty epoch 5/4 by uniform
            0 a: heartbeat "a" epoch -1
            0 a <- UNKNOWN_MEMBER_ID "Member a is not a member of group g."
        "##,
    );
}

#[test]
fn whoever_is_silent_is_out_after_its_session() {
    let mut scene = pair();
    scene.at(30_000);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.at(75_000);
    scene.describe_consumer();
    scene.consumer_heartbeat("b", beat("b", 3));
    assert_eq!(scene.groups.deadline(), None);
    scene.expect(
        r##"
            30000 a: heartbeat "a" epoch 3
            30000 a <- a epoch 3
            45000   log: g b assignment is gone
            45000   log: g b target is gone
            45000   log: g b is gone
            45000   log: g epoch 4
            75000   log: g a assignment is gone
            75000   log: g a target is gone
            75000   log: g a is gone
            75000   log: g epoch 5 without topics
            75000 admin: describe consumer group g
            75000 admin <- Empty epoch 5/3 by uniform
            75000 b: heartbeat "b" epoch 3
            75000 b <- UNKNOWN_MEMBER_ID "Member b is not a member of group g."
        "##,
    );
}

#[test]
fn whoever_keeps_what_it_must_give_back_is_out_after_its_rebalance_timeout() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.forget_transcript();
    scene.at(20_000);
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1, 2, 3])]));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.at(40_000);
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.expect(
        r##"
            20000 a: heartbeat "a" epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            20000 a <- a epoch 2
            20000 b: heartbeat "b" epoch 3
            20000   log: g b unreleased epoch 3<3 has []
            20000 b <- b epoch 3
            30000   log: g a assignment is gone
            30000   log: g a target is gone
            30000   log: g a is gone
            30000   log: g epoch 4
            40000 a: heartbeat "a" epoch 2 has [foo-0 foo-1]
            40000 a <- UNKNOWN_MEMBER_ID "Member a is not a member of group g."
            40000 b: heartbeat "b" epoch 3
            40000   log: g b target [foo-0 foo-1 foo-2 foo-3]
            40000   log: g target epoch 4 at 40000
            40000   log: g b stable epoch 4<3 has [foo-0@4 foo-1@4 foo-2@4 foo-3@4]
            40000 b <- b epoch 4 has [foo-0 foo-1 foo-2 foo-3]
        "##,
    );
}

#[test]
fn a_target_is_made_at_most_once_in_the_interval() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.topics(1, &[("foo", 4)]);
    scene.forget_transcript();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.at(500);
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.describe_consumer();
    scene.at(1_000);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            500 b: heartbeat "b" epoch 0 reads [foo] has []
            500   log: g b is b/127.0.0.1 for 30000, reads [foo]
            500   log: g epoch 3
            500   log: g b stable epoch 2<0 has []
            500 b <- b epoch 2 has []
            500 admin: describe consumer group g
            500 admin <- Assigning epoch 3/2 by uniform a(a/127.0.0.1 epoch 2 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1 foo-2 foo-3]) b(b/127.0.0.1 epoch 2 has [] of [])
            1000 a: heartbeat "a" epoch 2
            1000   log: g a target [foo-0 foo-1]
            1000   log: g b target [foo-2 foo-3]
            1000   log: g target epoch 3 at 1000
            1000   log: g a unrevoked epoch 2<2 has [foo-0@2 foo-1@2] gives back [foo-2@2 foo-3@2]
            1000 a <- a epoch 2 has [foo-0 foo-1]
        "##,
    );
}

#[test]
fn new_partitions_and_topics_are_seen_at_the_next_heartbeat() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo", "new"]));
    scene.topics(2, &[("foo", 5), ("bar", 2)]);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.topics(3, &[("foo", 5), ("bar", 3)]);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.topics(4, &[("bar", 3), ("new", 1)]);
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("a", has("a", 3, &[]));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [foo new] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo new]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 broker: topics bar:2 foo:5
            0 broker <- learnt
            0 a: heartbeat "a" epoch 2
            0   log: g epoch 3
            0   log: g a target [foo-0 foo-1 foo-2 foo-3 foo-4]
            0   log: g target epoch 3 at 0
            0   log: g a stable epoch 3<2 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2 foo-4@3]
            0 a <- a epoch 3 has [foo-0 foo-1 foo-2 foo-3 foo-4]
            0 broker: topics bar:3 foo:5
            0 broker <- learnt
            0 a: heartbeat "a" epoch 3
            0 a <- a epoch 3
            0 broker: topics bar:3 new:1
            0 broker <- learnt
            0 a: heartbeat "a" epoch 3
            0   log: g epoch 4
            0   log: g a target [new-0]
            0   log: g target epoch 4 at 0
            0   log: g a unrevoked epoch 3<3 has [] gives back [foo-0@2 foo-1@2 foo-2@2 foo-3@2 foo-4@3]
            0 a <- a epoch 3 has []
            0 a: heartbeat "a" epoch 3 has []
            0   log: g a stable epoch 4<3 has [new-0@4]
            0 a <- a epoch 4 has [new-0]
        "##,
    );
}

#[test]
fn most_members_choose_the_assignor() {
    let mut scene = scene();
    let by = |member_id: &str, name: &str| ConsumerHeartbeat {
        server_assignor: Some(name.into()),
        ..joins(member_id, &["foo", "bar"])
    };
    scene.consumer_heartbeat("a", by("a", "range"));
    scene.consumer_heartbeat("b", by("b", "range"));
    scene.consumer_heartbeat("c", by("c", "uniform"));
    scene.consumer_heartbeat("d", by("d", "sticky"));
    scene.describe_consumer();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [foo bar] by range has []
            0   log: g a is a/127.0.0.1 for 30000, reads [bar foo] by range
            0   log: g epoch 2
            0   log: g a target [bar-0 bar-1 foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [bar-0@2 bar-1@2 foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [bar-0 bar-1 foo-0 foo-1 foo-2 foo-3]
            0 b: heartbeat "b" epoch 0 reads [foo bar] by range has []
            0   log: g b is b/127.0.0.1 for 30000, reads [bar foo] by range
            0   log: g epoch 3
            0   log: g a target [bar-0 foo-0 foo-1]
            0   log: g b target [bar-1 foo-2 foo-3]
            0   log: g target epoch 3 at 0
            0   log: g b unreleased epoch 3<0 has []
            0 b <- b epoch 3 has []
            0 c: heartbeat "c" epoch 0 reads [foo bar] by uniform has []
            0   log: g c is c/127.0.0.1 for 30000, reads [bar foo] by uniform
            0   log: g epoch 4
            0   log: g b target [bar-1 foo-2]
            0   log: g c target [foo-3]
            0   log: g target epoch 4 at 0
            0   log: g c unreleased epoch 4<0 has []
            0 c <- c epoch 4 has []
            0 d: heartbeat "d" epoch 0 reads [foo bar] by sticky has []
            0 d <- UNSUPPORTED_ASSIGNOR "ServerAssignor sticky is not supported. Supported assignors: uniform, range."
            0 admin: describe consumer group g
            0 admin <- Reconciling epoch 4/4 by range a(a/127.0.0.1 epoch 2 has [bar-0 bar-1 foo-0 foo-1 foo-2 foo-3] of [bar-0 foo-0 foo-1]) b(b/127.0.0.1 epoch 3 has [] of [bar-1 foo-2]) c(c/127.0.0.1 epoch 4 has [] of [foo-3])
        "##,
    );
}

#[test]
fn a_group_takes_no_more_members_than_it_may() {
    let mut config = prompt();
    config.consumer.max_size = 1;
    let mut scene = Scene::new(config);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2 without topics
            0   log: g a target []
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has []
            0 a <- a epoch 2 has []
            0 b: heartbeat "b" epoch 0 reads [foo] has []
            0 b <- GROUP_MAX_SIZE_REACHED "The consumer group has reached its maximum capacity of 1 members."
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0 a <- a epoch 2 has []
        "##,
    );
}

#[test]
fn a_group_has_its_own_settings() {
    let overrides = ConsumerGroupOverrides {
        session_timeout_ms: Some(50_000),
        heartbeat_interval_ms: Some(7_000),
        assignment_interval_ms: Some(0),
    };
    let mut config = GroupConfig::default();
    config.consumer.overrides = Arc::new([("g".into(), overrides)].into());
    let mut scene = Scene::new(config);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    let Some(Reply::ConsumerHeartbeat(reply)) = scene.answers.last() else { panic!("a reply") };
    assert_eq!(reply.heartbeat_interval_ms, 7_000);
    scene.at(49_999);
    assert!(!scene.groups.consumer_group("g").unwrap().is_empty());
    scene.at(50_000);
    assert!(scene.groups.consumer_group("g").unwrap().is_empty());
}

#[test]
fn version_0_is_given_a_member_id() {
    let mut scene = scene();
    let old = |heartbeat| ConsumerHeartbeat { makes_own_member_id: false, ..heartbeat };
    scene.consumer_heartbeat("a", old(joins("", &["foo"])));
    scene.consumer_heartbeat("b", joins("", &["foo"]));
    scene.expect(
        r##"
            0 a: heartbeat "" epoch 0 reads [foo] has []
            0   log: g AAAAAAAAQACAAAAAAAAAAQ is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g AAAAAAAAQACAAAAAAAAAAQ target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g AAAAAAAAQACAAAAAAAAAAQ stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- AAAAAAAAQACAAAAAAAAAAQ epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 b: heartbeat "" epoch 0 reads [foo] has []
            0 b <- INVALID_REQUEST "MemberId can't be empty."
        "##,
    );
}

#[test]
fn a_restart_forgets_nothing_but_timers() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.forget_transcript();
    scene.at(20_000);
    scene.restart();
    scene.groups.check();
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.expect(
        r##"
            20000 restart
            20000 b: heartbeat "b" epoch 3
            20000   log: g b unreleased epoch 3<3 has []
            20000 b <- b epoch 3
            20000 a: heartbeat "a" epoch 2 has [foo-0 foo-1]
            20000   log: g a stable epoch 3<2 has [foo-0@2 foo-1@2]
            20000 a <- a epoch 3
            20000 b: heartbeat "b" epoch 3
            20000   log: g b stable epoch 3<3 has [foo-2@3 foo-3@3]
            20000 b <- b epoch 3 has [foo-2 foo-3]
        "##,
    );
}
