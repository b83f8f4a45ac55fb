//! Retention: by time, by size and behind the start of the log.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use ottla_log::disk::sim::{Class, Fault, Rule};
use ottla_log::{Disk, Log, LogConfig, LogError, Open, RetentionReason, SimDisk};
use ottla_model::{Offset, WallMillis};
use support::script::DIRECTORY;
use support::*;

const HOUR_MS: i64 = 3_600_000;

fn after(hours: i64) -> WallMillis {
    WallMillis(NOW.0 + hours * HOUR_MS)
}

fn config() -> LogConfig {
    LogConfig {
        retention_ms: -1,
        retention_bytes: -1,
        segment_ms: i64::MAX,
        timestamp_after_max_ms: i64::MAX,
        ..small_segments()
    }
}

/// Ten segments of two batches of one record each, an hour after each other.
fn hourly(place: &Place, config: &LogConfig) -> Log {
    let mut log = place.fresh(config);
    for hour in 0..10 {
        for _ in 0..2 {
            append(&mut log, &timed_batch(&[(after(hour).0, &"v".repeat(900))])).expect("appended");
        }
    }
    assert_eq!(log.segment_count(), 10);
    log
}

fn expired(log: &Log, now: WallMillis, upper: Offset) -> Vec<(Offset, RetentionReason)> {
    let expired = log.expired_segments(now, upper).expect("read");
    expired.into_iter().map(|segment| (segment.base_offset, segment.reason)).collect()
}

fn count(log: &Log, now: WallMillis) -> usize {
    expired(log, now, log.end_offset()).len()
}

/// Deletes and checks what is left; returns how many segments went.
fn delete(log: &mut Log, now: WallMillis, upper: Offset) -> usize {
    let (start, end) = (log.start_offset(), log.end_offset());
    let wanted = log.expired_segments(now, upper).expect("read");
    let all = consume(log, start);
    let report = log.delete_expired(now, upper).expect("deleted");
    assert_eq!(report.segments, wanted);
    let first = wanted.last().map_or(start, |last| start.max(last.end_offset));
    assert_eq!((report.start_offset, log.start_offset(), log.end_offset()), (first, first, end));
    let left: Vec<_> = all.into_iter().filter(|record| record.offset >= first).collect();
    assert_eq!(consume(log, first), left);
    report.deleted.remove().expect("removed");
    wanted.len()
}

#[test]
fn by_time() {
    for place in Place::each() {
        let mut log = hourly(&place, &LogConfig { retention_ms: 2 * HOUR_MS, ..config() });
        assert_eq!(count(&log, after(2)), 0, "not older than that, but as old");
        assert_eq!(count(&log, WallMillis(after(2).0 + 1)), 1);
        assert_eq!(count(&log, WallMillis(after(2).0 - 1_000_000 * HOUR_MS)), 0, "a clock that went back");
        assert_eq!(delete(&mut log, WallMillis(after(6).0 + 1), i64::MAX), 5);
        assert_eq!(delete(&mut log, WallMillis(after(6).0 + 1), i64::MAX), 0);
        assert_eq!(log.start_offset(), 10);
        let (mut log, _) = place.open(log.config(), false, 20);
        assert_eq!((log.start_offset(), log.end_offset()), (10, 20));
        // The active one goes too when all of it is too old. The log goes on where it was.
        assert_eq!(delete(&mut log, after(1000), i64::MAX), 5);
        assert_eq!((log.start_offset(), log.end_offset(), log.segment_count()), (20, 20, 1));
        assert_eq!(delete(&mut log, after(1000), i64::MAX), 0, "an empty one stays");
        assert_eq!(append(&mut log, &batch(&["on"])).expect("appended").base_offset, 20);
        let (log, _) = place.open(log.config(), false, 20);
        assert_eq!((log.start_offset(), log.end_offset()), (20, 21));
    }
}

#[test]
fn an_old_segment_behind_a_young_one_stays() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { retention_ms: HOUR_MS, ..config() });
    for hour in [0, 50, 0, 0] {
        for _ in 0..2 {
            append(&mut log, &timed_batch(&[(after(hour).0, &"v".repeat(900))])).expect("appended");
        }
    }
    assert_eq!(expired(&log, after(10), i64::MAX), [(0, RetentionReason::Time)]);
}

#[test]
fn by_size() {
    let place = Place::memory();
    let mut log = hourly(&place, &config());
    let size = log.size_bytes();
    let of_one = size / 10;
    let with = |log: &mut Log, bytes: u64| {
        let retention_bytes = i64::try_from(bytes).expect("small");
        log.set_config(LogConfig { retention_bytes, ..config() });
    };
    for (bytes, goes) in
        [(size + 1, 0), (size, 0), (size - of_one + 1, 0), (size - of_one, 1), (of_one, 9), (0, 10)]
    {
        with(&mut log, bytes);
        assert_eq!(count(&log, NOW), goes, "{bytes} of {size}");
    }
    with(&mut log, 3 * of_one);
    assert_eq!(expired(&log, NOW, i64::MAX)[6], (12, RetentionReason::Size));
    assert_eq!(delete(&mut log, NOW, i64::MAX), 7);
    assert_eq!(log.size_bytes(), 3 * of_one);
    with(&mut log, 0);
    assert_eq!(delete(&mut log, NOW, i64::MAX), 3);
    assert_eq!(log.size_bytes(), 0);
}

#[test]
fn nothing_at_or_after_the_high_watermark_goes() {
    let place = Place::memory();
    let mut log = hourly(&place, &LogConfig { retention_ms: 0, ..config() });
    for (upper, goes) in [(0, 0), (1, 0), (2, 1), (3, 1), (19, 9), (20, 10)] {
        assert_eq!(expired(&log, after(1000), upper).len(), goes, "upper {upper}");
    }
    assert_eq!(delete(&mut log, after(1000), 7), 3);
}

#[test]
fn reasons_follow_each_other() {
    let place = Place::memory();
    let both = LogConfig { retention_ms: 3 * HOUR_MS, ..config() };
    let log = hourly(&place, &both);
    let of_one = i64::try_from(log.size_bytes() / 10).expect("small");
    let mut log = log;
    log.set_config(LogConfig { retention_bytes: 8 * of_one, ..both });
    let by_size = [(0, RetentionReason::Size), (2, RetentionReason::Size)];
    assert_eq!(expired(&log, NOW, i64::MAX), by_size);
    let with_time = [by_size[0], by_size[1], (4, RetentionReason::Time)];
    assert_eq!(expired(&log, WallMillis(after(5).0 + 1), i64::MAX), with_time);
    assert_eq!(delete(&mut log, WallMillis(after(5).0 + 1), i64::MAX), 3);
}

#[test]
fn a_topic_that_is_only_compacted_keeps_its_segments() {
    let place = Place::memory();
    let compacted =
        LogConfig { compacted: true, deletes: false, retention_ms: 0, retention_bytes: 0, ..config() };
    let mut log = hourly(&place, &compacted);
    assert_eq!(delete(&mut log, after(1000), i64::MAX), 0);
    log.set_config(LogConfig { deletes: true, ..compacted });
    assert_eq!(delete(&mut log, after(1000), i64::MAX), 10);
}

#[test]
fn readers_of_a_deleted_segment_finish() {
    for place in Place::each() {
        let mut log = hourly(&place, &LogConfig { retention_ms: 0, ..config() });
        let held = log.read(0, everything()).expect("read").bytes;
        let copy = held.to_vec();
        delete(&mut log, after(1000), i64::MAX);
        log.cool();
        assert_eq!(held, copy);
    }
}

#[test]
fn files_are_renamed_first_and_removed_by_the_owner_or_at_the_next_start() {
    let place = Place::real();
    let mut log = hourly(&place, &LogConfig { retention_ms: 0, ..config() });
    let report = log.delete_expired(WallMillis(after(4).0 + 1), i64::MAX).expect("deleted");
    let names = |place: &Place| -> Vec<String> { place.files().into_iter().map(|(name, _)| name).collect() };
    let of_first = |name: &&String| name.starts_with("00000000000000000000.");
    let names_before = names(&place);
    let renamed: Vec<&String> = names_before.iter().filter(of_first).collect();
    assert_eq!(renamed.len(), 3);
    assert!(renamed.iter().all(|name| name.ends_with(".deleted")), "{renamed:?}");
    assert_eq!(report.deleted.len(), names_before.iter().filter(|name| name.ends_with(".deleted")).count());
    drop(report);
    let (log, _) = place.open(log.config(), false, 20);
    assert_eq!((log.start_offset(), log.end_offset()), (10, 20));
    assert!(names(&place).iter().all(|name| !name.ends_with(".deleted")));
}

#[test]
fn a_closed_log_loses_nothing() {
    let place = Place::memory();
    let mut log = hourly(&place, &LogConfig { retention_ms: 0, ..config() });
    log.close(NOW).expect("closed");
    assert!(matches!(log.delete_expired(after(1000), i64::MAX), Err(LogError::Offline)));
    assert_eq!(log.segment_count(), 10);
}

#[test]
fn the_start_of_the_log_moves_with_its_epochs() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { retention_ms: HOUR_MS, ..config() });
    for hour in 0..4 {
        for _ in 0..2 {
            let append = ottla_log::Append { leader_epoch: i32::try_from(hour).expect("small"), ..client() };
            log.append(timed_batch(&[(after(hour).0, &"v".repeat(900))]), append).expect("appended");
        }
    }
    assert_eq!(delete(&mut log, after(3), i64::MAX), 2);
    assert_eq!(log.epoch_at(4), Some(2));
    assert_eq!(log.epoch_at(3), None);
    log.sync().expect("synced");
    let epochs = String::from_utf8(place.read("leader-epoch-checkpoint")).expect("text");
    assert_eq!(epochs, "0\n2\n2 4\n3 6\n");
}

#[test]
fn a_full_disk_keeps_nothing_that_retention_has_let_go() {
    let config = LogConfig { retention_ms: 0, ..config() };
    let disk = |number| SimDisk::new(std::path::Path::new(DIRECTORY).parent().expect("parent"), number);
    let long_after = after(1000);
    let begin = |disk: &SimDisk| {
        let open = Open { clean: true, recovery_point: 0, synced: false, now: NOW };
        let shared = std::sync::Arc::new(disk.clone());
        let mut log =
            Log::open(shared, DIRECTORY.as_ref(), identity(), config.clone(), open).expect("opened").0;
        for hour in 0..5 {
            for _ in 0..2 {
                append(&mut log, &timed_batch(&[(after(hour).0, &"v".repeat(900))])).expect("appended");
            }
        }
        disk.set_rules(Vec::new());
        log
    };
    let whole = disk(0);
    let mut log = begin(&whole);
    assert_eq!(log.delete_expired(long_after, i64::MAX).expect("deleted").segments.len(), 5);
    for number in 0..whole.count(Class::Change) {
        let disk = disk(number);
        let mut log = begin(&disk);
        disk.set_rules(vec![Rule::once(Class::Change, number, Fault::Full)]);
        let outcome = log.delete_expired(long_after, i64::MAX);
        assert!(log.is_open(), "change {number}");
        if let Ok(report) = outcome {
            // There was no room for a new segment, so the last one stays.
            assert_eq!((report.segments.len(), log.segment_count()), (4, 1), "change {number}");
            report.deleted.remove().expect("removed");
        }
        let names = disk.list(DIRECTORY.as_ref()).expect("listed");
        assert!(names.iter().all(|entry| !entry.name.ends_with(".deleted")), "change {number}: {names:?}");
        assert_eq!(
            consume(&log, log.start_offset()).len() as i64,
            10 - log.start_offset(),
            "change {number}"
        );
        // There is room again, without a restart.
        let report = log.delete_expired(long_after, i64::MAX).expect("deleted");
        report.deleted.remove().expect("removed");
        assert_eq!((log.start_offset(), log.segment_count()), (10, 1), "change {number}");
        append(&mut log, &batch(&["more"])).expect("appended");
    }
}
