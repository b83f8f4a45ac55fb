//! What expires of consumer groups.

use super::*;
use ottla_model::TopicName;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn commit(topic: &str) -> Command {
    Command::CommitOffsets(CommitOffsets {
        group_id: "g".into(),
        member_id: "a".into(),
        group_instance_id: None,
        generation_or_member_epoch: 2,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: true,
        in_transaction: false,
        topics: vec![CommitTopic {
            topic: TopicName::new(topic).unwrap(),
            topic_id: topic_id(topic),
            partitions: vec![CommitPartition::new(0, 7)],
        }],
    })
}

#[test]
fn offsets_of_topics_that_are_read_stay_while_the_group_lives() {
    let mut config = prompt();
    config.consumer.session_timeout_ms = i32::MAX;
    let mut scene = Scene::new(config);
    scene.load();
    scene.topics(1, &[("foo", 4), ("bar", 2)]);
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.send("a", commit("foo"));
    scene.send("a", commit("bar"));
    scene.forget_transcript();
    scene.at(8 * DAY_MS);
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.at(9 * DAY_MS);
    assert_eq!(scene.groups.len(), 0);
    scene.expect(
        r##"
            604800000   log: g bar-0 is gone
            691200000 a: heartbeat "a" epoch -1
            691200000   log: g a assignment is gone
            691200000   log: g a target is gone
            691200000   log: g a is gone
            691200000   log: g epoch 3 without topics
            691200000 a <- a epoch -1
            691800000   log: g foo-0 is gone
            691800000   log: g target epoch is gone
            691800000   log: g topics are gone
            691800000   log: g epoch is gone
        "##,
    );
}
