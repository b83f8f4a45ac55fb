//! Appends that fail: nothing stays of them, and the groups heal.

use ottla_model::ErrorCode;

use super::membership::stable_pair;
use super::*;
use crate::group::*;
use crate::machine::Machine;

#[test]
fn a_commit_that_is_not_down_is_not_there() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.commit("a", "a-#1", 2, &[("orders", 0, 7)]);
    for error in [
        ErrorCode::KafkaStorageError,
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::RequestTimedOut,
        ErrorCode::MessageTooLarge,
        ErrorCode::PolicyViolation,
    ] {
        scene.appends_fail = Some(error);
        scene.commit("a", "a-#1", 2, &[("orders", 0, 8), ("orders", 1, 1)]);
    }
    scene.appends_fail = None;
    scene.fetch_all("a");
    scene.commit("a", "a-#1", 2, &[("orders", 0, 9)]);
    scene.fetch_all("a");
    scene.expect(
        r##"
             0 a: commit "a-#1" generation 2 orders-0@7
             0   log: g orders-0@7
             0 a <- committed: orders-0 NONE
             0 a: commit "a-#1" generation 2 orders-0@8 orders-1@1
             0 an append fails with KAFKA_STORAGE_ERROR
             0 a <- committed: orders-0 NOT_COORDINATOR orders-1 NOT_COORDINATOR
             0 a: commit "a-#1" generation 2 orders-0@8 orders-1@1
             0 an append fails with NOT_LEADER_OR_FOLLOWER
             0 a <- committed: orders-0 NOT_COORDINATOR orders-1 NOT_COORDINATOR
             0 a: commit "a-#1" generation 2 orders-0@8 orders-1@1
             0 an append fails with REQUEST_TIMED_OUT
             0 a <- committed: orders-0 COORDINATOR_NOT_AVAILABLE orders-1 COORDINATOR_NOT_AVAILABLE
             0 a: commit "a-#1" generation 2 orders-0@8 orders-1@1
             0 an append fails with MESSAGE_TOO_LARGE
             0 a <- committed: orders-0 UNKNOWN_SERVER_ERROR orders-1 UNKNOWN_SERVER_ERROR
             0 a: commit "a-#1" generation 2 orders-0@8 orders-1@1
             0 an append fails with POLICY_VIOLATION
             0 a <- committed: orders-0 POLICY_VIOLATION orders-1 POLICY_VIOLATION
             0 a: fetch all
             0 a <- offsets: NONE orders-0@7
             0 a: commit "a-#1" generation 2 orders-0@9
             0   log: g orders-0@9
             0 a <- committed: orders-0 NONE
             0 a: fetch all
             0 a <- offsets: NONE orders-0@9
        "##,
    );
}

#[test]
fn an_assignment_that_is_not_down_sends_everyone_back() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    scene.sync("b", "b-#2", 3, &[]);
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.sync("a", "a-#1", 3, &[("a-#1", "half"), ("b-#2", "rest")]);
    scene.appends_fail = None;
    scene.describe();
    scene.heartbeat("b", "b-#2", 3);
    scene.expect(
        r##"
             0 a: join "a-#1" with range
             0 b: join "b-#2" with range
             0 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1 b-#2
             0 b <- joined as b-#2, generation 3 of "range", leader a-#1
             0 b: sync b-#2 generation 3
             0 a: sync a-#1 generation 3 a-#1='half' b-#2='rest'
             0 an append fails with KAFKA_STORAGE_ERROR
             0 a <- NOT_COORDINATOR
             0 b <- NOT_COORDINATOR
             0 admin: describe g
             0 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' '') b-#2(b/127.0.0.1 '' '')
             0 b: heartbeat b-#2 generation 3
             0 b <- REBALANCE_IN_PROGRESS
        "##,
    );
    scene.join("b", join("b-#2"));
    scene.join("a", join("a-#1"));
    scene.sync("a", "a-#1", 4, &[("a-#1", "half"), ("b-#2", "rest")]);
    scene.sync("b", "b-#2", 4, &[]);
    scene.expect(
        r##"
             0 b: join "b-#2" with range
             0 a: join "a-#1" with range
             0 a <- joined as a-#1, generation 4 of "range", leader a-#1, members a-#1 b-#2
             0 b <- joined as b-#2, generation 4 of "range", leader a-#1
             0 a: sync a-#1 generation 4 a-#1='half' b-#2='rest'
             0   log: g generation 4 of "consumer"/range, leader a-#1, a-#1='half' b-#2='rest'
             0 a <- assigned 'half'
             0 b: sync b-#2 generation 4
             0 b <- assigned 'rest'
        "##,
    );
}

#[test]
fn a_group_whose_first_record_is_not_down_never_was() {
    let delay = GroupConfig { initial_rebalance_delay_ms: 3_000, ..GroupConfig::default() };
    let mut scene = Scene::new(delay);
    scene.appends_fail = Some(ErrorCode::NotEnoughReplicas);
    scene.join("a", join(""));
    scene.join("a", Join { requires_known_member_id: true, ..join("") });
    scene.commit("s", "", -1, &[("orders", 0, 8)]);
    scene.describe();
    scene.expect(
        r##"
             0 a: join "" with range
             0 an append fails with NOT_ENOUGH_REPLICAS
             0 a <- COORDINATOR_NOT_AVAILABLE "a-#1"
             0 a: join "" with range
             0 an append fails with NOT_ENOUGH_REPLICAS
             0 a <- COORDINATOR_NOT_AVAILABLE ""
             0 s: commit "" generation -1 orders-0@8
             0 an append fails with NOT_ENOUGH_REPLICAS
             0 s <- committed: orders-0 COORDINATOR_NOT_AVAILABLE
             0 admin: describe g
             0 admin <- GROUP_ID_NOT_FOUND "Group g not found." Dead "" ""
        "##,
    );
    assert_eq!((scene.groups.len(), scene.groups.deadline()), (0, None));
}

#[test]
fn a_static_member_that_is_not_down_has_not_taken_over() {
    let mut scene = Scene::new(GroupConfig::default());
    let named = |member_id| Join { group_instance_id: Some("one".into()), ..join(member_id) };
    scene.join("a", named(""));
    scene.sync("a", "one-#1", 1, &[("one-#1", "all")]);
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    let other = Join { session_timeout_ms: 20_000, ..named("") };
    scene.join("a2", other.clone());
    scene.appends_fail = None;
    scene.heartbeat("a2", "one-#2", 1);
    scene.heartbeat("a", "one-#1", 1);
    scene.describe();
    scene.expect(
        r##"
             0 a: join "" static one with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as one-#1, generation 1 of "range", leader one-#1, members one-#1
             0 a: sync one-#1 generation 1 one-#1='all'
             0   log: g generation 1 of "consumer"/range, leader one-#1, one-#1='all'
             0 a <- assigned 'all'
             0 a2: join "" static one with range
             0 an append fails with KAFKA_STORAGE_ERROR
             0 a2 <- NOT_COORDINATOR ""
             0 a2: heartbeat one-#2 generation 1
             0 a2 <- UNKNOWN_MEMBER_ID
             0 a: heartbeat one-#1 generation 1
             0 a <- NONE
             0 admin: describe g
             0 admin <- Stable "consumer" "range" one-#1(a/127.0.0.1 'm' 'all')
        "##,
    );
    scene.join("a3", other);
    scene.expect(
        r##"
             0 a3: join "" static one with range
             0   log: g generation 1 of "consumer"/range, leader one-#3, one-#3='all'
             0 a3 <- joined as one-#3, generation 1 of "range", leader one-#1
        "##,
    );
}

#[test]
fn a_group_whose_emptiness_is_not_down_is_empty_all_the_same() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.leave("a", &["a-#1"]);
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.leave("b", &["b-#2"]);
    scene.appends_fail = None;
    scene.describe();
    scene.join("c", join(""));
    scene.expect(
        r##"
             0 a: leave "a-#1"
             0 a <- left: NONE "a-#1" NONE
             0 b: leave "b-#2"
             0 an append fails with KAFKA_STORAGE_ERROR
             0 b <- left: NOT_COORDINATOR
             0 admin: describe g
             0 admin <- Empty "consumer" ""
             0 c: join "" with range
             0 c <- joined as c-#3, generation 4 of "range", leader c-#3, members c-#3
        "##,
    );
}

#[test]
fn a_group_whose_deletion_is_not_down_is_still_there() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.commit("a", "a-#1", 2, &[("orders", 0, 7)]);
    scene.leave("a", &["a-#1", "b-#2"]);
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.appends_fail = None;
    scene.describe();
    scene.fetch_all("a");
    scene.expect(
        r##"
             0 admin: delete g
             0 an append fails with KAFKA_STORAGE_ERROR
             0 admin <- deleted: NOT_COORDINATOR
             0 admin: describe g
             0 admin <- Empty "consumer" ""
             0 a: fetch all
             0 a <- offsets: NONE orders-0@7
        "##,
    );
}

#[test]
fn calls_that_share_an_append_fail_together() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.commit("a", "a-#1", 2, &[("orders", 0, 7)]);
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    scene.sync("b", "b-#2", 3, &[]);
    scene.forget_transcript();
    scene.calls_meet = true;
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    // Everyone sees what the leader's assignment led to, and nobody is told.
    scene.sync("a", "a-#1", 3, &[("a-#1", "half"), ("b-#2", "rest")]);
    scene.commit("a", "a-#1", 3, &[("orders", 0, 8)]);
    scene.commit("b", "b-#2", 3, &[("orders", 0, 9)]);
    scene.fetch_all("c");
    scene.heartbeat("b", "b-#2", 3);
    scene.describe();
    scene.append();
    scene.appends_fail = None;
    scene.calls_meet = false;
    scene.fetch_all("c");
    scene.describe();
    scene.expect(
        r##"
             0 a: sync a-#1 generation 3 a-#1='half' b-#2='rest'
             0 a: commit "a-#1" generation 3 orders-0@8
             0 b: commit "b-#2" generation 3 orders-0@9
             0 c: fetch all
             0 b: heartbeat b-#2 generation 3
             0 admin: describe g
             0 an append fails with KAFKA_STORAGE_ERROR
             0 a <- NOT_COORDINATOR
             0 b <- NOT_COORDINATOR
             0 a <- committed: orders-0 NOT_COORDINATOR
             0 b <- committed: orders-0 NOT_COORDINATOR
             0 c <- offsets: NOT_COORDINATOR
             0 b <- NOT_COORDINATOR
             0 admin <- NOT_COORDINATOR ""  "" ""
             0 c: fetch all
             0 c <- offsets: NONE orders-0@7
             0 admin: describe g
             0 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' '') b-#2(b/127.0.0.1 '' '')
        "##,
    );
}

#[test]
fn a_group_that_begins_anew_after_a_deletion_that_fails_goes_on_from_the_old_generation() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.leave("a", &["a-#1", "b-#2"]);
    scene.forget_transcript();
    scene.calls_meet = true;
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.join("c", join(""));
    scene.append();
    scene.appends_fail = None;
    scene.calls_meet = false;
    scene.join("c", join(""));
    scene.join("c", join("c-#3"));
    scene.expect(
        r##"
             0 admin: delete g
             0 c: join "" with range
             0 an append fails with KAFKA_STORAGE_ERROR
             0 admin <- deleted: NOT_COORDINATOR
             0 c <- NOT_COORDINATOR ""
             0 c: join "" with range
             0 c: join "c-#3" with range
             0 c <- joined as c-#3, generation 4 of "range", leader c-#3, members c-#3 c-#4
             0 c <- joined as c-#4, generation 4 of "range", leader c-#3
        "##,
    );
}
