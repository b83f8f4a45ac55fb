//! Random operations on a log against a vector of records.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use ottla_log::{Append, BatchBuilder, Log, LogConfig, NewRecord, ReadError, ReadLimit, records};
use ottla_model::WallMillis;
use support::*;

/// What a log must hold: for each offset the value, the time and the batch that it belongs to.
#[derive(Default)]
struct Model {
    records: Vec<(Vec<u8>, i64)>,
    batches: Vec<(i64, i64)>,
    start: i64,
}

impl Model {
    fn append(&mut self, random: &mut Seeded, log: &mut Log) {
        let mut builder = BatchBuilder::new();
        let first = self.records.len() as i64;
        for _ in 0..random.between(1, 5) {
            let size = random.between(0, 200) as usize;
            let (value, timestamp) = (random.bytes(size), NOW.0 + random.below(5000) as i64);
            builder.push(NewRecord { timestamp, key: None, value: Some(&value), headers: &[] });
            self.records.push((value, timestamp));
        }
        let (codec, framing) = CODECS[random.below(6) as usize];
        let appended = append(log, &compress(&builder.build(), codec, framing)).expect("appended");
        let last = self.records.len() as i64 - 1;
        assert_eq!((appended.base_offset, appended.last_offset, appended.duplicate), (first, last, false));
        self.batches.push((first, last));
    }

    fn end(&self) -> i64 {
        self.records.len() as i64
    }

    fn read(&self, random: &mut Seeded, log: &Log) {
        let from = random.below(self.end() as u64 + 2) as i64;
        let upper = random.below(self.end() as u64 + 2) as i64;
        let limit =
            ReadLimit { max_bytes: random.below(3000) as usize, at_least_one: random.below(2) == 0, upper };
        let read = log.read(from, limit);
        if from < self.start || from > self.end() {
            assert!(matches!(read, Err(ReadError::OutOfRange)));
            return;
        }
        let read = read.expect("read");
        let mut bytes = read.bytes.clone();
        let mut expected = self.batches.iter().skip_while(|(_, last)| *last < from);
        let mut next = from;
        while !bytes.is_empty() {
            let (batch, size) = first_batch(&bytes);
            let &(first, last) = expected.next().expect("no more than there is");
            let found: Vec<_> =
                records(&batch).expect("records").map(|record| record.expect("record")).collect();
            assert_eq!((found[0].offset, found[found.len() - 1].offset), (first, last));
            for record in found {
                let (value, timestamp) = &self.records[record.offset as usize];
                assert_eq!((record.value.as_deref(), record.timestamp), (Some(&value[..]), *timestamp));
            }
            assert!(last < upper);
            next = last + 1;
            bytes = bytes.slice(size..);
        }
        assert_eq!(read.next, next);
        if read.bytes.is_empty() && limit.at_least_one {
            let first = self.batches.iter().find(|(_, last)| *last >= from);
            assert!(first.is_none_or(|(_, last)| *last >= upper), "something could have been read");
        }
        assert!(read.bytes.len() <= limit.max_bytes || limit.at_least_one);
    }

    fn find_time(&self, random: &mut Seeded, log: &Log) {
        let asked = NOW.0 + random.below(5100) as i64;
        let all = self.records.iter().enumerate().skip(self.start as usize);
        let expected = all.map(|(offset, (_, time))| (offset as i64, *time)).find(|(_, time)| *time >= asked);
        let found = log.offset_for_time(asked, i64::MAX).expect("looked");
        assert_eq!(found.map(|found| (found.offset, found.timestamp)), expected);
    }
}

fn first_batch(bytes: &Bytes) -> (Bytes, usize) {
    let header = ottla_log::BatchHeader::parse(bytes).expect("header");
    let size = header.size_in_bytes().expect("size");
    (bytes.slice(..size), size)
}

fn run(seed: u64, place: &Place, operations: usize) -> Vec<(String, Vec<u8>)> {
    let config = LogConfig { segment_bytes: 3000, index_interval_bytes: 500, ..LogConfig::default() };
    let mut random = Seeded(seed);
    let mut model = Model::default();
    let mut log = place.fresh(&config);
    let mut synced = 0;
    for _ in 0..operations {
        match random.below(100) {
            0..40 => model.append(&mut random, &mut log),
            40..70 => model.read(&mut random, &log),
            70..80 => model.find_time(&mut random, &log),
            80..84 => {
                log.sync().expect("synced");
                synced = model.end();
            }
            84..88 => log.cool(),
            88..91 => {
                let from = model.start as u64;
                model.start = random.between(from, from + (model.end() as u64 - from) / 8) as i64;
                log.advance_start_offset(model.start).expect("moved");
            }
            91..94 => {
                let now = WallMillis(NOW.0 + random.below(10) as i64);
                let stale = Append { now, ..client() };
                let too_large = batch(&[&"x".repeat(4000)]);
                assert!(log.append(too_large, stale).is_err());
            }
            94..97 => {
                synced = log.close(NOW).expect("closed").recovery_point;
                log = place.open(&config, true, synced).0;
                log.advance_start_offset(model.start).expect("moved");
            }
            _ => {
                drop(log);
                log = place.open(&config, false, synced).0;
                log.advance_start_offset(model.start).expect("moved");
            }
        }
        assert_eq!((log.start_offset(), log.end_offset()), (model.start, model.end()), "seed {seed}");
        assert!(log.recovery_point() <= log.end_offset());
    }
    let all = consume(&log, model.start);
    assert_eq!(all.len() as i64, model.end() - model.start);
    log.close(NOW).expect("closed");
    if model.records.is_empty() { Vec::new() } else { place.files() }
}

#[test]
fn random_operations_agree_with_a_vector() {
    for seed in 0..16 {
        eprintln!("seed {seed}");
        let in_memory = run(seed, &Place::memory(), 300);
        let on_disk = run(seed, &Place::real(), 300);
        assert_eq!(in_memory, on_disk, "both disks hold the same bytes");
    }
}

#[test]
fn slices_stay_what_they_were_while_the_log_goes_on() {
    let place = Place::real();
    let config = small_segments();
    let mut log = place.fresh(&config);
    let mut held = Vec::new();
    for number in 0..200 {
        append(&mut log, &batch(&[&format!("value {number}")])).expect("appended");
        let read = log.read(number, everything()).expect("read").bytes;
        held.push((read.clone(), read.to_vec()));
    }
    log.cool();
    log.delete().expect("deleted");
    let disk = Arc::clone(&place.disk);
    drop((log, disk));
    assert!(held.iter().all(|(slice, copy)| slice == copy));
}
