//! What goes because it is old, each with the rule of Kafka that it follows. Here offsets are kept for 20 seconds and
//! looked at every 5.

use super::offsets::{commit, reader_of_a_and_bb, topic};
use super::*;
use crate::group::*;
use crate::machine::Machine;

fn config() -> GroupConfig {
    GroupConfig {
        offsets_retention_ms: 20_000,
        offsets_retention_check_interval_ms: 5_000,
        ..GroupConfig::default()
    }
}

/// An empty scene whose machine was loaded, as every machine is.
fn scene() -> Scene {
    let mut scene = Scene::new(config());
    scene.load();
    scene
}

#[test]
fn offsets_of_simple_groups_expire_by_their_commit_and_then_the_group_goes() {
    let mut scene = scene();
    assert_eq!(scene.groups.deadline(), None, "nothing to look at");
    scene.commit("s", "", -1, &[("a", 0, 1), ("a", 1, 2)]);
    scene.at(12_000);
    scene.commit("s", "", -1, &[("a", 1, 3)]);
    scene.at(19_999);
    scene.at(60_000);
    scene.send("admin", Command::List(List::default()));
    scene.expect(
        r##"
             0 s: commit "" generation -1 a-0@1 a-1@2
             0   log: g a-0@1
             0   log: g a-1@2
             0 s <- committed: a-0 NONE a-1 NONE
         12000 s: commit "" generation -1 a-1@3
         12000   log: g a-1@3
         12000 s <- committed: a-1 NONE
         20000   log: g a-0 is gone
         35000   log: g a-1 is gone
         35000   log: g is gone
         60000 admin: list [] []
         60000 admin <- groups:
        "##,
    );
    assert_eq!(scene.groups.deadline(), None);
}

#[test]
fn a_commit_that_brought_a_retention_goes_by_that() {
    let mut scene = scene();
    let keep = |partition: i32, retention_time_ms| CommitOffsets {
        retention_time_ms,
        topics: vec![CommitTopic {
            topic: topic("a"),
            topic_id: ottla_model::TopicId::ZERO,
            partitions: vec![CommitPartition::new(partition, 1)],
        }],
        ..commit("", -1, 0)
    };
    scene.send("s", Command::CommitOffsets(keep(0, 4_000)));
    scene.send("s", Command::CommitOffsets(keep(1, 50_000)));
    scene.forget_transcript();
    scene.at(60_000);
    scene.expect(
        r##"
          5000   log: g a-0 is gone
         50000   log: g a-1 is gone
         50000   log: g is gone
        "##,
    );
}

/// Heartbeats of the only member of [`reader_of_a_and_bb`], until then.
fn stay_until(scene: &mut Scene, from_ms: u64, until_ms: u64) {
    for now_ms in (from_ms..=until_ms).step_by(5_000) {
        scene.at(now_ms);
        scene.heartbeat("a", "a-#1", 1);
    }
}

#[test]
fn while_a_group_lives_only_offsets_of_topics_expire_that_it_does_not_read() {
    let mut scene = reader_of_a_and_bb();
    scene.groups.configure(config());
    scene.load();
    stay_until(&mut scene, 5_000, 60_000);
    let gone: Vec<_> = scene.transcript().lines().filter(|line| line.contains("gone")).collect();
    assert_eq!(gone, [" 20000   log: g c-0 is gone", " 20000   log: g c-1 is gone"]);
    scene.forget_transcript();
    // From the moment that the group is empty, all of them age, whenever they were committed.
    scene.at(62_000);
    scene.leave("a", &["a-#1"]);
    scene.at(90_000);
    scene.expect(
        r##"
         62000 a: leave "a-#1"
         62000   log: g generation 2 of "consumer"/null, leader null, no members
         62000 a <- left: NONE "a-#1" NONE
         85000   log: g a-0 is gone
         85000   log: g bb-0 is gone
         85000   log: g is gone
        "##,
    );
}

#[test]
fn nothing_expires_of_a_group_whose_members_cannot_be_asked_or_are_joining() {
    let mut scene = scene();
    scene.join("w", Join { protocol_type: "connect".into(), session_timeout_ms: 100_000, ..join("") });
    scene.sync("w", "w-#1", 1, &[]);
    scene.commit("w", "w-#1", 1, &[("a", 0, 1)]);
    scene.forget_transcript();
    scene.at(90_000);
    scene.expect("");
    // Another member joins and the first does not come: the rebalance lasts for its timeout.
    let late = Join {
        protocol_type: "connect".into(),
        session_timeout_ms: 100_000,
        rebalance_timeout_ms: 90_000,
        ..join("")
    };
    scene.join("x", late);
    scene.forget_transcript();
    scene.at(99_000);
    scene.expect("");
}

#[test]
fn the_age_of_an_empty_group_survives_a_restart() {
    let mut scene = reader_of_a_and_bb();
    scene.groups.configure(config());
    scene.leave("a", &["a-#1"]);
    scene.at(18_000);
    scene.restart();
    scene.forget_transcript();
    scene.at(30_000);
    let last = scene.transcript().lines().last().unwrap_or_default();
    assert_eq!(last, " 23000   log: g is gone", "{}", scene.transcript());
}

#[test]
fn a_clock_that_is_set_expires_nothing() {
    let mut scene = scene();
    scene.commit("s", "", -1, &[("a", 0, 1)]);
    scene.forget_transcript();
    scene.wall_jump_ms = 10 * 365 * 24 * 3_600_000;
    scene.at(19_000);
    scene.expect("");
}

#[test]
fn what_expired_comes_back_when_it_cannot_be_written() {
    let mut scene = scene();
    scene.commit("s", "", -1, &[("a", 0, 1)]);
    scene.forget_transcript();
    scene.appends_fail = Some(ottla_model::ErrorCode::KafkaStorageError);
    scene.at(22_000);
    scene.appends_fail = None;
    scene.fetch_all("s");
    scene.at(25_000);
    scene.expect(
        r##"
         20000 an append fails with KAFKA_STORAGE_ERROR
         22000 s: fetch all
         22000 s <- offsets: NONE a-0@1
         25000   log: g a-0 is gone
         25000   log: g is gone
        "##,
    );
}

#[test]
fn a_pass_over_many_offsets_is_done_in_pieces() {
    let mut scene = scene();
    for group in 0..30 {
        let partitions = (0..1_000).map(|partition| CommitPartition::new(partition, 1)).collect();
        let topics =
            vec![CommitTopic { topic: topic("a"), topic_id: ottla_model::TopicId::ZERO, partitions }];
        let group_id = format!("g{group:02}").into();
        scene.send("s", Command::CommitOffsets(CommitOffsets { group_id, topics, ..commit("", -1, 0) }));
    }
    scene.at(19_000);
    scene.forget_transcript();
    let appends = scene.appends;
    scene.at(20_000);
    assert!(scene.groups.is_empty());
    assert_eq!(scene.appends - appends, 3, "ten groups each time");
}

#[test]
fn a_group_that_somebody_is_about_to_join_stays() {
    let mut scene = scene();
    scene.join("a", Join { requires_known_member_id: true, session_timeout_ms: 30_000, ..join("") });
    scene.at(29_000);
    assert_eq!(scene.groups.len(), 1);
    scene.at(36_000);
    assert_eq!(scene.groups.len(), 0, "nobody came");
}
