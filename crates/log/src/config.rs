//! The settings of one log.

use ottla_model::Offset;

use crate::Identity;
use crate::batch::{Origin, Rules, TargetCompression, TimestampType};

/// A topic's settings as its logs need them, under Apache Kafka's names, units and defaults (`LogConfig`).
///
/// [`crate::Log`] acts on those that decide how it appends, rolls and forgets producers; it keeps the others
/// for the background work (flush, retention, compaction) that reads them from it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// Largest segment, in bytes (`segment.bytes`).
    pub segment_bytes: u32,
    /// Oldest active segment, in milliseconds of the records' timestamps (`segment.ms`).
    pub segment_ms: i64,
    /// Most that is taken off `segment_ms`, in milliseconds, so that logs do not all roll at once (`segment.jitter.ms`).
    pub segment_jitter_ms: i64,
    /// The codec that batches of clients are stored in; `None` for whatever they come in (`compression.type`).
    pub compression: Option<TargetCompression>,
    /// Bytes of log between two entries of an index (`index.interval.bytes`).
    pub index_interval_bytes: u32,
    /// Largest index file, in bytes (`segment.index.bytes`).
    pub index_size_max_bytes: u32,
    /// Largest batch, in bytes (`max.message.bytes`).
    pub max_message_bytes: usize,
    /// What timestamps mean (`message.timestamp.type`).
    pub timestamp_type: TimestampType,
    /// How far in the past a timestamp may lie, in milliseconds (`message.timestamp.before.max.ms`).
    pub timestamp_before_max_ms: i64,
    /// How far in the future a timestamp may lie, in milliseconds (`message.timestamp.after.max.ms`).
    pub timestamp_after_max_ms: i64,
    /// True when `cleanup.policy` holds `compact`: every record must have a key.
    pub compacted: bool,
    /// True when `cleanup.policy` holds `delete`: segments go by `retention.ms` and `retention.bytes`.
    pub deletes: bool,
    /// Records after which a log is to be synced (`flush.messages`).
    pub flush_messages: i64,
    /// Milliseconds after which a log is to be synced (`flush.ms`).
    pub flush_ms: i64,
    /// Age at which segments go, in milliseconds, -1 for never (`retention.ms`).
    pub retention_ms: i64,
    /// Size beyond which the oldest segments go, in bytes, -1 for none (`retention.bytes`).
    pub retention_bytes: i64,
    /// How long tombstones stay, in milliseconds (`delete.retention.ms`).
    pub delete_retention_ms: i64,
    /// Youngest record that compaction touches, in milliseconds (`min.compaction.lag.ms`).
    pub min_compaction_lag_ms: i64,
    /// Bytes of sealed segments that compaction leaves alone for their age. Older ones than the youngest so many bytes
    /// are compacted whatever `min_compaction_lag_ms` says (a limit of Ottla's own).
    pub min_compaction_lag_bytes_max: u64,
    /// Oldest record that compaction leaves untouched, in milliseconds (`max.compaction.lag.ms`).
    pub max_compaction_lag_ms: i64,
    /// Part of the log that must be dirty before it is compacted (`min.cleanable.dirty.ratio`).
    pub min_cleanable_dirty_ratio: f64,
    /// How long an idle producer is remembered, in milliseconds (`producer.id.expiration.ms`).
    pub producer_id_expiration_ms: i64,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1024 * 1024 * 1024,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            compression: None,
            index_interval_bytes: 4096,
            index_size_max_bytes: 10 * 1024 * 1024,
            max_message_bytes: 1024 * 1024 + crate::batch::LOG_OVERHEAD_BYTES,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 60 * 60 * 1000,
            compacted: false,
            deletes: true,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            retention_ms: 7 * DAY_MS,
            retention_bytes: -1,
            delete_retention_ms: DAY_MS,
            min_compaction_lag_ms: 0,
            min_compaction_lag_bytes_max: u64::MAX,
            max_compaction_lag_ms: i64::MAX,
            min_cleanable_dirty_ratio: 0.5,
            producer_id_expiration_ms: DAY_MS,
        }
    }
}

/// Largest segment that there can be: positions in an index have 31 bits.
const SEGMENT_BYTES_MAX: u32 = i32::MAX as u32;

impl LogConfig {
    /// What the topic asks of a batch.
    #[must_use]
    pub fn rules(&self, origin: Origin) -> Rules {
        // The records of one command of a state machine may not be spread over batches, however many they are.
        let max_message_bytes = match origin {
            Origin::Client => self.max_message_bytes,
            Origin::Coordinator => SEGMENT_BYTES_MAX as usize,
        };
        Rules {
            max_message_bytes,
            compacted: self.compacted,
            timestamp_type: self.timestamp_type,
            timestamp_before_max_ms: self.timestamp_before_max_ms,
            timestamp_after_max_ms: self.timestamp_after_max_ms,
            origin,
        }
    }

    /// `segment_ms`, but no longer than compaction may be put off (`LogConfig.maxSegmentMs`).
    pub(crate) fn segment_ms_bounded(&self) -> i64 {
        if self.compacted { self.segment_ms.min(self.max_compaction_lag_ms.max(0)) } else { self.segment_ms }
    }

    /// [`Self::segment_ms_bounded`] less the jitter of the segment that begins at `base_offset` of that partition. Kafka
    /// draws it anew at each start; here it is the same for the same segment.
    pub(crate) fn segment_ms_jittered(&self, identity: &Identity, base_offset: Offset) -> i64 {
        let longest = self.segment_ms_bounded();
        let most = self.segment_jitter_ms.min(longest);
        if most <= 0 {
            return longest;
        }
        let id = identity.topic_id.0.iter().fold(0u64, |sum, byte| mixed(sum ^ u64::from(*byte)));
        let seed = id ^ u64::from(identity.partition.unsigned_abs()).rotate_left(43);
        let drawn = mixed(seed ^ base_offset.unsigned_abs());
        let jitter = i64::try_from(drawn % most.unsigned_abs()).unwrap_or(0);
        longest.saturating_sub(jitter)
    }

    /// `segment_bytes`, as far as an index can point.
    pub(crate) fn segment_bytes_bounded(&self) -> u64 {
        self.segment_bytes.min(SEGMENT_BYTES_MAX).into()
    }
}

/// Spreads a number over all bits (SplitMix64).
fn mixed(seed: u64) -> u64 {
    let first = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let second = (first ^ first >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let third = (second ^ second >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    third ^ third >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_model::{TopicId, TopicName};

    #[test]
    fn jitter_differs_from_segment_to_segment_and_stays_within_its_bound() {
        let config = LogConfig { segment_ms: 1000, segment_jitter_ms: 100, ..LogConfig::default() };
        let topic = TopicName::new("orders").expect("legal");
        let identity = Identity { topic, partition: 3, topic_id: TopicId([5; 16]) };
        let drawn = |config: &LogConfig| {
            (0..1000).map(|offset| config.segment_ms_jittered(&identity, offset)).collect::<Vec<_>>()
        };
        let all = drawn(&config);
        assert!(all.iter().all(|ms| (901..=1000).contains(ms)));
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert!(different.len() > 90, "{}", different.len());
        assert_eq!(all, drawn(&config));
        let without = config.clone();
        // More jitter than there is to take it from.
        let all = drawn(&LogConfig { segment_jitter_ms: 5000, ..config });
        assert!(all.iter().all(|ms| (1..=1000).contains(ms)));
        assert!(drawn(&LogConfig { segment_jitter_ms: 0, ..without }).iter().all(|ms| *ms == 1000));
    }
}
