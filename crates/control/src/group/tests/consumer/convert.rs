//! Groups that change their kind, and members of both protocols in one group.

use super::*;
use crate::codec::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};

/// The JoinGroup of a member that reads `topics` and has `owned`.
pub(super) fn subscription(member_id: &str, topics: &[&str], owned: &[(&str, &[i32])]) -> Join {
    let subscription = ConsumerProtocolSubscription {
        topics: topics.to_vec(),
        user_data: None,
        owned_partitions: owned.iter().map(|(topic, partitions)| (*topic, partitions.to_vec())).collect(),
        generation: -1,
        rack_id: None,
    };
    Join { protocols: vec![("range".into(), subscription.encode(3).unwrap())], ..join(member_id) }
}

/// What a leader gives a member.
pub(super) fn assignment(partitions: &[(&str, &[i32])]) -> bytes::Bytes {
    let assigned_partitions =
        partitions.iter().map(|(topic, partitions)| (*topic, partitions.to_vec())).collect();
    ConsumerProtocolAssignment { assigned_partitions, user_data: None }.encode(3).unwrap()
}

/// A stable classic group of member `a-#1`, which has all of `foo`.
pub(super) fn classic_of_one() -> Scene {
    let mut scene = scene();
    scene.join("a", subscription("", &["foo"], &[]));
    let sync = Sync {
        group_id: "g".into(),
        member_id: id("a-#1"),
        group_instance_id: None,
        generation: 1,
        protocol_type: None,
        protocol: None,
        assignments: vec![(id("a-#1"), assignment(&[("foo", &[0, 1, 2, 3])]))],
    };
    scene.send("a", Command::Sync(sync));
    scene.forget_transcript();
    scene
}

#[test]
fn a_classic_group_is_upgraded_when_a_member_of_the_new_protocol_comes() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.groups.check();
    scene.describe_consumer();
    // The classic member is told to rebalance, gives back, and takes part.
    scene.heartbeat("a", "a-#1", 1);
    scene.commit("a", "a-#1", 1, &[("foo", 0, 5)]);
    scene.sync("a", "a-#1", 1, &[]);
    scene.join("a", subscription("a-#1", &["foo"], &[("foo", &[0, 1, 2, 3])]));
    scene.sync("a", "a-#1", 1, &[]);
    scene.heartbeat("a", "a-#1", 1);
    scene.join("a", subscription("a-#1", &["foo"], &[("foo", &[0, 1])]));
    scene.heartbeat("a", "a-#1", 1);
    scene.heartbeat("a", "a-#1", 2);
    scene.sync("a", "a-#1", 2, &[]);
    scene.consumer_heartbeat("b", beat("b", 2));
    scene.describe_consumer();
    scene.groups.check();
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch 0 reads [foo] has []
            0   log: g is gone
            0   log: g a-#1 is a/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            0   log: g epoch 1
            0   log: g a-#1 target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 1 at never
            0   log: g a-#1 stable epoch 1<1 has [foo-0@1 foo-1@1 foo-2@1 foo-3@1]
            0   log: g b is b/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a-#1 target [foo-0 foo-1]
            0   log: g b target [foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g b unreleased epoch 2<0 has []
            0 b <- b epoch 2 has []
            0 admin: describe consumer group g
            0 admin <- Reconciling epoch 2/2 by uniform a-#1(a/127.0.0.1 epoch 1 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1] classic) b(b/127.0.0.1 epoch 2 has [] of [foo-2 foo-3])
            0 a: heartbeat a-#1 generation 1
            0 a <- REBALANCE_IN_PROGRESS
            0 a: commit "a-#1" generation 1 foo-0@5
            0   log: g foo-0@5
            0 a <- committed: foo-0 NONE
            0 a: sync a-#1 generation 1
            0 a <- REBALANCE_IN_PROGRESS
            0 a: join "a-#1" with range
            0   log: g a-#1 is a/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            0   log: g a-#1 unrevoked epoch 1<1 has [foo-0@1 foo-1@1] gives back [foo-2@1 foo-3@1]
            0 a <- joined as a-#1, generation 1 of "range", leader
            0 a: sync a-#1 generation 1
            0 a <- assigned '\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff'
            0 a: heartbeat a-#1 generation 1
            0 a <- REBALANCE_IN_PROGRESS
            0 a: join "a-#1" with range
            0   log: g a-#1 is a/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            0   log: g a-#1 stable epoch 2<1 has [foo-0@1 foo-1@1]
            0 a <- joined as a-#1, generation 2 of "range", leader
            0 a: heartbeat a-#1 generation 1
            0 a <- ILLEGAL_GENERATION
            0 a: heartbeat a-#1 generation 2
            0 a <- NONE
            0 a: sync a-#1 generation 2
            0 a <- assigned '\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff'
            0 b: heartbeat "b" epoch 2
            0   log: g b stable epoch 2<2 has [foo-2@2 foo-3@2]
            0 b <- b epoch 2 has [foo-2 foo-3]
            0 admin: describe consumer group g
            0 admin <- Stable epoch 2/2 by uniform a-#1(a/127.0.0.1 epoch 2 has [foo-0 foo-1] of [foo-0 foo-1] classic) b(b/127.0.0.1 epoch 2 has [foo-2 foo-3] of [foo-2 foo-3])
        "##,
    );
}

#[test]
fn whoever_waits_in_a_group_that_is_upgraded_is_sent_back() {
    let mut scene = classic_of_one();
    scene.join("a", subscription("a-#1", &["foo"], &[]));
    scene.join("b", subscription("", &["foo"], &[]));
    assert_eq!(scene.waiting(), 1);
    scene.forget_transcript();
    scene.consumer_heartbeat("c", joins("c", &["foo"]));
    assert_eq!(scene.waiting(), 0);
    scene.groups.check();
    scene.expect(
        r##"
            0 c: heartbeat "c" epoch 0 reads [foo] has []
            0   log: g is gone
            0   log: g a-#1 is a/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            0   log: g b-#2 is b/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            0   log: g epoch 2
            0   log: g a-#1 target []
            0   log: g b-#2 target []
            0   log: g target epoch 2 at never
            0   log: g a-#1 stable epoch 2<2 has []
            0   log: g b-#2 stable epoch 2<2 has []
            0   log: g c is c/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 3
            0   log: g a-#1 target [foo-0]
            0   log: g b-#2 target [foo-1]
            0   log: g c target [foo-2 foo-3]
            0   log: g target epoch 3 at 0
            0   log: g c stable epoch 3<0 has [foo-2@3 foo-3@3]
            0 b <- REBALANCE_IN_PROGRESS "b-#2"
            0 c <- c epoch 3 has [foo-2 foo-3]
        "##,
    );
}

#[test]
fn the_last_member_of_the_new_protocol_leaves_a_classic_group_behind() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.join("a", subscription("a-#1", &["foo"], &[]));
    scene.consumer_heartbeat("b", beat("b", 2));
    scene.forget_transcript();
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.groups.check();
    scene.describe();
    scene.heartbeat("a", "a-#1", 2);
    scene.join("a", subscription("a-#1", &["foo"], &[]));
    scene.consumer_heartbeat("b", beat("b", 2));
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch -1
            0   log: g a-#1 assignment is gone
            0   log: g b assignment is gone
            0   log: g a-#1 target is gone
            0   log: g b target is gone
            0   log: g target epoch is gone
            0   log: g a-#1 is gone
            0   log: g b is gone
            0   log: g topics are gone
            0   log: g epoch is gone
            0   log: g generation 2 of "consumer"/range, leader a-#1, a-#1='\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff'
            0 b <- b epoch -1
            0 admin: describe g
            0 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' '\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff')
            0 a: heartbeat a-#1 generation 2
            0 a <- REBALANCE_IN_PROGRESS
            0 a: join "a-#1" with range
            0 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1
            0 b: heartbeat "b" epoch 2
            0 b <- GROUP_ID_NOT_FOUND "Group g is not a consumer group."
        "##,
    );
}

#[test]
fn a_group_is_downgraded_when_the_last_member_of_the_new_protocol_is_silent() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.at(9_000);
    scene.join("a", Join { session_timeout_ms: 60_000, ..subscription("a-#1", &["foo"], &[]) });
    scene.sync("a", "a-#1", 2, &[]);
    scene.forget_transcript();
    scene.at(45_000);
    scene.groups.check();
    scene.describe();
    scene.expect(
        r##"
            45000   log: g a-#1 assignment is gone
            45000   log: g b assignment is gone
            45000   log: g a-#1 target is gone
            45000   log: g b target is gone
            45000   log: g target epoch is gone
            45000   log: g a-#1 is gone
            45000   log: g b is gone
            45000   log: g topics are gone
            45000   log: g epoch is gone
            45000   log: g generation 2 of "consumer"/range, leader a-#1, a-#1='\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff'
            45000 admin: describe g
            45000 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' '\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff')
        "##,
    );
}

#[test]
fn a_static_member_of_the_classic_protocol_takes_the_last_place() {
    let mut scene = scene();
    let named = |heartbeat| ConsumerHeartbeat { instance_id: Some("i".into()), ..heartbeat };
    let joins_named = || Join { group_instance_id: Some("i".into()), ..subscription("", &["foo"], &[]) };
    scene.consumer_heartbeat("a", named(joins("a", &["foo"])));
    scene.forget_transcript();
    scene.join("c", joins_named());
    scene.groups.check();
    scene.describe();
    scene.expect(
        r##"
            0 c: join "" static i with range
            0   log: g a assignment is gone
            0   log: g a target is gone
            0   log: g a is gone
            0   log: g AAAAAAAAQACAAAAAAAAAAQ is a/127.0.0.1 for 30000, reads [foo] static i
            0   log: g AAAAAAAAQACAAAAAAAAAAQ target [foo-0 foo-1 foo-2 foo-3]
            0   log: g AAAAAAAAQACAAAAAAAAAAQ stable epoch 0<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0   log: g AAAAAAAAQACAAAAAAAAAAQ is c/127.0.0.1 for 30000, reads [foo] static i classic 10000 with range
            0   log: g AAAAAAAAQACAAAAAAAAAAQ stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0   log: g AAAAAAAAQACAAAAAAAAAAQ assignment is gone
            0   log: g AAAAAAAAQACAAAAAAAAAAQ target is gone
            0   log: g target epoch is gone
            0   log: g AAAAAAAAQACAAAAAAAAAAQ is gone
            0   log: g topics are gone
            0   log: g epoch is gone
            0   log: g generation 2 of "consumer"/range, leader AAAAAAAAQACAAAAAAAAAAQ, AAAAAAAAQACAAAAAAAAAAQ='\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xff\xff\xff\xff'
            0 c <- joined as AAAAAAAAQACAAAAAAAAAAQ, generation 2 of "range", leader
            0 admin: describe g
            0 admin <- Stable "consumer" "range" AAAAAAAAQACAAAAAAAAAAQ(c/127.0.0.1 '\x00\x03\x00\x00\x00\x01\x00\x03foo\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff' '\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xff\xff\xff\xff')
        "##,
    );
}

#[test]
fn classic_members_that_do_not_rejoin_or_sync_in_time_are_out() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.forget_transcript();
    for beats in 1..=4 {
        scene.at(beats * 8_000);
        scene.heartbeat("a", "a-#1", 1);
    }
    scene.at(38_000);
    scene.groups.check();
    scene.describe_consumer();
    scene.join("d", subscription("d", &["foo"], &[]));
    for beats in 1..=4 {
        scene.at(38_000 + beats * 8_000);
        scene.heartbeat("d", "d", 4);
        scene.consumer_heartbeat("b", beat("b", if beats == 1 { 2 } else { 4 }));
    }
    scene.expect(
        r##"
            8000 a: heartbeat a-#1 generation 1
            8000 a <- REBALANCE_IN_PROGRESS
            16000 a: heartbeat a-#1 generation 1
            16000 a <- REBALANCE_IN_PROGRESS
            24000 a: heartbeat a-#1 generation 1
            24000 a <- REBALANCE_IN_PROGRESS
            32000 a: heartbeat a-#1 generation 1
            32000 a <- REBALANCE_IN_PROGRESS
            38000   log: g a-#1 assignment is gone
            38000   log: g a-#1 target is gone
            38000   log: g a-#1 is gone
            38000   log: g epoch 3
            38000 admin: describe consumer group g
            38000 admin <- Assigning epoch 3/2 by uniform b(b/127.0.0.1 epoch 2 has [] of [foo-2 foo-3])
            38000 d: join "d" with range
            38000   log: g d is d/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            38000   log: g epoch 4
            38000   log: g d target [foo-0 foo-1]
            38000   log: g target epoch 4 at 38000
            38000   log: g d stable epoch 4<0 has [foo-0@4 foo-1@4]
            38000 d <- joined as d, generation 4 of "range", leader
            45000   log: g b assignment is gone
            45000   log: g d assignment is gone
            45000   log: g b target is gone
            45000   log: g d target is gone
            45000   log: g target epoch is gone
            45000   log: g b is gone
            45000   log: g d is gone
            45000   log: g topics are gone
            45000   log: g epoch is gone
            45000   log: g generation 4 of "consumer"/range, leader d, d='\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff'
            46000 d: heartbeat d generation 4
            46000 d <- REBALANCE_IN_PROGRESS
            46000 b: heartbeat "b" epoch 2
            46000 b <- GROUP_ID_NOT_FOUND "Group g is not a consumer group."
            54000 d: heartbeat d generation 4
            54000 d <- REBALANCE_IN_PROGRESS
            54000 b: heartbeat "b" epoch 4
            54000 b <- GROUP_ID_NOT_FOUND "Group g is not a consumer group."
            62000 d: heartbeat d generation 4
            62000 d <- REBALANCE_IN_PROGRESS
            62000 b: heartbeat "b" epoch 4
            62000 b <- GROUP_ID_NOT_FOUND "Group g is not a consumer group."
            70000 d: heartbeat d generation 4
            70000 d <- REBALANCE_IN_PROGRESS
            70000 b: heartbeat "b" epoch 4
            70000 b <- GROUP_ID_NOT_FOUND "Group g is not a consumer group."
        "##,
    );
}

#[test]
fn who_may_join_a_consumer_group_with_the_classic_protocol() {
    let mut scene = pair();
    scene.join("c", Join { protocol_type: "connect".into(), ..subscription("", &["foo"], &[]) });
    scene.join("c", Join { requires_known_member_id: true, ..subscription("", &["foo"], &[]) });
    scene.join("c", join("c"));
    scene.join("c", subscription("c", &["foo"], &[]));
    scene.join(
        "d",
        Join { protocols: vec![("other".into(), bytes::Bytes::new())], ..subscription("", &["foo"], &[]) },
    );
    scene.heartbeat("a", "a", 3);
    scene.sync("a", "a", 3, &[]);
    scene.groups.check();
    scene.expect(
        r##"
            0 c: join "" with range
            0 c <- INCONSISTENT_GROUP_PROTOCOL ""
            0 c: join "" with range
            0 c <- MEMBER_ID_REQUIRED "AAAAAAAAQACAAAAAAAAAAg"
            0 c: join "c" with range
            0 c <- UNKNOWN_SERVER_ERROR ""
            0 c: join "c" with range
            0   log: g c is c/127.0.0.1 for 30000, reads [foo] classic 10000 with range
            0   log: g epoch 4
            0   log: g b target [foo-2]
            0   log: g c target [foo-3]
            0   log: g target epoch 4 at 0
            0   log: g c unreleased epoch 4<0 has []
            0 c <- joined as c, generation 4 of "range", leader
            0 d: join "" with other
            0 d <- INCONSISTENT_GROUP_PROTOCOL ""
            0 a: heartbeat a generation 3
            0 a <- UNKNOWN_MEMBER_ID
            0 a: sync a generation 3
            0 a <- UNKNOWN_MEMBER_ID
        "##,
    );
}

#[test]
fn policies_and_limits_of_conversions() {
    let mut config = prompt();
    config.consumer.migration_policy = MigrationPolicy::Disabled;
    let mut scene = classic_of_one();
    scene.groups.configure(config.clone());
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.groups.configure(prompt());
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.forget_transcript();
    scene.groups.configure(config);
    scene.join("a", subscription("a-#1", &["foo"], &[]));
    // The group stays what it is, though only a classic member is left.
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.groups.check();
    scene.describe_consumer();
    scene.expect(
        r##"
            0 a: join "a-#1" with range
            0 a <- INCONSISTENT_GROUP_PROTOCOL ""
            0 b: heartbeat "b" epoch -1
            0   log: g b assignment is gone
            0   log: g b target is gone
            0   log: g b is gone
            0   log: g epoch 3
            0 b <- b epoch -1
            0 admin: describe consumer group g
            0 admin <- Assigning epoch 3/2 by uniform a-#1(a/127.0.0.1 epoch 1 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1] classic)
        "##,
    );
}

#[test]
fn groups_that_cannot_be_upgraded_stay_as_they_are() {
    let mut scene = scene();
    scene.join("a", join(""));
    scene.sync("a", "a-#1", 1, &[("a-#1", "x")]);
    scene.forget_transcript();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.groups.check();
    scene.heartbeat("a", "a-#1", 1);
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch 0 reads [foo] has []
            0 b <- GROUP_ID_NOT_FOUND "Cannot upgrade classic group g to consumer group because the embedded consumer protocol is malformed."
            0 a: heartbeat a-#1 generation 1
            0 a <- NONE
            0 b: heartbeat "b" epoch 3
            0 b <- GROUP_ID_NOT_FOUND "Group g is not a consumer group."
        "##,
    );
}

#[test]
fn empty_groups_change_their_kind_freely() {
    let mut scene = scene();
    scene.commit("s", "", -1, &[("foo", 0, 7)]);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.fetch_all("admin");
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.join("c", subscription("c", &["foo"], &[]));
    scene.join("c", subscription("", &["foo"], &[]));
    scene.groups.check();
    scene.fetch_all("admin");
    scene.leave("c", &["c-#1"]);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.groups.check();
    scene.restart();
    scene.groups.check();
    scene.describe_consumer();
    scene.expect(
        r##"
            0 s: commit "" generation -1 foo-0@7
            0   log: g foo-0@7
            0 s <- committed: foo-0 NONE
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g is gone
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 admin: fetch all
            0 admin <- offsets: NONE foo-0@7
            0 a: heartbeat "a" epoch -1
            0   log: g a assignment is gone
            0   log: g a target is gone
            0   log: g a is gone
            0   log: g epoch 3 without topics
            0 a <- a epoch -1
            0 c: join "c" with range
            0 c <- UNKNOWN_MEMBER_ID "c"
            0 c: join "" with range
            0   log: g target epoch is gone
            0   log: g topics are gone
            0   log: g epoch is gone
            0   log: g generation 0 of ""/null, leader null, no members
            0 c <- joined as c-#1, generation 1 of "range", leader c-#1, members c-#1
            0 admin: fetch all
            0 admin <- offsets: NONE foo-0@7
            0 c: leave "c-#1"
            0   log: g generation 2 of "consumer"/null, leader null, no members
            0 c <- left: NONE "c-#1" NONE
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g is gone
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 restart
            0 admin: describe consumer group g
            0 admin <- Stable epoch 2/2 by uniform a(a/127.0.0.1 epoch 2 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1 foo-2 foo-3])
        "##,
    );
}

#[test]
fn members_of_both_protocols_leave_together() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("c", joins("c", &["foo"]));
    scene.forget_transcript();
    scene.leave("admin", &["a-#1", "stranger", "b", "b"]);
    scene.groups.check();
    scene.describe_consumer();
    scene.expect(
        r##"
            0 admin: leave "a-#1" "stranger" "b" "b"
            0   log: g a-#1 assignment is gone
            0   log: g a-#1 target is gone
            0   log: g a-#1 is gone
            0   log: g b assignment is gone
            0   log: g b target is gone
            0   log: g b is gone
            0   log: g epoch 4
            0 admin <- left: NONE "a-#1" NONE "stranger" UNKNOWN_MEMBER_ID "b" NONE "b" NONE
            0 admin: describe consumer group g
            0 admin <- Assigning epoch 4/3 by uniform c(c/127.0.0.1 epoch 3 has [] of [foo-3])
        "##,
    );
}
