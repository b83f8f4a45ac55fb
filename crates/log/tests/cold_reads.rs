//! Hot reads, which need nothing but memory, and cold ones, whose long part runs without the log.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod support;

use ottla_log::disk::sim::{Class, Fault, Rule};
use ottla_log::{Cold, Log, LogConfig, Open, Read, ReadError, ReadLimit};
use support::script::{DIRECTORY, files, new_disk, path};
use support::*;

fn fill(log: &mut Log, count: usize) {
    for number in 0..count {
        append(log, &batch(&[&format!("value {number}"), "and another one"])).expect("appended");
    }
}

/// A read as somebody does it who may not wait with the log in his hands.
fn read_in_parts(log: &Log, from: i64, limit: ReadLimit) -> Result<Read, ReadError> {
    let warm = log.plan_cold(from, limit)?.map(Cold::warm).transpose()?;
    log.read_warm(from, limit, warm.as_ref())
}

#[test]
fn every_way_to_read_gives_the_same() {
    for place in Place::each() {
        let mut log = place.fresh(&small_segments());
        fill(&mut log, 60);
        let (mut hot, mut cold) = (0, 0);
        for from in 0..=log.end_offset() {
            for max_bytes in [0, 1, 150, 700, usize::MAX] {
                for upper in [from, from + 3, i64::MAX] {
                    for at_least_one in [false, true] {
                        let limit = ReadLimit { max_bytes, at_least_one, upper };
                        let whole = log.read(from, limit).expect("read");
                        assert_eq!(read_in_parts(&log, from, limit).expect("read"), whole);
                        match log.read_hot(from, limit).expect("read") {
                            Some(read) => {
                                hot += 1;
                                assert_eq!(read, whole);
                            }
                            None => cold += 1,
                        }
                    }
                }
            }
        }
        assert!(hot > 100 && cold > 100, "{hot} hot, {cold} cold");
        let beyond = log.end_offset() + 1;
        assert!(matches!(log.read_hot(beyond, everything()), Err(ReadError::OutOfRange)));
        assert!(matches!(log.plan_cold(beyond, everything()), Err(ReadError::OutOfRange)));
    }
}

#[test]
fn what_was_appended_is_hot_until_the_log_is_idle() {
    let place = Place::real();
    let is_hot = |log: &Log, from| log.read_hot(from, everything()).expect("read").is_some();
    let mut log = place.fresh(&LogConfig::default());
    fill(&mut log, 20);
    assert!((0..=40).all(|from| is_hot(&log, from)));
    log.cool();
    assert!(!is_hot(&log, 0), "its pages may be gone");
    assert!(is_hot(&log, 40), "there is nothing to read");
    fill(&mut log, 1);
    assert!(is_hot(&log, 40) && is_hot(&log, 41) && !is_hot(&log, 39));
    assert_eq!(consume(&log, 40).len(), 2);
    log.close(NOW).expect("closed");

    // After a start the new records are hot at once, however far the last entry of the index is.
    let (mut log, _) = place.open(&LogConfig::default(), true, 42);
    assert!(!is_hot(&log, 0));
    fill(&mut log, 1);
    assert!(is_hot(&log, 42) && !is_hot(&log, 41));
    assert_eq!(
        log.read_hot(42, everything()).expect("read"),
        Some(log.read(42, everything()).expect("read"))
    );
    drop(log);

    // What recovery has judged is hot once the files are open.
    let (log, _) = place.open(&LogConfig::default(), false, 0);
    assert!(!is_hot(&log, 0));
    log.read(0, everything()).expect("read");
    assert!((0..=44).all(|from| is_hot(&log, from)));
}

#[test]
fn a_hot_read_asks_nothing_of_the_disk_that_could_wait() {
    let disk = new_disk(1);
    let open = Open { clean: true, recovery_point: 0, synced: false, now: NOW };
    let shared = std::sync::Arc::new(disk.clone());
    let mut log =
        Log::open(shared, DIRECTORY.as_ref(), identity(), small_segments(), open).expect("opened").0;
    fill(&mut log, 60);
    log.sync().expect("synced");
    log.cool();
    disk.set_rules(vec![Rule::from(Class::Read, 0, Fault::Failing)]);
    for from in 0..log.end_offset() {
        assert_eq!(log.read_hot(from, everything()).expect("nothing is asked"), None, "{from}");
    }
    assert_eq!(disk.count(Class::Read), 0);
    assert!(matches!(log.read(0, everything()), Err(ReadError::Storage(_))));
}

#[test]
fn bad_bytes_end_a_read_in_parts_as_any_other() {
    let disk = new_disk(1);
    let open = Open { clean: true, recovery_point: 0, synced: false, now: NOW };
    let shared = std::sync::Arc::new(disk.clone());
    let mut log =
        Log::open(shared, DIRECTORY.as_ref(), identity(), small_segments(), open).expect("opened").0;
    fill(&mut log, 60);
    let (name, bytes) = files(&disk).into_iter().find(|(name, _)| name.ends_with(".log")).expect("one");
    let size =
        ottla_log::BatchHeader::parse(&bytes).and_then(|header| header.size_in_bytes()).expect("header");
    // The third batch holds the offsets 4 and 5.
    disk.flip_bit(&path(&name), 8 * (2 * size + 80) as u64).expect("flipped");
    let read = read_in_parts(&log, 0, everything()).expect("what comes before it");
    assert_eq!((read.next, read.bytes.len()), (4, 2 * size));
    assert!(matches!(read_in_parts(&log, 4, everything()), Err(ReadError::Corrupt { .. })));
    assert_eq!(read_in_parts(&log, 6, everything()).expect("what comes behind it").position, 3 * size as u64);
    assert_eq!(log.quarantined()[0].offsets, 4..6);
}

#[test]
fn a_log_that_changes_during_a_read_in_parts_is_read_as_it_is_then() {
    let place = Place::real();
    let mut log = place.fresh(&small_segments());
    fill(&mut log, 60);
    let first = log.read(0, everything()).expect("read");
    let warm = log.plan_cold(0, everything()).expect("planned").expect("something").warm().expect("warm");
    log.advance_start_offset(first.next).expect("moved");
    assert!(matches!(log.read_warm(0, everything(), Some(&warm)), Err(ReadError::OutOfRange)));
    // It is not taken for what is elsewhere.
    let second = log.read(first.next, everything()).expect("read");
    assert_eq!(log.read_warm(first.next, everything(), Some(&warm)).expect("read"), second);
    assert_ne!(second.bytes, first.bytes);
}

#[test]
fn a_page_that_the_disk_cannot_give_is_an_error_and_the_rest_is_served() {
    let place = Place::real();
    let config = LogConfig { segment_bytes: 100_000, ..LogConfig::default() };
    let mut log = place.fresh(&config);
    let value = "v".repeat(1000);
    while log.segment_count() < 2 {
        append(&mut log, &batch(&[&value])).expect("appended");
    }
    let all = consume(&log, 0).len();
    let file = place.dir().join("00000000000000000000.log");
    // The pages behind the new end raise SIGBUS, as those of a bad sector do.
    std::fs::File::options().write(true).open(file).expect("there").set_len(8192).expect("cut");
    let limit = ReadLimit { max_bytes: 2000, ..everything() };
    assert_eq!(read_in_parts(&log, 0, limit).expect("there").position, 0);
    for read in [log.read(0, everything()), read_in_parts(&log, 0, everything())] {
        let Err(ReadError::Storage(error)) = read else { panic!("{read:?}") };
        assert_eq!(error.raw_os_error(), Some(5), "EIO");
    }
    assert!(log.is_open() && log.quarantined().is_empty(), "what cannot be read is not bad");
    let last = all as i64 - 1;
    assert_eq!(log.read(last, everything()).expect("the other segment").next, last + 1);
    append(&mut log, &batch(&["more"])).expect("appended");
}
