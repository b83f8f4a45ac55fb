//! Offsets that are committed in transactions: they count from the marker on, or never. Producers are 7 and 8.

use ottla_model::{ErrorCode, NONE, ProducerId, TopicId};

use super::consumer::pair;
use super::membership::stable_pair;
use super::offsets::topic;
use super::scene::{commit_of, topic_id};
use super::*;
use crate::codec::{Cause, Key, OffsetCause, OffsetCommitValue};
use crate::group::*;

/// A group with `orders-0` at 1, and nothing in the transcript.
fn reader() -> Scene {
    let mut scene = Scene::new(GroupConfig::default());
    scene.commit("s", "", -1, &[("orders", 0, 1)]);
    scene.forget_transcript();
    scene
}

/// What a commit of `orders-0` in a transaction is answered with.
fn outcome(scene: &mut Scene, producer: ProducerId, commit: CommitOffsets) -> ErrorCode {
    let commit = CommitOffsets { in_transaction: true, knows_group_id_not_found: false, ..commit };
    scene.send_in(producer, "p", Command::CommitOffsets(commit));
    let Some(Reply::CommitOffsets(reply)) = scene.answers.last() else { panic!("of a commit") };
    assert!(reply.odd.is_empty(), "nothing is told before it counts");
    reply.topics[0].partitions[0].1
}

#[test]
fn offsets_count_from_the_marker_on() {
    let mut scene = reader();
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5), ("orders", 1, 6)]);
    scene.fetch_all("s");
    scene.fetch_stable("s");
    scene.end(7, true);
    scene.fetch_stable("s");
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 9)]);
    scene.end(7, false);
    scene.fetch_stable("s");
    scene.expect(
        r##"
             0 p: commit "" generation -1 orders-0@5 orders-1@6
             0   log of 7: g orders-0@5
             0   log of 7: g orders-1@6
             0 p <- committed: orders-0 NONE orders-1 NONE
             0 s: fetch all
             0 s <- offsets: NONE orders-0@1
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@-1 UNSTABLE_OFFSET_COMMIT
             0   log: 7 commits
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@5 orders-1@6
             0 p: commit "" generation -1 orders-0@9
             0   log of 7: g orders-0@9
             0 p <- committed: orders-0 NONE
             0   log: 7 aborts
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@5 orders-1@6
        "##,
    );
}

#[test]
fn what_is_asked_for_by_name_is_unstable_also_where_nothing_was_committed() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5)]);
    for require_stable in [false, true] {
        let fetch = FetchTopic { topic: topic("orders"), topic_id: TopicId::ZERO, partitions: vec![0, 1] };
        scene.send(
            "s",
            Command::FetchOffsets(FetchOffsets {
                group_id: "g".into(),
                member_id: None,
                member_epoch: -1,
                topics: Some(vec![fetch]),
                require_stable,
            }),
        );
    }
    scene.send("admin", Command::List(List::default()));
    scene.expect(
        r##"
             0 p: commit "" generation -1 orders-0@5
             0   log of 7: g orders-0@5
             0 p <- committed: orders-0 NONE
             0 s: fetch orders [0, 1]
             0 s <- offsets: NONE orders-0@-1 orders-1@-1
             0 s: fetch orders [0, 1]
             0 s <- offsets: NONE orders-0@-1 UNSTABLE_OFFSET_COMMIT orders-1@-1
             0 admin: list [] []
             0 admin <- groups: g "" Empty classic
        "##,
    );
}

#[test]
fn a_restart_keeps_what_is_open() {
    let mut scene = reader();
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5)]);
    scene.commit_in(8, "p", "", -1, &[("orders", 1, 6)]);
    scene.end(8, true);
    scene.restart();
    scene.fetch_stable("s");
    scene.end(7, true);
    scene.end(7, false);
    scene.fetch_stable("s");
    scene.restart();
    scene.fetch_stable("s");
    scene.expect(
        r##"
             0 p: commit "" generation -1 orders-0@5
             0   log of 7: g orders-0@5
             0 p <- committed: orders-0 NONE
             0 p: commit "" generation -1 orders-1@6
             0   log of 8: g orders-1@6
             0 p <- committed: orders-1 NONE
             0   log: 8 commits
             0 restart
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@-1 UNSTABLE_OFFSET_COMMIT orders-1@6
             0   log: 7 commits
             0   log: 7 aborts
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@5 orders-1@6
             0 restart
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@5 orders-1@6
        "##,
    );
}

#[test]
fn the_newest_record_wins_whoever_ends_first() {
    let mut scene = reader();
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5)]);
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 6)]);
    scene.commit_in(8, "q", "", -1, &[("orders", 0, 7)]);
    scene.end(8, true);
    scene.fetch_all("s");
    scene.fetch_stable("s");
    scene.end(7, true);
    scene.fetch_stable("s");
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 8)]);
    scene.commit_in(8, "q", "", -1, &[("orders", 0, 9)]);
    scene.end(7, true);
    scene.fetch_all("s");
    scene.end(8, true);
    scene.fetch_stable("s");
    scene.expect(
        r##"
             0 p: commit "" generation -1 orders-0@5
             0   log of 7: g orders-0@5
             0 p <- committed: orders-0 NONE
             0 p: commit "" generation -1 orders-0@6
             0   log of 7: g orders-0@6
             0 p <- committed: orders-0 NONE
             0 q: commit "" generation -1 orders-0@7
             0   log of 8: g orders-0@7
             0 q <- committed: orders-0 NONE
             0   log: 8 commits
             0 s: fetch all
             0 s <- offsets: NONE orders-0@7
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@-1 UNSTABLE_OFFSET_COMMIT
             0   log: 7 commits
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@7
             0 p: commit "" generation -1 orders-0@8
             0   log of 7: g orders-0@8
             0 p <- committed: orders-0 NONE
             0 q: commit "" generation -1 orders-0@9
             0   log of 8: g orders-0@9
             0 q <- committed: orders-0 NONE
             0   log: 7 commits
             0 s: fetch all
             0 s <- offsets: NONE orders-0@8
             0   log: 8 commits
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@9
        "##,
    );
}

#[test]
fn an_ordinary_commit_in_between_is_newer() {
    let mut scene = reader();
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5), ("orders", 1, 6)]);
    scene.commit("s", "", -1, &[("orders", 0, 4)]);
    scene.fetch_stable("s");
    scene.end(7, true);
    scene.fetch_stable("s");
    scene.expect(
        r##"
             0 p: commit "" generation -1 orders-0@5 orders-1@6
             0   log of 7: g orders-0@5
             0   log of 7: g orders-1@6
             0 p <- committed: orders-0 NONE orders-1 NONE
             0 s: commit "" generation -1 orders-0@4
             0   log: g orders-0@4
             0 s <- committed: orders-0 NONE
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@-1 UNSTABLE_OFFSET_COMMIT
             0   log: 7 commits
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@4 orders-1@6
        "##,
    );
}

#[test]
fn who_may_commit_for_a_classic_group() {
    let mut scene = stable_pair(GroupConfig::default());
    let one = |member_id: &str, generation| commit_of(member_id, generation, &[("orders", 0, 5)]);
    let of_instance = |commit| CommitOffsets { group_instance_id: Some("one".into()), ..commit };
    let mut asked = |commit| outcome(&mut scene, 7, commit);
    assert_eq!(asked(one("a-#1", 2)), ErrorCode::None);
    assert_eq!(asked(one("", -1)), ErrorCode::None, "a producer that does not know whom it commits for");
    assert_eq!(asked(one("a-#1", 1)), ErrorCode::IllegalGeneration);
    assert_eq!(asked(one("a-#1", -1)), ErrorCode::IllegalGeneration);
    assert_eq!(asked(one("x-#9", 2)), ErrorCode::UnknownMemberId);
    assert_eq!(asked(one("", 2)), ErrorCode::UnknownMemberId);
    assert_eq!(asked(of_instance(one("", -1))), ErrorCode::UnknownMemberId);
    scene.join("c", Join { group_instance_id: Some("one".into()), ..join("") });
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    let mut asked = |commit| outcome(&mut scene, 7, commit);
    assert_eq!(asked(of_instance(one("a-#1", 3))), ErrorCode::FencedInstanceId);
    // The members know the new generation, and may commit in a transaction what they have read in the old one.
    assert_eq!(asked(one("a-#1", 3)), ErrorCode::None);
    assert_eq!(asked(one("a-#1", 2)), ErrorCode::IllegalGeneration);
    let unknown = CommitOffsets { group_id: "new".into(), ..one("a", 0) };
    assert_eq!(asked(unknown), ErrorCode::IllegalGeneration);
    scene.groups.check();
}

#[test]
fn who_may_commit_for_a_consumer_group() {
    let mut scene = pair();
    let one = |member_id: &str, epoch, partition| {
        let mut commit = commit_of(member_id, epoch, &[("foo", partition, 5)]);
        commit.topics[0].topic_id = topic_id("foo");
        commit
    };
    let mut asked = |commit| outcome(&mut scene, 7, commit);
    assert_eq!(asked(one("a", 3, 0)), ErrorCode::None);
    assert_eq!(asked(one("", -1, 0)), ErrorCode::None);
    assert_eq!(asked(one("a", 2, 0)), ErrorCode::None, "late, and still there");
    assert_eq!(asked(one("a", 2, 2)), ErrorCode::IllegalGeneration, "late, and another's now");
    assert_eq!(asked(one("a", 4, 0)), ErrorCode::IllegalGeneration);
    assert_eq!(asked(one("a", 1, 0)), ErrorCode::IllegalGeneration);
    assert_eq!(asked(one("stranger", 3, 0)), ErrorCode::UnknownMemberId);
    assert_eq!(asked(one("stranger", -1, 0)), ErrorCode::UnknownMemberId);
    let of_instance = CommitOffsets { group_instance_id: Some("one".into()), ..one("", -1, 0) };
    assert_eq!(asked(of_instance), ErrorCode::UnknownMemberId);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut scene = Scene::new(GroupConfig {
        offset_metadata_max_bytes: 4,
        groups_max: 1,
        pending_offsets_max: 2,
        ..GroupConfig::default()
    });
    let one = |metadata: &str| {
        let mut commit = commit_of("", -1, &[("orders", 0, 5)]);
        commit.topics[0].partitions[0].metadata = Some(metadata.into());
        commit
    };
    let of = |group: &str| CommitOffsets { group_id: group.into(), ..one("") };
    assert_eq!(outcome(&mut scene, 7, one("notes")), ErrorCode::OffsetMetadataTooLarge);
    assert_eq!(outcome(&mut scene, 7, of(&"g".repeat(40_000))), ErrorCode::InvalidGroupId);
    assert_eq!(outcome(&mut scene, 7, one("note")), ErrorCode::None);
    assert_eq!(outcome(&mut scene, 7, of("h")), ErrorCode::PolicyViolation, "as many groups as may be");
    assert_eq!(outcome(&mut scene, 8, one("")), ErrorCode::None);
    assert_eq!(outcome(&mut scene, 9, one("")), ErrorCode::PolicyViolation, "as many open as may be");
    scene.end(7, false);
    assert_eq!(outcome(&mut scene, 9, one("")), ErrorCode::None);
}

#[test]
fn the_record_says_who_and_why_and_no_topic_id() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.leave("a", &["a-#1"]);
    scene.leave("b", &["b-#2"]);
    scene.commit("s", "", -1, &[("orders", 0, 9)]);
    let mut commit = commit_of("", -1, &[("orders", 0, 5)]);
    commit.topics[0].topic_id = topic_id("orders");
    assert_eq!(outcome(&mut scene, 7, commit), ErrorCode::None);
    let record = scene.log.last().unwrap();
    let why = OffsetCause::decode(&record.headers[0].1).unwrap();
    assert_eq!((why.cause, why.previous, why.client_id), (Cause::TransactionalCommit, Some(9), Some("p")));
    assert!(why.oddities.went_backward, "the history tells it when it counts");
    let value = OffsetCommitValue::decode(record.value.as_ref().unwrap()).unwrap();
    assert_eq!((value.topic_id, value.expire_timestamp_ms), (TopicId::ZERO, NONE));
    assert!(matches!(Key::decode(&record.key), Ok(Key::OffsetCommit { group: "g", .. })));
}

#[test]
fn a_transactional_commit_does_not_prove_that_the_member_lives() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.at(9_000);
    scene.commit_in(7, "p", "a-#1", 2, &[("orders", 0, 5)]);
    scene.heartbeat("b", "b-#2", 2);
    scene.at(11_000);
    scene.heartbeat("a", "a-#1", 2);
    let Some(Reply::Heartbeat(beat)) = scene.answers.last() else { panic!("of a heartbeat") };
    assert_eq!(beat.error, ErrorCode::UnknownMemberId);
}

#[test]
fn a_failed_append_leaves_everything_as_it_was() {
    let mut scene = reader();
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5)]);
    scene.forget_transcript();
    scene.appends_fail = Some(ErrorCode::InvalidProducerEpoch);
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 6), ("orders", 1, 7)]);
    let new = CommitOffsets { group_id: "new".into(), ..commit_of("", -1, &[("orders", 0, 8)]) };
    assert_eq!(outcome(&mut scene, 8, new), ErrorCode::InvalidProducerEpoch);
    scene.appends_fail = Some(ErrorCode::KafkaStorageError);
    scene.send("admin", delete_offsets());
    scene.groups.check();
    assert_eq!(scene.groups.len(), 1, "the new group never came to be");
    scene.appends_fail = None;
    scene.fetch_stable("s");
    scene.end(8, true);
    scene.end(7, true);
    scene.fetch_stable("s");
    scene.expect(
        r##"
             0 p: commit "" generation -1 orders-0@6 orders-1@7
             0 an append fails with INVALID_PRODUCER_EPOCH
             0 p <- committed: orders-0 INVALID_PRODUCER_EPOCH orders-1 INVALID_PRODUCER_EPOCH
             0 p: commit "" generation -1 orders-0@8
             0 an append fails with INVALID_PRODUCER_EPOCH
             0 p <- committed: orders-0 INVALID_PRODUCER_EPOCH
             0 admin: delete offsets orders [0, 1, 2]
             0 an append fails with KAFKA_STORAGE_ERROR
             0 admin <- deleted: NOT_COORDINATOR
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@-1 UNSTABLE_OFFSET_COMMIT
             0   log: 8 commits
             0   log: 7 commits
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@5
        "##,
    );
}

fn delete_offsets() -> Command {
    let topics = vec![(topic("orders"), vec![0, 1, 2])];
    Command::DeleteOffsets(DeleteOffsets { group_id: "g".into(), topics })
}

#[test]
fn a_deletion_is_about_open_transactions_too() {
    for deletion in [
        delete_offsets(),
        Command::Delete { group_id: "g".into() },
        Command::TopicDeleted { topic: topic("orders"), topic_id: topic_id("orders") },
    ] {
        let mut scene = reader();
        scene.commit_in(7, "p", "", -1, &[("orders", 0, 5), ("orders", 1, 6)]);
        scene.commit_in(8, "q", "", -1, &[("orders", 1, 7)]);
        scene.forget_transcript();
        let is_group = matches!(deletion, Command::Delete { .. });
        scene.send("admin", deletion);
        scene.groups.check();
        let gone = "0   log: g orders-0 is gone\n 0   log: g orders-1 is gone\n";
        let gone = if is_group { format!("{gone} 0   log: g is gone\n") } else { gone.to_owned() };
        let lines: Vec<_> =
            scene.transcript().lines().map(str::trim).filter(|line| line.contains("log:")).collect();
        assert_eq!(lines, gone.lines().map(str::trim).collect::<Vec<_>>());
        scene.end(7, true);
        scene.end(8, true);
        assert!(scene.groups.offsets().group("g").is_none());
        scene.commit_in(7, "p", "", -1, &[("orders", 0, 8)]);
        scene.end(7, true);
        assert_eq!(scene.groups.offsets().get("g", &topic("orders"), 0).unwrap().offset, 8);
    }
}

#[test]
fn an_offset_of_a_namesake_goes_only_with_what_was_open_there() {
    let mut scene = Scene::new(GroupConfig::default());
    let (old, new) = (topic_id("old"), topic_id("new"));
    let mut commit = commit_of("", -1, &[("orders", 0, 5)]);
    commit.topics[0].topic_id = new;
    scene.send("s", Command::CommitOffsets(commit));
    let deleted = || Command::TopicDeleted { topic: topic("orders"), topic_id: old };
    scene.send("catalog", deleted());
    assert_eq!(scene.groups.offsets().get("g", &topic("orders"), 0).unwrap().offset, 5);
    // Nothing tells which topic of that name a transaction is about, so that it goes, and its tombstone takes the other.
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 6)]);
    scene.send("catalog", deleted());
    assert!(scene.groups.offsets().group("g").is_none());
    scene.groups.check();
}

#[test]
fn groups_and_offsets_with_open_transactions_do_not_expire() {
    let mut scene = Scene::new(GroupConfig {
        offsets_retention_ms: 20_000,
        offsets_retention_check_interval_ms: 5_000,
        ..GroupConfig::default()
    });
    scene.load();
    scene.commit("s", "", -1, &[("orders", 0, 1), ("orders", 1, 2)]);
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5)]);
    let new = CommitOffsets { group_id: "new".into(), ..commit_of("", -1, &[("orders", 0, 8)]) };
    assert_eq!(outcome(&mut scene, 7, new), ErrorCode::None);
    scene.at(60_000);
    scene.end(7, false);
    scene.at(70_000);
    scene.send("admin", Command::List(List::default()));
    scene.expect(
        r##"
             0 s: commit "" generation -1 orders-0@1 orders-1@2
             0   log: g orders-0@1
             0   log: g orders-1@2
             0 s <- committed: orders-0 NONE orders-1 NONE
             0 p: commit "" generation -1 orders-0@5
             0   log of 7: g orders-0@5
             0 p <- committed: orders-0 NONE
             0 p: commit "" generation -1 orders-0@8
             0   log of 7: new orders-0@8
             0 p <- committed: orders-0 NONE
         20000   log: g orders-1 is gone
         60000   log: 7 aborts
         65000   log: g orders-0 is gone
         65000   log: g is gone
         65000   log: new is gone
         70000 admin: list [] []
         70000 admin <- groups:
        "##,
    );
}

#[test]
fn nothing_is_taken_back_under_an_open_transaction() {
    let mut scene = reader();
    scene.commit_in(7, "p", "", -1, &[("orders", 0, 5)]);
    scene.forget_transcript();
    let offset = RestoreOffset { topic: topic("orders"), partition: 0, expected: Some(0), value: None };
    let restore =
        || Command::RestoreOffsets(RestoreOffsets { group_id: "g".into(), offsets: vec![offset.clone()] });
    scene.send("admin", restore());
    scene.end(7, false);
    scene.send("admin", restore());
    scene.expect(
        r##"
             0 admin: restore orders-0@none
             0 admin <- restored: NONE orders-0 has changed
             0   log: 7 aborts
             0 admin: restore orders-0@none
             0   log: g orders-0 is gone
             0 admin <- restored: NONE
        "##,
    );
}
