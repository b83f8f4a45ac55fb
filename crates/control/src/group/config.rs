//! Limits and defaults of groups.

mod consumer;

pub use consumer::{ConsumerGroupConfig, ConsumerGroupOverrides, MigrationPolicy};

/// What the broker's settings say about groups. The names in brackets are Kafka's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// How long an empty group waits for more members before its first rebalance, in milliseconds
    /// (`group.initial.rebalance.delay.ms`). 0, so that a first consumer need not wait; Kafka's default is 3000.
    pub initial_rebalance_delay_ms: i32,
    /// Shortest session timeout that a member may ask for (`group.min.session.timeout.ms`).
    pub min_session_timeout_ms: i32,
    /// Longest session timeout that a member may ask for (`group.max.session.timeout.ms`).
    pub max_session_timeout_ms: i32,
    /// Members that a group may have (`group.max.size`).
    pub max_size: usize,
    /// Length of a committed offset's metadata, in UTF-16 units as Kafka counts (`offset.metadata.max.bytes`).
    pub offset_metadata_max_bytes: usize,
    /// How long a committed offset is kept, in milliseconds (`offsets.retention.minutes`).
    pub offsets_retention_ms: i64,
    /// How often expired offsets are looked for, in milliseconds (`offsets.retention.check.interval.ms`).
    pub offsets_retention_check_interval_ms: i64,
    /// How long a new member's first JoinGroup may be parked before the member is taken for gone, in milliseconds
    /// (`group.new.member.join.timeout.ms`, which is not public in Kafka).
    pub new_member_join_timeout_ms: i32,
    /// Groups of one partition of `__consumer_offsets` (a limit of Ottla's own).
    pub groups_max: usize,
    /// Offsets that are committed in transactions which are still open, in one partition of `__consumer_offsets` (a
    /// limit of Ottla's own).
    pub pending_offsets_max: usize,
    /// Member ids of one group that were handed out and not used yet (a limit of Ottla's own).
    pub pending_members_max: usize,
    /// Bytes of the protocols that one member may bring, names and metadata (a limit of Ottla's own). More would
    /// not fit the group's record, whose default bound is 1 MiB.
    pub member_protocols_bytes_max: usize,
    /// Groups of the new consumer protocol.
    pub consumer: ConsumerGroupConfig,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            initial_rebalance_delay_ms: 0,
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            max_size: i32::MAX as usize,
            offset_metadata_max_bytes: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1000,
            offsets_retention_check_interval_ms: 600_000,
            new_member_join_timeout_ms: 300_000,
            groups_max: 100_000,
            pending_offsets_max: 500_000,
            pending_members_max: 10_000,
            member_protocols_bytes_max: 1024 * 1024,
            consumer: ConsumerGroupConfig::default(),
        }
    }
}
