//! What administrators do to consumer groups, and what the deletion of topics does.

use ottla_model::{PartitionIndex, TopicId, TopicName};

use super::*;

fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

/// A commit of one offset by a member of group `g`, or by nobody.
fn commit(member_id: &str, epoch: i32, topic_id: TopicId, name: &str, offset: i64) -> Command {
    Command::CommitOffsets(CommitOffsets {
        group_id: "g".into(),
        member_id: member_id.into(),
        group_instance_id: None,
        generation_or_member_epoch: epoch,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: true,
        in_transaction: false,
        topics: vec![CommitTopic {
            topic: topic(name),
            topic_id,
            partitions: vec![CommitPartition::new(0, offset)],
        }],
    })
}

fn delete_offsets(topics: &[&str]) -> Command {
    let topics = topics.iter().map(|name| (topic(name), vec![0, 1])).collect();
    Command::DeleteOffsets(DeleteOffsets { group_id: "g".into(), topics })
}

fn restore(name: &str, expected: Option<i64>, old: i64) -> Command {
    let value =
        RestoredValue { offset: old, leader_epoch: -1, metadata: "".into(), topic_id: topic_id(name) };
    let offset = RestoreOffset { topic: topic(name), partition: 0, expected, value: Some(value) };
    Command::RestoreOffsets(RestoreOffsets { group_id: "g".into(), offsets: vec![offset] })
}

#[test]
fn offsets_may_be_deleted_of_topics_that_no_member_reads_by_name_or_expression() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    let regex = ConsumerHeartbeat { subscribed_topic_regex: Some("ba.*".into()), ..joins("b", &[]) };
    scene.consumer_heartbeat("b", regex);
    scene.at(0);
    for name in ["foo", "bar", "old"] {
        scene.send("a", commit("a", 2, topic_id(name), name, 5));
    }
    scene.forget_transcript();
    scene.send("admin", delete_offsets(&["foo", "bar", "old"]));
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.send("admin", restore("old", None, 4));
    // With its last reader a topic is nobody's.
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.send("admin", delete_offsets(&["bar"]));
    scene.expect(
        r##"
            0 admin: delete offsets foo [0, 1] bar [0, 1] old [0, 1]
            0   log: g old-0 is gone
            0 admin <- deleted: NONE foo-0 GROUP_SUBSCRIBED_TO_TOPIC foo-1 GROUP_SUBSCRIBED_TO_TOPIC bar-0 GROUP_SUBSCRIBED_TO_TOPIC bar-1 GROUP_SUBSCRIBED_TO_TOPIC old-0 NONE old-1 NONE
            0 admin: delete g
            0 admin <- deleted: NON_EMPTY_GROUP
            0 admin: restore old-0@4
            0 admin <- restored: NON_EMPTY_GROUP
            0 b: heartbeat "b" epoch -1
            0   log: g b assignment is gone
            0   log: g b target is gone
            0   log: g b is gone
            0   log: g "ba.*" is gone
            0   log: g epoch 4
            0 b <- b epoch -1
            0 admin: delete offsets bar [0, 1]
            0   log: g bar-0 is gone
            0 admin <- deleted: NONE bar-0 NONE bar-1 NONE
        "##,
    );
}

#[test]
fn a_change_is_taken_back_when_the_group_is_empty() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.send("a", commit("a", 2, topic_id("foo"), "foo", 5));
    scene.consumer_heartbeat("a", beat("a", -1));
    // A reset by a tool: nobody commits for a group that has no members.
    scene.send("tool", commit("", -1, topic_id("foo"), "foo", 0));
    let reset = i64::try_from(scene.log.len()).unwrap() - 1;
    scene.forget_transcript();
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.forget_transcript();
    scene.send("admin", restore("foo", Some(reset), 5));
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.send("admin", restore("foo", Some(reset), 5));
    scene.send("admin", restore("foo", Some(reset), 5));
    scene.fetch_all("c");
    scene.expect(
        r##"
            0 admin: restore foo-0@5
            0 admin <- restored: NON_EMPTY_GROUP
            0 b: heartbeat "b" epoch -1
            0   log: g b assignment is gone
            0   log: g b target is gone
            0   log: g b is gone
            0   log: g epoch 5 without topics
            0 b <- b epoch -1
            0 admin: restore foo-0@5
            0   log: g foo-0@5
            0 admin <- restored: NONE
            0 admin: restore foo-0@5
            0 admin <- restored: NONE foo-0 has changed
            0 c: fetch all
            0 c <- offsets: NONE foo-0@5
        "##,
    );
}

#[test]
fn a_deleted_group_begins_anew() {
    let mut scene = pair();
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.forget_transcript();
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.send("a", commit("a", 3, topic_id("foo"), "foo", 5));
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.groups.check();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 3
            0 a <- GROUP_ID_NOT_FOUND "Consumer group g not found."
            0 a: commit "a" generation 3 foo-0@5
            0 a <- committed: foo-0 GROUP_ID_NOT_FOUND
            0 a: heartbeat "a" epoch 0 reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo]
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
        "##,
    );
}

/// Tells the topics, each with an id of its own.
fn learn(scene: &mut Scene, version: i64, topics: &[(&str, TopicId, PartitionIndex)]) {
    let topics = topics.iter().map(|&(name, id, partition_count)| TopicMetadata {
        id,
        name: topic(name),
        partition_count,
    });
    let image = TopicsImage::new(version, None, topics.collect::<Vec<_>>());
    scene.send("broker", Command::LearnTopics(Arc::new(image)));
}

/// Member `a` asks for the offset of `foo-0` in its epoch.
fn fetch_foo(topic_id: TopicId) -> Command {
    Command::FetchOffsets(FetchOffsets {
        group_id: "g".into(),
        member_id: Some("a".into()),
        member_epoch: 5,
        topics: Some(vec![FetchTopic { topic: topic("foo"), topic_id, partitions: vec![0] }]),
        require_stable: false,
    })
}

#[test]
fn members_give_up_a_topic_that_is_deleted_and_take_its_namesake_on() {
    let (old, new) = (topic_id("foo"), topic_id("foo2"));
    let mut scene = pair();
    scene.send("a", commit("a", 3, old, "foo", 5));
    scene.send("broker", Command::TopicDeleted { topic: topic("foo"), topic_id: old });
    learn(&mut scene, 2, &[("bar", topic_id("bar"), 2)]);
    scene.forget_transcript();
    scene.consumer_heartbeat("a", beat("a", 3));
    scene.consumer_heartbeat("a", has("a", 3, &[]));
    learn(&mut scene, 3, &[("bar", topic_id("bar"), 2), ("foo", new, 1)]);
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.consumer_heartbeat("b", has("b", 3, &[]));
    scene.consumer_heartbeat("a", beat("a", 4));
    scene.groups.check();
    // It still has what it read of the old topic; that offset is not one of the new.
    scene.send("a", commit("a", 5, old, "foo", 9));
    scene.send("a", fetch_foo(new));
    scene.send("a", commit("a", 5, new, "foo", 1));
    scene.send("a", fetch_foo(new));
    scene.send("broker", Command::TopicDeleted { topic: topic("foo"), topic_id: old });
    scene.send("a", fetch_foo(new));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 3
            0   log: g epoch 4 without topics
            0   log: g a target []
            0   log: g b target []
            0   log: g target epoch 4 at 0
            0   log: g a unrevoked epoch 3<3 has [] gives back [foo-0@2 foo-1@2]
            0 a <- a epoch 3 has []
            0 a: heartbeat "a" epoch 3 has []
            0   log: g a stable epoch 4<3 has []
            0 a <- a epoch 4
            0 broker: topics bar:2 foo:1
            0 broker <- learnt
            0 b: heartbeat "b" epoch 3
            0   log: g epoch 5
            0   log: g b target [foo2-0]
            0   log: g target epoch 5 at 0
            0   log: g b unrevoked epoch 3<3 has [] gives back [foo-2@3 foo-3@3]
            0 b <- b epoch 3 has []
            0 b: heartbeat "b" epoch 3 has []
            0   log: g b stable epoch 5<3 has [foo2-0@5]
            0 b <- b epoch 5 has [foo2-0]
            0 a: heartbeat "a" epoch 4
            0   log: g a stable epoch 5<4 has []
            0 a <- a epoch 5
            0 a: commit "a" generation 5 foo-0@9
            0   log: g foo-0@9
            0 a <- committed: foo-0 NONE
            0 a: fetch foo [0]
            0 a <- offsets: NONE foo-0@-1
            0 a: commit "a" generation 5 foo-0@1
            0   log: g foo-0@1
            0 a <- committed: foo-0 NONE
            0 a: fetch foo [0]
            0 a <- offsets: NONE foo-0@1
            0 broker: topic foo is deleted
            0 broker <- deleted: NONE 0 offsets
            0 a: fetch foo [0]
            0 a <- offsets: NONE foo-0@1
        "##,
    );
}
