//! Every bit of the files of a small log flipped, one at a time: what is read is what was written, or it is an
//! error, and nothing but the batch with that bit is lost.
//!
//! `OTTLA_FAULT_ROUNDS=2` flips each bit in every way of opening the log, where one round flips some of them only
//! after a clean stop.

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

use bytes::Bytes;
use ottla_log::{
    Append, BatchBuilder, BatchHeader, Compression, Log, LogConfig, LogError, NewRecord, Open, Origin,
    ReadError, ReadLimit, Record, RecoveryReport, SimDisk, records,
};
use support::script::{DIRECTORY, files, new_disk, path};
use support::*;

/// Bytes of a batch's header whose bits the CRC does not cover: base offset and leader epoch. The length and the
/// magic are not covered either, but a batch with other ones has another CRC.
const EPOCH_BYTES: std::ops::Range<u64> = 12..16;

/// A log that was closed, and what is in it.
struct Fixture {
    disk: SimDisk,
    batches: Vec<Bytes>,
    end: i64,
}

fn config() -> LogConfig {
    LogConfig { segment_bytes: 420, index_interval_bytes: 100, ..LogConfig::default() }
}

fn fixture() -> Fixture {
    let disk = new_disk(1);
    let open = Open { clean: true, recovery_point: 0, synced: false, now: NOW };
    let (mut log, _) = open_with(&disk, open).expect("opened");
    let mut sequences = [0, 0];
    // Timestamps fall, rise and repeat.
    let times = [500, 500, 200, 900, 100, 900, 300, 1200, 400, 700, 1200];
    for (number, time) in times.into_iter().enumerate() {
        let count = 1 + number % 2;
        let producer = number % 3;
        let mut builder = BatchBuilder::new();
        if producer < 2 {
            builder = builder.producer(producer as i64 + 1, 0, sequences[producer]);
            sequences[producer] += count as i32;
        }
        for record in 0..count {
            let timestamp = NOW.0 + time - record as i64 * 50;
            let value = format!("v{number}");
            builder.push(NewRecord { timestamp, key: None, value: Some(value.as_bytes()), headers: &[] });
        }
        let codec = [Compression::None, Compression::Lz4][number / 2 % 2];
        let batch = compress(&builder.build(), codec, Framing::Default);
        let leader_epoch = [2, 2, 2, 2, 3, 3, 3, 5, 5, 5, 5][number];
        log.append(batch, Append::new(leader_epoch, Origin::Client, NOW)).expect("appended");
    }
    let batches = log.batches(0).map(|batch| batch.expect("batch")).collect();
    let end = log.end_offset();
    assert_eq!(log.segment_count(), 3);
    log.close(NOW).expect("closed");
    Fixture { disk, batches, end }
}

fn open_with(disk: &SimDisk, open: Open) -> Result<(Log, RecoveryReport), LogError> {
    Log::open(Arc::new(disk.clone()), Path::new(DIRECTORY), identity(), config(), open)
}

fn header(batch: &Bytes) -> BatchHeader {
    BatchHeader::parse(batch).expect("header")
}

fn records_of(batch: &Bytes) -> Vec<Record> {
    records(batch).expect("records").map(|record| record.expect("record")).collect()
}

/// Reads every offset one batch at a time; returns which batches could not be read.
fn read_all(log: &Log, batches: &[Bytes], what: &str) -> Vec<usize> {
    let limit = ReadLimit { max_bytes: 1, at_least_one: true, upper: i64::MAX };
    let mut bad = Vec::new();
    for (place, batch) in batches.iter().enumerate() {
        let header = header(batch);
        let mut outcomes =
            (header.base_offset..=header.last_offset()).map(|offset| match log.read(offset, limit) {
                Ok(read) => {
                    assert_eq!(read.bytes, batch, "{what}: another batch at {offset}");
                    assert_eq!(read.next, header.last_offset() + 1, "{what}: at {offset}");
                    true
                }
                Err(ReadError::Corrupt { .. }) => false,
                Err(error) => panic!("{what}: at {offset}: {error}"),
            });
        let first = outcomes.next().expect("a record");
        assert!(outcomes.all(|outcome| outcome == first), "{what}: a batch is read or not");
        if !first {
            bad.push(place);
        }
    }
    bad
}

/// What is asked by time, of the batches that can be read.
fn check_times(log: &Log, batches: &[Bytes], bad: &[usize], what: &str) {
    let good = batches.iter().enumerate().filter(|(place, _)| !bad.contains(place));
    let all: Vec<Record> = good.flat_map(|(_, batch)| records_of(batch)).collect();
    for time in (0..=1300).step_by(50).map(|time| NOW.0 + time) {
        let expected = all.iter().find(|record| record.timestamp >= time);
        let expected = expected.map(|record| (record.offset, record.timestamp));
        let found = log.offset_for_time(time, i64::MAX);
        let found = found.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(
            found.map(|found| (found.offset, found.timestamp)),
            expected,
            "{what}: time {}",
            time - NOW.0
        );
    }
    let largest = all.iter().map(|record| record.timestamp).max();
    let expected = all.iter().find(|record| Some(record.timestamp) == largest).map(|record| record.offset);
    let found = log.offset_of_max_timestamp().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(found.map(|found| found.offset), expected, "{what}: the largest timestamp");
}

fn check_epochs(log: &Log, what: &str) {
    let ends: Vec<_> = (2..=6).map(|epoch| log.epoch_end_offset(epoch, 6)).collect();
    let end = log.end_offset();
    assert_eq!(ends, [(2, 6), (2 + 1, 10), (3, 10), (5, end), (6, end)], "{what}: epochs");
    assert_eq!((log.epoch_at(0), log.epoch_at(6), log.epoch_at(10)), (Some(2), Some(3), Some(5)), "{what}");
}

/// Producers send their last batches again, and then new ones.
fn check_producers(log: &mut Log, batches: &[Bytes], what: &str) {
    for producer in [1, 2] {
        let of = |batch: &&Bytes| header(batch).producer_id == producer;
        let last = batches.iter().rev().find(of).expect("one");
        let sent: Bytes = script::stamped(last, 0, -1);
        let again = append(log, &sent).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(
            (again.base_offset, again.duplicate),
            (header(last).base_offset, true),
            "{what}: {producer}"
        );
        let next = edit(&sent, |header| header.base_sequence = header.last_sequence() + 1);
        assert!(!append(log, &next).unwrap_or_else(|error| panic!("{what}: {error}")).duplicate, "{what}");
    }
}

/// The batch that a byte of a segment is in.
fn batch_at(fixture: &Fixture, name: &str, byte: u64) -> (usize, u64) {
    let segment: i64 = name[..20].parse().expect("offset");
    let mut position = 0;
    for (place, batch) in fixture.batches.iter().enumerate() {
        if header(batch).base_offset < segment {
            continue;
        }
        if byte < position + batch.len() as u64 {
            return (place, byte - position);
        }
        position += batch.len() as u64;
    }
    panic!("past the end");
}

fn flipped(fixture: &Fixture, name: &str, bit: u64) -> SimDisk {
    let disk = fixture.disk.kill();
    disk.flip_bit(&path(name), bit).expect("flipped");
    disk
}

fn of_kind(fixture: &Fixture, suffix: &str) -> Vec<(String, u64)> {
    let files = files(&fixture.disk).into_iter().filter(|(name, _)| name.ends_with(suffix));
    let found: Vec<_> = files.map(|(name, bytes)| (name, bytes.len() as u64 * 8)).collect();
    assert!(!found.is_empty(), "{suffix}");
    found
}

/// Every bit of the segments, opened with `clean` and the recovery point at the end. Returns how many there were,
/// and how many of them could not be told from a checkpoint of epochs that is wrong.
fn flip_segments(fixture: &Fixture, clean: bool, step: usize) -> (usize, usize) {
    let (mut flips, mut ambiguous) = (0, 0);
    for (name, bits) in of_kind(fixture, ".log") {
        for bit in (0..bits).step_by(step) {
            flips += 1;
            let disk = flipped(fixture, &name, bit);
            let (place, byte) = batch_at(fixture, &name, bit / 8);
            let what = format!("{name} bit {bit}, byte {byte} of batch {place}, clean {clean}");
            let open = Open { clean, recovery_point: fixture.end, synced: false, now: NOW };
            let (mut log, report) = open_with(&disk, open).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!((log.end_offset(), report.bytes_cut), (fixture.end, 0), "{what}");
            if EPOCH_BYTES.contains(&byte) && is_ambiguous(fixture, place, byte, bit) {
                ambiguous += 1;
                continue;
            }
            assert_eq!(read_all(&log, &fixture.batches, &what), [place], "{what}: that batch and no other");
            if !EPOCH_BYTES.contains(&byte) {
                let bad = header(&fixture.batches[place]);
                assert!(log.is_quarantined(bad.base_offset..bad.base_offset + 1), "{what}");
                assert_eq!(log.quarantined().len(), 1, "{what}");
                assert_eq!(log.quarantined()[0].offsets, bad.base_offset..bad.last_offset() + 1, "{what}");
                check_times(&log, &fixture.batches, &[place], &what);
            }
            check_epochs(&log, &what);
            check_producers(&mut log, &fixture.batches, &what);
        }
    }
    (flips, ambiguous)
}

/// True when the flip gives a batch at the border of two epochs the other one of them: that looks like a
/// checkpoint that is off by one batch, and the batches are believed.
fn is_ambiguous(fixture: &Fixture, place: usize, byte: u64, bit: u64) -> bool {
    let epoch = |place: usize| header(&fixture.batches[place]).partition_leader_epoch;
    let flipped = epoch(place) ^ (1 << ((EPOCH_BYTES.end - 1 - byte) * 8 + bit % 8));
    let (before, after) = (place.saturating_sub(1), (place + 1).min(fixture.batches.len() - 1));
    flipped >= epoch(before) && flipped <= epoch(after)
}

#[test]
fn a_flipped_bit_of_a_segment_costs_its_batch() {
    let fixture = fixture();
    let step = if script::rounds() > 1 { 1 } else { 5 };
    for (clean, step) in [(true, 1), (false, step)] {
        let (flips, ambiguous) = flip_segments(&fixture, clean, step);
        println!(
            "flips: {flips} bits of segments, clean {clean}: each found and each cost one batch, but {ambiguous} that \
             moved the border of two leader epochs"
        );
    }
}

#[test]
fn a_flipped_bit_above_the_recovery_point_cuts_the_log_there() {
    let fixture = fixture();
    let step = if script::rounds() > 1 { 1 } else { 3 };
    let (mut flips, mut epochs) = (0, 0);
    for (name, bits) in of_kind(&fixture, ".log") {
        for bit in (0..bits).step_by(step) {
            let disk = flipped(&fixture, &name, bit);
            let (place, byte) = batch_at(&fixture, &name, bit / 8);
            let what = format!("{name} bit {bit}, byte {byte} of batch {place}");
            let open = Open { clean: false, recovery_point: 0, synced: false, now: NOW };
            let (log, report) = open_with(&disk, open).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(report.quarantined.is_empty(), "{what}");
            flips += 1;
            if EPOCH_BYTES.contains(&byte) {
                // No checksum covers it and no batch is lost: it is served with another epoch, or it is not.
                epochs += 1;
                assert_eq!(log.end_offset(), fixture.end, "{what}");
                continue;
            }
            assert_eq!(log.end_offset(), header(&fixture.batches[place]).base_offset, "{what}");
            assert!(read_all(&log, &fixture.batches[..place], &what).is_empty(), "{what}");
            check_times(&log, &fixture.batches[..place], &[], &what);
        }
    }
    println!("flips: {flips} bits above the recovery point, each cut there, but {epochs} of leader epochs");
}

#[test]
fn a_flipped_bit_of_a_small_file_changes_no_answer() {
    let fixture = fixture();
    for suffix in [".index", ".timeindex", ".snapshot", "leader-epoch-checkpoint", "partition.metadata"] {
        let (mut flips, mut refused) = (0, 0);
        for (name, bits) in of_kind(&fixture, suffix) {
            for bit in 0..bits {
                for clean in [true, false] {
                    let disk = flipped(&fixture, &name, bit);
                    let what = format!("{name} bit {bit}, clean {clean}");
                    let open = Open { clean, recovery_point: fixture.end, synced: false, now: NOW };
                    flips += 1;
                    let mut log = match open_with(&disk, open) {
                        Ok((log, report)) => {
                            assert_eq!((report.bytes_cut, report.quarantined.len()), (0, 0), "{what}");
                            log
                        }
                        // Another topic's id is another topic.
                        Err(LogError::OtherTopic { .. }) if suffix == "partition.metadata" => {
                            refused += 1;
                            continue;
                        }
                        Err(error) => panic!("{what}: {error}"),
                    };
                    assert_eq!(log.end_offset(), fixture.end, "{what}");
                    assert!(read_all(&log, &fixture.batches, &what).is_empty(), "{what}");
                    check_times(&log, &fixture.batches, &[], &what);
                    check_epochs(&log, &what);
                    check_producers(&mut log, &fixture.batches, &what);
                }
            }
        }
        println!(
            "flips: {flips} openings with a bit of {suffix} flipped: {refused} refused, no answer changed"
        );
    }
}
