//! The group coordinators: one state machine a partition of `__consumer_offsets`.

use std::sync::Arc;

use ottla_control::group::{GroupConfig, Groups, partition_for};
use ottla_model::{CONSUMER_OFFSETS, ErrorCode, PartitionIndex, TopicName};

use super::coordinator::Coordinator;
use super::router::Route;
use super::{LiveTopic, Shard};
use crate::error::OpenError;

impl Shard {
    /// The coordinator of a group. Like Kafka, a broker coordinates nothing until `__consumer_offsets` exists, which
    /// FindCoordinator sees to.
    pub(crate) fn group(&self, group_id: &str) -> Result<&Arc<Coordinator<Groups>>, ErrorCode> {
        let coordinators = self.groups.get().ok_or(ErrorCode::NotCoordinator)?;
        match self.seams.router.group(group_id) {
            Route::Local => {}
            Route::Remote(_) => return Err(ErrorCode::NotCoordinator),
        }
        let count = PartitionIndex::try_from(coordinators.len()).unwrap_or(PartitionIndex::MAX);
        let index = usize::try_from(partition_for(group_id, count)).unwrap_or(usize::MAX);
        coordinators.get(index).ok_or(ErrorCode::NotCoordinator)
    }

    /// The partition of `__consumer_offsets` that a group lives in, or will live in.
    pub(crate) fn group_partition(&self, group_id: &str) -> PartitionIndex {
        let count = match self.groups.get() {
            Some(coordinators) => PartitionIndex::try_from(coordinators.len()).unwrap_or(PartitionIndex::MAX),
            None => self.settings.offsets_topic_num_partitions,
        };
        partition_for(group_id, count)
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
            let opened = Coordinator::open(
                Groups::new(self.group_config()),
                Arc::clone(partition),
                Arc::clone(&self.clock),
                Box::new(move || timers.notify_one()),
            );
            let wrong = |reason| OpenError::Log { partition: partition.name(), reason };
            coordinators.push(Arc::new(opened.map_err(wrong)?));
        }
        Ok(coordinators)
    }

    fn group_config(&self) -> GroupConfig {
        let settings = &self.settings;
        GroupConfig {
            initial_rebalance_delay_ms: settings.group_initial_rebalance_delay_ms,
            min_session_timeout_ms: settings.group_min_session_timeout_ms,
            max_session_timeout_ms: settings.group_max_session_timeout_ms,
            max_size: usize::try_from(settings.group_max_size).unwrap_or(1),
            offset_metadata_max_bytes: usize::try_from(settings.offset_metadata_max_bytes).unwrap_or(0),
            ..GroupConfig::default()
        }
    }
}
