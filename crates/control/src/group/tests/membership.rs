//! The ways into and out of a group.

use bytes::Bytes;
use ottla_model::ErrorCode;

use super::*;
use crate::group::*;

/// Members `a-#1` and `b-#2` in generation 2, with an assignment each.
pub(super) fn stable_pair(config: GroupConfig) -> Scene {
    let mut scene = Scene::new(config);
    scene.join("a", join(""));
    scene.join("b", join(""));
    scene.join("a", join("a-#1"));
    scene.sync("b", "b-#2", 2, &[]);
    scene.sync("a", "a-#1", 2, &[("a-#1", "half"), ("b-#2", "rest")]);
    scene.forget_transcript();
    scene
}

#[test]
fn two_members_join_sync_heartbeat_and_leave() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", join(""));
    scene.sync("a", "a-#1", 1, &[("a-#1", "all")]);
    scene.heartbeat("a", "a-#1", 1);
    scene.expect(
        r##"
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 a: sync a-#1 generation 1 a-#1='all'
             0   log: g generation 1 of "consumer"/range, leader a-#1, a-#1='all'
             0 a <- assigned 'all'
             0 a: heartbeat a-#1 generation 1
             0 a <- NONE
        "##,
    );
    scene.at(1000);
    scene.join("b", join(""));
    scene.heartbeat("a", "a-#1", 1);
    scene.describe();
    scene.join("a", join("a-#1"));
    scene.describe();
    scene.expect(
        r##"
          1000 b: join "" with range
          1000 a: heartbeat a-#1 generation 1
          1000 a <- REBALANCE_IN_PROGRESS
          1000 admin: describe g
          1000 admin <- PreparingRebalance "consumer" "" a-#1(a/127.0.0.1 '' 'all') b-#2(b/127.0.0.1 '' '')
          1000 a: join "a-#1" with range
          1000 a <- joined as a-#1, generation 2 of "range", leader a-#1, members a-#1 b-#2
          1000 b <- joined as b-#2, generation 2 of "range", leader a-#1
          1000 admin: describe g
          1000 admin <- CompletingRebalance "consumer" "" a-#1(a/127.0.0.1 '' 'all') b-#2(b/127.0.0.1 '' '')
        "##,
    );
    scene.sync("b", "b-#2", 2, &[]);
    scene.sync("a", "a-#1", 2, &[("a-#1", "half"), ("b-#2", "rest"), ("c-#9", "nobody")]);
    scene.heartbeat("b", "b-#2", 2);
    scene.describe();
    scene.expect(
        r##"
          1000 b: sync b-#2 generation 2
          1000 a: sync a-#1 generation 2 a-#1='half' b-#2='rest' c-#9='nobody'
          1000   log: g generation 2 of "consumer"/range, leader a-#1, a-#1='half' b-#2='rest'
          1000 a <- assigned 'half'
          1000 b <- assigned 'rest'
          1000 b: heartbeat b-#2 generation 2
          1000 b <- NONE
          1000 admin: describe g
          1000 admin <- Stable "consumer" "range" a-#1(a/127.0.0.1 'm' 'half') b-#2(b/127.0.0.1 'm' 'rest')
        "##,
    );
}

#[test]
fn members_leave_until_the_group_is_empty() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.at(2000);
    scene.leave("a", &["a-#1"]);
    scene.heartbeat("b", "b-#2", 2);
    scene.leave("b", &["b-#2"]);
    scene.describe();
    scene.expect(
        r##"
          2000 a: leave "a-#1"
          2000 a <- left: NONE "a-#1" NONE
          2000 b: heartbeat b-#2 generation 2
          2000 b <- REBALANCE_IN_PROGRESS
          2000 b: leave "b-#2"
          2000   log: g generation 3 of "consumer"/null, leader null, no members
          2000 b <- left: NONE "b-#2" NONE
          2000 admin: describe g
          2000 admin <- Empty "consumer" ""
        "##,
    );
}

#[test]
fn a_new_member_gets_its_id_first_when_the_client_can_take_it() {
    let mut scene = Scene::new(GroupConfig::default());
    let asks = |member_id| Join { requires_known_member_id: true, ..join(member_id) };
    scene.join("a", asks(""));
    scene.describe();
    scene.join("a", asks("a-#1"));
    scene.sync("a", "a-#1", 1, &[]);
    scene.expect(
        r##"
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- MEMBER_ID_REQUIRED "a-#1"
             0 admin: describe g
             0 admin <- Empty "" ""
             0 a: join "a-#1" with range
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 a: sync a-#1 generation 1
             0   log: g generation 1 of "consumer"/range, leader a-#1, a-#1=''
             0 a <- assigned ''
        "##,
    );
    // A second one gets an id and gives up: the rebalance that the first begins waits for it, until its id is
    // forgotten after its session timeout.
    scene.at(1000);
    scene.join("b", asks(""));
    scene.at(2000);
    scene.join("a", asks("a-#1"));
    scene.expect(
        r##"
          1000 b: join "" with range
          1000 b <- MEMBER_ID_REQUIRED "b-#2"
          2000 a: join "a-#1" with range
        "##,
    );
    scene.at(12_000);
    scene.expect(
        r##"
         11000 a <- joined as a-#1, generation 2 of "range", leader a-#1, members a-#1
        "##,
    );
    // An id that is pending may leave; and it is nobody to anyone else.
    scene.join("c", asks(""));
    scene.heartbeat("c", "c-#3", 2);
    scene.leave("c", &["c-#3"]);
    scene.join("c", asks("c-#3"));
    scene.expect(
        r##"
         12000 c: join "" with range
         12000 c <- MEMBER_ID_REQUIRED "c-#3"
         12000 c: heartbeat c-#3 generation 2
         12000 c <- UNKNOWN_MEMBER_ID
         12000 c: leave "c-#3"
         12000 c <- left: NONE "c-#3" NONE
         12000 c: join "c-#3" with range
         12000 c <- UNKNOWN_MEMBER_ID "c-#3"
        "##,
    );
}

#[test]
fn whoever_is_not_known_is_told_so() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("x", join("x-#9"));
    scene.sync("x", "x-#9", 1, &[]);
    scene.heartbeat("x", "x-#9", 1);
    scene.leave("x", &["x-#9", ""]);
    scene.describe();
    scene.expect(
        r##"
             0 x: join "x-#9" with range
             0 x <- UNKNOWN_MEMBER_ID "x-#9"
             0 x: sync x-#9 generation 1
             0 x <- UNKNOWN_MEMBER_ID
             0 x: heartbeat x-#9 generation 1
             0 x <- UNKNOWN_MEMBER_ID
             0 x: leave "x-#9" ""
             0 x <- left: NONE "x-#9" UNKNOWN_MEMBER_ID "" UNKNOWN_MEMBER_ID
             0 admin: describe g
             0 admin <- GROUP_ID_NOT_FOUND "Group g not found." Dead "" ""
        "##,
    );
    let mut scene = stable_pair(GroupConfig::default());
    scene.join("x", join("x-#9"));
    scene.sync("x", "x-#9", 2, &[]);
    scene.heartbeat("x", "x-#9", 2);
    scene.leave("x", &["x-#9", ""]);
    scene.sync("a", "a-#1", 1, &[]);
    scene.heartbeat("a", "a-#1", 3);
    scene.expect(
        r##"
             0 x: join "x-#9" with range
             0 x <- UNKNOWN_MEMBER_ID "x-#9"
             0 x: sync x-#9 generation 2
             0 x <- UNKNOWN_MEMBER_ID
             0 x: heartbeat x-#9 generation 2
             0 x <- UNKNOWN_MEMBER_ID
             0 x: leave "x-#9" ""
             0 x <- left: NONE "x-#9" UNKNOWN_MEMBER_ID "" UNKNOWN_MEMBER_ID
             0 a: sync a-#1 generation 1
             0 a <- ILLEGAL_GENERATION
             0 a: heartbeat a-#1 generation 3
             0 a <- ILLEGAL_GENERATION
        "##,
    );
}

#[test]
fn joins_that_are_too_large_are_refused() {
    let limits = GroupConfig { member_protocols_bytes_max: 100, ..GroupConfig::default() };
    let mut scene = Scene::new(limits);
    let long: std::sync::Arc<str> = "x".repeat(40_000).into();
    let too_much = vec![("range".into(), Bytes::from(vec![0; 96]))];
    for join in [
        Join { protocols: too_much, ..join("") },
        Join { group_id: long.clone(), ..join("") },
        Join { group_instance_id: Some(long.clone()), ..join("") },
        Join { protocols: vec![(long, Bytes::new())], ..join("") },
    ] {
        scene.join("a", join);
        let Some(Reply::Join(reply)) = scene.answers.last() else { panic!("a reply to the join") };
        assert_eq!(reply.error, ErrorCode::InvalidRequest);
    }
    assert_eq!((scene.groups.len(), scene.log.len()), (0, 0), "nothing came of it");
}

#[test]
fn the_refusals_of_joins_are_kafkas() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", Join { group_id: "".into(), ..join("x") });
    scene.join("a", Join { session_timeout_ms: 5_999, ..join("") });
    scene.join("a", Join { session_timeout_ms: 1_800_001, ..join("x") });
    scene.join("a", Join { protocol_type: "".into(), ..join("") });
    scene.join("a", Join { protocols: Vec::new(), ..join("") });
    scene.join("a", join(""));
    scene.join("b", Join { protocol_type: "connect".into(), ..join("") });
    scene.join("b", Join { protocols: vec![("sticky".into(), Bytes::new())], ..join("") });
    scene.join("a", Join { protocols: vec![("sticky".into(), Bytes::new())], ..join("a-#1") });
    scene.expect(
        r##"
             0 a: join "x" with range
             0 a <- INVALID_GROUP_ID "x"
             0 a: join "" with range
             0 a <- INVALID_SESSION_TIMEOUT ""
             0 a: join "x" with range
             0 a <- INVALID_SESSION_TIMEOUT "x"
             0 a: join "" with range
             0 a <- INCONSISTENT_GROUP_PROTOCOL ""
             0 a: join "" with
             0 a <- INCONSISTENT_GROUP_PROTOCOL ""
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 b: join "" with range
             0 b <- INCONSISTENT_GROUP_PROTOCOL ""
             0 b: join "" with sticky
             0 b <- INCONSISTENT_GROUP_PROTOCOL ""
             0 a: join "a-#1" with sticky
             0 a <- INCONSISTENT_GROUP_PROTOCOL "a-#1"
        "##,
    );
}

#[test]
fn a_full_group_turns_members_away() {
    let mut scene = stable_pair(GroupConfig { max_size: 2, ..GroupConfig::default() });
    scene.join("c", join(""));
    scene.join("a", join("a-#1"));
    scene.expect(
        r##"
             0 c: join "" with range
             0 c <- GROUP_MAX_SIZE_REACHED ""
             0 a: join "a-#1" with range
        "##,
    );
    scene.join("c", join(""));
    scene.join("b", join("b-#2"));
    scene.expect(
        r##"
             0 c: join "" with range
             0 b: join "b-#2" with range
             0 b <- GROUP_MAX_SIZE_REACHED ""
             0 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1 c-#3
             0 c <- joined as c-#3, generation 3 of "range", leader a-#1
        "##,
    );
}

#[test]
fn a_group_that_is_over_its_new_size_turns_the_last_away_when_it_is_loaded() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.groups.configure(GroupConfig { max_size: 1, ..GroupConfig::default() });
    scene.restart();
    scene.heartbeat("a", "a-#1", 2);
    scene.join("b", join("b-#2"));
    scene.join("a", join("a-#1"));
    scene.expect(
        r##"
             0 restart
             0 a: heartbeat a-#1 generation 2
             0 a <- REBALANCE_IN_PROGRESS
             0 b: join "b-#2" with range
             0 a: join "a-#1" with range
             0 a <- GROUP_MAX_SIZE_REACHED ""
             0 b <- joined as b-#2, generation 3 of "range", leader b-#2, members b-#2
        "##,
    );
}

#[test]
fn limits_on_groups_and_pending_members() {
    let mut scene =
        Scene::new(GroupConfig { groups_max: 1, pending_members_max: 1, ..GroupConfig::default() });
    let asks = Join { requires_known_member_id: true, ..join("") };
    scene.join("a", asks.clone());
    scene.join("b", asks.clone());
    scene.join("c", Join { group_id: "h".into(), ..asks });
    scene.expect(
        r##"
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- MEMBER_ID_REQUIRED "a-#1"
             0 b: join "" with range
             0 b <- GROUP_MAX_SIZE_REACHED ""
             0 c: join "" with range
             0 c <- GROUP_MAX_SIZE_REACHED ""
        "##,
    );
}

#[test]
fn a_second_request_answers_the_first() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", join(""));
    scene.join("b", join(""));
    scene.join("b again", join("b-#2"));
    scene.join("a", join("a-#1"));
    scene.sync("b", "b-#2", 2, &[]);
    scene.sync("b again", "b-#2", 2, &[]);
    scene.sync("a", "a-#1", 2, &[]);
    scene.expect(
        r##"
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 b: join "" with range
             0 b again: join "b-#2" with range
             0 b <- REBALANCE_IN_PROGRESS "b-#2"
             0 a: join "a-#1" with range
             0 a <- joined as a-#1, generation 2 of "range", leader a-#1, members a-#1 b-#2
             0 b again <- joined as b-#2, generation 2 of "range", leader a-#1
             0 b: sync b-#2 generation 2
             0 b again: sync b-#2 generation 2
             0 b <- REBALANCE_IN_PROGRESS
             0 a: sync a-#1 generation 2
             0   log: g generation 2 of "consumer"/range, leader a-#1, a-#1='' b-#2=''
             0 a <- assigned ''
             0 b again <- assigned ''
        "##,
    );
    assert_eq!(scene.waiting(), 0);
}

#[test]
fn a_member_that_missed_the_reply_to_its_join_gets_it_again() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", join(""));
    scene.join("a", join("a-#1"));
    scene.join("b", join(""));
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    scene.sync("a", "a-#1", 2, &[("b-#2", "some")]);
    scene.join("b", join("b-#2"));
    scene.sync("b", "b-#2", 2, &[]);
    scene.expect(
        r##"
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 a: join "a-#1" with range
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 b: join "" with range
             0 a: join "a-#1" with range
             0 a <- joined as a-#1, generation 2 of "range", leader a-#1, members a-#1 b-#2
             0 b <- joined as b-#2, generation 2 of "range", leader a-#1
             0 b: join "b-#2" with range
             0 b <- joined as b-#2, generation 2 of "range", leader a-#1
             0 a: sync a-#1 generation 2 b-#2='some'
             0   log: g generation 2 of "consumer"/range, leader a-#1, a-#1='' b-#2='some'
             0 a <- assigned ''
             0 b: join "b-#2" with range
             0 b <- joined as b-#2, generation 2 of "range", leader a-#1
             0 b: sync b-#2 generation 2
             0 b <- assigned 'some'
        "##,
    );
    // With other metadata, it rebalances the group.
    let other = vec![("range".into(), Bytes::from_static(b"other"))];
    scene.join("b", Join { protocols: other, ..join("b-#2") });
    scene.heartbeat("a", "a-#1", 2);
    scene.expect(
        r##"
             0 b: join "b-#2" with range
             0 a: heartbeat a-#1 generation 2
             0 a <- REBALANCE_IN_PROGRESS
        "##,
    );
}

#[test]
fn a_sync_that_names_another_protocol_is_refused() {
    let mut scene = stable_pair(GroupConfig::default());
    for (protocol_type, protocol) in [("consumer", "range"), ("connect", "range"), ("consumer", "sticky")] {
        let sync = Sync {
            group_id: "g".into(),
            member_id: id("a-#1"),
            group_instance_id: None,
            generation: 2,
            protocol_type: Some(protocol_type.into()),
            protocol: Some(protocol.into()),
            assignments: Vec::new(),
        };
        scene.send("a", Command::Sync(sync));
    }
    scene.expect(
        r##"
             0 a: sync a-#1 generation 2
             0 a <- assigned 'half'
             0 a: sync a-#1 generation 2
             0 a <- INCONSISTENT_GROUP_PROTOCOL
             0 a: sync a-#1 generation 2
             0 a <- INCONSISTENT_GROUP_PROTOCOL
        "##,
    );
}

#[test]
fn when_the_partition_moves_away_nobody_waits_on() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", join(""));
    scene.join("b", join(""));
    scene.send("c", Command::Join(Join { group_id: "h".into(), ..join("") }));
    scene.send("d", Command::Join(Join { group_id: "h".into(), ..join("") }));
    scene.join("a", join("a-#1"));
    scene.sync("b", "b-#2", 2, &[]);
    scene.forget_transcript();
    scene.unload();
    scene.expect(
        r##"
             0 unload
             0 b <- NOT_COORDINATOR
             0 d <- NOT_COORDINATOR "d-#4"
        "##,
    );
    assert_eq!(scene.waiting(), 0);
}
