//! What time and the members do to a rebalance.

use bytes::Bytes;

use super::membership::stable_pair;
use super::*;
use crate::group::*;

fn protocols(names: &[&str]) -> Vec<(std::sync::Arc<str>, Bytes)> {
    names.iter().map(|name| ((*name).into(), Bytes::from_static(b"m"))).collect()
}

#[test]
fn a_member_that_falls_silent_is_removed_after_its_session_timeout() {
    let mut scene = stable_pair(GroupConfig::default());
    for second in 1..=9 {
        scene.at(second * 1000);
        scene.heartbeat("a", "a-#1", 2);
    }
    scene.forget_transcript();
    scene.at(9_999);
    scene.describe();
    scene.at(10_000);
    scene.heartbeat("a", "a-#1", 2);
    scene.describe();
    scene.join("a", join("a-#1"));
    scene.heartbeat("b", "b-#2", 2);
    scene.expect(
        r##"
          9999 admin: describe g
          9999 admin <- Stable "consumer" "range" a-#1(a/127.0.0.1 'm' 'half') b-#2(b/127.0.0.1 'm' 'rest')
         10000 a: heartbeat a-#1 generation 2
         10000 a <- REBALANCE_IN_PROGRESS
         10000 admin: describe g
         10000 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' 'half')
         10000 a: join "a-#1" with range
         10000 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1
         10000 b: heartbeat b-#2 generation 2
         10000 b <- UNKNOWN_MEMBER_ID
        "##,
    );
}

#[test]
fn a_commit_is_a_sign_of_life_and_a_parked_request_too() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.at(9_000);
    scene.commit("a", "a-#1", 2, &[("orders", 0, 7)]);
    scene.join("b", Join { protocols: protocols(&["range", "sticky"]), ..join("b-#2") });
    scene.at(18_000);
    scene.commit("a", "a-#1", 2, &[("orders", 0, 8)]);
    // B has been parked for longer than its session timeout; now A is silent for as long.
    scene.at(28_000);
    scene.expect(
        r##"
          9000 a: commit "a-#1" generation 2 orders-0@7
          9000   log: g orders-0@7
          9000 a <- committed: orders-0 NONE
          9000 b: join "b-#2" with range sticky
         18000 a: commit "a-#1" generation 2 orders-0@8
         18000   log: g orders-0@8
         18000 a <- committed: orders-0 NONE
         28000 b <- joined as b-#2, generation 3 of "range", leader b-#2, members b-#2
        "##,
    );
}

#[test]
fn members_that_do_not_rejoin_in_time_are_out() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.join("c", join(""));
    for second in (5..=25).step_by(5) {
        scene.at(second * 1000);
        scene.heartbeat("a", "a-#1", 2);
        scene.heartbeat("b", "b-#2", 2);
    }
    scene.join("b", join("b-#2"));
    scene.forget_transcript();
    // A only heartbeats. After the rebalance timeout the others go on without it, under another leader.
    scene.at(30_000);
    scene.expect(
        r##"
         30000 b <- joined as b-#2, generation 3 of "range", leader b-#2, members b-#2 c-#3
         30000 c <- joined as c-#3, generation 3 of "range", leader b-#2
        "##,
    );
    scene.heartbeat("a", "a-#1", 2);
    scene.sync("b", "b-#2", 3, &[("b-#2", "half"), ("c-#3", "rest")]);
    scene.sync("c", "c-#3", 3, &[]);
    scene.expect(
        r##"
         30000 a: heartbeat a-#1 generation 2
         30000 a <- UNKNOWN_MEMBER_ID
         30000 b: sync b-#2 generation 3 b-#2='half' c-#3='rest'
         30000   log: g generation 3 of "consumer"/range, leader b-#2, b-#2='half' c-#3='rest'
         30000 b <- assigned 'half'
         30000 c: sync c-#3 generation 3
         30000 c <- assigned 'rest'
        "##,
    );
}

#[test]
fn members_that_never_sync_are_out() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", join(""));
    scene.join("b", join(""));
    scene.join("a", join("a-#1"));
    scene.sync("a", "a-#1", 2, &[("a-#1", "half"), ("b-#2", "rest")]);
    for second in (5..=25).step_by(5) {
        scene.at(second * 1000);
        scene.heartbeat("a", "a-#1", 2);
        scene.heartbeat("b", "b-#2", 2);
    }
    scene.forget_transcript();
    scene.at(30_000);
    scene.describe();
    scene.heartbeat("b", "b-#2", 2);
    scene.heartbeat("a", "a-#1", 2);
    scene.expect(
        r##"
         30000 admin: describe g
         30000 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' 'half')
         30000 b: heartbeat b-#2 generation 2
         30000 b <- UNKNOWN_MEMBER_ID
         30000 a: heartbeat a-#1 generation 2
         30000 a <- REBALANCE_IN_PROGRESS
        "##,
    );
}

#[test]
fn the_leader_leaves_and_another_leads() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.leave("a", &["a-#1"]);
    scene.join("c", join(""));
    scene.join("b", join("b-#2"));
    scene.sync("c", "c-#3", 3, &[]);
    scene.sync("b", "b-#2", 3, &[("b-#2", "half"), ("c-#3", "rest")]);
    scene.expect(
        r##"
             0 a: leave "a-#1"
             0 a <- left: NONE "a-#1" NONE
             0 c: join "" with range
             0 b: join "b-#2" with range
             0 b <- joined as b-#2, generation 3 of "range", leader b-#2, members b-#2 c-#3
             0 c <- joined as c-#3, generation 3 of "range", leader b-#2
             0 c: sync c-#3 generation 3
             0 b: sync b-#2 generation 3 b-#2='half' c-#3='rest'
             0   log: g generation 3 of "consumer"/range, leader b-#2, b-#2='half' c-#3='rest'
             0 b <- assigned 'half'
             0 c <- assigned 'rest'
        "##,
    );
    // The leader may rebalance the group at will; the others may not.
    scene.join("c", join("c-#3"));
    scene.join("b", join("b-#2"));
    scene.heartbeat("c", "c-#3", 3);
    scene.expect(
        r##"
             0 c: join "c-#3" with range
             0 c <- joined as c-#3, generation 3 of "range", leader b-#2
             0 b: join "b-#2" with range
             0 c: heartbeat c-#3 generation 3
             0 c <- REBALANCE_IN_PROGRESS
        "##,
    );
}

#[test]
fn a_change_while_members_wait_for_their_assignment_sends_them_back() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    scene.sync("b", "b-#2", 3, &[]);
    scene.join("c", join(""));
    scene.sync("a", "a-#1", 3, &[("a-#1", "late")]);
    scene.describe();
    scene.expect(
        r##"
             0 a: join "a-#1" with range
             0 b: join "b-#2" with range
             0 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1 b-#2
             0 b <- joined as b-#2, generation 3 of "range", leader a-#1
             0 b: sync b-#2 generation 3
             0 c: join "" with range
             0 b <- REBALANCE_IN_PROGRESS
             0 a: sync a-#1 generation 3 a-#1='late'
             0 a <- REBALANCE_IN_PROGRESS
             0 admin: describe g
             0 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' '') b-#2(b/127.0.0.1 '' '') c-#3(c/127.0.0.1 '' '')
        "##,
    );
}

#[test]
fn the_protocol_is_the_one_that_most_prefer_among_those_that_all_know() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", Join { protocols: protocols(&["x", "range", "sticky"]), ..join("") });
    scene.join("b", Join { protocols: protocols(&["sticky", "range"]), ..join("") });
    scene.join("c", Join { protocols: protocols(&["y"]), ..join("") });
    scene.join("c", Join { protocols: protocols(&["range", "sticky"]), ..join("") });
    scene.join("a", Join { protocols: protocols(&["x", "range", "sticky"]), ..join("a-#1") });
    scene.expect(
        r##"
             0 a: join "" with x range sticky
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as a-#1, generation 1 of "x", leader a-#1, members a-#1
             0 b: join "" with sticky range
             0 c: join "" with y
             0 c <- INCONSISTENT_GROUP_PROTOCOL ""
             0 c: join "" with range sticky
             0 a: join "a-#1" with x range sticky
             0 a <- joined as a-#1, generation 2 of "range", leader a-#1, members a-#1 b-#2 c-#3
             0 b <- joined as b-#2, generation 2 of "range", leader a-#1
             0 c <- joined as c-#3, generation 2 of "range", leader a-#1
        "##,
    );
}

#[test]
fn an_empty_group_waits_for_more_members() {
    let delay = GroupConfig { initial_rebalance_delay_ms: 3_000, ..GroupConfig::default() };
    let mut scene = Scene::new(delay);
    scene.join("a", join(""));
    scene.describe();
    scene.at(2_000);
    scene.join("b", join(""));
    scene.at(3_500);
    scene.join("c", join(""));
    scene.at(9_000);
    scene.expect(
        r##"
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 admin: describe g
             0 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' '')
          2000 b: join "" with range
          3500 c: join "" with range
          9000 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1 b-#2 c-#3
          9000 b <- joined as b-#2, generation 1 of "range", leader a-#1
          9000 c <- joined as c-#3, generation 1 of "range", leader a-#1
        "##,
    );
}

#[test]
fn an_empty_group_does_not_wait_for_longer_than_the_rebalance_timeout() {
    let delay = GroupConfig { initial_rebalance_delay_ms: 3_000, ..GroupConfig::default() };
    let mut scene = Scene::new(delay);
    for second in 0..8 {
        scene.at(second * 1000);
        scene.join("a", Join { rebalance_timeout_ms: 7_000, ..join("") });
    }
    let joined = scene.transcript().lines().filter(|line| line.contains("joined")).count();
    assert_eq!((joined, scene.waiting()), (7, 1), "{}", scene.transcript());
}

#[test]
fn new_members_that_vanish_while_they_are_parked_do_not_hold_the_group_up() {
    let mut scene = stable_pair(GroupConfig { new_member_join_timeout_ms: 12_000, ..GroupConfig::default() });
    scene.at(1_000);
    scene.join("c", join(""));
    for second in (5..=15).step_by(5) {
        scene.at(second * 1000);
        scene.heartbeat("a", "a-#1", 2);
        scene.heartbeat("b", "b-#2", 2);
    }
    scene.expect(
        r##"
          1000 c: join "" with range
          5000 a: heartbeat a-#1 generation 2
          5000 a <- REBALANCE_IN_PROGRESS
          5000 b: heartbeat b-#2 generation 2
          5000 b <- REBALANCE_IN_PROGRESS
         10000 a: heartbeat a-#1 generation 2
         10000 a <- REBALANCE_IN_PROGRESS
         10000 b: heartbeat b-#2 generation 2
         10000 b <- REBALANCE_IN_PROGRESS
         13000 c <- UNKNOWN_MEMBER_ID ""
         15000 a: heartbeat a-#1 generation 2
         15000 a <- REBALANCE_IN_PROGRESS
         15000 b: heartbeat b-#2 generation 2
         15000 b <- REBALANCE_IN_PROGRESS
        "##,
    );
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    scene.expect(
        r##"
         15000 a: join "a-#1" with range
         15000 b: join "b-#2" with range
         15000 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1 b-#2
         15000 b <- joined as b-#2, generation 3 of "range", leader a-#1
        "##,
    );
}

#[test]
fn members_that_come_back_after_a_restart_need_not_rebalance() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.commit("a", "a-#1", 2, &[("orders", 0, 7)]);
    scene.at(9_000);
    scene.restart();
    scene.describe();
    scene.at(18_000);
    scene.heartbeat("a", "a-#1", 2);
    scene.sync("b", "b-#2", 2, &[]);
    scene.heartbeat("b", "b-#2", 2);
    scene.commit("b", "b-#2", 2, &[("orders", 1, 3)]);
    scene.fetch_all("a");
    scene.expect(
        r##"
             0 a: commit "a-#1" generation 2 orders-0@7
             0   log: g orders-0@7
             0 a <- committed: orders-0 NONE
          9000 restart
          9000 admin: describe g
          9000 admin <- Stable "consumer" "range" a-#1(a/127.0.0.1 'm' 'half') b-#2(b/127.0.0.1 'm' 'rest')
         18000 a: heartbeat a-#1 generation 2
         18000 a <- NONE
         18000 b: sync b-#2 generation 2
         18000 b <- assigned 'rest'
         18000 b: heartbeat b-#2 generation 2
         18000 b <- NONE
         18000 b: commit "b-#2" generation 2 orders-1@3
         18000   log: g orders-1@3
         18000 b <- committed: orders-1 NONE
         18000 a: fetch all
         18000 a <- offsets: NONE orders-0@7 orders-1@3
        "##,
    );
    // The one that does not come back is out after its session timeout, which began with the restart.
    scene.restart();
    scene.at(27_000);
    scene.heartbeat("a", "a-#1", 2);
    scene.at(28_000);
    scene.heartbeat("a", "a-#1", 2);
    scene.expect(
        r##"
         18000 restart
         27000 a: heartbeat a-#1 generation 2
         27000 a <- NONE
         28000 a: heartbeat a-#1 generation 2
         28000 a <- REBALANCE_IN_PROGRESS
        "##,
    );
}

#[test]
fn a_restart_in_the_middle_of_a_rebalance_brings_the_last_assignment_back() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.join("c", join(""));
    scene.join("a", join("a-#1"));
    scene.restart();
    scene.heartbeat("a", "a-#1", 2);
    scene.heartbeat("c", "c-#3", 3);
    scene.describe();
    scene.expect(
        r##"
             0 c: join "" with range
             0 a: join "a-#1" with range
             0 restart
             0 a: heartbeat a-#1 generation 2
             0 a <- NONE
             0 c: heartbeat c-#3 generation 3
             0 c <- UNKNOWN_MEMBER_ID
             0 admin: describe g
             0 admin <- Stable "consumer" "range" a-#1(a/127.0.0.1 'm' 'half') b-#2(b/127.0.0.1 'm' 'rest')
        "##,
    );
}
