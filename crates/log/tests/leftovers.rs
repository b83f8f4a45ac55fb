//! Side files that are missing, empty, short, too long or full of garbage, in all combinations: the answers are
//! those of a log whose files are whole.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use ottla_log::disk::sim::{Class, Fault, Rule};
use ottla_log::{Append, BatchBuilder, Log, LogConfig, NewRecord, Origin, SimDisk};
use support::*;

fn config() -> LogConfig {
    LogConfig { segment_bytes: 700, index_interval_bytes: 100, ..LogConfig::default() }
}

/// A log of two segments that was closed, with two leader epochs and two producers.
fn closed() -> Place {
    let place = Place::memory();
    let mut log = place.fresh(&config());
    for number in 0..14 {
        let mut builder = BatchBuilder::new();
        if number % 3 > 0 {
            builder = builder.producer(number % 3, 0, number as i32 / 3);
        }
        // Timestamps that rise and fall.
        let timestamp = NOW.0 + number * 37 % 100;
        let value = format!("value {number}");
        builder.push(NewRecord { timestamp, key: None, value: Some(value.as_bytes()), headers: &[] });
        let append = Append::new(2 + number as i32 / 5, Origin::Client, NOW);
        log.append(builder.build(), append).expect("appended");
    }
    assert_eq!(log.segment_count(), 2);
    log.close(NOW).expect("closed");
    place
}

/// Everything that can be asked of the log.
fn answers(log: &mut Log) -> String {
    let records = values(&consume(log, 0));
    let times: Vec<_> =
        (0..110).map(|time| log.offset_for_time(NOW.0 + time, i64::MAX).expect("looked")).collect();
    let largest = log.offset_of_max_timestamp().expect("looked");
    let epochs: Vec<_> = (1..6).map(|epoch| log.epoch_end_offset(epoch, 6)).collect();
    let reads: Vec<_> = (0..14).map(|offset| log.read(offset, everything()).expect("read")).collect();
    let producers: Vec<_> = [1, 2].map(|id| repeat(log, id)).into();
    format!("{records:?} {times:?} {largest:?} {epochs:?} {reads:?} {producers:?}")
}

/// A producer sends its last batch again.
fn repeat(log: &mut Log, id: i64) -> (i64, bool) {
    let number = (0..14).rev().find(|number| number % 3 == id).expect("one");
    let batches: Vec<_> = log.batches(number).map(|batch| batch.expect("batch")).collect();
    let sent = script::stamped(&batches[0], 0, -1);
    let again = append(log, &sent).expect("a duplicate");
    (again.base_offset, again.duplicate)
}

fn restore(place: &Place, files: &[(String, Vec<u8>)]) {
    for (name, _) in place.files() {
        place.remove(&name);
    }
    for (name, bytes) in files {
        place.write(name, bytes);
    }
}

fn side_files(files: &[(String, Vec<u8>)]) -> Vec<String> {
    files.iter().map(|(name, _)| name.clone()).filter(|name| !name.ends_with(".log")).collect()
}

fn check(place: &Place, clean: bool, expected: &str, what: &str) {
    let (mut log, report) = place.open(&config(), clean, 14);
    assert_eq!((report.bytes_cut, report.quarantined.len()), (0, 0), "{what}");
    assert_eq!(answers(&mut log), expected, "{what}");
}

#[test]
fn every_subset_of_missing_side_files_changes_no_answer() {
    let place = closed();
    let files = place.files();
    let expected = answers(&mut place.open(&config(), true, 14).0);
    let names = side_files(&files);
    let mut subsets = 0;
    for subset in 0..1u32 << names.len() {
        restore(&place, &files);
        let missing: Vec<_> = (0..names.len()).filter(|bit| subset >> bit & 1 == 1).collect();
        missing.iter().for_each(|&place_of| place.remove(&names[place_of]));
        check(&place, subset % 2 == 0, &expected, &format!("without {missing:?} of {names:?}"));
        subsets += 1;
    }
    println!("leftovers: {subsets} subsets of {} side files missing, no answer changed", names.len());
}

#[test]
fn side_files_that_cannot_be_right_change_no_answer() {
    let place = closed();
    let files = place.files();
    let expected = answers(&mut place.open(&config(), true, 14).0);
    let mut random = Seeded(7);
    let mut cases = 0;
    for name in side_files(&files) {
        let good = files.iter().find(|file| file.0 == name).expect("there").1.clone();
        let mut bad: Vec<(String, Vec<u8>)> =
            (0..good.len()).map(|length| (format!("cut to {length}"), good[..length].to_vec())).collect();
        bad.push(("zeros".into(), vec![0; good.len()]));
        bad.push(("zeros behind it".into(), [&good[..], &[0; 10_000]].concat()));
        bad.push(("itself behind it".into(), good.repeat(2)));
        for round in 0..20 {
            let length = random.below(200) as usize;
            let garbage = (0..length).map(|_| random.next() as u8).collect();
            bad.push((format!("garbage {round}"), garbage));
        }
        for (how, bytes) in bad {
            for clean in [true, false] {
                restore(&place, &files);
                place.write(&name, &bytes);
                check(&place, clean, &expected, &format!("{name}: {how}, clean {clean}"));
                cases += 1;
            }
        }
    }
    println!("leftovers: {cases} damaged side files, no answer changed");
}

#[test]
fn a_time_index_without_its_last_entries_is_noticed() {
    // After a clean stop nothing but the batches tells that entries are missing.
    let place = closed();
    let files = place.files();
    let expected = answers(&mut place.open(&config(), true, 14).0);
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".timeindex")) {
        assert!(bytes.len() >= 24, "something to cut");
        for length in (0..bytes.len()).step_by(12) {
            restore(&place, &files);
            place.write(name, &bytes[..length]);
            check(&place, true, &expected, &format!("{name} cut to {length}"));
        }
    }
}

#[test]
fn files_of_nobody_are_left_alone_or_removed() {
    let place = closed();
    let files = place.files();
    let expected = answers(&mut place.open(&config(), true, 14).0);
    restore(&place, &files);
    place.write("00000000000000000099.index", b"an index without a segment");
    place.write("00000000000000000099.timeindex", b"and its other one");
    place.write("00000000000000000099.snapshot", b"a snapshot from the future");
    place.write("leader-epoch-checkpoint.tmp", b"half a repl");
    place.write("notes.txt", b"an operator's");
    check(&place, false, &expected, "with files of nobody");
    let names: Vec<String> = place.files().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"notes.txt".to_owned()));
    assert!(!names.iter().any(|name| name.contains("99.") || name.ends_with(".tmp")), "{names:?}");
}

/// What was not looked for is not mixed with what is appended, and a try that the disk had no room for may be repeated.
#[test]
fn a_log_that_was_not_looked_for_is_written_only_where_there_is_none() {
    for place in Place::each() {
        let mut new = Log::create(place.disk.clone(), &place.dir(), identity(), config());
        assert_eq!((new.start_offset(), new.end_offset(), new.segment_count()), (0, 0, 0));
        assert!(place.disk.list(&place.dir()).is_err(), "nothing is made before the first batch");
        let mut before = Log::create(place.disk.clone(), &place.dir(), identity(), config());
        append(&mut before, &batch(&["a", "b"])).expect("appended");
        let files = place.files();
        assert!(append(&mut new, &batch(&["c"])).is_err());
        assert!(!new.is_open());
        assert_eq!(place.files(), files);
        append(&mut before, &batch(&["c"])).expect("appended");
        before.close(NOW).expect("closed");
        let (mut again, _) = place.open(&config(), true, 3);
        assert_eq!(values(&consume(&again, 0)), ["a", "b", "c"]);
        append(&mut again, &batch(&["d"])).expect("what was looked at is written to");
    }
}

#[test]
fn a_log_that_was_not_looked_for_begins_when_there_is_room() {
    for number in 0.. {
        let disk = SimDisk::new(Path::new("/data"), 1);
        let dir = Path::new("/data/topic-0");
        let mut log = Log::create(Arc::new(disk.clone()), dir, identity(), config());
        disk.set_rules(vec![Rule::once(Class::Change, number, Fault::Full)]);
        if append(&mut log, &batch(&["a"])).is_ok() {
            assert!(number > 2, "a directory, a file in it and a batch need room");
            break;
        }
        assert_eq!(append(&mut log, &batch(&["a"])).expect("there is room").base_offset, 0, "{number}");
        assert_eq!(values(&consume(&log, 0)), ["a"], "{number}");
    }
}
