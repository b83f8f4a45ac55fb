//! Limits and defaults of groups of the new consumer protocol.

use std::collections::HashMap;
use std::sync::Arc;

use crate::group::assignor::Assignor;

/// What the broker's settings say about consumer groups. The names in brackets are Kafka's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupConfig {
    /// How long a member may be silent, in milliseconds (`group.consumer.session.timeout.ms`).
    pub session_timeout_ms: i32,
    /// How often members are told to send a heartbeat, in milliseconds (`group.consumer.heartbeat.interval.ms`).
    pub heartbeat_interval_ms: i32,
    /// Members that a group may have (`group.consumer.max.size`).
    pub max_size: usize,
    /// The assignors that members may ask for. The first is used when none does (`group.consumer.assignors`).
    pub assignors: Vec<Assignor>,
    /// Which conversions between classic and consumer groups are made while they have members
    /// (`group.consumer.migration.policy`).
    pub migration_policy: MigrationPolicy,
    /// Least time between two target assignments of a group, in milliseconds
    /// (`group.consumer.assignment.interval.ms`, KIP-1263).
    pub assignment_interval_ms: i32,
    /// How often regular expressions are resolved without a reason, in milliseconds
    /// (`group.consumer.regex.refresh.interval.ms`, which is not public in Kafka).
    pub regex_refresh_interval_ms: i32,
    /// Settings of single groups, by group id.
    pub overrides: Arc<HashMap<Arc<str>, ConsumerGroupOverrides>>,
}

/// What a group's own settings say (`GroupConfig`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerGroupOverrides {
    /// `consumer.session.timeout.ms`.
    pub session_timeout_ms: Option<i32>,
    /// `consumer.heartbeat.interval.ms`.
    pub heartbeat_interval_ms: Option<i32>,
    /// `consumer.assignment.interval.ms`.
    pub assignment_interval_ms: Option<i32>,
}

/// Which conversions are made of groups that have members (`ConsumerGroupMigrationPolicy`). Those of empty groups always
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MigrationPolicy {
    /// Both.
    #[default]
    Bidirectional,
    /// From classic to consumer groups.
    Upgrade,
    /// From consumer to classic groups.
    Downgrade,
    /// None, and members of the classic protocol may not join consumer groups.
    Disabled,
}

impl MigrationPolicy {
    /// The policy of that name, in any case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let all = [Self::Bidirectional, Self::Upgrade, Self::Downgrade, Self::Disabled];
        all.into_iter().find(|policy| policy.name().eq_ignore_ascii_case(name))
    }

    /// The name that Kafka prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bidirectional => "bidirectional",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Disabled => "disabled",
        }
    }

    /// Whether classic groups become consumer groups.
    #[must_use]
    pub const fn allows_upgrade(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Upgrade)
    }

    /// Whether consumer groups become classic groups.
    #[must_use]
    pub const fn allows_downgrade(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Downgrade)
    }
}

impl Default for ConsumerGroupConfig {
    fn default() -> Self {
        Self {
            session_timeout_ms: 45_000,
            heartbeat_interval_ms: 5_000,
            max_size: i32::MAX as usize,
            assignors: Assignor::ALL.to_vec(),
            migration_policy: MigrationPolicy::default(),
            assignment_interval_ms: 1_000,
            regex_refresh_interval_ms: 600_000,
            overrides: Arc::default(),
        }
    }
}

impl ConsumerGroupConfig {
    /// The assignor of that name, if it is offered.
    #[must_use]
    pub fn assignor(&self, name: &str) -> Option<Assignor> {
        Assignor::by_name(name).filter(|assignor| self.assignors.contains(assignor))
    }

    /// How long a member of the group may be silent, in milliseconds.
    #[must_use]
    pub fn session_timeout_ms(&self, group_id: &str) -> i32 {
        self.overrides_of(group_id).session_timeout_ms.unwrap_or(self.session_timeout_ms)
    }

    /// How often members of the group shall send a heartbeat, in milliseconds.
    #[must_use]
    pub fn heartbeat_interval_ms(&self, group_id: &str) -> i32 {
        self.overrides_of(group_id).heartbeat_interval_ms.unwrap_or(self.heartbeat_interval_ms)
    }

    /// Least time between two target assignments of the group, in milliseconds.
    #[must_use]
    pub fn assignment_interval_ms(&self, group_id: &str) -> i32 {
        self.overrides_of(group_id).assignment_interval_ms.unwrap_or(self.assignment_interval_ms)
    }

    fn overrides_of(&self, group_id: &str) -> ConsumerGroupOverrides {
        self.overrides.get(group_id).copied().unwrap_or_default()
    }
}
