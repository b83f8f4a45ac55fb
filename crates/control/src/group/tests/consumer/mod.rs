//! Consumer groups by transcript.

mod admin;
mod convert;
mod expiry;
mod failures;
mod heartbeats;
mod members;
mod random;
mod regexes;
mod why;

use std::sync::Arc;

use super::scene::topic_id;
use super::*;
use crate::group::*;

/// A heartbeat of version 1 of a member of group `g` that says nothing new.
pub(super) fn beat(member_id: &str, member_epoch: i32) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        group_id: "g".into(),
        member_id: id(member_id),
        makes_own_member_id: true,
        member_epoch,
        instance_id: None,
        rack_id: None,
        rebalance_timeout_ms: -1,
        subscribed_topic_names: None,
        subscribed_topic_regex: None,
        server_assignor: None,
        topic_partitions: None,
    }
}

/// The first heartbeat of a member that reads `topics`.
pub(super) fn joins(member_id: &str, topics: &[&str]) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        rebalance_timeout_ms: 30_000,
        subscribed_topic_names: Some(topics.iter().map(|topic| Arc::from(*topic)).collect()),
        topic_partitions: Some(Vec::new()),
        ..beat(member_id, 0)
    }
}

/// A heartbeat that tells which partitions the member has.
pub(super) fn has(member_id: &str, member_epoch: i32, owned: &[(&str, &[i32])]) -> ConsumerHeartbeat {
    let owned = owned.iter().map(|(topic, partitions)| (topic_id(topic), partitions.to_vec()));
    ConsumerHeartbeat { topic_partitions: Some(owned.collect()), ..beat(member_id, member_epoch) }
}

/// Targets follow at once, so that a story need not wait.
pub(super) fn prompt() -> GroupConfig {
    let consumer = ConsumerGroupConfig { assignment_interval_ms: 0, ..ConsumerGroupConfig::default() };
    GroupConfig { consumer, ..GroupConfig::default() }
}

pub(super) fn scene() -> Scene {
    let mut scene = Scene::new(prompt());
    scene.topics(1, &[("foo", 4), ("bar", 2)]);
    scene.forget_transcript();
    scene
}

/// Members `a` and `b`, each with two partitions of `foo`, in epoch 3.
pub(in crate::group::tests) fn pair() -> Scene {
    let mut scene = scene();
    scene.consumer_heartbeat("a", joins("a", &["foo"]));
    scene.consumer_heartbeat("b", joins("b", &["foo"]));
    scene.consumer_heartbeat("a", beat("a", 2));
    scene.consumer_heartbeat("a", has("a", 2, &[("foo", &[0, 1])]));
    scene.consumer_heartbeat("b", beat("b", 3));
    scene.forget_transcript();
    scene
}
