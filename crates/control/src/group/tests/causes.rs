//! What the record of each change of an offset tells of its cause.

use bytes::Bytes;
use ottla_model::TopicId;

use super::offsets::{commit, topic};
use super::*;
use crate::codec::{Key, OFFSET_CAUSE_HEADER, OffsetCause, OffsetCommitValue, Writer};
use crate::group::*;
use crate::machine::Record;

/// The change of an offset, with its header, as one line. Scenes mark UUIDs with `#`.
fn told(record: &Record) -> Option<String> {
    let Key::OffsetCommit { topic, partition, .. } = Key::decode(&record.key).unwrap() else {
        assert!(record.headers.is_empty(), "only changes of offsets have a cause");
        return None;
    };
    let [(name, value)] = &record.headers[..] else { panic!("one header") };
    assert_eq!(*name, OFFSET_CAUSE_HEADER);
    let why = OffsetCause::decode(value).unwrap();
    let offset = record.value.as_ref().map(|value| OffsetCommitValue::decode(value).unwrap().offset);
    let print = |offset: Option<i64>| offset.map_or("none".to_owned(), |offset| offset.to_string());
    let mut line =
        format!("{topic}-{partition} {}->{} {}", print(why.previous), print(offset), why.cause.name());
    if !why.member_id.is_empty() {
        line += &format!(" of {} in {}", show::short(why.member_id), why.generation);
    }
    line += &format!(" by {:?}{}", why.client_id.unwrap_or("nobody"), why.client_host);
    for (is_so, words) in [
        (why.oddities.went_backward, ", went backward"),
        (why.oddities.past_end, ", past the end"),
        (why.oddities.not_owner, ", not its own"),
    ] {
        line += if is_so { words } else { "" };
    }
    Some(line)
}

fn expect(scene: &mut Scene, expected: &[&str]) {
    let lines: Vec<_> = std::mem::take(&mut scene.log).iter().filter_map(told).collect();
    assert_eq!(lines, expected);
}

/// The bytes of a `ConsumerProtocolAssignment` of version 0.
fn assignment(partitions: &[(&str, &[i32])]) -> Bytes {
    let mut writer = Writer::new();
    writer.i16(0);
    writer.i32(partitions.len() as i32);
    for (topic, partitions) in partitions {
        writer.string(topic);
        writer.i32(partitions.len() as i32);
        partitions.iter().for_each(|partition| writer.i32(*partition));
    }
    writer.i32(-1);
    writer.finish().unwrap()
}

/// Members `a-#1` and `b-#2`; `a` assigns.
fn pair() -> Scene {
    let mut scene = Scene::new(GroupConfig::default());
    scene.join("a", join(""));
    scene.join("b", join(""));
    scene.join("a", join("a-#1"));
    scene
}

fn assign(scene: &mut Scene, generation: i32, a: Bytes, b: Bytes) {
    let sync = |member_id: &str, assignments| Sync {
        group_id: "g".into(),
        member_id: id(member_id),
        group_instance_id: None,
        generation,
        protocol_type: None,
        protocol: None,
        assignments,
    };
    scene.send("a", Command::Sync(sync("a-#1", vec![(id("a-#1"), a), (id("b-#2"), b)])));
    scene.send("b", Command::Sync(sync("b-#2", Vec::new())));
}

fn rebalance(scene: &mut Scene) {
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
}

#[test]
fn every_change_tells_its_cause_and_the_offset_before() {
    let mut scene = pair();
    assign(&mut scene, 2, assignment(&[("t", &[0])]), assignment(&[("t", &[1])]));
    scene.commit("a", "a-#1", 2, &[("t", 0, 5)]);
    scene.commit("a", "a-#1", 2, &[("t", 0, 9)]);
    scene.commit("b", "b-#2", 2, &[("t", 1, 1)]);
    scene.leave("a", &["a-#1"]);
    scene.leave("b", &["b-#2"]);
    scene.commit("admin", "", -1, &[("t", 0, 3), ("t", 1, 0)]);
    let topics = vec![(topic("t"), vec![0, 7])];
    scene.send("admin", Command::DeleteOffsets(DeleteOffsets { group_id: "g".into(), topics }));
    scene.commit("admin", "", -1, &[("u", 0, 4)]);
    scene.send("broker", Command::TopicDeleted { topic: topic("u"), topic_id: TopicId([1; 16]) });
    scene.send("admin", Command::Delete { group_id: "g".into() });
    expect(
        &mut scene,
        &[
            r#"t-0 none->5 commit of a-#1 in 2 by "a"/127.0.0.1"#,
            r#"t-0 5->9 commit of a-#1 in 2 by "a"/127.0.0.1"#,
            r#"t-1 none->1 commit of b-#2 in 2 by "b"/127.0.0.1"#,
            r#"t-0 9->3 reset by "admin"/127.0.0.1, went backward"#,
            r#"t-1 1->0 reset by "admin"/127.0.0.1, went backward"#,
            r#"t-0 3->none offset delete by "admin"/127.0.0.1"#,
            r#"u-0 none->4 reset by "admin"/127.0.0.1"#,
            r#"u-0 4->none topic delete by "nobody""#,
            r#"t-1 0->none group delete by "admin"/127.0.0.1"#,
        ],
    );
}

#[test]
fn simple_consumers_commit_and_their_offsets_expire() {
    let mut scene = Scene::new(GroupConfig { offsets_retention_ms: 1, ..GroupConfig::default() });
    scene.load();
    scene.commit("s", "", -1, &[("t", 0, 5)]);
    scene.commit("s", "", -1, &[("t", 0, 6)]);
    scene.at(600_000);
    expect(
        &mut scene,
        &[
            r#"t-0 none->5 commit by "s"/127.0.0.1"#,
            r#"t-0 5->6 commit by "s"/127.0.0.1"#,
            r#"t-0 6->none expiry by "nobody""#,
        ],
    );
}

#[test]
fn odd_commits_are_taken_and_told() {
    let mut scene = pair();
    assign(&mut scene, 2, assignment(&[("t", &[0, 1])]), Bytes::new());
    scene.answers.clear();
    let mut send = |member: &str, partition: i32, offset: i64, log_end: i64| {
        let partitions =
            vec![CommitPartition { log_end: Some(log_end), ..CommitPartition::new(partition, offset) }];
        let topics = vec![CommitTopic { topic: topic("t"), topic_id: TopicId::ZERO, partitions }];
        let commit = CommitOffsets { topics, ..commit(member, 2, 0) };
        scene.send(&member[..1], Command::CommitOffsets(commit));
    };
    send("a-#1", 0, 10, 10);
    send("a-#1", 0, 10, 10);
    send("a-#1", 0, 11, 10);
    send("a-#1", 0, 9, 8);
    send("b-#2", 1, 1, 1);
    let odd = scene.answers.iter().map(|answer| match answer {
        Reply::CommitOffsets(reply) => reply.odd.len(),
        _ => panic!("a commit"),
    });
    assert_eq!(odd.collect::<Vec<_>>(), [0, 0, 1, 1, 1]);
    expect(
        &mut scene,
        &[
            r#"t-0 none->10 commit of a-#1 in 2 by "a"/127.0.0.1"#,
            r#"t-0 10->10 commit of a-#1 in 2 by "a"/127.0.0.1"#,
            r#"t-0 10->11 commit of a-#1 in 2 by "a"/127.0.0.1, past the end"#,
            r#"t-0 11->9 commit of a-#1 in 2 by "a"/127.0.0.1, went backward, past the end"#,
            r#"t-1 none->1 commit of b-#2 in 2 by "b"/127.0.0.1, not its own"#,
        ],
    );
}

#[test]
fn what_a_member_gives_up_is_its_own_until_somebody_else_has_it() {
    let mut scene = pair();
    assign(&mut scene, 2, assignment(&[("t", &[0, 1])]), Bytes::new());
    rebalance(&mut scene);
    // Cooperative: first it is taken away, and `a` commits what it has read of it.
    assign(&mut scene, 3, assignment(&[("t", &[0])]), Bytes::new());
    scene.commit("a", "a-#1", 3, &[("t", 1, 5)]);
    scene.join("a", join("a-#1"));
    scene.commit("a", "a-#1", 3, &[("t", 0, 6)]);
    scene.join("b", join("b-#2"));
    assign(&mut scene, 4, assignment(&[("t", &[0])]), assignment(&[("t", &[1])]));
    scene.commit("a", "a-#1", 4, &[("t", 1, 6)]);
    scene.commit("b", "b-#2", 4, &[("t", 1, 7)]);
    expect(
        &mut scene,
        &[
            r#"t-1 none->5 commit of a-#1 in 3 by "a"/127.0.0.1"#,
            r#"t-0 none->6 commit of a-#1 in 3 by "a"/127.0.0.1"#,
            r#"t-1 5->6 commit of a-#1 in 4 by "a"/127.0.0.1, not its own"#,
            r#"t-1 6->7 commit of b-#2 in 4 by "b"/127.0.0.1"#,
        ],
    );
}

#[test]
fn nothing_is_told_of_ownership_where_it_cannot_be_known() {
    let mut scene = pair();
    // Not an assignment that the coordinator can read.
    assign(&mut scene, 2, Bytes::from_static(b"x"), Bytes::from_static(b"y"));
    scene.commit("a", "a-#1", 2, &[("t", 0, 5)]);
    expect(&mut scene, &[r#"t-0 none->5 commit of a-#1 in 2 by "a"/127.0.0.1"#]);
}
