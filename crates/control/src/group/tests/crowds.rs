//! Many groups, many members, and members that do not behave: what it costs is bounded, and groups heal.

use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{ErrorCode, TopicId};

use super::consumer::{beat, joins};
use super::membership::stable_pair;
use super::*;
use crate::group::*;
use crate::machine::Machine;

const MEMBERS: usize = 1_000;
const GROUPS: usize = 10_000;

/// The last answer to a ConsumerGroupHeartbeat.
fn beaten(scene: &Scene) -> &ConsumerHeartbeatReply {
    let Some(Reply::ConsumerHeartbeat(reply)) = scene.answers.last() else { panic!("an answer") };
    reply
}

fn state(scene: &mut Scene, group_id: &str) -> &'static str {
    scene.send("admin", Command::Outline { group_id: Some(group_id.into()) });
    let Some(Reply::Outline(outline)) = scene.answers.last() else { panic!("an answer") };
    outline.groups.first().map_or("Dead", |group| group.state)
}

/// A member of a consumer group that does what it is told.
#[derive(Clone)]
struct Member {
    id: Arc<str>,
    epoch: i32,
    owned: Vec<(TopicId, Vec<i32>)>,
}

impl Member {
    fn join(scene: &mut Scene, number: usize) -> Self {
        let id: Arc<str> = format!("m-{number:04}").into();
        scene.consumer_heartbeat("m", joins(&id, &["foo"]));
        let mut member = Self { id, epoch: 0, owned: Vec::new() };
        member.learn(beaten(scene));
        member
    }

    fn learn(&mut self, reply: &ConsumerHeartbeatReply) {
        assert_eq!(reply.error, ErrorCode::None, "{reply:?}");
        self.epoch = reply.member_epoch;
        self.owned = reply.assignment.clone().unwrap_or(std::mem::take(&mut self.owned));
    }

    fn beat(&mut self, scene: &mut Scene) {
        let topic_partitions = Some(self.owned.clone());
        scene.consumer_heartbeat("m", ConsumerHeartbeat { topic_partitions, ..beat(&self.id, self.epoch) });
        self.learn(beaten(scene));
    }
}

/// Each member sends heartbeats, round by round, until none changes anything. Tells how many rounds that took.
fn settle(scene: &mut Scene, now_ms: &mut u64, members: &mut [Member]) -> usize {
    for round in 1..20 {
        *now_ms += 5_000;
        scene.at(*now_ms);
        let records = scene.log.len();
        members.iter_mut().for_each(|member| member.beat(scene));
        scene.forget_transcript();
        if scene.log.len() == records {
            return round;
        }
    }
    panic!("never settles");
}

#[test]
fn a_thousand_members_of_a_consumer_group() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.topics(1, &[("foo", 1_000)]);
    let (mut now_ms, mut members) = (0, Vec::new());
    for number in 0..MEMBERS {
        members.push(Member::join(&mut scene, number));
    }
    assert!(settle(&mut scene, &mut now_ms, &mut members) <= 3);
    assert_eq!(state(&mut scene, "g"), "Stable");
    assert!(members.iter().all(|member| member.owned[0].1.len() == 1));
    scene.groups.check();
    // One goes: its partition goes to another, and nobody else is written about but for the epoch.
    let gone = members.pop().unwrap();
    let records = scene.log.len();
    scene.consumer_heartbeat("m", beat(&gone.id, -1));
    settle(&mut scene, &mut now_ms, &mut members);
    let targets = scene.log[records..].iter().filter(|record| record.key.starts_with(&[0, 7]));
    assert_eq!(targets.count(), 2, "the target of the one that went, and of the one that took over");
    // All fall silent: one session timeout later the group is empty.
    scene.at(now_ms + 45_000);
    assert_eq!(state(&mut scene, "g"), "Empty");
    scene.groups.check();
}

#[test]
fn a_thousand_members_of_a_classic_group() {
    let mut scene = Scene::new(GroupConfig { initial_rebalance_delay_ms: 3_000, ..GroupConfig::default() });
    for _ in 0..MEMBERS {
        scene.join("m", join(""));
    }
    scene.forget_transcript();
    assert_eq!(scene.waiting(), MEMBERS);
    // All came within the first delay, so that one more is waited for others.
    scene.at(6_000);
    assert_eq!(scene.waiting(), 0);
    let joined = scene.answers.iter().filter_map(|answer| match answer {
        Reply::Join(join) => Some(join.clone()),
        _ => None,
    });
    let joined: Vec<_> = joined.collect();
    let leader = joined.iter().find(|join| !join.members.is_empty()).unwrap().clone();
    assert_eq!(leader.members.len(), MEMBERS);
    assert_eq!(
        joined.iter().map(|join| join.members.len()).sum::<usize>(),
        MEMBERS,
        "only the leader is told"
    );
    for member in joined.iter().filter(|join| join.member_id != leader.member_id) {
        scene.sync("m", &member.member_id, 1, &[]);
    }
    let assignments = leader.members.iter().map(|member| (Arc::clone(&member.member_id), Bytes::from("x")));
    let sync = Sync {
        group_id: "g".into(),
        member_id: Arc::clone(&leader.member_id),
        group_instance_id: None,
        generation: 1,
        protocol_type: None,
        protocol: None,
        assignments: assignments.collect(),
    };
    let (records, answers) = (scene.log.len(), scene.answers.len());
    scene.send("m", Command::Sync(sync));
    assert_eq!((scene.log.len() - records, scene.answers.len() - answers), (1, MEMBERS));
    scene.groups.check();
    assert_eq!(state(&mut scene, "g"), "Stable");
    scene.at(16_000);
    assert_eq!(state(&mut scene, "g"), "Empty");
    scene.groups.check();
}

#[test]
fn ten_thousand_groups_of_both_kinds() {
    let mut scene = Scene::new(GroupConfig { groups_max: GROUPS, ..GroupConfig::default() });
    scene.load();
    scene.topics(1, &[("foo", 1)]);
    for number in 0..GROUPS {
        let group_id: Arc<str> = format!("group-{number}").into();
        if number % 2 == 0 {
            scene.join("m", Join { group_id, ..join("") });
        } else {
            scene.consumer_heartbeat("m", ConsumerHeartbeat { group_id, ..joins("m", &["foo"]) });
        }
        scene.forget_transcript();
    }
    assert_eq!(scene.groups.len(), GROUPS);
    // There is no room for another, of either kind.
    scene.join("m", Join { group_id: "more".into(), ..join("") });
    scene.consumer_heartbeat("m", ConsumerHeartbeat { group_id: "more".into(), ..joins("m", &["foo"]) });
    scene.commit("m", "", -1, &[("foo", 0, 1)]);
    scene.expect(
        r##"
            0 m: join "" with range
            0 m <- GROUP_MAX_SIZE_REACHED ""
            0 m: heartbeat "m" epoch 0 reads [foo] has []
            0 m <- GROUP_MAX_SIZE_REACHED "There are too many groups."
            0 m: commit "" generation -1 foo-0@1
            0 m <- committed: foo-0 POLICY_VIOLATION
        "##,
    );
    scene.groups.check();
    // A session later nobody is left, and at the next look for what is old neither are the groups.
    scene.at(45_000);
    assert_eq!(scene.groups.due_but_for_expiry(), None);
    assert_eq!(scene.groups.len(), GROUPS);
    scene.at(700_000);
    assert_eq!((scene.groups.len(), scene.groups.deadline()), (0, None));
    scene.groups.check();
}

#[test]
fn members_that_come_and_vanish_are_gone_after_a_session() {
    let config = GroupConfig { pending_members_max: 100, max_size: 50, ..GroupConfig::default() };
    let mut scene = Scene::new(GroupConfig {
        consumer: ConsumerGroupConfig { max_size: 50, ..config.consumer.clone() },
        ..config
    });
    scene.topics(1, &[("foo", 10)]);
    for number in 0..2_000u64 {
        scene.at(number * 10);
        scene.join(
            "m",
            Join { group_id: "classic".into(), requires_known_member_id: number % 2 == 0, ..join("") },
        );
        let joins = joins(&format!("m-{number}"), &["foo"]);
        scene.consumer_heartbeat("m", joins);
        scene.forget_transcript();
        if number % 100 == 0 {
            scene.groups.check();
        }
    }
    let refused = scene.answers.iter().filter(|answer| match answer {
        Reply::Join(join) => join.error == ErrorCode::GroupMaxSizeReached,
        Reply::ConsumerHeartbeat(beat) => beat.error == ErrorCode::GroupMaxSizeReached,
        _ => false,
    });
    assert!(refused.count() > 3_000, "no more are taken than there may be");
    scene.at(20_000 + 45_000);
    assert_eq!(state(&mut scene, "g"), "Empty");
    scene.at(20_000 + 300_000);
    assert_eq!((state(&mut scene, "classic"), scene.waiting()), ("Empty", 0));
    assert_eq!(scene.groups.due_but_for_expiry(), None);
    scene.groups.check();
    // Who comes now is served.
    scene.consumer_heartbeat("m", joins("good", &["foo"]));
    assert_eq!(beaten(&scene).error, ErrorCode::None);
}

#[test]
fn two_clients_of_one_instance_id_take_turns_and_there_is_one_member() {
    let mut scene = Scene::new(GroupConfig::default());
    scene.topics(1, &[("foo", 2)]);
    let named = |heartbeat| ConsumerHeartbeat {
        group_id: "new".into(),
        instance_id: Some("one".into()),
        ..heartbeat
    };
    scene.consumer_heartbeat("m", named(joins("first", &["foo"])));
    for number in 0..50u64 {
        scene.at(number * 100);
        // Each is told that it was fenced only when it asks again, and joins anew.
        scene.join("m", Join { group_instance_id: Some("one".into()), ..join("") });
        let Some(Reply::Join(joined)) = scene.answers.last().cloned() else { panic!("an answer") };
        assert_eq!(joined.error, ErrorCode::None);
        scene.sync("m", &joined.member_id, joined.generation, &[(&joined.member_id, "all")]);
        // In the new protocol the first keeps its place while it lives.
        scene.consumer_heartbeat("m", named(joins(&format!("other-{number}"), &["foo"])));
        assert_eq!(beaten(&scene).error, ErrorCode::UnreleasedInstanceId);
        scene.groups.check();
    }
    for group_id in ["g", "new"] {
        scene.send("admin", Command::Outline { group_id: Some(group_id.into()) });
        let Some(Reply::Outline(outline)) = scene.answers.last() else { panic!("an answer") };
        assert_eq!(outline.groups[0].members.len(), 1, "{group_id}");
    }
    scene.at(4_900 + 45_000);
    scene.consumer_heartbeat("m", named(joins("last", &["foo"])));
    assert_eq!(beaten(&scene).error, ErrorCode::None, "the first is gone after its session");
}

#[test]
fn a_leader_that_assigns_to_members_that_are_not_there() {
    let mut scene = stable_pair(GroupConfig::default());
    scene.join("a", join("a-#1"));
    scene.join("b", join("b-#2"));
    scene.forget_transcript();
    let strangers: Vec<String> = (0..1_000).map(|number| format!("stranger-{number}")).collect();
    let mut assignments: Vec<(&str, &'static str)> =
        strangers.iter().map(|member_id| (member_id.as_str(), "much")).collect();
    assignments.push(("a-#1", "some"));
    scene.sync("b", "b-#2", 3, &[]);
    scene.sync("a", "a-#1", 3, &assignments);
    let lines: Vec<_> = scene.transcript().lines().filter(|line| !line.contains("sync")).collect();
    assert_eq!(
        lines,
        [
            "     0   log: g generation 3 of \"consumer\"/range, leader a-#1, a-#1='some' b-#2=''",
            "     0 a <- assigned 'some'",
            "     0 b <- assigned ''",
        ],
        "strangers are passed over, and who was left out has nothing"
    );
    scene.groups.check();
}
