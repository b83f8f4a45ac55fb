//! Tells why partitions are compacted, or are not.

use std::sync::Arc;

use ottla_control::catalog::Refusal;
use ottla_log::{CleanBlocked, CleanBound, CleanStatus, Log};
use ottla_model::{ErrorCode, PartitionIndex, TopicName};

use super::{LiveTopic, Shard};
use crate::private::{Compaction, CompactionReason, List, PartitionCompaction};

impl Shard {
    /// How far the partitions of these topics are compacted, or of all topics that are to be. It takes the lock of one
    /// log after the other and may read from disk: call it where a thread may block.
    pub(crate) fn inspect_compaction(&self, topics: Option<&[&str]>) -> Result<Compaction, Refusal> {
        let chosen = match topics {
            Some(names) => names.iter().map(|name| self.named(name)).collect::<Result<Vec<_>, _>>()?,
            None => self.topics(),
        };
        let mut partitions = List::default();
        let now = self.expiry_now();
        for partition in chosen.iter().flat_map(|live| &live.partitions) {
            if topics.is_none() && !partition.log().config().compacted {
                continue;
            }
            if partitions.is_full() {
                partitions.leave_out();
                continue;
            }
            let cleaned_to = self.cleaned_to(partition);
            let log = partition.log();
            let status = log.clean_status(now, partition.high_watermark(), cleaned_to);
            let mut told = describe(&partition.topic, partition.index, &log, &status);
            drop(log);
            if partition.is_offline() {
                told.blocked = Some(CompactionReason::Offline);
            } else if told.blocked.is_none() && !self.settings.log_cleaner_enable {
                told.blocked = Some(CompactionReason::CleanerOff);
            }
            partitions.push(told);
        }
        Ok(Compaction { now_ms: now.0, cleaner_enabled: self.settings.log_cleaner_enable, partitions })
    }

    fn named(&self, name: &str) -> Result<Arc<LiveTopic>, Refusal> {
        self.topic(name).ok_or_else(|| Refusal {
            error: ErrorCode::UnknownTopicOrPartition,
            message: format!("there is no topic '{name}'"),
        })
    }
}

/// What the status of a log says.
fn describe(
    topic: &TopicName,
    partition: PartitionIndex,
    log: &Log,
    status: &CleanStatus,
) -> PartitionCompaction {
    let blocked = status.blocked.map(|blocked| match blocked {
        CleanBlocked::Offline => CompactionReason::Offline,
        CleanBlocked::Policy => CompactionReason::Policy,
        CleanBlocked::Bound(_) if log.segment_count() == 0 => CompactionReason::Empty,
        CleanBlocked::Bound(bound) => reason(bound),
        CleanBlocked::DirtyRatio => CompactionReason::DirtyRatio,
    });
    PartitionCompaction {
        topic: topic.to_string(),
        partition,
        start_offset: log.start_offset(),
        end_offset: log.end_offset(),
        first_dirty_offset: status.first_dirty_offset,
        first_uncleanable_offset: status.first_uncleanable_offset,
        checkpoint_invalid: status.checkpoint_invalid,
        clean_bytes: status.clean_bytes,
        dirty_bytes: status.dirty_bytes,
        uncleanable_bytes: status.uncleanable_bytes,
        dirty_ratio: status.dirty_ratio,
        min_dirty_ratio: log.config().min_cleanable_dirty_ratio,
        forced_from_ms: status.forced_from.map(|from| from.0),
        blocked,
        bound: reason(status.bound),
    }
}

fn reason(bound: CleanBound) -> CompactionReason {
    match bound {
        CleanBound::ActiveSegment => CompactionReason::ActiveSegment,
        CleanBound::HighWatermark => CompactionReason::HighWatermark,
        CleanBound::OpenTransaction { first_offset } => CompactionReason::OpenTransaction { first_offset },
        CleanBound::MinCompactionLag { until } => CompactionReason::MinCompactionLag { until_ms: until.0 },
        CleanBound::Unreadable => CompactionReason::Unreadable,
    }
}
