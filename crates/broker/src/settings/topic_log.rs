//! What the settings of a topic mean for its logs.

use ottla_log::{Compression, LogConfig, TargetCompression, TimestampType};
use ottla_model::{CONSUMER_OFFSETS, TopicName};

use super::broker::Settings;
use super::topic::{Overrides, effective};
use super::value::Value;

/// What the logs of a topic go by. That of committed offsets is their history too, so compaction leaves the window alone
/// that `ottla.offsets.history.ms` and `.bytes` span; a longer `min.compaction.lag.ms` of the topic itself holds as it is.
pub(crate) fn topic_log_config(settings: &Settings, topic: &TopicName, overrides: &Overrides) -> LogConfig {
    of_topic_named(settings, topic, log_config(settings, overrides))
}

/// The same, where [`log_config`] has been asked already.
pub(crate) fn of_topic_named(settings: &Settings, topic: &TopicName, config: LogConfig) -> LogConfig {
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
        segment_jitter_ms: get(settings, overrides, "segment.jitter.ms", default.segment_jitter_ms),
        compression: compression(settings, overrides),
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
        producer_id_expiration_ms: i64::from(settings.producer_id_expiration_ms),
    }
}

/// The codec that `compression.type` asks for, with its level; none for that of the producer.
fn compression(settings: &Settings, overrides: &Overrides) -> Option<TargetCompression> {
    let level = |name| effective(settings, overrides, name)?.parse::<i32>().ok();
    let (codec, level) = match effective(settings, overrides, "compression.type")?.as_str() {
        "uncompressed" => (Compression::None, None),
        // -1 stands for the default of gzip itself.
        "gzip" => (Compression::Gzip, level("compression.gzip.level").filter(|level| *level > 0)),
        "snappy" => (Compression::Snappy, None),
        "lz4" => (Compression::Lz4, None),
        "zstd" => (Compression::Zstd, level("compression.zstd.level")),
        _ => return None,
    };
    Some(TargetCompression { codec, level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::topic::TOPIC_SETTINGS;
    use crate::settings::value::Kind;

    #[test]
    fn overrides_win_over_the_broker() {
        let mut settings = Settings::default();
        settings.set("log.segment.bytes", "2000000").expect("fits");
        assert_eq!(log_config(&settings, &Overrides::new()).segment_bytes, 2_000_000);
        let own = Overrides::from([("segment.bytes".to_owned(), "3000000".to_owned())]);
        assert_eq!(log_config(&settings, &own).segment_bytes, 3_000_000);
    }

    /// Settings that act elsewhere than in a log: a partition has one replica, which is what acks=all then waits for.
    const ELSEWHERE: &[&str] = &["min.insync.replicas"];

    /// A value that is not the default.
    fn other_value(setting: &crate::settings::ScopedSetting) -> String {
        match (setting.name, setting.kind) {
            ("cleanup.policy", _) => "compact".to_owned(),
            ("compression.type", _) => "zstd".to_owned(),
            ("message.timestamp.type", _) => "LogAppendTime".to_owned(),
            ("min.cleanable.dirty.ratio", _) => "0.25".to_owned(),
            ("segment.bytes", _) => "2000000".to_owned(),
            (_, Kind::Boolean) => "true".to_owned(),
            (_, Kind::List) => "*".to_owned(),
            _ => "7".to_owned(),
        }
    }

    #[test]
    fn a_setting_is_said_to_act_if_logs_go_by_it() {
        let settings = Settings::default();
        for setting in TOPIC_SETTINGS {
            let mut own = Overrides::new();
            // Levels count where their codec does.
            for codec in ["gzip", "lz4", "zstd"] {
                if setting.name.starts_with("compression.") && setting.name.contains(codec) {
                    own.insert("compression.type".to_owned(), codec.to_owned());
                }
            }
            let before = log_config(&settings, &own);
            let value = setting.parse(&other_value(setting)).expect("legal");
            own.insert(setting.name.to_owned(), value);
            let changes = log_config(&settings, &own) != before || ELSEWHERE.contains(&setting.name);
            assert_eq!(changes, setting.acts, "{}", setting.name);
        }
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
}
