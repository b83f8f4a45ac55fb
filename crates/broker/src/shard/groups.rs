//! The group coordinators: one state machine a partition of `__consumer_offsets`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ottla_control::catalog::{ConfigResource, Configs};
use ottla_control::group::assignor::Assignor;
use ottla_control::group::{
    Command, ConsumerGroupConfig, ConsumerGroupOverrides, GroupConfig, Groups, MigrationPolicy, partition_for,
};
use ottla_model::{CONSUMER_OFFSETS, ErrorCode, PartitionIndex, TopicName, TopicPartition};

use super::catalog::broker;
use super::coordinator::Coordinator;
use super::router::Route;
use super::{LiveTopic, Shard};
use crate::error::OpenError;
use crate::settings::Settings;

const MINUTE_MS: i64 = 60_000;

impl Shard {
    /// The coordinator of a group. Like Kafka, a broker coordinates nothing until `__consumer_offsets` exists, which
    /// FindCoordinator sees to.
    pub(crate) fn group(&self, group_id: &str) -> Result<&Arc<Coordinator<Groups>>, ErrorCode> {
        let coordinators = self.groups.get().ok_or(ErrorCode::NotCoordinator)?;
        match self.seams.router.group(group_id) {
            Route::Local => {}
            Route::Remote(_) => return Err(ErrorCode::NotCoordinator),
        }
        coordinators.get(place_of(group_id, coordinators.len())).ok_or(ErrorCode::NotCoordinator)
    }

    /// The partition of `__consumer_offsets` that a group lives in, or will live in.
    pub(crate) fn group_partition(&self, group_id: &str) -> PartitionIndex {
        let count = match self.groups.get() {
            Some(coordinators) => PartitionIndex::try_from(coordinators.len()).unwrap_or(PartitionIndex::MAX),
            None => self.settings().offsets_topic_num_partitions,
        };
        partition_for(group_id, count)
    }

    /// The coordinator whose log the partition is, if it is one of `__consumer_offsets`.
    pub(super) fn coordinator_of(&self, at: &TopicPartition) -> Option<&Arc<Coordinator<Groups>>> {
        if at.topic.as_str() != CONSUMER_OFFSETS {
            return None;
        }
        self.groups.get()?.get(usize::try_from(at.partition).ok()?)
    }

    /// Tells the coordinator of a group the topics as they are now, if it does not know them. A command that is handed
    /// in after this sees them.
    pub(crate) fn tell_topics(&self, group_id: &str) {
        let Ok(coordinator) = self.group(group_id) else { return };
        let count = self.groups.get().map_or(0, Vec::len);
        let told = self.told_topics.get_or_init(|| (0..count).map(|_| AtomicI64::new(-1)).collect());
        let Some(told) = told.get(place_of(group_id, count)) else { return };
        let version = self.topics.version();
        if told.swap(version, Ordering::AcqRel) != version {
            // Nobody waits for the answer.
            drop(coordinator.submit(broker(), Command::LearnTopics(self.topics.image())));
        }
    }

    /// Every coordinator, for questions about all groups.
    pub(crate) fn all_groups(&self) -> &[Arc<Coordinator<Groups>>] {
        self.groups.get().map_or(&[], Vec::as_slice)
    }

    /// Sees to it that groups can be coordinated.
    pub(crate) async fn ensure_groups(&self) -> Result<(), ErrorCode> {
        if self.groups.get().is_some() {
            return Ok(());
        }
        let name = TopicName::new(CONSUMER_OFFSETS).map_err(|_| ErrorCode::UnknownServerError)?;
        self.create_if_missing(&name).await?;
        self.load_groups().map_err(|_| ErrorCode::CoordinatorNotAvailable)
    }

    /// Replays `__consumer_offsets`, if it exists.
    pub(super) fn load_groups(&self) -> Result<(), OpenError> {
        let Some(live) = self.topic(CONSUMER_OFFSETS) else { return Ok(()) };
        let coordinators = self.open_groups(&live)?;
        // Two callers may come here at once; both made the same coordinators over the same logs, and the first wins
        // before any command has reached the second.
        let _ = self.groups.set(coordinators);
        Ok(())
    }

    fn open_groups(&self, live: &LiveTopic) -> Result<Vec<Arc<Coordinator<Groups>>>, OpenError> {
        let mut coordinators = Vec::with_capacity(live.partitions.len());
        for partition in &live.partitions {
            let timers = Arc::clone(&self.timers);
            let mut groups = Groups::new(self.group_config());
            groups.learn_topics(self.topics.image());
            let opened = Coordinator::open(
                groups,
                Arc::clone(partition),
                Arc::clone(&self.clock),
                Box::new(move || timers.notify_one()),
            );
            let wrong = |reason| OpenError::Log { partition: partition.name(), reason };
            let presence = Arc::clone(&self.clients);
            coordinators.push(Arc::new(opened.map_err(wrong)?.with_presence(presence)));
        }
        Ok(coordinators)
    }

    /// Has every coordinator go by the settings as they are now.
    pub(super) fn configure_groups(&self) {
        for coordinator in self.all_groups() {
            coordinator.adjust(|groups| groups.configure(self.group_config()));
        }
    }

    fn group_config(&self) -> GroupConfig {
        let settings = self.settings();
        GroupConfig {
            initial_rebalance_delay_ms: settings.group_initial_rebalance_delay_ms,
            min_session_timeout_ms: settings.group_min_session_timeout_ms,
            max_session_timeout_ms: settings.group_max_session_timeout_ms,
            max_size: usize::try_from(settings.group_max_size).unwrap_or(1),
            offset_metadata_max_bytes: usize::try_from(settings.offset_metadata_max_bytes).unwrap_or(0),
            offsets_retention_ms: i64::from(settings.offsets_retention_minutes).saturating_mul(MINUTE_MS),
            offsets_retention_check_interval_ms: settings.offsets_retention_check_interval_ms,
            consumer: self.consumer_group_config(),
            ..GroupConfig::default()
        }
    }

    fn consumer_group_config(&self) -> ConsumerGroupConfig {
        let settings = self.settings();
        let assignors = settings.group_consumer_assignors.iter();
        ConsumerGroupConfig {
            session_timeout_ms: settings.group_consumer_session_timeout_ms,
            heartbeat_interval_ms: settings.group_consumer_heartbeat_interval_ms,
            max_size: usize::try_from(settings.group_consumer_max_size).unwrap_or(1),
            assignors: assignors.filter_map(|name| Assignor::by_name(name)).collect(),
            migration_policy: MigrationPolicy::by_name(&settings.group_consumer_migration_policy)
                .unwrap_or_default(),
            assignment_interval_ms: settings.group_consumer_assignment_interval_ms,
            regex_refresh_interval_ms: settings.group_consumer_regex_refresh_interval_ms,
            overrides: Arc::new(self.group_overrides(&settings)),
        }
    }

    /// What groups have set themselves, within the bounds of the broker as they are now (`GroupConfig.evaluate`).
    fn group_overrides(&self, settings: &Settings) -> HashMap<Arc<str>, ConsumerGroupOverrides> {
        let within = |configs: &Configs, name: &str, least: i32, most: i32| {
            configs
                .get(name)
                .and_then(|value| value.parse::<i32>().ok())
                .map(|value| value.min(most).max(least))
        };
        let overrides = |configs: &Configs| ConsumerGroupOverrides {
            session_timeout_ms: within(
                configs,
                "consumer.session.timeout.ms",
                settings.group_consumer_min_session_timeout_ms,
                settings.group_consumer_max_session_timeout_ms,
            ),
            heartbeat_interval_ms: within(
                configs,
                "consumer.heartbeat.interval.ms",
                settings.group_consumer_min_heartbeat_interval_ms,
                settings.group_consumer_max_heartbeat_interval_ms,
            ),
            assignment_interval_ms: within(
                configs,
                "consumer.assignment.interval.ms",
                settings.group_consumer_min_assignment_interval_ms,
                settings.group_consumer_max_assignment_interval_ms,
            ),
        };
        self.catalog.look(|catalog| {
            let groups = catalog.config_resources().filter_map(|(resource, configs)| match resource {
                ConfigResource::Group(name) => Some((Arc::from(name.as_str()), overrides(configs))),
                _ => None,
            });
            groups.collect()
        })
    }
}

/// Which of the coordinators a group belongs to.
fn place_of(group_id: &str, coordinators: usize) -> usize {
    let count = PartitionIndex::try_from(coordinators).unwrap_or(PartitionIndex::MAX);
    usize::try_from(partition_for(group_id, count)).unwrap_or(usize::MAX)
}
