//! Offsets by time against a search through all records.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use ottla_log::{BatchBuilder, Log, LogConfig, NewRecord, TimestampType};
use support::*;

/// Appends batches of random size, codec and times, and returns the times by offset.
fn fill(log: &mut Log, random: &mut Seeded, batches: u64, spread: u64) -> Vec<i64> {
    let mut times = Vec::new();
    for number in 0..batches {
        let mut builder = BatchBuilder::new();
        for _ in 0..random.between(1, 8) {
            let timestamp = 1000 + (number * 10) as i64 + random.below(spread) as i64;
            times.push(timestamp);
            let value = random.bytes(20);
            builder.push(NewRecord { timestamp, key: None, value: Some(&value), headers: &[] });
        }
        let (codec, framing) = CODECS[random.below(6) as usize];
        append(log, &compress(&builder.build(), codec, framing)).expect("appended");
    }
    times
}

fn check(log: &Log, times: &[i64], what: &str) {
    let start = log.start_offset() as usize;
    let (low, high) = (times.iter().min().expect("some"), times.iter().max().expect("some"));
    for asked in (low - 2..=high + 2).step_by(3) {
        let expected = times.iter().enumerate().skip(start).find(|&(_, &time)| time >= asked);
        for upper in [i64::MAX, 57] {
            let expected = expected.filter(|&(offset, _)| (offset as i64) < upper);
            let found = log.offset_for_time(asked, upper).expect("looked");
            let found = found.map(|found| (found.offset as usize, found.timestamp, found.leader_epoch));
            assert_eq!(found, expected.map(|(offset, &time)| (offset, time, 3)), "{what}: time {asked}");
        }
    }
    let largest = times.iter().position(|time| time == high).map(|offset| offset as i64);
    let found = log.offset_of_max_timestamp().expect("looked").expect("found");
    assert_eq!((Some(found.offset), found.timestamp), (largest, *high), "{what}");
}

#[test]
fn the_first_record_at_or_after_a_time_is_found() {
    for seed in 0..12 {
        for (place, spread) in [(Place::memory(), 15), (Place::real(), 400)] {
            let what = format!("seed {seed}, spread {spread}");
            let config = LogConfig { segment_bytes: 1500, index_interval_bytes: 200, ..LogConfig::default() };
            let mut random = Seeded(seed);
            let mut log = place.fresh(&config);
            let times = fill(&mut log, &mut random, 60, spread);
            assert!(log.segment_count() > 3);
            check(&log, &times, &what);
            check(&place.open(&config, false, 0).0, &times, &what);
            log.close(NOW).expect("closed");
            let (mut log, _) = place.open(&config, true, times.len() as i64);
            check(&log, &times, &what);
            // The largest time may lie before the start, which changes nothing for the search from the start
            // on.
            let high = *times.iter().max().expect("some");
            let after = times.iter().position(|&time| time == high).expect("there") as i64;
            log.advance_start_offset(after.min(40)).expect("moved");
            check(&log, &times, &what);
        }
    }
}

#[test]
fn with_the_time_of_the_append_the_first_record_of_a_batch_is_found() {
    let place = Place::memory();
    let mut log =
        place.fresh(&LogConfig { timestamp_type: TimestampType::LogAppendTime, ..LogConfig::default() });
    for minute in 0..5 {
        let now = ottla_model::WallMillis(NOW.0 + minute * 60_000);
        let append = ottla_log::Append { now, ..client() };
        log.append(timed_batch(&[(1, "a"), (2, "b"), (3, "c")]), append).expect("appended");
    }
    let found = log.offset_for_time(NOW.0 + 60_001, i64::MAX).expect("looked").expect("found");
    assert_eq!((found.offset, found.timestamp), (6, NOW.0 + 120_000));
    assert_eq!(log.offset_of_max_timestamp().expect("looked").expect("found").offset, 12);
    assert_eq!(log.offset_for_time(NOW.0 + 240_001, i64::MAX).expect("looked"), None);
}
