//! What a crash leaves at the end of a log, at every byte.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use ottla_log::LogConfig;
use support::*;

const NAME: &str = "00000000000000000000.log";

/// A log of one segment with four batches, as a crash leaves it, and where each of them ends.
fn crashed(place: &Place) -> (Vec<u8>, Vec<usize>) {
    let mut log = place.fresh(&LogConfig::default());
    let mut ends = vec![0];
    for values in [&["zero"][..], &["one", "two"], &["three"], &["four", "five", "six"]] {
        append(&mut log, &batch(values)).expect("appended");
        ends.push(log.size_bytes() as usize);
    }
    log.sync().expect("synced");
    (place.read(NAME), ends)
}

/// Opens what is there and checks that exactly the whole batches before `length` were kept.
fn check(place: &Place, good: &[u8], ends: &[usize], kept: usize, what: &str) {
    let torn = place.read(NAME).len();
    let (log, report) = place.open(&LogConfig::default(), false, 0);
    let offsets = [0, 1, 3, 4, 7];
    assert_eq!(log.end_offset(), offsets[kept], "{what}");
    assert_eq!(report.bytes_cut as usize, torn - ends[kept], "{what}");
    assert_eq!(report.batches_read as usize, kept, "{what}");
    assert_eq!(consume(&log, 0).len() as i64, offsets[kept], "{what}");
    assert_eq!(place.read(NAME), good[..ends[kept]], "{what}");
    // Doing it again changes nothing.
    drop(log);
    let (mut log, report) = place.open(&LogConfig::default(), false, 0);
    assert_eq!(report.bytes_cut, 0, "{what}");
    let appended = append(&mut log, &batch(&["next"])).expect("appended");
    assert_eq!(appended.base_offset, offsets[kept], "{what}");
    assert_eq!(values(&consume(&log, appended.base_offset)), ["next"], "{what}");
}

#[test]
fn a_tail_that_is_cut_anywhere_loses_its_last_batch_only() {
    for place in Place::each() {
        let (good, ends) = crashed(&place);
        for length in 0..=good.len() {
            place.write(NAME, &good[..length]);
            let kept = ends.iter().rposition(|&end| end <= length).expect("some");
            check(&place, &good, &ends, kept, &format!("cut at {length}"));
        }
    }
}

#[test]
fn a_tail_of_zeros_or_garbage_or_old_bytes_goes() {
    let place = Place::memory();
    let (good, ends) = crashed(&place);
    let mut random = Seeded(3);
    for length in 0..=good.len() {
        let kept = ends.iter().rposition(|&end| end <= length).expect("some");
        let zeros = [&good[..length], &[0; 4096]].concat();
        let garbage: Vec<u8> =
            good[..length].iter().copied().chain((0..300).map(|_| random.next() as u8)).collect();
        let repeated = [&good[..ends[kept]], &good[..ends[1]]].concat();
        for (name, bytes) in [("zeros", zeros), ("garbage", garbage), ("old bytes", repeated)] {
            // Zeros behind a cut may be the very bytes that were cut.
            let kept = ends.iter().rposition(|&end| bytes.get(..end) == Some(&good[..end])).expect("some");
            if kept == 0 && name == "old bytes" {
                continue;
            }
            place.write(NAME, &bytes);
            check(&place, &good, &ends, kept, &format!("{name} from {length}"));
        }
    }
}

#[test]
fn every_flipped_bit_above_the_recovery_point_is_found() {
    let place = Place::memory();
    let (good, ends) = crashed(&place);
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        place.write(NAME, &flipped);
        let (log, report) = place.open(&LogConfig::default(), false, 0);
        let damaged = ends.iter().rposition(|&end| end <= bit / 8).expect("some");
        let in_batch = bit / 8 - ends[damaged];
        // The base offset and the epoch lie outside the CRC. The order of the batches and of the epochs is
        // what is left to judge them by; a few flips pass, and change no record.
        if in_batch < 8 || (12..16).contains(&in_batch) {
            assert!(log.segment_count() == 1);
            continue;
        }
        assert_eq!(log.size_bytes() as usize, ends[damaged], "bit {bit}");
        assert_eq!(report.bytes_cut as usize, good.len() - ends[damaged], "bit {bit}");
    }
}

#[test]
fn segments_after_a_cut_go_too() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        for _ in 0..100 {
            append(&mut log, &batch(&["some value"])).expect("appended");
        }
        log.sync().expect("synced");
        let segments = log.segment_count();
        drop(log);
        let logs: Vec<String> =
            place.files().into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".log")).collect();
        let second = place.read(&logs[1]);
        place.write(&logs[1], &second[..second.len() - 1]);
        let (log, report) = place.open(&config, false, 0);
        assert_eq!(report.segments_removed, segments - 2);
        assert_eq!((log.segment_count(), report.segments), (2, 2));
        let end = log.end_offset();
        assert_eq!(consume(&log, 0).len() as i64, end);
        let names: Vec<String> = place.files().into_iter().map(|(name, _)| name).collect();
        assert!(names.iter().all(|name| !name.ends_with(".log") || logs[..2].contains(name)), "{names:?}");
    }
}

#[test]
fn a_segment_that_is_missing_leaves_no_hole() {
    let place = Place::memory();
    let config = small_segments();
    let mut log = place.fresh(&config);
    for _ in 0..100 {
        append(&mut log, &batch(&["some value"])).expect("appended");
    }
    let files = place.files();
    let logs: Vec<&String> =
        files.iter().map(|(name, _)| name).filter(|name| name.ends_with(".log")).collect();
    place.remove(logs[2]);
    let (log, report) = place.open(&config, false, 0);
    assert_eq!(log.segment_count(), 2);
    assert_eq!(report.segments_removed, logs.len() - 3);
    assert_eq!(consume(&log, 0).len() as i64, log.end_offset());
}

#[test]
fn only_batches_from_the_recovery_point_on_are_judged() {
    let place = Place::memory();
    let config = small_segments();
    let mut log = place.fresh(&config);
    for _ in 0..100 {
        append(&mut log, &batch(&["some value"])).expect("appended");
    }
    drop(log);
    let (log, report) = place.open(&config, false, 90);
    assert_eq!((log.end_offset(), report.batches_read, report.lost_synced_bytes), (100, 10, false));
    assert!(report.indexes_rebuilt <= 2);
    let (_, report) = place.open(&config, false, 150);
    assert!(report.lost_synced_bytes, "less is there than was synced");
    assert!(report.batches_read > 0, "so that what is there is judged");
}

#[test]
fn a_clean_mark_that_lies_is_noticed() {
    let place = Place::memory();
    let (good, ends) = crashed(&place);
    for length in ends[3] + 1..good.len() {
        place.write(NAME, &good[..length]);
        let (log, report) = place.open(&LogConfig::default(), true, 7);
        assert!(report.not_clean);
        assert_eq!((log.end_offset(), log.size_bytes() as usize), (4, ends[3]));
    }
}
