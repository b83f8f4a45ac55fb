//! Disks that are full, and disks that fail, at every single operation.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod support;

use std::io;

use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
use ottla_log::{AppendError, Log, LogConfig, LogError, Open, ReadError, SimDisk};
use support::script::{DIRECTORY, files, new_disk, path};
use support::*;

fn open(disk: &SimDisk, config: &LogConfig, clean: bool, recovery_point: i64) -> Log {
    let open = Open { clean, recovery_point, synced: false, now: NOW };
    let disk = std::sync::Arc::new(disk.clone());
    Log::open(disk, DIRECTORY.as_ref(), identity(), config.clone(), open).expect("opened").0
}

/// Appends and syncs; what was acknowledged, and up to where it was synced.
struct Written {
    values: Vec<String>,
    synced: usize,
    failures: usize,
}

const APPENDS: usize = 40;

/// Appends with a sync after each fifth, as long as the log is open.
fn write(log: &mut Log, mut acknowledged: impl FnMut(&Log, &[String])) -> Written {
    let mut written = Written { values: Vec::new(), synced: 0, failures: 0 };
    for number in 0..APPENDS {
        let value = format!("value {number}");
        match append(log, &batch(&[&value])) {
            Ok(appended) => {
                assert_eq!(appended.base_offset, written.values.len() as i64);
                written.values.push(value);
            }
            Err(AppendError::Storage(_)) => written.failures += 1,
            Err(other) => panic!("{other}"),
        }
        if number % 5 == 4 && log.is_open() {
            match log.sync() {
                Ok(()) => written.synced = written.values.len(),
                Err(_) => written.failures += 1,
            }
        }
        acknowledged(log, &written.values);
        if !log.is_open() {
            break;
        }
    }
    written
}

fn operations(class: Class) -> u64 {
    let disk = new_disk(1);
    write(&mut open(&disk, &small_segments(), true, 0), |_, _| {});
    disk.count(class)
}

#[test]
fn a_full_disk_refuses_and_heals_at_every_change() {
    let total = operations(Class::Change);
    for fault in [Fault::Full, Fault::ShortWrite] {
        for number in 0..total {
            for count in [1, 15] {
                let what = format!("{count} changes from {number} with {fault:?}");
                let disk = new_disk(number);
                disk.set_rules(vec![Rule { class: Class::Change, from: number, count, fault }]);
                let mut log = open(&disk, &small_segments(), true, 0);
                let written = write(&mut log, |log, values| {
                    assert_eq!(support::values(&consume(log, 0)), values, "{what}: reading goes on");
                });
                assert!(written.failures > 0 || count == 1, "{what}: noticed");
                assert!(log.is_open(), "{what}");
                // There is room again, and the log goes on without being opened again.
                disk.set_rules(Vec::new());
                append(&mut log, &batch(&["healed"])).unwrap_or_else(|error| panic!("{what}: {error}"));
                log.sync().unwrap_or_else(|error| panic!("{what}: {error}"));
                let expected = [&written.values[..], &["healed".to_owned()]].concat();
                let end = expected.len() as i64;
                let dark = open(&disk.crash(Loss::Dropped, 0), &small_segments(), false, end);
                assert_eq!(values(&consume(&dark, 0)), expected, "{what}: what was synced survives");
                let (recovery_point, disk) = (log.close(NOW).expect("closed").recovery_point, disk.kill());
                assert_eq!(
                    values(&consume(&open(&disk, &small_segments(), true, recovery_point), 0)),
                    expected
                );
            }
        }
    }
    println!("faults: a full disk at each of {total} changes, twice: healed without being opened again");
}

#[test]
fn a_change_that_fails_is_never_acknowledged_and_closes_the_log() {
    let total = operations(Class::Change);
    for number in 0..total {
        let disk = new_disk(number);
        disk.set_rules(vec![Rule::once(Class::Change, number, Fault::Failing)]);
        let mut log = open(&disk, &small_segments(), true, 0);
        let written = write(&mut log, |_, _| {});
        assert_eq!(written.failures, 1, "change {number}: noticed");
        check_offline(&mut log, &written, &format!("change {number}"));
        for (left, kept) in
            [(disk.kill(), written.values.len()), (disk.crash(Loss::Dropped, 0), written.synced)]
        {
            let log = open(&left, &small_segments(), false, written.synced as i64);
            let found = values(&consume(&log, 0));
            assert!(
                found.len() >= kept && written.values.starts_with(&found[..kept]),
                "change {number}: {found:?}"
            );
        }
    }
    println!("faults: EIO at each of {total} changes: not acknowledged, closed for good, nothing lost");
}

#[test]
fn a_sync_that_fails_is_never_acknowledged_and_never_tried_again() {
    let total = operations(Class::Sync);
    for fault in [Fault::Failing, Fault::Full] {
        let mut offline = 0;
        for number in 0..total {
            let what = format!("sync {number} with {fault:?}");
            let disk = new_disk(number);
            disk.set_rules(vec![Rule::once(Class::Sync, number, fault)]);
            let mut log = open(&disk, &small_segments(), true, 0);
            let written = write(&mut log, |_, _| {});
            assert_eq!(written.failures, 1, "{what}: noticed");
            if log.is_open() {
                // Only a checkpoint that did not fit is written again: it is another file then.
                assert_eq!(fault, Fault::Full, "{what}");
                assert_eq!(written.synced, APPENDS, "{what}");
            } else {
                offline += 1;
                check_offline(&mut log, &written, &what);
                assert_eq!(disk.count(Class::Sync), number + 1, "{what}: not tried again");
            }
            let dark = open(&disk.crash(Loss::Dropped, 0), &small_segments(), false, written.synced as i64);
            let found = values(&consume(&dark, 0));
            assert!(found.len() >= written.synced && written.values.starts_with(&found), "{what}: {found:?}");
        }
        println!(
            "faults: {fault:?} at each of {total} syncs: never acknowledged, {offline} times closed for good"
        );
    }
}

/// A log that an error has closed: nothing is written any more, and what was synced can be read.
fn check_offline(log: &mut Log, written: &Written, what: &str) {
    assert!(!log.is_open(), "{what}");
    assert!(matches!(append(log, &batch(&["more"])), Err(AppendError::Closed)), "{what}");
    assert!(matches!(log.sync(), Err(LogError::Offline)), "{what}");
    assert!(matches!(log.close(NOW), Err(LogError::Offline)), "{what}");
    assert_eq!(log.recovery_point(), written.synced as i64, "{what}");
    let end = log.end_offset();
    for offset in 0..end {
        match log.read(offset, everything()) {
            Ok(read) => {
                assert!(
                    offset < log.recovery_point() && read.next <= log.recovery_point(),
                    "{what}: {offset}"
                );
                assert_eq!(values_of(&read.bytes)[0], written.values[offset as usize], "{what}");
            }
            Err(ReadError::Closed) => assert!(offset >= log.recovery_point(), "{what}: {offset}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

fn values_of(bytes: &bytes::Bytes) -> Vec<String> {
    let first =
        ottla_log::BatchHeader::parse(bytes).and_then(|header| header.size_in_bytes()).expect("header");
    let records = ottla_log::records(&bytes.slice(..first)).expect("records");
    values(&records.map(|record| record.expect("record")).collect::<Vec<_>>())
}

#[test]
fn a_read_that_fails_is_an_error_and_no_more() {
    let disk = new_disk(1);
    let mut log = open(&disk, &small_segments(), true, 0);
    let written = write(&mut log, |_, _| {});
    let recovery_point = log.close(NOW).expect("closed").recovery_point;
    drop(log);
    let ask = |log: &Log| {
        let reads: Vec<_> = (0..log.end_offset()).map(|offset| log.read(offset, everything())).collect();
        (reads, log.offset_for_time(NOW.0, i64::MAX))
    };
    let whole = disk.kill();
    let log = open(&whole, &small_segments(), true, recovery_point);
    whole.set_rules(Vec::new());
    let _ = ask(&log);
    let total = whole.count(Class::Read);
    for number in 0..total {
        let disk = disk.kill();
        let log = open(&disk, &small_segments(), true, recovery_point);
        disk.set_rules(vec![Rule::once(Class::Read, number, Fault::Failing)]);
        let (reads, time) = ask(&log);
        let mut failed = usize::from(time.is_err());
        for (offset, read) in reads.iter().enumerate() {
            match read {
                Ok(read) => assert_eq!(values_of(&read.bytes)[0], written.values[offset], "read {number}"),
                Err(ReadError::Storage(error)) => {
                    assert_eq!(error.raw_os_error(), Some(5), "read {number}: {error}");
                    failed += 1;
                }
                Err(error) => panic!("read {number}: {error}"),
            }
        }
        assert_eq!(failed, 1, "read {number}");
        assert!(log.quarantined().is_empty(), "read {number}: what cannot be read is not bad");
        assert_eq!(values(&consume(&log, 0)), written.values, "read {number}: it can be read later");
    }
    println!("faults: EIO at each of {total} reads: an error that once, the right bytes later");
}

#[test]
fn an_opening_that_cannot_read_fails_and_changes_nothing() {
    let disk = new_disk(1);
    write(&mut open(&disk, &small_segments(), true, 0), |_, _| {});
    let whole = disk.kill();
    drop(open(&whole, &small_segments(), false, 20));
    let total = whole.count(Class::Read);
    let recovered = files(&whole);
    for number in 0..total {
        let disk = disk.kill();
        disk.set_rules(vec![Rule::once(Class::Read, number, Fault::Failing)]);
        let open_it = Open { clean: false, recovery_point: 20, synced: false, now: NOW };
        let shared = std::sync::Arc::new(disk.clone());
        let opened = Log::open(shared, DIRECTORY.as_ref(), identity(), small_segments(), open_it);
        assert!(matches!(opened, Err(LogError::Storage(_))), "read {number}");
        disk.set_rules(Vec::new());
        let log = open(&disk, &small_segments(), false, 20);
        assert_eq!(values(&consume(&log, 0)).len(), APPENDS, "read {number}");
        drop(log);
        assert_eq!(files(&disk), recovered, "read {number}");
    }
}

#[test]
fn bytes_that_change_under_a_running_log_are_not_served_once_they_are_cold() {
    let disk = new_disk(1);
    let mut log = open(&disk, &small_segments(), true, 0);
    let written = write(&mut log, |_, _| {});
    let sealed = files(&disk).into_iter().find(|(name, _)| name.ends_with(".log")).expect("one");
    let size = written.values[0].len();
    disk.flip_bit(&path(&sealed.0), 8 * (HEADER_BYTES + 8 + size) as u64).expect("flipped");
    assert!(matches!(log.read(0, everything()), Err(ReadError::Corrupt { segment: 0, position: 0 })));
    let bad = log.quarantined();
    assert_eq!((bad.len(), bad[0].offsets.clone()), (1, 0..1));
    assert_eq!(values(&consume(&log, 1)), written.values[1..]);
    // The log goes on, and what is given up is gone for good.
    append(&mut log, &batch(&["more"])).expect("appended");
    log.advance_start_offset(1).expect("moved");
    assert_eq!(consume(&log, 1).len(), written.values.len());
}

#[test]
fn what_a_short_write_left_is_gone_before_the_log_is_closed() {
    let disk = new_disk(1);
    let mut log = open(&disk, &LogConfig::default(), true, 0);
    append(&mut log, &batch(&["one"])).expect("appended");
    // Neither the write nor taking back what it left succeeds.
    disk.set_rules(vec![
        Rule::once(Class::Change, 0, Fault::ShortWrite),
        Rule::once(Class::Change, 1, Fault::Full),
    ]);
    assert!(append(&mut log, &batch(&["two"])).is_err());
    let size = log.size_bytes();
    log.close(NOW).expect("closed");
    assert_eq!(files(&disk)[1].1.len() as u64, size);
}

#[test]
fn a_log_that_could_not_be_closed_is_recovered() {
    let disk = new_disk(1);
    let count = {
        let disk = disk.kill();
        let mut log = open(&disk, &small_segments(), true, 0);
        write(&mut log, |_, _| {});
        disk.set_rules(Vec::new());
        log.close(NOW).expect("closed");
        disk.count(Class::Any)
    };
    for number in 0..count {
        for fault in [Fault::Full, Fault::Failing] {
            let disk = new_disk(number);
            let mut log = open(&disk, &small_segments(), true, 0);
            write(&mut log, |_, _| {});
            disk.set_rules(vec![Rule::once(Class::Any, number, fault)]);
            assert!(log.close(NOW).is_err(), "{number}");
            assert!(matches!(append(&mut log, &batch(&["more"])), Err(AppendError::Closed)));
            let log = open(&disk.kill(), &small_segments(), false, 0);
            assert_eq!(consume(&log, 0).len(), APPENDS, "{number}");
        }
    }
}

#[test]
fn a_flush_runs_while_the_log_goes_on() {
    let place = Place::real();
    let config = small_segments();
    let mut log = place.fresh(&config);
    append(&mut log, &batch(&["one"])).expect("appended");
    let flush = log.begin_flush().expect("begun");
    assert!(!flush.is_empty());
    for _ in 0..50 {
        append(&mut log, &batch(&["some value"])).expect("appended");
    }
    let result: io::Result<()> = flush.run();
    log.end_flush(flush, result).expect("synced");
    assert_eq!(log.recovery_point(), 1);
    log.sync().expect("synced");
    assert_eq!(log.recovery_point(), 51);
    assert!(log.begin_flush().expect("begun").is_empty());
}

#[test]
fn a_flush_does_not_hide_that_a_roll_could_not_sync() {
    let disk = new_disk(1);
    let mut log = open(&disk, &LogConfig { compacted: true, ..small_segments() }, true, 0);
    append(&mut log, &batch(&["one"])).expect("appended");
    let flush = log.begin_flush().expect("begun");
    // The kernel tells one of two syncs of a file that its bytes are lost, and here that is the sync of the roll.
    disk.set_rules(vec![Rule::once(Class::Sync, 0, Fault::Failing)]);
    while log.is_open() {
        let _ = append(&mut log, &batch(&["some value"]));
    }
    let result = flush.run();
    assert!(result.is_ok(), "the second sync succeeds");
    assert!(matches!(log.end_flush(flush, result), Err(LogError::Offline)));
    assert_eq!(log.recovery_point(), 0);
}
