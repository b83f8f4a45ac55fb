//! Static members, and who may ask what of a consumer group.

use ottla_model::{TopicId, TopicName};

use super::*;

fn named(instance_id: &str, heartbeat: ConsumerHeartbeat) -> ConsumerHeartbeat {
    ConsumerHeartbeat { instance_id: Some(instance_id.into()), ..heartbeat }
}

#[test]
fn a_static_member_gives_its_place_to_the_next_process() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", named("i", joins("a", &["foo"])));
    scene.consumer_heartbeat("b", named("i", joins("b", &["foo"])));
    scene.consumer_heartbeat("a", named("i", beat("a", -2)));
    scene.describe_consumer();
    scene.consumer_heartbeat("b", named("i", joins("b", &["foo"])));
    scene.consumer_heartbeat("a", named("i", beat("a", 2)));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.consumer_heartbeat("a", named("i", beat("a", -1)));
    scene.consumer_heartbeat("b", named("j", beat("b", 2)));
    scene.consumer_heartbeat("b", named("j", beat("b", -2)));
    scene.groups.check();
    // The session of the one before ends, and means nobody.
    scene.at(44_000);
    scene.consumer_heartbeat("b", named("i", beat("b", 2)));
    scene.at(46_000);
    scene.describe_consumer();
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 static i reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo] static i
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 b: heartbeat "b" epoch 0 static i reads [foo] has []
            0 b <- UNRELEASED_INSTANCE_ID "Static member b with instance id i cannot join the group because the instance id is owned by a member."
            0 a: heartbeat "a" epoch -2 static i
            0   log: g a stable epoch -2<0 has [foo-0@0 foo-1@0 foo-2@0 foo-3@0]
            0 a <- a epoch -2
            0 admin: describe consumer group g
            0 admin <- Reconciling epoch 2/2 by uniform a(a/127.0.0.1 epoch -2 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1 foo-2 foo-3])
            0 b: heartbeat "b" epoch 0 static i reads [foo] has []
            0   log: g a assignment is gone
            0   log: g a target is gone
            0   log: g a is gone
            0   log: g b is a/127.0.0.1 for 30000, reads [foo] static i
            0   log: g b target [foo-0 foo-1 foo-2 foo-3]
            0   log: g b stable epoch 0<0 has [foo-0@0 foo-1@0 foo-2@0 foo-3@0]
            0   log: g b is b/127.0.0.1 for 30000, reads [foo] static i
            0   log: g b stable epoch 2<0 has [foo-0@0 foo-1@0 foo-2@0 foo-3@0]
            0 b <- b epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 a: heartbeat "a" epoch 2 static i
            0 a <- FENCED_INSTANCE_ID "Static member a with instance id i was fenced by member b."
            0 a: heartbeat "a" epoch 2
            0 a <- UNKNOWN_MEMBER_ID "Member a is not a member of group g."
            0 a: heartbeat "a" epoch -1 static i
            0 a <- FENCED_INSTANCE_ID "Static member a with instance id i was fenced by member b."
            0 b: heartbeat "b" epoch 2 static j
            0 b <- UNKNOWN_MEMBER_ID "Instance id j is unknown."
            0 b: heartbeat "b" epoch -2 static j
            0 b <- UNKNOWN_MEMBER_ID "Instance id j is unknown."
            44000 b: heartbeat "b" epoch 2 static i
            44000 b <- b epoch 2
            46000 admin: describe consumer group g
            46000 admin <- Stable epoch 2/2 by uniform b(b/127.0.0.1 epoch 2 has [foo-0 foo-1 foo-2 foo-3] of [foo-0 foo-1 foo-2 foo-3])
        "##,
    );
}

#[test]
fn a_static_member_that_does_not_come_back_is_missed() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", named("i", joins("a", &["foo"])));
    scene.consumer_heartbeat("b", named("j", joins("b", &["foo"])));
    scene.consumer_heartbeat("a", named("i", beat("a", 2)));
    scene.consumer_heartbeat("a", named("i", beat("a", -2)));
    scene.consumer_heartbeat("b", named("j", beat("b", 3)));
    scene.groups.check();
    scene.at(44_999);
    scene.consumer_heartbeat("b", named("j", beat("b", 3)));
    scene.at(45_000);
    scene.consumer_heartbeat("b", named("j", beat("b", 3)));
    scene.expect(
        r##"
            0 a: heartbeat "a" epoch 0 static i reads [foo] has []
            0   log: g a is a/127.0.0.1 for 30000, reads [foo] static i
            0   log: g epoch 2
            0   log: g a target [foo-0 foo-1 foo-2 foo-3]
            0   log: g target epoch 2 at 0
            0   log: g a stable epoch 2<0 has [foo-0@2 foo-1@2 foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1 foo-2 foo-3]
            0 b: heartbeat "b" epoch 0 static j reads [foo] has []
            0   log: g b is b/127.0.0.1 for 30000, reads [foo] static j
            0   log: g epoch 3
            0   log: g a target [foo-0 foo-1]
            0   log: g b target [foo-2 foo-3]
            0   log: g target epoch 3 at 0
            0   log: g b unreleased epoch 3<0 has []
            0 b <- b epoch 3 has []
            0 a: heartbeat "a" epoch 2 static i
            0   log: g a unrevoked epoch 2<2 has [foo-0@2 foo-1@2] gives back [foo-2@2 foo-3@2]
            0 a <- a epoch 2 has [foo-0 foo-1]
            0 a: heartbeat "a" epoch -2 static i
            0   log: g a unrevoked epoch -2<2 has [foo-0@0 foo-1@0]
            0 a <- a epoch -2
            0 b: heartbeat "b" epoch 3 static j
            0   log: g b stable epoch 3<3 has [foo-2@3 foo-3@3]
            0 b <- b epoch 3 has [foo-2 foo-3]
            44999 b: heartbeat "b" epoch 3 static j
            44999 b <- b epoch 3
            45000   log: g a assignment is gone
            45000   log: g a target is gone
            45000   log: g a is gone
            45000   log: g epoch 4
            45000 b: heartbeat "b" epoch 3 static j
            45000   log: g b target [foo-0 foo-1 foo-2 foo-3]
            45000   log: g target epoch 4 at 45000
            45000   log: g b stable epoch 4<3 has [foo-0@4 foo-1@4 foo-2@3 foo-3@3]
            45000 b <- b epoch 4 has [foo-0 foo-1 foo-2 foo-3]
        "##,
    );
}

#[test]
fn a_static_member_takes_over_with_another_subscription() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", named("i", joins("a", &["foo"])));
    scene.consumer_heartbeat("a", named("i", beat("a", -2)));
    scene.forget_transcript();
    scene.consumer_heartbeat("b", named("i", joins("b", &["bar"])));
    scene.groups.check();
    scene.expect(
        r##"
            0 b: heartbeat "b" epoch 0 static i reads [bar] has []
            0   log: g a assignment is gone
            0   log: g a target is gone
            0   log: g a is gone
            0   log: g b is a/127.0.0.1 for 30000, reads [foo] static i
            0   log: g b target [foo-0 foo-1 foo-2 foo-3]
            0   log: g b stable epoch 0<0 has [foo-0@0 foo-1@0 foo-2@0 foo-3@0]
            0   log: g b is b/127.0.0.1 for 30000, reads [bar] static i
            0   log: g epoch 3
            0   log: g b target [bar-0 bar-1]
            0   log: g target epoch 3 at 0
            0   log: g b stable epoch 3<0 has [bar-0@3 bar-1@3]
            0 b <- b epoch 3 has [bar-0 bar-1]
        "##,
    );
}

fn commit(member_id: &str, epoch: i32, topic: &str, partition: i32) -> CommitOffsets {
    CommitOffsets {
        group_id: "g".into(),
        member_id: id(member_id),
        group_instance_id: None,
        generation_or_member_epoch: epoch,
        retention_time_ms: CommitOffsets::DEFAULT_RETENTION_TIME_MS,
        knows_group_id_not_found: true,
        in_transaction: false,
        topics: vec![CommitTopic {
            topic: TopicName::new(topic).unwrap(),
            topic_id: topic_id(topic),
            partitions: vec![CommitPartition::new(partition, 7)],
        }],
    }
}

#[test]
fn a_late_commit_counts_as_long_as_the_partition_is_still_there() {
    let mut scene = pair();
    for (member_id, epoch, topic, partition) in [
        ("", -1, "foo", 0),
        ("stranger", 3, "foo", 0),
        ("a", 3, "foo", 0),
        ("a", 3, "bar", 1),
        ("a", 4, "foo", 0),
        ("a", 2, "foo", 0),
        ("a", 1, "foo", 0),
        ("a", 2, "foo", 2),
        ("b", 2, "foo", 2),
    ] {
        scene.send(member_id, Command::CommitOffsets(commit(member_id, epoch, topic, partition)));
    }
    let old = CommitOffsets { knows_group_id_not_found: false, ..commit("a", 3, "foo", 0) };
    scene.send("a", Command::CommitOffsets(old));
    scene.expect(
        r##"
            0 : commit "" generation -1 foo-0@7
            0  <- committed: foo-0 UNKNOWN_MEMBER_ID
            0 stranger: commit "stranger" generation 3 foo-0@7
            0 stranger <- committed: foo-0 UNKNOWN_MEMBER_ID
            0 a: commit "a" generation 3 foo-0@7
            0   log: g foo-0@7
            0 a <- committed: foo-0 NONE
            0 a: commit "a" generation 3 bar-1@7
            0   log: g bar-1@7
            0 a <- committed: bar-1 NONE
            0 a: commit "a" generation 4 foo-0@7
            0 a <- committed: foo-0 STALE_MEMBER_EPOCH
            0 a: commit "a" generation 2 foo-0@7
            0   log: g foo-0@7
            0 a <- committed: foo-0 NONE
            0 a: commit "a" generation 1 foo-0@7
            0 a <- committed: foo-0 STALE_MEMBER_EPOCH
            0 a: commit "a" generation 2 foo-2@7
            0 a <- committed: foo-2 STALE_MEMBER_EPOCH
            0 b: commit "b" generation 2 foo-2@7
            0 b <- committed: foo-2 STALE_MEMBER_EPOCH
            0 a: commit "a" generation 3 foo-0@7
            0 a <- committed: foo-0 UNSUPPORTED_VERSION
        "##,
    );
}

#[test]
fn a_partition_that_is_given_back_may_still_be_committed() {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.forget_transcript();
    scene.send("a", Command::CommitOffsets(commit("a", 2, "foo", 3)));
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.send("a", Command::CommitOffsets(commit("a", 2, "foo", 3)));
    scene.send("a", Command::CommitOffsets(commit("a", 2, "foo", 1)));
    scene.expect(
        r##"
            0 a: commit "a" generation 2 foo-3@7
            0   log: g foo-3@7
            0 a <- committed: foo-3 NONE
            0 a: heartbeat "a" epoch 2 has [foo-0 foo-1]
            0   log: g a stable epoch 3<2 has [foo-0@2 foo-1@2]
            0 a <- a epoch 3
            0 a: commit "a" generation 2 foo-3@7
            0 a <- committed: foo-3 STALE_MEMBER_EPOCH
            0 a: commit "a" generation 2 foo-1@7
            0   log: g foo-1@7
            0 a <- committed: foo-1 NONE
        "##,
    );
}

#[test]
fn offsets_are_told_to_members_of_the_epoch_and_to_outsiders() {
    let mut scene = pair();
    scene.send("a", Command::CommitOffsets(commit("a", 3, "foo", 0)));
    for (member_id, member_epoch) in
        [(None, -1), (Some("a"), 3), (Some("a"), 2), (Some("a"), -1), (Some("stranger"), 3), (None, 3)]
    {
        let fetch = FetchOffsets {
            group_id: "g".into(),
            member_id: member_id.map(id),
            member_epoch,
            topics: None,
            require_stable: false,
        };
        scene.send("a", Command::FetchOffsets(fetch));
    }
    scene.expect(
        r##"
            0 a: commit "a" generation 3 foo-0@7
            0   log: g foo-0@7
            0 a <- committed: foo-0 NONE
            0 a: fetch all
            0 a <- offsets: NONE foo-0@7
            0 a: fetch all
            0 a <- offsets: NONE foo-0@7
            0 a: fetch all
            0 a <- offsets: STALE_MEMBER_EPOCH
            0 a: fetch all
            0 a <- offsets: STALE_MEMBER_EPOCH
            0 a: fetch all
            0 a <- offsets: UNKNOWN_MEMBER_ID
            0 a: fetch all
            0 a <- offsets: UNKNOWN_MEMBER_ID
        "##,
    );
}

#[test]
fn administrators_see_and_delete_consumer_groups() {
    let mut scene = pair();
    scene.send("a", Command::CommitOffsets(commit("a", 3, "foo", 0)));
    scene.send("a", Command::CommitOffsets(commit("a", 3, "bar", 0)));
    scene.describe();
    scene.send("admin", Command::Delete { group_id: "g".into() });
    let topics = ["foo", "bar"].map(|name| (TopicName::new(name).unwrap(), vec![0])).to_vec();
    scene.send("admin", Command::DeleteOffsets(DeleteOffsets { group_id: "g".into(), topics }));
    scene
        .send("admin", Command::List(List { states: vec!["STABLE".into()], types: vec!["Consumer".into()] }));
    scene.send("admin", Command::List(List { states: Vec::new(), types: vec!["classic".into()] }));
    scene.consumer_heartbeat("a", beat("a", -1));
    scene.consumer_heartbeat("b", beat("b", -1));
    scene.forget_transcript();
    scene.send("admin", Command::List(List::default()));
    scene.send("admin", Command::Delete { group_id: "g".into() });
    scene.describe_consumer();
    assert_eq!(scene.groups.len(), 0);
    scene.expect(
        r##"
            0 admin: list [] []
            0 admin <- groups: g "consumer" Empty consumer
            0 admin: delete g
            0   log: g foo-0 is gone
            0   log: g target epoch is gone
            0   log: g topics are gone
            0   log: g epoch is gone
            0 admin <- deleted: NONE
            0 admin: describe consumer group g
            0 admin <- GROUP_ID_NOT_FOUND "Group g not found."
        "##,
    );
}

#[test]
fn a_topic_that_is_gone_takes_its_offsets_along() {
    let mut scene = pair();
    scene.send("a", Command::CommitOffsets(commit("a", 3, "foo", 0)));
    scene.forget_transcript();
    let topic = TopicName::new("foo").unwrap();
    scene.send("broker", Command::TopicDeleted { topic, topic_id: topic_id("foo") });
    let other = TopicId([9; 16]);
    scene.send("broker", Command::TopicDeleted { topic: TopicName::new("foo").unwrap(), topic_id: other });
    scene.expect(
        r##"
            0 broker: topic foo is deleted
            0   log: g foo-0 is gone
            0 broker <- deleted: NONE 1 offsets
            0 broker: topic foo is deleted
            0 broker <- deleted: NONE 0 offsets
        "##,
    );
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let mut scene = scene();
    let long: Arc<str> = "x".repeat(40_000).into();
    for heartbeat in [
        beat("a", 0),
        ConsumerHeartbeat { topic_partitions: None, ..joins("a", &[]) },
        ConsumerHeartbeat { subscribed_topic_names: None, ..joins("a", &[]) },
        beat("", 1),
        beat("a", -2),
        beat("a", -3),
        ConsumerHeartbeat { group_id: " ".into(), ..beat("a", 1) },
        ConsumerHeartbeat { instance_id: Some("".into()), ..beat("a", 1) },
        ConsumerHeartbeat { rack_id: Some("\t".into()), ..beat("a", 1) },
        ConsumerHeartbeat { rack_id: Some(long.clone()), ..beat("a", 1) },
        ConsumerHeartbeat { subscribed_topic_names: Some(vec![long; 30]), ..joins("a", &[]) },
        beat("a", 1),
        beat("a", -1),
    ] {
        scene.consumer_heartbeat("a", heartbeat);
    }
    assert_eq!(scene.groups.len(), 0);
    let refused: Vec<_> = scene
        .answers
        .iter()
        .skip(1)
        .map(|reply| match reply {
            Reply::ConsumerHeartbeat(reply) => {
                (reply.error, reply.error_message.as_deref().unwrap_or_default())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    use ottla_model::ErrorCode::{GroupIdNotFound, InvalidRequest};
    assert_eq!(
        refused,
        [
            (InvalidRequest, "RebalanceTimeoutMs must be provided in first request."),
            (InvalidRequest, "TopicPartitions must be empty when (re-)joining."),
            (
                InvalidRequest,
                "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining."
            ),
            (InvalidRequest, "MemberId can't be empty."),
            (InvalidRequest, "InstanceId can't be null."),
            (InvalidRequest, "MemberEpoch is invalid."),
            (InvalidRequest, "GroupId can't be empty."),
            (InvalidRequest, "InstanceId can't be empty."),
            (InvalidRequest, "RackId can't be empty."),
            (InvalidRequest, "The request does not fit the records of a group."),
            (InvalidRequest, "The request does not fit the records of a group."),
            (GroupIdNotFound, "Consumer group g not found."),
            (GroupIdNotFound, "Group g not found."),
        ]
    );
}
