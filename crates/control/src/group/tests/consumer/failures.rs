//! Appends that fail: nothing stays of them, and whoever is a member again is missed when it does not come.

use ottla_model::ErrorCode;

use super::convert::{classic_of_one, subscription};
use super::*;
use crate::machine::Machine;

#[test]
fn a_group_whose_first_member_is_not_down_never_was() {
    let mut scene = scene();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.appends_fail = None;
    assert_eq!(scene.groups.len(), 0);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.at(50_000);
    assert_eq!(scene.groups.deadline(), None);
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0 an append fails with KAFKA_STORAGE_ERROR
            0 a <- NOT_COORDINATOR ""
            0 a: heartbeat "a" epoch 2
            0 a <- GROUP_ID_NOT_FOUND "Consumer group g not found."
        "##,
    );
}

#[test]
fn a_step_that_is_not_down_was_not_taken() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::NotEnoughReplicas);
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.appends_fail = None;
    scene.groups.check();
    scene.describe_consumer();
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.appends_fail = Some(ErrorCode::NotEnoughReplicas);
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.appends_fail = None;
    scene.groups.check();
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 2
            0 an append fails with NOT_ENOUGH_REPLICAS
            0 a <- COORDINATOR_NOT_AVAILABLE ""
            0 admin: describe consumer group g
            0 admin <- Reconciling epoch 3/3 by uniform a(a/127.0.0.1 epoch 2 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1]) b(b/127.0.0.1 epoch 3 has [] of [foo-2 foo-3])
            0 a: heartbeat "a" epoch 2
            0   log: g a unrevoked epoch 2<2 has [foo-0@2 foo-1@2] gives back [foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1]
            0 a: heartbeat "a" epoch 2 has [foo-0 foo-1]
            0 an append fails with NOT_ENOUGH_REPLICAS
            0 a <- COORDINATOR_NOT_AVAILABLE ""
            0 b: heartbeat "b" epoch 3
            0   log: g b unreleased epoch 3<3 has []
            0 b <- b epoch 3
        "##,
    );
}

#[test]
fn a_member_whose_end_is_not_down_is_missed_again() {
    let mut scene = pair();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.groups.check();
    scene.at(45_000);
    scene.groups.check();
    scene.appends_fail = None;
    scene.at(90_000);
    scene.describe_consumer();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch -1
            0 an append fails with KAFKA_STORAGE_ERROR
            0 a <- NOT_COORDINATOR ""
            45000 an append fails with KAFKA_STORAGE_ERROR
            90000   log: g a assignment is gone
            90000   log: g a target is gone
            90000   log: g a is gone
            90000   log: g epoch 4
            90000   log: g b assignment is gone
            90000   log: g b target is gone
            90000   log: g b is gone
            90000   log: g epoch 5 without topics
            90000 admin: describe consumer group g
            90000 admin <- Empty epoch 5/3 by uniform
        "##,
    );
}

#[test]
fn calls_that_share_an_append_see_each_other_and_fail_together() {
    let mut scene = pair();
    scene.calls_meet = true;
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("c", joins("c", &["foo"]));
    scene.append();
    scene.appends_fail = None;
    scene.calls_meet = false;
    scene.groups.check();
    scene.describe_consumer();
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch -1
            0 a: heartbeat "a" epoch 3
            0 c: heartbeat "c" epoch 0 reads [foo] has []
            0 an append fails with KAFKA_STORAGE_ERROR
            0 b <- NOT_COORDINATOR ""
            0 a <- NOT_COORDINATOR ""
            0 c <- NOT_COORDINATOR ""
            0 admin: describe consumer group g
            0 admin <- Stable epoch 3/3 by uniform a(a/127.0.0.1 epoch 3 has [foo-0 foo-1] of [foo-0 foo-1]) b(b/127.0.0.1 epoch 3 has [foo-2 foo-3] of [foo-2 foo-3])
        "##,
    );
}

#[test]
fn an_upgrade_that_is_not_down_leaves_the_classic_group() {
    let mut scene = classic_of_one();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.appends_fail = None;
    scene.groups.check();
    scene.describe();
    scene.heartbeat("a", "a-#1", 1);
    scene.at(9_999);
    scene.heartbeat("a", "a-#1", 1);
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch 0 reads [foo] has []
            0 an append fails with KAFKA_STORAGE_ERROR
            0 b <- NOT_COORDINATOR ""
            0 admin: describe g
            0 admin <- Stable "consumer" "range" a-#1(a/127.0.0.1 '\x00\x03\x00\x00\x00\x01\x00\x03foo\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff' '\x00\x03\x00\x00\x00\x01\x00\x03foo\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xff\xff\xff\xff')
            0 a: heartbeat a-#1 generation 1
            0 a <- NONE
            9999 a: heartbeat a-#1 generation 1
            9999 a <- NONE
        "##,
    );
}

#[test]
fn a_downgrade_that_is_not_down_leaves_the_consumer_group() {
    let mut scene = classic_of_one();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.forget_transcript();
    scene.calls_meet = true;
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.consumer_heartbeat("b", beat("b", -1));
    // It waits in the classic group, which never was.
    scene.join("a", subscription("a-#1", &["foo"], &[]));
    scene.append();
    scene.appends_fail = None;
    scene.calls_meet = false;
    scene.groups.check();
    assert_eq!(scene.waiting(), 0);
    scene.describe_consumer();
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch -1
            0 a: join "a-#1" with range
            0 an append fails with KAFKA_STORAGE_ERROR
            0 b <- NOT_COORDINATOR ""
            0 a <- NOT_COORDINATOR ""
            0 admin: describe consumer group g
            0 admin <- Reconciling epoch 2/2 by uniform a-#1(a/127.0.0.1 epoch 1 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1] classic) b(b/127.0.0.1 epoch 2 has [] of [foo-2 foo-3])
        "##,
    );
}

#[test]
fn an_empty_group_that_does_not_become_classic_stays_as_it_is() {
    let mut scene = pair();
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.join("c", subscription("", &["foo"], &[]));
    scene.appends_fail = None;
    scene.groups.check();
    assert_eq!(scene.waiting(), 0);
    scene.describe_consumer();
    scene.expect(
        r##"
            0 c: join "" with range
            0 an append fails with KAFKA_STORAGE_ERROR
            0 c <- NOT_COORDINATOR ""
            0 admin: describe consumer group g
            0 admin <- Empty epoch 5/3 by uniform
        "##,
    );
}

#[test]
fn a_deletion_that_is_not_down_leaves_the_group() {
    let mut scene = pair();
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.forget_transcript();
    scene.calls_meet = true;
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.join("c", subscription("", &["foo"], &[]));
    scene.append();
    scene.appends_fail = None;
    scene.calls_meet = false;
    scene.groups.check();
    assert_eq!(scene.waiting(), 0);
    scene.describe_consumer();
    scene.expect(
        r##"
            0 admin: delete g
            0 c: join "" with range
            0 an append fails with KAFKA_STORAGE_ERROR
            0 admin <- deleted: NOT_COORDINATOR
            0 c <- NOT_COORDINATOR ""
            0 admin: describe consumer group g
            0 admin <- Empty epoch 5/3 by uniform
        "##,
    );
}
