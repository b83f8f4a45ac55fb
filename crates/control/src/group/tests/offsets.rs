//! Committed offsets, and the administration of groups.

use ottla_model::{TopicId, TopicName};

use super::membership::stable_pair;
use super::*;
use crate::codec::tests::SUBSCRIPTIONS;
use crate::group::*;
use crate::machine::Machine;

const ONE: TopicId = TopicId([1; 16]);
const TWO: TopicId = TopicId([2; 16]);

pub(super) fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

pub(super) fn commit(member_id: &str, generation: i32, offset: i64) -> CommitOffsets {
    CommitOffsets {
        group_id: "g".into(),
        member_id: id(member_id),
        group_instance_id: None,
        generation_or_member_epoch: generation,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: false,
        in_transaction: false,
        topics: vec![CommitTopic {
            topic: topic("orders"),
            topic_id: TopicId::ZERO,
            partitions: vec![CommitPartition::new(0, offset)],
        }],
    }
}

#[test]
fn only_members_of_this_generation_may_commit_for_a_group_with_members() {
    let mut scene = stable_pair(GroupConfig::default());
    let mut send = |commit| scene.send("a", Command::CommitOffsets(commit));
    send(commit("a-#1", 2, 1));
    send(commit("a-#1", 1, 2));
    send(commit("a-#1", 3, 3));
    send(commit("a-#1", -1, 4));
    send(commit("x-#9", 2, 5));
    send(commit("", -1, 6));
    send(commit("", 2, 7));
    send(CommitOffsets { group_instance_id: Some("one".into()), ..commit("a-#1", 2, 8) });
    scene.expect(
        r##"
             0 a: commit "a-#1" generation 2 orders-0@1
             0   log: g orders-0@1
             0 a <- committed: orders-0 NONE
             0 a: commit "a-#1" generation 1 orders-0@2
             0 a <- committed: orders-0 ILLEGAL_GENERATION
             0 a: commit "a-#1" generation 3 orders-0@3
             0 a <- committed: orders-0 ILLEGAL_GENERATION
             0 a: commit "a-#1" generation -1 orders-0@4
             0 a <- committed: orders-0 ILLEGAL_GENERATION
             0 a: commit "x-#9" generation 2 orders-0@5
             0 a <- committed: orders-0 UNKNOWN_MEMBER_ID
             0 a: commit "" generation -1 orders-0@6
             0 a <- committed: orders-0 UNKNOWN_MEMBER_ID
             0 a: commit "" generation 2 orders-0@7
             0 a <- committed: orders-0 UNKNOWN_MEMBER_ID
             0 a: commit "a-#1" generation 2 orders-0@8
             0 a <- committed: orders-0 UNKNOWN_MEMBER_ID
        "##,
    );
    // While members join, they may commit what they have read so far; once they know the new generation, not.
    scene.join("a", join("a-#1"));
    scene.send("b", Command::CommitOffsets(commit("b-#2", 2, 9)));
    scene.join("b", join("b-#2"));
    scene.send("b", Command::CommitOffsets(commit("b-#2", 2, 10)));
    scene.send("b", Command::CommitOffsets(commit("b-#2", 3, 11)));
    scene.fetch_all("a");
    scene.expect(
        r##"
             0 a: join "a-#1" with range
             0 b: commit "b-#2" generation 2 orders-0@9
             0   log: g orders-0@9
             0 b <- committed: orders-0 NONE
             0 b: join "b-#2" with range
             0 a <- joined as a-#1, generation 3 of "range", leader a-#1, members a-#1 b-#2
             0 b <- joined as b-#2, generation 3 of "range", leader a-#1
             0 b: commit "b-#2" generation 2 orders-0@10
             0 b <- committed: orders-0 ILLEGAL_GENERATION
             0 b: commit "b-#2" generation 3 orders-0@11
             0 b <- committed: orders-0 REBALANCE_IN_PROGRESS
             0 a: fetch all
             0 a <- offsets: NONE orders-0@9
        "##,
    );
}

#[test]
fn simple_consumers_commit_without_membership() {
    let mut scene = Scene::new(GroupConfig { groups_max: 1, ..GroupConfig::default() });
    scene.send("s", Command::CommitOffsets(commit("", 1, 4)));
    scene.send(
        "s",
        Command::CommitOffsets(CommitOffsets { knows_group_id_not_found: true, ..commit("", 1, 4) }),
    );
    scene.send("s", Command::CommitOffsets(commit("", -1, 5)));
    scene.send("s", Command::CommitOffsets(commit("anything", -1, 6)));
    scene.send("s", Command::CommitOffsets(commit("", 0, 7)));
    scene.send("s", Command::CommitOffsets(CommitOffsets { group_id: "h".into(), ..commit("", -1, 8) }));
    scene.describe();
    scene.send("s", Command::List(List::default()));
    scene.fetch_all("s");
    scene.expect(
        r##"
             0 s: commit "" generation 1 orders-0@4
             0 s <- committed: orders-0 ILLEGAL_GENERATION
             0 s: commit "" generation 1 orders-0@4
             0 s <- committed: orders-0 GROUP_ID_NOT_FOUND
             0 s: commit "" generation -1 orders-0@5
             0   log: g orders-0@5
             0 s <- committed: orders-0 NONE
             0 s: commit "anything" generation -1 orders-0@6
             0   log: g orders-0@6
             0 s <- committed: orders-0 NONE
             0 s: commit "" generation 0 orders-0@7
             0 s <- committed: orders-0 UNKNOWN_MEMBER_ID
             0 s: commit "" generation -1 orders-0@8
             0 s <- committed: orders-0 POLICY_VIOLATION
             0 admin: describe g
             0 admin <- Empty "" ""
             0 s: list [] []
             0 s <- groups: g "" Empty classic
             0 s: fetch all
             0 s <- offsets: NONE orders-0@6
        "##,
    );
    // A consumer may still join the group, and then owns its offsets.
    scene.join("a", join(""));
    scene.send("s", Command::CommitOffsets(commit("", -1, 9)));
    scene.expect(
        r##"
             0 a: join "" with range
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 s: commit "" generation -1 orders-0@9
             0 s <- committed: orders-0 UNKNOWN_MEMBER_ID
        "##,
    );
}

#[test]
fn what_is_committed_comes_back() {
    let mut scene = Scene::new(GroupConfig { offset_metadata_max_bytes: 4, ..GroupConfig::default() });
    let partitions =
        [(0, "note"), (1, "notes"), (2, "ßßßß"), (3, "")].map(|(partition, metadata)| CommitPartition {
            metadata: Some(metadata.into()),
            leader_epoch: partition,
            ..CommitPartition::new(partition, 100)
        });
    let topics = vec![CommitTopic { topic: topic("orders"), topic_id: ONE, partitions: partitions.into() }];
    scene.send("s", Command::CommitOffsets(CommitOffsets { topics, ..commit("", -1, 0) }));
    let ask = |topics, group: &str| {
        Command::FetchOffsets(FetchOffsets {
            group_id: group.into(),
            member_id: None,
            member_epoch: -1,
            topics,
            require_stable: true,
        })
    };
    let orders = |topic_id| FetchTopic { topic: topic("orders"), topic_id, partitions: vec![3, 0, 2, 9] };
    let other = FetchTopic { topic: topic("other"), topic_id: TopicId::ZERO, partitions: vec![0] };
    scene.send("s", ask(None, "g"));
    scene.send("s", ask(Some(vec![orders(TopicId::ZERO), other]), "g"));
    scene.send("s", ask(Some(vec![orders(ONE)]), "g"));
    scene.send("s", ask(Some(vec![orders(TWO)]), "g"));
    scene.send("s", ask(None, "unknown"));
    scene.send("s", ask(Some(vec![orders(ONE)]), "unknown"));
    scene.expect(
        r##"
             0 s: commit "" generation -1 orders-0@100 orders-1@100 orders-2@100 orders-3@100
             0   log: g orders-0@100
             0   log: g orders-2@100
             0   log: g orders-3@100
             0 s <- committed: orders-0 NONE orders-1 OFFSET_METADATA_TOO_LARGE orders-2 NONE orders-3 NONE
             0 s: fetch stable
             0 s <- offsets: NONE orders-0@100/0 "note" orders-2@100/2 "ßßßß" orders-3@100/3
             0 s: fetch orders [3, 0, 2, 9] other [0]
             0 s <- offsets: NONE orders-3@100/3 orders-0@100/0 "note" orders-2@100/2 "ßßßß" orders-9@-1 other-0@-1
             0 s: fetch orders [3, 0, 2, 9]
             0 s <- offsets: NONE orders-3@100/3 orders-0@100/0 "note" orders-2@100/2 "ßßßß" orders-9@-1
             0 s: fetch orders [3, 0, 2, 9]
             0 s <- offsets: NONE orders-3@-1 orders-0@-1 orders-2@-1 orders-9@-1
             0 s: fetch stable
             0 s <- offsets: NONE
             0 s: fetch orders [3, 0, 2, 9]
             0 s <- offsets: NONE orders-3@-1 orders-0@-1 orders-2@-1 orders-9@-1
        "##,
    );
}

#[test]
fn a_commit_may_bring_its_own_retention() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.at(1_000);
    scene.send("s", Command::CommitOffsets(CommitOffsets { retention_time_ms: 500, ..commit("", -1, 5) }));
    scene.send(
        "s",
        Command::CommitOffsets(CommitOffsets { retention_time_ms: i64::MAX, ..commit("", -1, 5) }),
    );
    let expires: Vec<_> = scene
        .log
        .iter()
        .map(|record| {
            let value = crate::codec::OffsetCommitValue::decode(record.value.as_ref().unwrap()).unwrap();
            value.expire_timestamp_ms
        })
        .collect();
    assert_eq!(expires, [scene::WALL + 1_500, i64::MAX]);
}

/// A consumer group of one that reads topics "a" and "bb".
pub(super) fn reader_of_a_and_bb() -> Scene {
    let mut scene = Scene::new(GroupConfig::default());
    let text = SUBSCRIPTIONS[3];
    let metadata: Vec<u8> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    scene.join("a", Join { protocols: vec![("range".into(), metadata.into())], ..join("") });
    scene.sync("a", "a-#1", 1, &[("a-#1", "all")]);
    scene.commit("a", "a-#1", 1, &[("a", 0, 1), ("bb", 0, 2), ("c", 0, 3), ("c", 1, 4)]);
    scene.forget_transcript();
    scene
}

fn delete_offsets(topics: &[(&str, &[i32])]) -> Command {
    let topics = topics.iter().map(|(name, partitions)| (topic(name), partitions.to_vec())).collect();
    Command::DeleteOffsets(DeleteOffsets { group_id: "g".into(), topics })
}

#[test]
fn offsets_of_topics_that_nobody_reads_may_be_deleted() {
    let mut scene = reader_of_a_and_bb();
    scene.send("admin", delete_offsets(&[("a", &[0]), ("c", &[0, 7]), ("d", &[0])]));
    scene.fetch_all("a");
    scene.restart();
    scene.send("admin", delete_offsets(&[("bb", &[0]), ("c", &[1])]));
    scene.leave("a", &["a-#1"]);
    scene.send("admin", delete_offsets(&[("a", &[0])]));
    scene.fetch_all("a");
    scene.expect(
        r##"
             0 admin: delete offsets a [0] c [0, 7] d [0]
             0   log: g c-0 is gone
             0 admin <- deleted: NONE a-0 GROUP_SUBSCRIBED_TO_TOPIC c-0 NONE c-7 NONE d-0 NONE
             0 a: fetch all
             0 a <- offsets: NONE a-0@1 bb-0@2 c-1@4
             0 restart
             0 admin: delete offsets bb [0] c [1]
             0   log: g c-1 is gone
             0 admin <- deleted: NONE bb-0 GROUP_SUBSCRIBED_TO_TOPIC c-1 NONE
             0 a: leave "a-#1"
             0   log: g generation 2 of "consumer"/null, leader null, no members
             0 a <- left: NONE "a-#1" NONE
             0 admin: delete offsets a [0]
             0   log: g a-0 is gone
             0 admin <- deleted: NONE a-0 NONE
             0 a: fetch all
             0 a <- offsets: NONE bb-0@2
        "##,
    );
}

#[test]
fn offsets_of_groups_that_cannot_be_read_stay_while_there_are_members() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.send("admin", delete_offsets(&[("a", &[0])]));
    // Metadata that is no subscription: the group may read anything.
    scene.join("a", join(""));
    scene.sync("a", "a-#1", 1, &[]);
    scene.send("admin", delete_offsets(&[("a", &[0])]));
    scene.leave("a", &["a-#1"]);
    // And another type of group is nothing that the coordinator could ask.
    scene.join("w", Join { protocol_type: "connect".into(), ..join("") });
    scene.send("admin", delete_offsets(&[("a", &[0])]));
    scene.send("admin", Command::DeleteOffsets(DeleteOffsets { group_id: "".into(), topics: Vec::new() }));
    scene.expect(
        r##"
             0 admin: delete offsets a [0]
             0 admin <- deleted: GROUP_ID_NOT_FOUND
             0 a: join "" with range
             0   log: g generation 0 of ""/null, leader null, no members
             0 a <- joined as a-#1, generation 1 of "range", leader a-#1, members a-#1
             0 a: sync a-#1 generation 1
             0   log: g generation 1 of "consumer"/range, leader a-#1, a-#1=''
             0 a <- assigned ''
             0 admin: delete offsets a [0]
             0 admin <- deleted: NONE a-0 GROUP_SUBSCRIBED_TO_TOPIC
             0 a: leave "a-#1"
             0   log: g generation 2 of "consumer"/null, leader null, no members
             0 a <- left: NONE "a-#1" NONE
             0 w: join "" with range
             0 w <- joined as w-#2, generation 3 of "range", leader w-#2, members w-#2
             0 admin: delete offsets a [0]
             0 admin <- deleted: NON_EMPTY_GROUP
             0 admin: delete offsets
             0 admin <- deleted: INVALID_GROUP_ID
        "##,
    );
}

#[test]
fn an_empty_group_may_be_deleted_with_all_that_it_had() {
    let mut scene = reader_of_a_and_bb();
    let delete = Command::Delete { group_id: "g".into() };
    scene.send("admin", delete.clone());
    scene.leave("a", &["a-#1"]);
    scene.send("admin", delete.clone());
    scene.send("admin", delete);
    scene.describe();
    scene.fetch_all("a");
    scene.send("admin", Command::List(List::default()));
    scene.expect(
        r##"
             0 admin: delete g
             0 admin <- deleted: NON_EMPTY_GROUP
             0 a: leave "a-#1"
             0   log: g generation 2 of "consumer"/null, leader null, no members
             0 a <- left: NONE "a-#1" NONE
             0 admin: delete g
             0   log: g a-0 is gone
             0   log: g bb-0 is gone
             0   log: g c-0 is gone
             0   log: g c-1 is gone
             0   log: g is gone
             0 admin <- deleted: NONE
             0 admin: delete g
             0 admin <- deleted: GROUP_ID_NOT_FOUND
             0 admin: describe g
             0 admin <- GROUP_ID_NOT_FOUND "Group g not found." Dead "" ""
             0 a: fetch all
             0 a <- offsets: NONE
             0 admin: list [] []
             0 admin <- groups:
        "##,
    );
    assert_eq!(scene.groups.deadline(), None);
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.send("s", Command::CommitOffsets(CommitOffsets { group_id: "b".into(), ..commit("", -1, 1) }));
    scene.forget_transcript();
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<_>>();
    for (states, types) in [
        (&[][..], &[][..]),
        (&[" stable "], &[]),
        (&["EMPTY", "dead"], &["Classic"]),
        (&[], &["consumer"]),
        (&["nonsense"], &[]),
    ] {
        scene.send("admin", Command::List(List { states: names(states), types: names(types) }));
    }
    scene.expect(
        r##"
             0 admin: list [] []
             0 admin <- groups: b "" Empty classic g "consumer" Stable classic
             0 admin: list [" stable "] []
             0 admin <- groups: g "consumer" Stable classic
             0 admin: list ["EMPTY", "dead"] ["Classic"]
             0 admin <- groups: b "" Empty classic
             0 admin: list [] ["consumer"]
             0 admin <- groups:
             0 admin: list ["nonsense"] []
             0 admin <- groups:
        "##,
    );
}

#[test]
fn offsets_of_a_deleted_topic_go_with_it_but_not_those_of_its_namesake() {
    let mut scene = Scene::new(GroupConfig::default());
    let mut store = |group: &str, topic_id, partition| {
        let partitions = vec![CommitPartition::new(partition, 5)];
        let topics = vec![CommitTopic { topic: topic("orders"), topic_id, partitions }];
        let commit = CommitOffsets { group_id: group.into(), topics, ..commit("", -1, 0) };
        scene.send("s", Command::CommitOffsets(commit));
    };
    store("g", ONE, 0);
    store("g", TWO, 1);
    store("f", TopicId::ZERO, 2);
    scene.forget_transcript();
    scene.send("catalog", Command::TopicDeleted { topic: topic("orders"), topic_id: ONE });
    scene.send("catalog", Command::TopicDeleted { topic: topic("orders"), topic_id: ONE });
    scene.fetch_all("s");
    scene.expect(
        r##"
             0 catalog: topic orders is deleted
             0   log: f orders-2 is gone
             0   log: g orders-0 is gone
             0 catalog <- deleted: NONE 2 offsets
             0 catalog: topic orders is deleted
             0 catalog <- deleted: NONE 0 offsets
             0 s: fetch all
             0 s <- offsets: NONE orders-1@5
        "##,
    );
}
