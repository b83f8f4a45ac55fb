//! Static membership (KIP-345, KIP-814).

use bytes::Bytes;

use super::*;
use crate::group::*;

fn named(member_id: &str, instance: &str) -> Join {
    Join { group_instance_id: Some(instance.into()), ..join(member_id) }
}

/// Static members `one-#1`, which leads, and `two-#2`, in generation 2.
fn static_pair() -> Scene {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", named("", "one"));
    scene.join("b", named("", "two"));
    scene.join("a", named("one-#1", "one"));
    scene.sync("b", "two-#2", 2, &[]);
    scene.sync("a", "one-#1", 2, &[("one-#1", "half"), ("two-#2", "rest")]);
    scene.forget_transcript();
    scene
}

#[test]
fn a_follower_comes_back_without_a_rebalance_and_its_old_self_is_fenced() {
    let mut scene = static_pair();
    scene.join("b2", named("", "two"));
    scene.sync("b2", "two-#3", 2, &[]);
    scene.heartbeat("a", "one-#1", 2);
    scene.describe();
    scene.expect(
        r##"
             0 b2: join "" static two with range
             0   log: g generation 2 of "consumer"/range, leader one-#1, one-#1='half' two-#3='rest'
             0 b2 <- joined as two-#3, generation 2 of "range", leader one-#1
             0 b2: sync two-#3 generation 2
             0 b2 <- assigned 'rest'
             0 a: heartbeat one-#1 generation 2
             0 a <- NONE
             0 admin: describe g
             0 admin <- Stable "consumer" "range" one-#1(a/127.0.0.1 'm' 'half') two-#3(b/127.0.0.1 'm' 'rest')
        "##,
    );
    let old = Heartbeat {
        group_id: "g".into(),
        member_id: id("two-#2"),
        group_instance_id: Some("two".into()),
        generation: 2,
    };
    scene.send("b", Command::Heartbeat(old.clone()));
    scene.send("b", Command::Heartbeat(Heartbeat { group_instance_id: None, ..old.clone() }));
    scene.send("b", Command::Heartbeat(Heartbeat { group_instance_id: Some("three".into()), ..old }));
    scene.join("b", named("two-#2", "two"));
    scene.expect(
        r##"
             0 b: heartbeat two-#2 generation 2
             0 b <- FENCED_INSTANCE_ID
             0 b: heartbeat two-#2 generation 2
             0 b <- UNKNOWN_MEMBER_ID
             0 b: heartbeat two-#2 generation 2
             0 b <- UNKNOWN_MEMBER_ID
             0 b: join "two-#2" static two with range
             0 b <- FENCED_INSTANCE_ID "two-#2"
        "##,
    );
}

#[test]
fn a_leader_comes_back_and_is_told_not_to_assign() {
    let mut scene = static_pair();
    scene.join("a2", Join { supports_skipping_assignment: true, ..named("", "one") });
    scene.sync("a2", "one-#3", 2, &[]);
    // A client that cannot be told is shown the leader that is gone, so that it takes itself for a follower.
    scene.join("a3", named("", "one"));
    scene.sync("a3", "one-#4", 2, &[]);
    scene.expect(
        r##"
             0 a2: join "" static one with range
             0   log: g generation 2 of "consumer"/range, leader one-#3, one-#3='half' two-#2='rest'
             0 a2 <- joined as one-#3, generation 2 of "range", leader one-#3, members one-#3 two-#2, skip assignment
             0 a2: sync one-#3 generation 2
             0 a2 <- assigned 'half'
             0 a3: join "" static one with range
             0   log: g generation 2 of "consumer"/range, leader one-#4, one-#4='half' two-#2='rest'
             0 a3 <- joined as one-#4, generation 2 of "range", leader one-#3
             0 a3: sync one-#4 generation 2
             0 a3 <- assigned 'half'
        "##,
    );
}

#[test]
fn coming_back_with_another_protocol_rebalances() {
    let mut scene = Scene::new(GroupConfig::default());
    let names = |names: &[&str]| names.iter().map(|name| ((*name).into(), Bytes::new())).collect();
    scene.join("a", Join { protocols: names(&["range", "sticky"]), ..named("", "one") });
    scene.sync("a", "one-#1", 1, &[("one-#1", "all")]);
    scene.join("a2", Join { protocols: names(&["sticky", "range"]), ..named("", "one") });
    scene.expect(
        r##"
             0 a: join "" static one with range sticky
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as one-#1, generation 1 of "range", leader one-#1, members one-#1
             0 a: sync one-#1 generation 1 one-#1='all'
             0   log: g generation 1 of "consumer"/range, leader one-#1, one-#1='all'
             0 a <- assigned 'all'
             0 a2: join "" static one with sticky range
             0 a2 <- joined as one-#2, generation 2 of "sticky", leader one-#2, members one-#2
        "##,
    );
}

#[test]
fn coming_back_fences_a_parked_self_and_restarts_a_rebalance_under_way() {
    let mut scene = static_pair();
    scene.join("a", named("one-#1", "one"));
    scene.join("a2", named("", "one"));
    scene.join("b", named("two-#2", "two"));
    scene.expect(
        r##"
             0 a: join "one-#1" static one with range
             0 a2: join "" static one with range
             0 a <- FENCED_INSTANCE_ID "one-#1"
             0 b: join "two-#2" static two with range
             0 a2 <- joined as one-#3, generation 3 of "range", leader one-#3, members one-#3 two-#2
             0 b <- joined as two-#2, generation 3 of "range", leader one-#3
        "##,
    );
    // The leader knows the members of generation 3 by their ids: one of them changing means a new generation.
    scene.sync("b", "two-#2", 3, &[]);
    scene.join("b2", named("", "two"));
    scene.join("a2", named("one-#3", "one"));
    scene.expect(
        r##"
             0 b: sync two-#2 generation 3
             0 b2: join "" static two with range
             0 b <- FENCED_INSTANCE_ID
             0 a2: join "one-#3" static one with range
             0 a2 <- joined as one-#3, generation 4 of "range", leader one-#3, members one-#3 two-#4
             0 b2 <- joined as two-#4, generation 4 of "range", leader one-#3
        "##,
    );
}

#[test]
fn static_members_outlive_a_rebalance_that_they_miss_but_not_their_session() {
    let mut scene = static_pair();
    let slow = |join| Join { rebalance_timeout_ms: 6_000, ..join };
    scene.join("a", slow(named("one-#1", "one")));
    scene.join("b", slow(named("two-#2", "two")));
    scene.sync("a", "one-#1", 3, &[("one-#1", "half"), ("two-#2", "rest")]);
    scene.sync("b", "two-#2", 3, &[]);
    scene.at(1_000);
    scene.join("c", slow(join("")));
    scene.forget_transcript();
    scene.at(7_000);
    scene.sync("c", "c-#3", 4, &[("one-#1", "x"), ("two-#2", "y"), ("c-#3", "z")]);
    scene.sync("b", "two-#2", 4, &[]);
    scene.at(12_000);
    scene.heartbeat("c", "c-#3", 4);
    scene.heartbeat("b", "two-#2", 4);
    scene.at(17_000);
    scene.heartbeat("c", "c-#3", 4);
    scene.describe();
    scene.expect(
        r##"
          7000 c <- joined as c-#3, generation 4 of "range", leader c-#3, members c-#3 one-#1 two-#2
          7000 c: sync c-#3 generation 4 one-#1='x' two-#2='y' c-#3='z'
          7000   log: g generation 4 of "consumer"/range, leader c-#3, c-#3='z' one-#1='x' two-#2='y'
          7000 c <- assigned 'z'
          7000 b: sync two-#2 generation 4
          7000 b <- assigned 'y'
         12000 c: heartbeat c-#3 generation 4
         12000 c <- NONE
         12000 b: heartbeat two-#2 generation 4
         12000 b <- NONE
         17000 c: heartbeat c-#3 generation 4
         17000 c <- REBALANCE_IN_PROGRESS
         17000 admin: describe g
         17000 admin <- PreparingRebalance "consumer" "" c-#3(c/127.0.0.1 '' 'z') two-#2(b/127.0.0.1 '' 'y')
        "##,
    );
}

#[test]
fn an_administrator_removes_static_members_by_name() {
    let mut scene = static_pair();
    let by_name = |name: &str, member_id| LeavingMember {
        member_id: id(member_id),
        group_instance_id: Some(name.into()),
        reason: None,
    };
    let members =
        vec![by_name("three", ""), by_name("one", "two-#2"), by_name("one", ""), by_name("two", "")];
    scene.send("admin", Command::Leave(Leave { group_id: "g".into(), members }));
    scene.describe();
    scene.expect(
        r##"
             0 admin: leave ""/three "two-#2"/one ""/one ""/two
             0   log: g generation 3 of "consumer"/null, leader null, no members
             0 admin <- left: NONE "" UNKNOWN_MEMBER_ID "two-#2" FENCED_INSTANCE_ID "" NONE "" NONE
             0 admin: describe g
             0 admin <- Empty "consumer" ""
        "##,
    );
}

#[test]
fn a_static_leader_that_left_no_member_joined_is_waited_for() {
    let mut scene = static_pair();
    let brief = |join| Join { rebalance_timeout_ms: 2_000, session_timeout_ms: 30_000, ..join };
    scene.join("a", brief(named("one-#1", "one")));
    scene.join("b", brief(named("two-#2", "two")));
    scene.sync("a", "one-#1", 3, &[]);
    scene.sync("b", "two-#2", 3, &[]);
    // A dynamic member comes and goes; both static ones are away for a while.
    scene.join("c", brief(join("")));
    scene.leave("c", &["c-#3"]);
    scene.forget_transcript();
    scene.at(9_000);
    scene.describe();
    scene.join("b", brief(named("two-#2", "two")));
    scene.at(10_000);
    scene.expect(
        r##"
          9000 admin: describe g
          9000 admin <- PreparingRebalance "consumer" "" one-#1(a/127.0.0.1 '' '') two-#2(b/127.0.0.1 '' '')
          9000 b: join "two-#2" static two with range
         10000 b <- joined as two-#2, generation 4 of "range", leader two-#2, members one-#1 two-#2
        "##,
    );
}
