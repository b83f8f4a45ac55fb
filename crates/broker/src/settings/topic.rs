//! The settings of a topic: Apache Kafka's names, and what they inherit from the broker.

use std::collections::BTreeMap;

use super::broker::Settings;
use super::scoped::{ScopedSetting, scoped};
use super::value::Value;

/// What a topic has set itself, by name.
pub(crate) type Overrides = BTreeMap<String, String>;

scoped! {
    /// The settings of a topic, by name (`LogConfig`).
    pub(crate) TOPIC_SETTINGS;
    "cleanup.policy", List, Check::OneOf(&["compact", "delete"]), Some("log.cleanup.policy"), Acts,
        |s| Some(s.log_cleanup_policy.join(",")),
        "Whether old records are deleted, compacted by key, or both.";
    "compression.gzip.level", Int, Check::GzipLevel, Some("compression.gzip.level"), Acts,
        |s| s.value_of("compression.gzip.level"),
        "Level of gzip where batches are compressed again; -1 is its own default.";
    "compression.lz4.level", Int, Check::Range(1.0, 17.0), Some("compression.lz4.level"), Stored,
        |s| s.value_of("compression.lz4.level"),
        "The encoder of LZ4 has one level.";
    "compression.type", Text, Check::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Some("compression.type"), Acts,
        |s| Some(s.compression_type.clone()),
        "Compression of stored batches. With producer they stay as they came; others are compressed again.";
    "compression.zstd.level", Int, Check::Range(-131_072.0, 22.0), Some("compression.zstd.level"), Acts,
        |s| s.value_of("compression.zstd.level"),
        "Level of Zstandard where batches are compressed again.";
    "delete.retention.ms", Long, Check::AtLeast(0), Some("log.cleaner.delete.retention.ms"), Acts,
        |s| Some(s.log_cleaner_delete_retention_ms.to_string()),
        "How long tombstones are kept when the topic is compacted.";
    "file.delete.delay.ms", Long, Check::AtLeast(0), Some("log.segment.delete.delay.ms"), Stored,
        |s| s.value_of("log.segment.delete.delay.ms"),
        "Readers keep the deleted segment that they hold without it.";
    "flush.messages", Long, Check::AtLeast(1), Some("log.flush.interval.messages"), Acts,
        |s| Some(s.log_flush_interval_messages.to_string()),
        "Records after which a partition is synced to disk.";
    "flush.ms", Long, Check::AtLeast(0), Some("log.flush.interval.ms"), Acts,
        |s| Some(s.log_flush_interval_ms.unwrap_or(i64::MAX).to_string()),
        "Time after which a partition is synced to disk.";
    "follower.replication.throttled.replicas", List, Check::ThrottledReplicas, None, Stored,
        |_| Some(String::new()),
        "There is one broker, so nothing is replicated.";
    "index.interval.bytes", Int, Check::AtLeast(0), Some("log.index.interval.bytes"), Acts,
        |s| Some(s.log_index_interval_bytes.to_string()),
        "Bytes between two entries of an index.";
    "internal.segment.bytes", Int, Check::AtLeast(1), None, Acts,
        |_| None,
        "Segment size below the least that segment.bytes takes, for tests.";
    "leader.replication.throttled.replicas", List, Check::ThrottledReplicas, None, Stored,
        |_| Some(String::new()),
        "There is one broker, so nothing is replicated.";
    "local.retention.bytes", Long, Check::AtLeast(-2), Some("log.local.retention.bytes"), Stored,
        |s| s.value_of("log.local.retention.bytes"),
        "There is no tiered storage.";
    "local.retention.ms", Long, Check::AtLeast(-2), Some("log.local.retention.ms"), Stored,
        |s| s.value_of("log.local.retention.ms"),
        "There is no tiered storage.";
    "max.compaction.lag.ms", Long, Check::AtLeast(1), Some("log.cleaner.max.compaction.lag.ms"), Acts,
        |s| Some(s.log_cleaner_max_compaction_lag_ms.to_string()),
        "Most time that a record stays uncompacted.";
    "max.message.bytes", Int, Check::AtLeast(0), Some("message.max.bytes"), Acts,
        |s| Some(s.message_max_bytes.to_string()),
        "Largest record batch, after compression.";
    "message.timestamp.after.max.ms", Long, Check::AtLeast(0), Some("log.message.timestamp.after.max.ms"), Acts,
        |s| Some(s.log_message_timestamp_after_max_ms.to_string()),
        "How far a record's time may lie ahead of the broker's.";
    "message.timestamp.before.max.ms", Long, Check::AtLeast(0), Some("log.message.timestamp.before.max.ms"), Acts,
        |s| Some(s.log_message_timestamp_before_max_ms.to_string()),
        "How far a record's time may lie behind the broker's.";
    "message.timestamp.type", Text, Check::OneOf(&["CreateTime", "LogAppendTime"]), Some("log.message.timestamp.type"), Acts,
        |s| Some(s.log_message_timestamp_type.clone()),
        "Whether records keep the client's time or get the broker's.";
    "min.cleanable.dirty.ratio", Double, Check::Range(0.0, 1.0), Some("log.cleaner.min.cleanable.ratio"), Acts,
        |s| s.log_cleaner_min_cleanable_ratio.print(),
        "Least uncompacted part of a log before it is compacted.";
    "min.compaction.lag.ms", Long, Check::AtLeast(0), Some("log.cleaner.min.compaction.lag.ms"), Acts,
        |s| Some(s.log_cleaner_min_compaction_lag_ms.to_string()),
        "Least time that a record stays uncompacted.";
    "min.insync.replicas", Int, Check::AtLeast(1), Some("min.insync.replicas"), Acts,
        |s| Some(s.min_insync_replicas.to_string()),
        "In-sync replicas that a write with acks=all needs. A partition has one replica, and no more than there are is asked for.";
    "preallocate", Boolean, Check::Any, Some("log.preallocate"), Stored,
        |s| Some(s.log_preallocate.to_string()),
        "A full disk is told by the write that meets it, which is what preallocation is for.";
    "remote.log.copy.disable", Boolean, Check::Any, None, Stored,
        |_| Some("false".to_owned()),
        "There is no tiered storage.";
    "remote.log.delete.on.disable", Boolean, Check::Any, None, Stored,
        |_| Some("false".to_owned()),
        "There is no tiered storage.";
    "remote.storage.enable", Boolean, Check::Any, None, Stored,
        |_| Some("false".to_owned()),
        "There is no tiered storage, so only false is taken.";
    "retention.bytes", Long, Check::Any, Some("log.retention.bytes"), Acts,
        |s| Some(s.log_retention_bytes.to_string()),
        "Size of a partition above which its oldest segments may be deleted.";
    "retention.ms", Long, Check::AtLeast(-1), Some("log.retention.ms"), Acts,
        |s| Some(s.effective_retention_ms().to_string()),
        "Age at which a closed segment may be deleted.";
    "segment.bytes", Int, Check::AtLeast(1_048_576), Some("log.segment.bytes"), Acts,
        |s| Some(s.log_segment_bytes.to_string()),
        "Size at which a segment is closed and the next begun.";
    "segment.index.bytes", Int, Check::AtLeast(4), Some("log.index.size.max.bytes"), Acts,
        |s| Some(s.log_index_size_max_bytes.to_string()),
        "Largest index of a segment.";
    "segment.jitter.ms", Long, Check::AtLeast(0), Some("log.roll.jitter.ms"), Acts,
        |s| Some(s.effective_roll_jitter_ms().to_string()),
        "Most that is taken off segment.ms at random, so that segments do not all end at once.";
    "segment.ms", Long, Check::AtLeast(1), Some("log.roll.ms"), Acts,
        |s| Some(s.effective_roll_ms().to_string()),
        "Age at which a segment is closed.";
    "unclean.leader.election.enable", Boolean, Check::Any, Some("unclean.leader.election.enable"), Stored,
        |s| s.value_of("unclean.leader.election.enable"),
        "There is one broker, so no leader is ever elected out of sync.";
}

/// The setting with that name.
pub(crate) fn topic_setting(name: &str) -> Option<&'static ScopedSetting> {
    TOPIC_SETTINGS.iter().find(|setting| setting.name == name)
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
    // Kafka looks at all names before it looks at a value.
    if let Some((name, _)) = given.clone().find(|(name, _)| topic_setting(name).is_none()) {
        return Err(format!("Unknown topic config name: {name}"));
    }
    let mut overrides = Overrides::new();
    for (name, value) in given {
        let Some(setting) = topic_setting(name) else { continue };
        overrides.insert(name.to_owned(), setting.parse(value.unwrap_or_default())?);
    }
    check_together(settings, &overrides)?;
    Ok(overrides)
}

/// Checks what no setting of a topic tells alone (`LogConfig.validateTopicLogConfigValues`).
fn check_together(settings: &Settings, overrides: &Overrides) -> Result<(), String> {
    let lag = |name| effective(settings, overrides, name).and_then(|text| text.parse::<i64>().ok());
    let (least, most) = (lag("min.compaction.lag.ms"), lag("max.compaction.lag.ms"));
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
        ));
    }
    if effective(settings, overrides, "remote.storage.enable").as_deref() == Some("true") {
        let off = "Tiered Storage functionality is disabled in the broker.";
        return Err(format!("{off} Topic cannot be configured with remote log storage."));
    }
    Ok(())
}

/// The value in force: the topic's own, or what it inherits.
pub(crate) fn effective(settings: &Settings, overrides: &Overrides, name: &str) -> Option<String> {
    let setting = topic_setting(name)?;
    overrides.get(name).cloned().or_else(|| (setting.default)(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(check(&[("leader.replication.throttled.replicas", Some("0:1,,1:1"))]).is_ok());
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
