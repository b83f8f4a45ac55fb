//! Tells why partitions are compacted, or are not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ottla_control::catalog::Refusal;
use ottla_log::{Census, CleanBlocked, CleanBound, CleanStatus, CleanedCount, Log, LogError};
use ottla_model::{ErrorCode, WallMillis};

use super::{LiveTopic, Partition, Shard};
use crate::private::{CleanedRecords, Compaction, CompactionReason, ListBuilder, PartitionCompaction};

/// How long one request may count keys and tombstones. What is not counted by then says so.
const COUNT_TIME_MAX: Duration = Duration::from_secs(5);

impl Shard {
    /// How far the partitions of these topics are compacted, or of all topics that are to be. It takes the lock of one
    /// log after the other and reads from disk: call it where a thread may block.
    pub(crate) fn inspect_compaction(&self, topics: Option<&[&str]>) -> Result<Compaction, Refusal> {
        let chosen = match topics {
            Some(names) => names.iter().map(|name| self.named(name)).collect::<Result<Vec<_>, _>>()?,
            None => self.topics(),
        };
        let mut partitions = ListBuilder::new();
        let (now, deadline) = (self.expiry_now(), Instant::now() + COUNT_TIME_MAX);
        for partition in chosen.iter().flat_map(|live| &live.partitions) {
            if topics.is_none() && !partition.log().config().compacted {
                continue;
            }
            if partitions.is_full() {
                partitions.leave_out();
                continue;
            }
            partitions.push(self.inspect(partition, now, deadline));
        }
        let cleaner_enabled = self.settings().log_cleaner_enable;
        Ok(Compaction { now_ms: now.0, cleaner_enabled, stopped: None, partitions: partitions.finish() })
    }

    fn named(&self, name: &str) -> Result<Arc<LiveTopic>, Refusal> {
        self.topic(name).ok_or_else(|| Refusal {
            error: ErrorCode::UnknownTopicOrPartition,
            message: format!("there is no topic '{name}'"),
        })
    }

    fn inspect(&self, partition: &Partition, now: WallMillis, deadline: Instant) -> PartitionCompaction {
        let cleaned_to = self.cleaned_to(partition);
        let was_cold = !partition.is_warm();
        let mut log = partition.log();
        let status = log.clean_status(now, partition.high_watermark(), cleaned_to);
        let mut told = describe(partition, &log, &status);
        let census = log.census(told.first_dirty_offset, told.first_dirty_offset);
        if was_cold {
            // Nobody else would close what this has opened.
            log.cool();
        }
        drop(log);
        if partition.is_offline() {
            told.blocked = Some(CompactionReason::Offline);
        } else if told.blocked.is_none() && !self.settings().log_cleaner_enable {
            told.blocked = Some(CompactionReason::CleanerOff);
        }
        count_cleaned(&mut told, census, &mut |_| Instant::now() < deadline);
        told
    }
}

/// Counts what the compacted part holds, as long as `go_on` says so.
pub(super) fn count_cleaned(
    told: &mut PartitionCompaction,
    census: Result<Census, LogError>,
    go_on: &mut dyn FnMut(u64) -> bool,
) {
    match census.and_then(|census| census.count_cleaned(go_on)) {
        Ok(count) => told.cleaned = Some(cleaned_records(&count)),
        Err(LogError::Stopped) => {
            let seconds = COUNT_TIME_MAX.as_secs();
            told.not_counted =
                Some(format!("counting was stopped after {seconds} seconds; name fewer topics"));
        }
        Err(error) => told.not_counted = Some(error.to_string()),
    }
}

fn cleaned_records(count: &CleanedCount) -> CleanedRecords {
    CleanedRecords {
        keys: count.keys,
        keys_exact: !count.has_transactions,
        tombstones: count.tombstones,
        tombstones_from_ms: count.tombstones_may_go.map(|(first, _)| first.0),
        tombstones_until_ms: count.tombstones_may_go.map(|(_, last)| last.0),
    }
}

/// What the status of a partition's log says.
pub(super) fn describe(partition: &Partition, log: &Log, status: &CleanStatus) -> PartitionCompaction {
    let blocked = status.blocked.map(|blocked| match blocked {
        CleanBlocked::Offline => CompactionReason::Offline,
        CleanBlocked::Policy => CompactionReason::Policy,
        CleanBlocked::Bound(_) if log.segment_count() == 0 => CompactionReason::Empty,
        CleanBlocked::Bound(bound) => reason(bound),
        CleanBlocked::DirtyRatio => CompactionReason::DirtyRatio,
    });
    PartitionCompaction {
        topic: partition.topic.to_string(),
        partition: partition.index,
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
        cleaned: None,
        all: None,
        not_counted: None,
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
