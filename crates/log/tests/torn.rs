//! What a crash leaves at the end of a log, at every byte.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use ottla_log::{Log, LogConfig, ReadError, ReadLimit, RecoveryReport};
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
        let (log, report) = place.open(&LogConfig::default(), true, 4);
        assert!(report.not_clean);
        assert_eq!((log.end_offset(), log.size_bytes() as usize), (4, ends[3]));
    }
}

#[test]
fn a_stale_block_behind_the_end_goes() {
    // The blocks of a file that was longer once: batches that are good, at places where they do not belong.
    let place = Place::memory();
    let (good, ends) = crashed(&place);
    for from in 0..4 {
        for to in from + 1..=4 {
            let stale = [&good[..ends[3]], &good[ends[from]..ends[to]]].concat();
            place.write(NAME, &stale);
            let kept = if from == 3 { 4 } else { 3 };
            check(&place, &good, &ends, kept, &format!("batches {from} to {to} behind the third"));
        }
    }
}

/// Reads each offset; `Ok` with the values of its batch, `Err` when it is bad.
fn outcomes(log: &Log) -> Vec<Result<Vec<String>, ()>> {
    let limit = ReadLimit { max_bytes: 1, ..everything() };
    let read = |offset| match log.read(offset, limit) {
        Ok(read) => Ok(values(
            &ottla_log::records(&read.bytes)
                .expect("records")
                .map(|record| record.expect("record"))
                .collect::<Vec<_>>(),
        )),
        Err(ReadError::Corrupt { .. }) => Err(()),
        Err(error) => panic!("{error}"),
    };
    (0..log.end_offset()).map(read).collect()
}

/// What is kept aside when some bytes are changed that were once down.
fn damage(places: &[usize], recovery_point: i64) -> (Place, Log, RecoveryReport, Vec<u8>) {
    let place = Place::memory();
    let (mut bytes, ends) = crashed(&place);
    for &batch in places {
        bytes[ends[batch] + 70] ^= 0x10;
    }
    place.write(NAME, &bytes);
    let (log, report) = place.open(&LogConfig::default(), false, recovery_point);
    (place, log, report, bytes)
}

#[test]
fn bad_bytes_below_the_recovery_point_are_kept_and_the_rest_is_served() {
    let (zero, three) = (|| Ok(vec!["zero".to_owned()]), || Ok(vec!["three".to_owned()]));
    let last = || Ok(["four", "five", "six"].map(str::to_owned).to_vec());
    let (place, log, _, bytes) = damage(&[1], 7);
    // Nothing below the recovery point is read by recovery, so the read is what finds it.
    assert_eq!(outcomes(&log), [zero(), Err(()), Err(()), three(), last(), last(), last()]);
    assert_eq!(
        log.quarantined().iter().map(|bad| bad.offsets.clone()).collect::<Vec<_>>(),
        Vec::from_iter(std::iter::once(1..3))
    );
    assert!(log.is_quarantined(2..10) && !log.is_quarantined(3..7));
    let limit = ReadLimit { max_bytes: usize::MAX, ..everything() };
    assert_eq!(log.read(0, limit).expect("read").next, 1, "a read ends before them");
    assert_eq!(place.read(NAME), bytes, "they stay");
}

#[test]
fn a_batch_that_is_broken_open_is_stepped_over_by_recovery() {
    for batch in 0..4 {
        let place = Place::memory();
        let (mut bytes, ends) = crashed(&place);
        // Its length is gone, so that only the bytes themselves tell where the next one begins.
        bytes[ends[batch] + 8..ends[batch] + 12].fill(0xff);
        place.write(NAME, &bytes);
        let (mut log, report) = place.open(&LogConfig::default(), false, 7);
        let offsets = [0, 1, 3, 4, 7];
        let [bad] = &report.quarantined[..] else { panic!("{report:?}") };
        assert_eq!(bad.offsets, offsets[batch]..offsets[batch + 1]);
        assert_eq!(bad.positions, ends[batch] as u64..ends[batch + 1] as u64);
        assert_eq!((log.end_offset(), report.bytes_cut, report.lost_synced_bytes), (7, 0, true));
        // The log goes on behind them, and looks the same when it is recovered again.
        append(&mut log, &batch_of("next")).expect("appended");
        log.sync().expect("synced");
        let before = outcomes(&log);
        assert!((0..8).all(|offset| before[offset as usize].is_err() == bad.offsets.contains(&offset)));
        drop(log);
        let (log, again) = place.open(&LogConfig::default(), false, 8);
        assert_eq!((again.bytes_cut, log.end_offset(), outcomes(&log)), (0, 8, before));
        assert_eq!(
            (log.quarantined(), values(&consume(&log, 7))),
            (report.quarantined, vec!["next".to_owned()])
        );
        let found = log.offset_for_time(0, i64::MAX).expect("looked").expect("found");
        assert_eq!(found.offset, i64::from(batch == 0), "a search by time goes past them");
    }
}

fn batch_of(value: &str) -> bytes::Bytes {
    batch(&[value])
}

#[test]
fn a_bad_end_below_the_recovery_point_keeps_its_offsets() {
    let place = Place::memory();
    let (good, ends) = crashed(&place);
    for length in ends[3] + 1..good.len() {
        let place = Place::memory();
        crashed(&place);
        place.write(NAME, &good[..length]);
        let (mut log, report) = place.open(&LogConfig::default(), false, 7);
        assert_eq!((log.end_offset(), report.bytes_cut), (7, 0), "length {length}");
        assert_eq!(report.quarantined[0].offsets, 4..7);
        assert_eq!(append(&mut log, &batch_of("next")).expect("appended").base_offset, 7);
        assert_eq!(place.read(NAME), good[..length], "nothing is written behind them");
        let before = outcomes(&log);
        let are_read: Vec<bool> = before.iter().map(Result::is_ok).collect();
        assert_eq!(are_read, [true, true, true, true, false, false, false, true]);
        drop(log);
        let (log, report) = place.open(&LogConfig::default(), false, 7);
        assert_eq!((log.end_offset(), report.bytes_cut, outcomes(&log)), (8, 0, before), "length {length}");
    }
    // Nothing there at all is nothing to keep.
    place.write(NAME, &good[..ends[3]]);
    let (log, report) = place.open(&LogConfig::default(), false, 7);
    assert_eq!((log.end_offset(), report.lost_synced_bytes, report.quarantined.len()), (4, true, 0));
}

#[test]
fn bad_bytes_on_both_sides_of_the_recovery_point() {
    let (place, log, report, bytes) = damage(&[1, 3], 4);
    // The last batch is above it, and is cut; the other one is kept.
    assert_eq!((log.end_offset(), report.quarantined.len()), (4, 0));
    let kept = log.size_bytes() as usize;
    assert_eq!(place.read(NAME), bytes[..kept]);
    assert_eq!(outcomes(&log).iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
}
