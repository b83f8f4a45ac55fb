//! The settings of a topic: Apache Kafka's names, what they inherit from the broker, and what the log makes of them.

use std::collections::BTreeMap;

use ottla_log::{LogConfig, TimestampType};
use ottla_model::{CONSUMER_OFFSETS, TopicName};

use super::broker::Settings;
use super::value::{Check, Kind, SettingError, Value, parse_checked};

/// What a topic has set itself, by name.
pub(crate) type Overrides = BTreeMap<String, String>;

/// One setting of a topic.
pub(crate) struct TopicSetting {
    /// Kafka's name.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Which values it takes.
    pub(crate) check: Check,
    /// The broker's setting that gives the default, for DescribeConfigs (`ServerTopicConfigSynonyms`).
    pub(crate) synonym: Option<&'static str>,
    /// The value of a topic that does not set it.
    pub(crate) default: fn(&Settings) -> String,
    /// What it does.
    pub(crate) doc: &'static str,
}

macro_rules! topic_settings {
    ($($name:literal, $kind:ident, $check:expr, $synonym:expr, $default:expr, $doc:expr;)*) => {
        /// The table, by name.
        pub(crate) const TOPIC_SETTINGS: &[TopicSetting] = &[$(TopicSetting {
            name: $name, kind: Kind::$kind, check: $check, synonym: $synonym, default: $default, doc: $doc,
        },)*];
    };
}

const CODECS: Check = Check::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]);
const STORED: &str = "Stored only.";

topic_settings! {
    "cleanup.policy", List, Check::OneOf(&["compact", "delete"]), Some("log.cleanup.policy"),
        |s| s.log_cleanup_policy.join(","), "Whether old records are deleted, compacted by key, or both.";
    "compression.gzip.level", Int, Check::GzipLevel, Some("compression.gzip.level"), |_| "-1".to_owned(), STORED;
    "compression.lz4.level", Int, Check::Range(1.0, 17.0), Some("compression.lz4.level"), |_| "9".to_owned(), STORED;
    "compression.type", Text, CODECS, Some("compression.type"), |s| s.compression_type.clone(),
        "Stored only: batches are kept as the producer made them.";
    "compression.zstd.level", Int, Check::Range(-131_072.0, 22.0), Some("compression.zstd.level"), |_| "3".to_owned(), STORED;
    "delete.retention.ms", Long, Check::AtLeast(0), Some("log.cleaner.delete.retention.ms"),
        |s| s.log_cleaner_delete_retention_ms.to_string(), "How long tombstones are kept when the topic is compacted.";
    "file.delete.delay.ms", Long, Check::AtLeast(0), Some("log.segment.delete.delay.ms"), |_| "60000".to_owned(), STORED;
    "flush.messages", Long, Check::AtLeast(1), Some("log.flush.interval.messages"),
        |s| s.log_flush_interval_messages.to_string(), "Records after which a partition is synced to disk.";
    "flush.ms", Long, Check::AtLeast(0), Some("log.flush.interval.ms"),
        |s| s.log_flush_interval_ms.unwrap_or(i64::MAX).to_string(), "Time after which a partition is synced to disk.";
    "follower.replication.throttled.replicas", List, Check::ThrottledReplicas, None, |_| String::new(), STORED;
    "index.interval.bytes", Int, Check::AtLeast(0), Some("log.index.interval.bytes"),
        |s| s.log_index_interval_bytes.to_string(), "Bytes between two entries of an index.";
    "internal.segment.bytes", Int, Check::AtLeast(1), None, |_| String::new(),
        "Segment size below the least that segment.bytes takes, for tests.";
    "leader.replication.throttled.replicas", List, Check::ThrottledReplicas, None, |_| String::new(), STORED;
    "local.retention.bytes", Long, Check::AtLeast(-2), Some("log.local.retention.bytes"), |_| "-2".to_owned(), STORED;
    "local.retention.ms", Long, Check::AtLeast(-2), Some("log.local.retention.ms"), |_| "-2".to_owned(), STORED;
    "max.compaction.lag.ms", Long, Check::AtLeast(1), Some("log.cleaner.max.compaction.lag.ms"),
        |s| s.log_cleaner_max_compaction_lag_ms.to_string(), "Most time that a record stays uncompacted.";
    "max.message.bytes", Int, Check::AtLeast(0), Some("message.max.bytes"),
        |s| s.message_max_bytes.to_string(), "Largest record batch, after compression.";
    "message.timestamp.after.max.ms", Long, Check::AtLeast(0), Some("log.message.timestamp.after.max.ms"),
        |s| s.log_message_timestamp_after_max_ms.to_string(), "How far a record's time may lie ahead of the broker's.";
    "message.timestamp.before.max.ms", Long, Check::AtLeast(0), Some("log.message.timestamp.before.max.ms"),
        |s| s.log_message_timestamp_before_max_ms.to_string(), "How far a record's time may lie behind the broker's.";
    "message.timestamp.type", Text, Check::OneOf(&["CreateTime", "LogAppendTime"]), Some("log.message.timestamp.type"),
        |s| s.log_message_timestamp_type.clone(), "Whether records keep the client's time or get the broker's.";
    "min.cleanable.dirty.ratio", Double, Check::Range(0.0, 1.0), Some("log.cleaner.min.cleanable.ratio"),
        |s| s.log_cleaner_min_cleanable_ratio.print().unwrap_or_default(), "Least uncompacted part of a log before it is compacted.";
    "min.compaction.lag.ms", Long, Check::AtLeast(0), Some("log.cleaner.min.compaction.lag.ms"),
        |s| s.log_cleaner_min_compaction_lag_ms.to_string(), "Least time that a record stays uncompacted.";
    "min.insync.replicas", Int, Check::AtLeast(1), Some("min.insync.replicas"),
        |s| s.min_insync_replicas.to_string(), "Stored only: a partition has one replica, and no more are ever asked for.";
    "preallocate", Boolean, Check::Any, Some("log.preallocate"),
        |s| s.log_preallocate.to_string(), "Whether a segment's file is allocated at once.";
    "remote.log.copy.disable", Boolean, Check::Any, None, |_| "false".to_owned(), STORED;
    "remote.log.delete.on.disable", Boolean, Check::Any, None, |_| "false".to_owned(), STORED;
    "remote.storage.enable", Boolean, Check::OneOf(&["false"]), None, |_| "false".to_owned(),
        "There is no remote storage, so only false is taken.";
    "retention.bytes", Long, Check::Any, Some("log.retention.bytes"),
        |s| s.log_retention_bytes.to_string(), "Size of a partition above which its oldest segments may be deleted.";
    "retention.ms", Long, Check::AtLeast(-1), Some("log.retention.ms"),
        |s| s.effective_retention_ms().to_string(), "Age at which a closed segment may be deleted.";
    "segment.bytes", Int, Check::AtLeast(1_048_576), Some("log.segment.bytes"),
        |s| s.log_segment_bytes.to_string(), "Size at which a segment is closed and the next begun.";
    "segment.index.bytes", Int, Check::AtLeast(4), Some("log.index.size.max.bytes"),
        |s| s.log_index_size_max_bytes.to_string(), "Largest index of a segment.";
    "segment.jitter.ms", Long, Check::AtLeast(0), Some("log.roll.jitter.ms"),
        |s| s.effective_roll_jitter_ms().to_string(), "Stored only.";
    "segment.ms", Long, Check::AtLeast(1), Some("log.roll.ms"),
        |s| s.effective_roll_ms().to_string(), "Age at which a segment is closed.";
    "unclean.leader.election.enable", Boolean, Check::Any, Some("unclean.leader.election.enable"),
        |_| "false".to_owned(), STORED;
}

/// The setting with that name.
pub(crate) fn topic_setting(name: &str) -> Option<&'static TopicSetting> {
    TOPIC_SETTINGS.iter().find(|setting| setting.name == name)
}

/// Checks one override as CreateTopics gives it, and writes it as Kafka prints it.
///
/// # Errors
/// A sentence in the words of Kafka's `InvalidConfigurationException`.
fn check_override(name: &str, value: &str) -> Result<String, String> {
    let Some(setting) = topic_setting(name) else {
        return Err(format!("Unknown topic config name: {name}"));
    };
    if setting.kind == Kind::List && !value.is_empty() && value.split(',').any(|part| part.trim().is_empty())
    {
        return Err(format!("Configuration '{name}' values must not be empty."));
    }
    fn print<T: Value>(name: &str, value: &str, check: Check) -> Result<String, SettingError> {
        parse_checked::<T>(name, value, check).map(|parsed| parsed.print().unwrap_or_default())
    }
    let checked = match setting.kind {
        Kind::Boolean => print::<bool>(name, value, setting.check),
        Kind::Short | Kind::Int => print::<i32>(name, value, setting.check),
        Kind::Long => print::<i64>(name, value, setting.check),
        Kind::Double => print::<f64>(name, value, setting.check),
        Kind::List => print::<Vec<String>>(name, value, setting.check),
        Kind::Text => print::<String>(name, value, setting.check),
    };
    checked.map_err(|error| match error {
        SettingError::Invalid { reason, .. } => {
            format!("Invalid value {value} for configuration {name}: {reason}")
        }
        other => other.to_string(),
    })
}

/// Checks the overrides of one topic, each and together, and writes them as Kafka prints them.
///
/// # Errors
/// A sentence in the words of Kafka's `InvalidConfigurationException`.
pub(crate) fn check_overrides<'a>(
    settings: &Settings,
    given: impl Iterator<Item = (&'a str, Option<&'a str>)> + Clone,
) -> Result<Overrides, String> {
    let nulls: Vec<&str> = given.clone().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
    if !nulls.is_empty() {
        return Err(format!("Null value not supported for topic configs: {}", nulls.join(",")));
    }
    let mut overrides = Overrides::new();
    for (name, value) in given {
        overrides.insert(name.to_owned(), check_override(name, value.unwrap_or_default())?);
    }
    let lag = |name| effective(settings, &overrides, name).and_then(|text| text.parse::<i64>().ok());
    let (least, most) = (lag("min.compaction.lag.ms"), lag("max.compaction.lag.ms"));
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
        ));
    }
    Ok(overrides)
}

/// The value in force: the topic's own, or what it inherits.
pub(crate) fn effective(settings: &Settings, overrides: &Overrides, name: &str) -> Option<String> {
    let setting = topic_setting(name)?;
    Some(overrides.get(name).cloned().unwrap_or_else(|| (setting.default)(settings)))
}

/// What the logs of a topic go by. That of committed offsets is their history too, so compaction leaves the window alone
/// that `ottla.offsets.history.ms` and `.bytes` span; a longer `min.compaction.lag.ms` of the topic itself holds as it is.
pub(crate) fn topic_log_config(settings: &Settings, topic: &TopicName, overrides: &Overrides) -> LogConfig {
    let config = log_config(settings, overrides);
    let history_ms = settings.ottla_offsets_history_ms;
    if topic.as_str() != CONSUMER_OFFSETS || history_ms <= config.min_compaction_lag_ms {
        return config;
    }
    let bytes_max = u64::try_from(settings.ottla_offsets_history_bytes).unwrap_or(0);
    LogConfig { min_compaction_lag_ms: history_ms, min_compaction_lag_bytes_max: bytes_max, ..config }
}

/// What the log of one of the topic's partitions goes by. Overrides were checked when they were set; one that does
/// not parse all the same (a catalog written by a later version) falls back to the log's default.
pub(crate) fn log_config(settings: &Settings, overrides: &Overrides) -> LogConfig {
    fn get<T: Value>(settings: &Settings, overrides: &Overrides, name: &str, default: T) -> T {
        effective(settings, overrides, name).and_then(|text| T::parse(&text).ok()).unwrap_or(default)
    }
    let default = LogConfig::default();
    let policy = effective(settings, overrides, "cleanup.policy").unwrap_or_default();
    let timestamp_type = match effective(settings, overrides, "message.timestamp.type").as_deref() {
        Some("LogAppendTime") => TimestampType::LogAppendTime,
        _ => TimestampType::CreateTime,
    };
    let segment_bytes = get(settings, overrides, "segment.bytes", i32::MAX);
    LogConfig {
        segment_bytes: get(settings, overrides, "internal.segment.bytes", segment_bytes).unsigned_abs(),
        segment_ms: get(settings, overrides, "segment.ms", default.segment_ms),
        index_interval_bytes: get(settings, overrides, "index.interval.bytes", 4096i32).unsigned_abs(),
        index_size_max_bytes: get(settings, overrides, "segment.index.bytes", 10_485_760i32).unsigned_abs(),
        max_message_bytes: usize::try_from(get(settings, overrides, "max.message.bytes", 1_048_588i32))
            .unwrap_or(0),
        timestamp_type,
        timestamp_before_max_ms: get(
            settings,
            overrides,
            "message.timestamp.before.max.ms",
            default.timestamp_before_max_ms,
        ),
        timestamp_after_max_ms: get(
            settings,
            overrides,
            "message.timestamp.after.max.ms",
            default.timestamp_after_max_ms,
        ),
        compacted: policy.split(',').any(|part| part.trim() == "compact"),
        deletes: policy.split(',').any(|part| part.trim() == "delete"),
        flush_messages: get(settings, overrides, "flush.messages", default.flush_messages),
        flush_ms: get(settings, overrides, "flush.ms", default.flush_ms),
        retention_ms: get(settings, overrides, "retention.ms", default.retention_ms),
        retention_bytes: get(settings, overrides, "retention.bytes", default.retention_bytes),
        delete_retention_ms: get(settings, overrides, "delete.retention.ms", default.delete_retention_ms),
        min_compaction_lag_ms: get(
            settings,
            overrides,
            "min.compaction.lag.ms",
            default.min_compaction_lag_ms,
        ),
        max_compaction_lag_ms: get(
            settings,
            overrides,
            "max.compaction.lag.ms",
            default.max_compaction_lag_ms,
        ),
        min_cleanable_dirty_ratio: get(
            settings,
            overrides,
            "min.cleanable.dirty.ratio",
            default.min_cleanable_dirty_ratio,
        ),
        min_compaction_lag_bytes_max: default.min_compaction_lag_bytes_max,
        preallocate: get(settings, overrides, "preallocate", default.preallocate),
        producer_id_expiration_ms: i64::from(settings.producer_id_expiration_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_win_over_the_broker() {
        let mut settings = Settings::default();
        settings.set("log.segment.bytes", "2000000").expect("fits");
        assert_eq!(log_config(&settings, &Overrides::new()).segment_bytes, 2_000_000);
        let own = Overrides::from([("segment.bytes".to_owned(), "3000000".to_owned())]);
        assert_eq!(log_config(&settings, &own).segment_bytes, 3_000_000);
    }

    #[test]
    fn the_history_of_offsets_is_the_least_that_compaction_waits() {
        let mut settings = Settings::default();
        let offsets = TopicName::new(CONSUMER_OFFSETS).expect("fits");
        let waits = |settings: &Settings, topic: &TopicName, own: &[(&str, &str)]| {
            let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let config = topic_log_config(settings, topic, &own);
            (config.min_compaction_lag_ms, config.min_compaction_lag_bytes_max)
        };
        assert_eq!(waits(&settings, &offsets, &[]), (86_400_000, 134_217_728));
        let shorter = [("min.compaction.lag.ms", "5")];
        assert_eq!(waits(&settings, &offsets, &shorter), (86_400_000, 134_217_728));
        // What an administrator asked for is not bounded by the size of the history.
        let longer = [("min.compaction.lag.ms", "90000000")];
        assert_eq!(waits(&settings, &offsets, &longer), (90_000_000, u64::MAX));
        assert_eq!(waits(&settings, &TopicName::new("orders").expect("fits"), &[]), (0, u64::MAX));
        settings.set("ottla.offsets.history.ms", "0").expect("fits");
        assert_eq!(waits(&settings, &offsets, &[]), (0, u64::MAX));
    }

    fn check(given: &[(&str, Option<&str>)]) -> Result<Overrides, String> {
        check_overrides(&Settings::default(), given.iter().copied())
    }

    #[test]
    fn overrides_are_kept_as_kafka_prints_them() {
        let kept = check(&[
            ("cleanup.policy", Some("compact, delete")),
            ("min.cleanable.dirty.ratio", Some("0.50")),
        ]);
        let kept = kept.expect("fits");
        assert_eq!(kept["cleanup.policy"], "compact,delete");
        assert_eq!(kept["min.cleanable.dirty.ratio"], "0.5");
        assert!(check(&[("cleanup.policy", Some(""))]).is_ok());
    }

    #[test]
    fn bad_overrides_are_told_in_kafkas_words() {
        for (given, told) in [
            (&[("nope", Some("1"))][..], "Unknown topic config name: nope"),
            (
                &[("retention.ms", None), ("segment.ms", None)],
                "Null value not supported for topic configs: retention.ms,segment.ms",
            ),
            (
                &[("cleanup.policy", Some("delete,"))],
                "Configuration 'cleanup.policy' values must not be empty.",
            ),
            (
                &[("retention.ms", Some("x"))],
                "Invalid value x for configuration retention.ms: Not a number of type LONG",
            ),
            (
                &[("segment.bytes", Some("10"))],
                "Invalid value 10 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                &[("compression.gzip.level", Some("10"))],
                "Invalid value 10 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
            ),
            (
                &[("min.compaction.lag.ms", Some("2")), ("max.compaction.lag.ms", Some("1"))],
                "conflict topic config setting min.compaction.lag.ms (2) > max.compaction.lag.ms (1)",
            ),
        ] {
            assert_eq!(check(given), Err(told.to_owned()));
        }
    }

    #[test]
    fn the_finest_retention_unit_wins() {
        let mut settings = Settings::default();
        assert_eq!(settings.effective_retention_ms(), 604_800_000);
        settings.set("log.retention.minutes", "2").expect("fits");
        assert_eq!(settings.effective_retention_ms(), 120_000);
        settings.set("log.retention.ms", "-5").expect("fits");
        assert_eq!(settings.effective_retention_ms(), -1);
    }
}
