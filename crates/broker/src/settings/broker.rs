//! The settings of a broker: one table under Apache Kafka's names, from which parsing, defaults and
//! DescribeConfigs come.

use super::given::Given;
use super::table::{Effect, Importance, Row, Update, base_row, nearest, row};
use super::value::{Check, SettingError, Value, parse_checked};

macro_rules! settings {
    ($($field:ident: $type:ty = $name:literal, $default:expr, $check:expr, $update:ident $importance:ident,
        $doc:literal;)*) => {
        /// Every setting that acts, with its value.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub struct Settings {
            $(#[doc = concat!("`", $name, "`: ", $doc)] pub $field: $type,)*
            /// What was set by name, those settings included that do not act.
            pub(super) given: Given,
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default,)* given: Given::default() }
            }
        }

        /// The rows that act.
        pub(super) const ACTING: &[Row] = &[$(Row {
            name: $name,
            kind: <$type as Value>::KIND,
            check: $check,
            update: Update::$update,
            importance: Importance::$importance,
            doc: $doc,
            effect: Effect::Acts {
                print: |settings| Value::print(&settings.$field),
                set: |settings, text| {
                    settings.$field = parse_checked($name, text, $check)?;
                    Ok(())
                },
            },
        },)*];
    };
}

const HOUR_MS: i64 = 3_600_000;

settings! {
    node_id: i32 = "node.id", 1, Check::AtLeast(0), ReadOnly High,
        "The id of this broker in Metadata.";
    listeners: Vec<String> = "listeners", vec!["PLAINTEXT://127.0.0.1:9092".to_owned()], Check::Any, PerBroker High,
        "Where the broker listens, as NAME://HOST:PORT; port 0 picks a free one.";
    advertised_listeners: Vec<String> = "advertised.listeners", Vec::new(), Check::Any, ReadOnly High,
        "What clients are told to connect to, as NAME://HOST:PORT. Empty: the address that the client's own connection reached.";
    listener_security_protocol_map: String = "listener.security.protocol.map", "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT".to_owned(), Check::Any, PerBroker Low,
        "Which protocol each listener speaks, as NAME:PROTOCOL. Only PLAINTEXT is there yet.";
    controller_listener_names: Vec<String> = "controller.listener.names", Vec::new(), Check::Any, ReadOnly High,
        "Listeners of controllers. There are no controllers to talk to, so nothing listens there.";
    broker_rack: Option<String> = "broker.rack", None, Check::Any, ReadOnly Medium,
        "Where the broker stands. Clients are told of it; nothing else depends on it, since there is one broker.";
    log_dirs: Vec<String> = "log.dirs", vec!["ottla-data".to_owned()], Check::Any, ReadOnly High,
        "The data directory. Ottla uses one.";
    num_recovery_threads_per_data_dir: i32 = "num.recovery.threads.per.data.dir", 2, Check::AtLeast(1), ClusterWide High,
        "Threads that open logs, and recover them after a stop that was not a clean one.";
    num_partitions: i32 = "num.partitions", 1, Check::AtLeast(1), ReadOnly Medium,
        "Partitions of a topic that is created without a number.";
    default_replication_factor: i32 = "default.replication.factor", 1, Check::AtLeast(1), ReadOnly Medium,
        "Told to clients; there is one broker, so every partition has one replica.";
    auto_create_topics_enable: bool = "auto.create.topics.enable", true, Check::Any, ReadOnly High,
        "Whether Metadata creates a topic that is missing.";
    delete_topic_enable: bool = "delete.topic.enable", true, Check::Any, ReadOnly High,
        "Whether topics can be deleted.";
    message_max_bytes: i32 = "message.max.bytes", 1_048_588, Check::AtLeast(0), ClusterWide High,
        "Largest record batch, after compression.";
    fetch_max_bytes: i32 = "fetch.max.bytes", 57_671_680, Check::AtLeast(1024), ReadOnly Medium,
        "Most bytes of records in one Fetch response.";
    max_incremental_fetch_session_cache_slots: i32 = "max.incremental.fetch.session.cache.slots", 1000, Check::AtLeast(0), ReadOnly Medium,
        "Fetch sessions remembered (KIP-227).";
    socket_request_max_bytes: i32 = "socket.request.max.bytes", 104_857_600, Check::AtLeast(1), ReadOnly High,
        "Largest request.";
    socket_listen_backlog_size: i32 = "socket.listen.backlog.size", 1024, Check::AtLeast(1), ReadOnly Medium,
        "Connections that may wait to be accepted.";
    max_connections: i32 = "max.connections", 10_000, Check::AtLeast(0), ClusterWide Medium,
        "Connections at once; further ones wait to be accepted.";
    max_connections_per_ip: i32 = "max.connections.per.ip", i32::MAX, Check::AtLeast(0), ClusterWide Medium,
        "Connections at once from one address; further ones are closed.";
    max_connections_per_ip_overrides: String = "max.connections.per.ip.overrides", String::new(), Check::Any, ClusterWide Medium,
        "Other numbers for some addresses, as ADDRESS:NUMBER, separated by commas.";
    connections_max_idle_ms: i64 = "connections.max.idle.ms", 600_000, Check::Any, ReadOnly Medium,
        "A connection that is silent for so long is closed.";
    queued_max_request_bytes: i64 = "queued.max.request.bytes", 268_435_456, Check::Any, ReadOnly Medium,
        "Bytes of large requests that are arriving, over all connections; further ones wait, and are refused after 10 seconds.";
    group_initial_rebalance_delay_ms: i32 = "group.initial.rebalance.delay.ms", 0, Check::AtLeast(0), ReadOnly Medium,
        "How long an empty group waits for more members before its first rebalance.";
    group_min_session_timeout_ms: i32 = "group.min.session.timeout.ms", 6000, Check::AtLeast(0), ReadOnly Medium,
        "Least session timeout that a member may ask for.";
    group_max_session_timeout_ms: i32 = "group.max.session.timeout.ms", 1_800_000, Check::AtLeast(0), ReadOnly Medium,
        "Largest session timeout that a member may ask for.";
    group_max_size: i32 = "group.max.size", i32::MAX, Check::AtLeast(1), ReadOnly Medium,
        "Most members of a group.";
    group_consumer_session_timeout_ms: i32 = "group.consumer.session.timeout.ms", 45_000, Check::AtLeast(1), ReadOnly Medium,
        "How long a member of a consumer group may be silent.";
    group_consumer_min_session_timeout_ms: i32 = "group.consumer.min.session.timeout.ms", 45_000, Check::AtLeast(1), ReadOnly Medium,
        "Least session timeout that a consumer group may set for itself.";
    group_consumer_max_session_timeout_ms: i32 = "group.consumer.max.session.timeout.ms", 60_000, Check::AtLeast(1), ReadOnly Medium,
        "Largest session timeout that a consumer group may set for itself.";
    group_consumer_heartbeat_interval_ms: i32 = "group.consumer.heartbeat.interval.ms", 5000, Check::AtLeast(1), ReadOnly Medium,
        "How often members of consumer groups are told to send a heartbeat.";
    group_consumer_min_heartbeat_interval_ms: i32 = "group.consumer.min.heartbeat.interval.ms", 5000, Check::AtLeast(1), ReadOnly Medium,
        "Least heartbeat interval that a consumer group may set for itself.";
    group_consumer_max_heartbeat_interval_ms: i32 = "group.consumer.max.heartbeat.interval.ms", 15_000, Check::AtLeast(1), ReadOnly Medium,
        "Largest heartbeat interval that a consumer group may set for itself.";
    group_consumer_assignment_interval_ms: i32 = "group.consumer.assignment.interval.ms", 1000, Check::AtLeast(0), ClusterWide Medium,
        "Least time between two assignments of a consumer group.";
    group_consumer_min_assignment_interval_ms: i32 = "group.consumer.min.assignment.interval.ms", 0, Check::AtLeast(0), ReadOnly Medium,
        "Least assignment interval that a consumer group may set for itself.";
    group_consumer_max_assignment_interval_ms: i32 = "group.consumer.max.assignment.interval.ms", 15_000, Check::AtLeast(0), ReadOnly Medium,
        "Largest assignment interval that a consumer group may set for itself.";
    group_consumer_max_size: i32 = "group.consumer.max.size", i32::MAX, Check::AtLeast(1), ReadOnly Medium,
        "Most members of a consumer group.";
    group_consumer_assignors: Vec<String> = "group.consumer.assignors", vec!["uniform".to_owned(), "range".to_owned()], Check::OneOf(&["uniform", "range"]), ReadOnly Medium,
        "The assignors that consumer groups may use; the first is used by members that ask for none.";
    group_consumer_migration_policy: String = "group.consumer.migration.policy", "bidirectional".to_owned(), Check::OneOf(&["bidirectional", "upgrade", "downgrade", "disabled"]), ReadOnly Medium,
        "Which conversions between classic and consumer groups are made while they have members.";
    group_consumer_regex_refresh_interval_ms: i32 = "group.consumer.regex.refresh.interval.ms", 600_000, Check::AtLeast(10_000), ReadOnly Medium,
        "How often the topics are looked up that regular expressions of consumer groups match.";
    offset_metadata_max_bytes: i32 = "offset.metadata.max.bytes", 4096, Check::AtLeast(0), ReadOnly High,
        "Longest metadata of a committed offset.";
    offsets_retention_minutes: i32 = "offsets.retention.minutes", 10_080, Check::AtLeast(1), ReadOnly High,
        "How long committed offsets are kept after their group has lost its last member, or after the commit when it has none or does not read the topic.";
    offsets_retention_check_interval_ms: i64 = "offsets.retention.check.interval.ms", 600_000, Check::AtLeast(1), ReadOnly High,
        "How often expired offsets, and groups without any, are looked for.";
    ottla_offsets_history_ms: i64 = "ottla.offsets.history.ms", 24 * HOUR_MS, Check::AtLeast(0), ReadOnly Medium,
        "How long every change of a committed offset is kept, with its cause, before __consumer_offsets is compacted.";
    ottla_offsets_history_bytes: i64 = "ottla.offsets.history.bytes", 134_217_728, Check::AtLeast(0), ReadOnly Medium,
        "Bytes of closed segments, in each partition of __consumer_offsets, that may wait for that; older ones are compacted before.";
    offsets_topic_num_partitions: i32 = "offsets.topic.num.partitions", 50, Check::AtLeast(1), ReadOnly High,
        "Partitions of __consumer_offsets. Fixed when that topic is made.";
    offsets_topic_segment_bytes: i32 = "offsets.topic.segment.bytes", 104_857_600, Check::AtLeast(1), ReadOnly High,
        "Segment size of __consumer_offsets.";
    transaction_max_timeout_ms: i32 = "transaction.max.timeout.ms", 900_000, Check::AtLeast(1), ReadOnly High,
        "Longest timeout that a transactional producer may ask for.";
    transactional_id_expiration_ms: i32 = "transactional.id.expiration.ms", 604_800_000, Check::AtLeast(1), ReadOnly High,
        "A transactional id that nobody has used for so long, and that has no open transaction, is forgotten.";
    transaction_partition_verification_enable: bool = "transaction.partition.verification.enable", true, Check::Any, ClusterWide Low,
        "Whether a write of a client older than transaction version 2 is checked against its transaction.";
    transaction_state_log_num_partitions: i32 = "transaction.state.log.num.partitions", 50, Check::AtLeast(1), ReadOnly High,
        "Partitions of __transaction_state. Fixed when that topic is made.";
    transaction_state_log_segment_bytes: i32 = "transaction.state.log.segment.bytes", 104_857_600, Check::AtLeast(1), ReadOnly High,
        "Segment size of __transaction_state.";
    producer_id_expiration_ms: i32 = "producer.id.expiration.ms", 86_400_000, Check::AtLeast(1), ClusterWide Low,
        "An idempotent producer that is silent for so long is forgotten.";
    log_segment_bytes: i32 = "log.segment.bytes", 1_073_741_824, Check::AtLeast(1_048_576), ClusterWide High,
        "Size at which a segment is closed and the next begun.";
    log_roll_ms: Option<i64> = "log.roll.ms", None, Check::AtLeast(1), ClusterWide High,
        "Age at which a segment is closed; without it log.roll.hours.";
    log_roll_hours: i32 = "log.roll.hours", 168, Check::AtLeast(1), ReadOnly High,
        "Age in hours at which a segment is closed.";
    log_roll_jitter_ms: Option<i64> = "log.roll.jitter.ms", None, Check::AtLeast(0), ClusterWide High,
        "Most that is taken off the age at random; without it log.roll.jitter.hours.";
    log_roll_jitter_hours: i32 = "log.roll.jitter.hours", 0, Check::AtLeast(0), ReadOnly High,
        "Most hours that are taken off the age at random.";
    log_retention_ms: Option<i64> = "log.retention.ms", None, Check::Any, ClusterWide High,
        "Age at which a closed segment may be deleted; without it log.retention.minutes.";
    log_retention_minutes: Option<i32> = "log.retention.minutes", None, Check::Any, ReadOnly High,
        "Age in minutes at which a closed segment may be deleted; without it log.retention.hours.";
    log_retention_hours: i32 = "log.retention.hours", 168, Check::Any, ReadOnly High,
        "Age in hours at which a closed segment may be deleted.";
    log_retention_bytes: i64 = "log.retention.bytes", -1, Check::Any, ClusterWide High,
        "Size of a partition above which its oldest segments may be deleted.";
    log_retention_check_interval_ms: i64 = "log.retention.check.interval.ms", 300_000, Check::AtLeast(1), ReadOnly Medium,
        "How often old segments are looked for.";
    log_cleanup_policy: Vec<String> = "log.cleanup.policy", vec!["delete".to_owned()], Check::OneOf(&["compact", "delete"]), ClusterWide Medium,
        "Whether old records are deleted, compacted by key, or both.";
    log_cleaner_enable: bool = "log.cleaner.enable", true, Check::Any, ReadOnly Medium,
        "Whether topics with cleanup.policy=compact are compacted, __consumer_offsets among them.";
    log_cleaner_backoff_ms: i64 = "log.cleaner.backoff.ms", 15_000, Check::AtLeast(0), ClusterWide Medium,
        "How long the compactor rests when nothing is dirty enough.";
    log_cleaner_dedupe_buffer_size: i64 = "log.cleaner.dedupe.buffer.size", 134_217_728, Check::AtLeast(1024), ClusterWide Medium,
        "Most memory of the compactor's map of keys, in bytes; with more keys it takes several passes.";
    log_cleaner_io_buffer_size: i32 = "log.cleaner.io.buffer.size", 524_288, Check::AtLeast(0), ClusterWide Medium,
        "Memory of the compactor's buffers, in bytes.";
    log_cleaner_io_buffer_load_factor: f64 = "log.cleaner.io.buffer.load.factor", 0.9, Check::Any, ClusterWide Medium,
        "How full the compactor's map of keys may get.";
    log_cleaner_io_max_bytes_per_second: f64 = "log.cleaner.io.max.bytes.per.second", f64::MAX, Check::Any, ClusterWide Medium,
        "How fast the compactor may read and write.";
    log_cleaner_delete_retention_ms: i64 = "log.cleaner.delete.retention.ms", 24 * HOUR_MS, Check::AtLeast(0), ClusterWide Medium,
        "How long tombstones are kept in compacted topics.";
    log_cleaner_min_compaction_lag_ms: i64 = "log.cleaner.min.compaction.lag.ms", 0, Check::AtLeast(0), ClusterWide Medium,
        "Least time that a record stays uncompacted.";
    log_cleaner_max_compaction_lag_ms: i64 = "log.cleaner.max.compaction.lag.ms", i64::MAX, Check::AtLeast(1), ClusterWide Medium,
        "Most time that a record stays uncompacted.";
    log_cleaner_min_cleanable_ratio: f64 = "log.cleaner.min.cleanable.ratio", 0.5, Check::Range(0.0, 1.0), ClusterWide Medium,
        "Least part of a log that is uncompacted before it is compacted.";
    log_index_interval_bytes: i32 = "log.index.interval.bytes", 4096, Check::AtLeast(0), ClusterWide Medium,
        "Bytes between two entries of an index.";
    log_index_size_max_bytes: i32 = "log.index.size.max.bytes", 10_485_760, Check::AtLeast(4), ClusterWide Medium,
        "Largest index of a segment.";
    log_flush_interval_messages: i64 = "log.flush.interval.messages", i64::MAX, Check::AtLeast(1), ClusterWide High,
        "Records after which a partition is synced to disk.";
    log_flush_interval_ms: Option<i64> = "log.flush.interval.ms", None, Check::Any, ClusterWide High,
        "Time after which a partition is synced to disk.";
    ottla_flush_background_ms: i64 = "ottla.flush.background.ms", 1000, Check::AtLeast(0), ReadOnly Medium,
        "How long bytes may wait for a sync that nobody asked for: what a power loss can cost. 0 leaves it to the operating system.";
    ottla_metrics_listener: String = "ottla.metrics.listener", String::new(), Check::Any, ReadOnly Medium,
        "Where GET /metrics is answered, as HOST:PORT; port 0 picks a free one. Empty: nowhere.";
    quota_window_num: i32 = "quota.window.num", 11, Check::AtLeast(1), ReadOnly Low,
        "Over how many windows the quotas of clients are taken.";
    quota_window_size_seconds: i32 = "quota.window.size.seconds", 1, Check::AtLeast(1), ReadOnly Low,
        "How long each of these windows is.";
    controller_quota_window_num: i32 = "controller.quota.window.num", 11, Check::AtLeast(1), ReadOnly Low,
        "Over how many windows the quota of partitions that are created and deleted is taken.";
    controller_quota_window_size_seconds: i32 = "controller.quota.window.size.seconds", 1, Check::AtLeast(1), ReadOnly Low,
        "How long each of these windows is.";
    max_request_partition_size_limit: i32 = "max.request.partition.size.limit", 2000, Check::AtLeast(1), ReadOnly Medium,
        "Most partitions in one answer to DescribeTopicPartitions.";
    telemetry_max_bytes: i32 = "telemetry.max.bytes", 1_048_576, Check::AtLeast(1), ReadOnly Low,
        "Most bytes of metrics that a client may push at once.";
    log_preallocate: bool = "log.preallocate", false, Check::Any, ClusterWide Medium,
        "Whether a segment's file is allocated at once.";
    log_message_timestamp_type: String = "log.message.timestamp.type", "CreateTime".to_owned(), Check::OneOf(&["CreateTime", "LogAppendTime"]), ClusterWide Medium,
        "Whether records keep the client's time or get the broker's.";
    log_message_timestamp_before_max_ms: i64 = "log.message.timestamp.before.max.ms", i64::MAX, Check::AtLeast(0), ClusterWide Medium,
        "How far a record's time may lie behind the broker's.";
    log_message_timestamp_after_max_ms: i64 = "log.message.timestamp.after.max.ms", HOUR_MS, Check::AtLeast(0), ClusterWide Medium,
        "How far a record's time may lie ahead of the broker's.";
    min_insync_replicas: i32 = "min.insync.replicas", 1, Check::AtLeast(1), ClusterWide High,
        "In-sync replicas that a write with acks=all needs. A partition has one replica, and no more than there are is asked for.";
    compression_type: String = "compression.type", "producer".to_owned(), Check::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), ClusterWide High,
        "Compression of stored batches. With producer they stay as they came; others are compressed again.";
    compression_gzip_level: i32 = "compression.gzip.level", -1, Check::GzipLevel, ClusterWide Medium,
        "Level of gzip where batches are compressed again; -1 is its own default.";
    compression_lz4_level: i32 = "compression.lz4.level", 9, Check::Range(1.0, 17.0), ClusterWide Medium,
        "Kept only: the encoder of LZ4 has one level.";
    compression_zstd_level: i32 = "compression.zstd.level", 3, Check::Range(-131_072.0, 22.0), ClusterWide Medium,
        "Level of Zstandard where batches are compressed again.";
    log_segment_delete_delay_ms: i64 = "log.segment.delete.delay.ms", 60_000, Check::AtLeast(0), ClusterWide High,
        "Kept only: a deleted segment is removed at once, and readers keep what they hold of it.";
}

impl Settings {
    /// Sets one setting by name. A setting of Apache Kafka that does not act is checked and kept all the same.
    ///
    /// # Errors
    /// [`SettingError`] for a name that nobody knows, or a value that does not fit.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let Some(row) = base_row(name) else {
            return Err(SettingError::Unknown { name: name.to_owned(), nearest: nearest(name) });
        };
        let printed = row.parse(value)?;
        if let Effect::Acts { set, .. } = row.effect
            && row.name == name
        {
            set(self, value)?;
        }
        self.given.put(name, printed.unwrap_or_default());
        Ok(())
    }

    /// Takes note of where the broker listens and keeps its data, whoever said so.
    pub(crate) fn started_with(&mut self, listeners: Vec<String>, log_dirs: Vec<String>) {
        self.given.put("listeners", listeners.join(","));
        self.given.put("log.dirs", log_dirs.join(","));
        (self.listeners, self.log_dirs) = (listeners, log_dirs);
    }

    /// The value in force of any setting of a broker, as Kafka prints it; `None` for null and for unknown names.
    pub(crate) fn value_of(&self, name: &str) -> Option<String> {
        match row(name)?.effect {
            Effect::Acts { print, .. } => print(self),
            Effect::Stored { default } => {
                self.given.get(name).map(str::to_owned).or_else(|| default.map(str::to_owned))
            }
        }
    }

    /// Addresses with limits of their own, and those (`max.connections.per.ip.overrides`).
    pub(crate) fn connections_of_addresses(&self) -> impl Iterator<Item = (std::net::IpAddr, i32)> + '_ {
        let entries = self.max_connections_per_ip_overrides.split(',');
        entries.filter_map(|entry| {
            let (address, most) = entry.trim().rsplit_once(':')?;
            Some((address.trim_matches(['[', ']']).parse().ok()?, most.parse().ok()?))
        })
    }

    /// What was set by name.
    pub(crate) fn given(&self) -> &Given {
        &self.given
    }

    /// `segment.ms` for topics that do not set it.
    #[must_use]
    pub fn effective_roll_ms(&self) -> i64 {
        self.log_roll_ms.unwrap_or(i64::from(self.log_roll_hours).saturating_mul(HOUR_MS))
    }

    /// `segment.jitter.ms` for topics that do not set it.
    #[must_use]
    pub fn effective_roll_jitter_ms(&self) -> i64 {
        self.log_roll_jitter_ms.unwrap_or(i64::from(self.log_roll_jitter_hours).saturating_mul(HOUR_MS))
    }

    /// `retention.ms` for topics that do not set it (`KafkaConfig.logRetentionTimeMillis`): the finest unit that is
    /// set wins, and a negative number means forever.
    #[must_use]
    pub fn effective_retention_ms(&self) -> i64 {
        let millis = match (self.log_retention_ms, self.log_retention_minutes) {
            (Some(millis), _) => millis,
            (None, Some(minutes)) => i64::from(minutes).saturating_mul(60_000),
            (None, None) => i64::from(self.log_retention_hours).saturating_mul(HOUR_MS),
        };
        if millis < 0 { -1 } else { millis }
    }
}
