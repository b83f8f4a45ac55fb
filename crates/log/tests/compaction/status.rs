//! When a log is compacted, and why it is not.

use ottla_log::{CleanBlocked, CleanBound, Log, LogConfig};
use ottla_model::WallMillis;

use super::keyed::*;
use super::support::*;

const HOUR_MS: i64 = 3_600_000;

fn after(millis: i64) -> WallMillis {
    WallMillis(NOW.0 + millis)
}

/// Ten segments, an hour after each other.
fn hourly(config: &LogConfig) -> (Place, Log) {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { timestamp_after_max_ms: i64::MAX, ..config.clone() });
    for hour in 0..10 {
        // Two fit a segment.
        for _ in 0..2 {
            let batch = keyed_at(NOW.0 + hour * HOUR_MS, &[("key", Some(&"v".repeat(900)))]);
            append(&mut log, &batch).expect("appended");
        }
    }
    assert_eq!(log.segment_count(), 10);
    (place, log)
}

fn blocked(log: &Log, now: WallMillis, upper: i64, cleaned_to: i64) -> Option<CleanBlocked> {
    let blocked = log.clean_status(now, upper, cleaned_to).blocked;
    assert_eq!(blocked.is_none(), log.plan_clean(now, upper, cleaned_to).expect("planned").is_some());
    blocked
}

#[test]
fn reasons() {
    let (_place, mut log) = hourly(&compacted());
    let end = log.end_offset();
    assert_eq!(blocked(&log, NOW, end, 0), None);
    let first_segment = log.clean_status(NOW, 1, 0);
    assert_eq!(first_segment.blocked, Some(CleanBlocked::Bound(CleanBound::HighWatermark)));
    assert_eq!(first_segment.dirty_bytes, 0);
    let active = log.clean_status(NOW, end, 0).first_uncleanable_offset;
    assert_eq!(blocked(&log, NOW, end, active), Some(CleanBlocked::Bound(CleanBound::ActiveSegment)));
    log.set_config(LogConfig { min_cleanable_dirty_ratio: 0.5, ..compacted() });
    let mostly_clean = log.clean_status(NOW, end, active - 1);
    assert_eq!(mostly_clean.blocked, Some(CleanBlocked::DirtyRatio));
    assert!(mostly_clean.dirty_ratio > 0.0 && mostly_clean.dirty_ratio < 0.2);
    assert_eq!(blocked(&log, NOW, end, active - 1), Some(CleanBlocked::DirtyRatio));
    log.set_config(LogConfig { compacted: false, ..compacted() });
    assert_eq!(blocked(&log, NOW, end, 0), Some(CleanBlocked::Policy));
    log.set_config(compacted());
    log.close(NOW).expect("closed");
    assert_eq!(blocked(&log, NOW, end, 0), Some(CleanBlocked::Offline));
    assert_eq!(Place::memory().fresh(&compacted()).clean_status(NOW, 0, 0).dirty_ratio, 0.0);
}

#[test]
fn a_checkpoint_outside_the_log_is_not_believed() {
    let (_place, mut log) = hourly(&compacted());
    let beyond = log.clean_status(NOW, i64::MAX, log.end_offset() + 1);
    assert!(beyond.checkpoint_invalid);
    assert_eq!(beyond.first_dirty_offset, 0);
    log.advance_start_offset(5).expect("moved");
    let before = log.clean_status(NOW, i64::MAX, 2);
    assert!(before.checkpoint_invalid);
    assert_eq!(before.first_dirty_offset, 5);
    assert!(!log.clean_status(NOW, i64::MAX, 5).checkpoint_invalid);
}

#[test]
fn the_youngest_records_are_left_alone() {
    let config = LogConfig { min_compaction_lag_ms: 2 * HOUR_MS, ..compacted() };
    let (_place, log) = hourly(&config);
    let status = log.clean_status(after(2 * HOUR_MS - 1), i64::MAX, 0);
    let until = after(2 * HOUR_MS);
    assert_eq!(status.blocked, Some(CleanBlocked::Bound(CleanBound::MinCompactionLag { until })));
    let status = log.clean_status(after(2 * HOUR_MS), i64::MAX, 0);
    assert_eq!(status.blocked, None);
    let until = after(3 * HOUR_MS);
    assert_eq!(status.bound, CleanBound::MinCompactionLag { until });
    assert_eq!(status.clean_bytes, 0);
    assert_eq!(status.dirty_bytes + status.uncleanable_bytes, log.size_bytes());
    let late = log.clean_status(after(100 * HOUR_MS), i64::MAX, 0);
    assert_eq!(late.bound, CleanBound::ActiveSegment);
}

#[test]
fn no_more_of_the_youngest_records_is_left_alone_than_there_is_room_for() {
    let lag = LogConfig { min_compaction_lag_ms: 100 * HOUR_MS, ..compacted() };
    let (_place, mut log) = hourly(&lag);
    let now = after(10 * HOUR_MS);
    let status = log.clean_status(now, i64::MAX, 0);
    assert_eq!((status.first_uncleanable_offset, status.dirty_bytes), (0, 0));
    // The nine sealed segments hold two records each and are equally large.
    let sealed = status.uncleanable_bytes / 10;
    for (room, first) in [(9 * sealed, 0), (9 * sealed - 1, 2), (3 * sealed, 12), (sealed - 1, 18), (0, 18)] {
        log.set_config(LogConfig { min_compaction_lag_bytes_max: room, ..lag.clone() });
        let status = log.clean_status(now, i64::MAX, 0);
        assert_eq!(status.first_uncleanable_offset, first, "with room for {room} bytes");
    }
    // It does not keep longer what is old enough anyway.
    log.set_config(LogConfig { min_compaction_lag_ms: HOUR_MS, ..lag });
    assert_eq!(log.clean_status(after(100 * HOUR_MS), i64::MAX, 0).bound, CleanBound::ActiveSegment);
}

#[test]
fn the_oldest_dirty_records_force_a_run() {
    let config =
        LogConfig { max_compaction_lag_ms: 5 * HOUR_MS, min_cleanable_dirty_ratio: 1.0, ..compacted() };
    let (_place, log) = hourly(&config);
    let status = log.clean_status(after(5 * HOUR_MS), i64::MAX, 0);
    assert_eq!(status.forced_from, Some(after(5 * HOUR_MS)));
    assert_eq!((status.forced, status.blocked), (false, Some(CleanBlocked::DirtyRatio)));
    let status = log.clean_status(after(5 * HOUR_MS + 1), i64::MAX, 0);
    assert_eq!((status.forced, status.blocked), (true, None));
}

#[test]
fn a_segment_that_waits_too_long_is_ended() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { segment_ms: HOUR_MS, ..compacted() });
    assert!(!log.roll_if_due(after(9 * HOUR_MS)).expect("asked"), "there is none");
    append(&mut log, &keyed(&[("key", Some("value"))])).expect("appended");
    assert!(!log.roll_if_due(after(HOUR_MS)).expect("asked"));
    assert!(log.roll_if_due(after(HOUR_MS + 1)).expect("asked"));
    assert_eq!(log.segment_count(), 2);
    assert!(!log.roll_if_due(after(9 * HOUR_MS)).expect("asked"), "it is empty");
    // Records from long ago, written now, do not end a segment at every look.
    append(&mut log, &keyed_at(0, &[("key", Some("value"))])).expect("appended");
    assert!(!log.roll_if_due(after(HOUR_MS + 2)).expect("asked"));
    log.set_config(LogConfig { max_compaction_lag_ms: 10, ..compacted() });
    assert!(log.roll_if_due(after(HOUR_MS + 20)).expect("asked"), "compaction may not be put off for longer");
    assert_eq!(log.end_offset(), 2);
}
