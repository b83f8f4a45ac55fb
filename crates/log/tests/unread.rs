//! What a log says is unread, against reading all of it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

#[path = "compaction/keyed.rs"]
#[allow(dead_code, reason = "the tests of compaction use more of it")]
mod keyed;
mod support;

use bytes::Bytes;
use keyed::*;
use ottla_log::{
    Append, BatchBuilder, BatchHeader, CleanLimits, Isolation, Log, LogConfig, NewRecord, NextRecord, Origin,
    Unread, UnreadLook, records,
};
use ottla_model::Offset;
use support::*;

/// Asks the log, and counts what it wants counted.
fn unread(log: &mut Log, from: Offset, upper: Offset) -> Unread {
    loop {
        match log.unread(from, upper, Isolation::ReadUncommitted).expect("looked") {
            UnreadLook::Known(batches) => return batches.count().expect("counted"),
            UnreadLook::Uncounted(segment) => {
                log.note_counted(segment.count().expect("counted")).expect("noted");
            }
        }
    }
}

/// Reads all that a consumer would be given.
fn naive(log: &Log, from: Offset, upper: Offset) -> Unread {
    let (from, upper) = (from.max(log.start_offset()), upper.min(log.end_offset()));
    let mut found = Unread { from, upper, records: 0, bytes: 0, next: None };
    if from >= upper {
        return found;
    }
    for batch in log.batches(from) {
        let batch = batch.expect("batch");
        let header = BatchHeader::parse(&batch).expect("header");
        if header.last_offset() >= upper {
            break;
        }
        if header.is_control() {
            continue;
        }
        let all = records(&batch).expect("records").map(|record| record.expect("record"));
        let received: Vec<_> = all.filter(|record| record.offset >= from).collect();
        let Some(first) = received.first() else { continue };
        found.records += received.len() as u64;
        found.bytes += batch.len() as u64;
        found.next.get_or_insert(NextRecord { offset: first.offset, timestamp: first.timestamp });
    }
    found
}

fn marker(log: &mut Log, producer: i64) {
    let mut builder = BatchBuilder::new().producer(producer, 0, -1).transactional().control();
    let (key, value) = ([0, 0, 0, 1], [0, 0, 0, 0, 0, 0]);
    builder.push(NewRecord { timestamp: NOW.0, key: Some(&key), value: Some(&value), headers: &[] });
    log.append(builder.build(), Append { origin: Origin::Coordinator, ..client() }).expect("appended");
}

fn plain(random: &mut Seeded) -> Bytes {
    let mut builder = BatchBuilder::new();
    for _ in 0..random.between(1, 6) {
        let length = random.below(100) as usize;
        let (key, value) = (format!("key-{}", random.below(9)), random.bytes(length));
        let timestamp = NOW.0 + random.below(10_000) as i64;
        let key = Some(key.as_bytes());
        builder.push(NewRecord { timestamp, key, value: Some(&value), headers: &[] });
    }
    let (codec, framing) = CODECS[random.below(6) as usize];
    compress(&builder.build(), codec, framing)
}

fn check(random: &mut Seeded, log: &mut Log, seed: u64) {
    let end = log.end_offset();
    for _ in 0..6 {
        let from = random.below(end as u64 + 2) as i64;
        let upper = if random.below(2) == 0 { end } else { random.below(end as u64 + 2) as i64 };
        let expected = naive(log, from, upper);
        assert_eq!(unread(log, from, upper), expected, "seed {seed}, from {from} to {upper}");
    }
}

fn run(seed: u64, place: &Place, config: &LogConfig) {
    let mut random = Seeded(seed);
    let mut log = place.fresh(config);
    let (mut cleaned_to, mut start) = (0, 0);
    for _ in 0..120 {
        match random.below(100) {
            0..60 => drop(append(&mut log, &plain(&mut random)).expect("appended")),
            60..70 => marker(&mut log, random.between(1, 3) as i64),
            70..76 if config.compacted => {
                let limits = CleanLimits { io_buffer_bytes: 4096, ..CleanLimits::default() };
                if let Some(report) = clean(&mut log, NOW, cleaned_to, &limits) {
                    report.deleted.remove().expect("removed");
                    cleaned_to = report.cleaned_to;
                }
            }
            76..80 => log.cool(),
            80..84 => {
                start = random.between(start as u64, (start + (log.end_offset() - start) / 6) as u64) as i64;
                log.advance_start_offset(start).expect("moved");
            }
            84..92 => {
                let is_clean = random.below(2) == 0;
                let end = log.close(NOW).expect("closed").recovery_point;
                let point = if is_clean { end } else { random.between(0, end as u64) as i64 };
                log = place.open(config, is_clean, point).0;
                log.advance_start_offset(start).expect("moved");
            }
            _ => check(&mut random, &mut log, seed),
        }
    }
    check(&mut random, &mut log, seed);
}

#[test]
fn random_logs_are_counted_exactly() {
    for seed in 0..30 {
        eprintln!("seed {seed}");
        run(seed, &Place::memory(), &small_segments());
        run(seed, &Place::memory(), &compacted());
        if seed < 6 {
            run(seed, &Place::real(), &compacted());
        }
    }
}

#[test]
fn long_runs_of_control_batches_are_counted_exactly() {
    let place = Place::memory();
    let config = LogConfig { segment_bytes: 4_000_000, ..LogConfig::default() };
    let mut log = place.fresh(&config);
    let mut random = Seeded(5);
    for round in 0..3_000 {
        append(&mut log, &plain(&mut random)).expect("appended");
        // Dense for a while, then not.
        if round > 2_200 {
            marker(&mut log, 1);
        }
    }
    for opened in [false, true] {
        if opened {
            let end = log.end_offset();
            log.close(NOW).expect("closed");
            log = place.open(&config, true, end).0;
        }
        for _ in 0..12 {
            let from = random.below(log.end_offset() as u64) as i64;
            let upper = random.between(from as u64, log.end_offset() as u64) as i64;
            let expected = naive(&log, from, upper);
            assert_eq!(unread(&mut log, from, upper), expected, "from {from} to {upper}");
        }
    }
}

#[test]
fn what_this_process_wrote_is_never_read_again_to_be_counted() {
    let place = Place::memory();
    let mut log = place.fresh(&small_segments());
    let mut random = Seeded(9);
    let fill = |log: &mut Log, random: &mut Seeded| {
        for _ in 0..100 {
            append(log, &plain(random)).expect("appended");
        }
    };
    let is_known = |log: &mut Log, from, upper| {
        matches!(log.unread(from, upper, Isolation::ReadCommitted), Ok(UnreadLook::Known(_)))
    };
    fill(&mut log, &mut random);
    let end = log.end_offset();
    assert!((0..=end).all(|from| is_known(&mut log, from, end)));
    log.close(NOW).expect("closed");
    let mut log = place.open(&small_segments(), true, end).0;
    fill(&mut log, &mut random);
    // Who is not behind what was there at the start needs nothing counted; who is, once.
    assert!((end..=log.end_offset()).all(|from| is_known(&mut log, from, i64::MAX)));
    assert!(!is_known(&mut log, 0, i64::MAX));
    unread(&mut log, 0, i64::MAX);
    assert!((0..=log.end_offset()).all(|from| is_known(&mut log, from, i64::MAX)));
}

#[test]
fn a_count_of_files_that_were_replaced_meanwhile_is_dropped() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    append_random(&mut log, &mut Seeded(3), 60);
    let end = log.close(NOW).expect("closed").recovery_point;
    let mut log = place.open(&compacted(), true, end).0;
    let Ok(UnreadLook::Uncounted(segment)) = log.unread(0, end, Isolation::ReadUncommitted) else {
        panic!("nothing was read yet")
    };
    let counted = segment.count().expect("counted");
    clean_up(&mut log, NOW, 0);
    log.note_counted(counted).expect("noted");
    let expected = naive(&log, 0, end);
    assert!(expected.records < end as u64 / 2, "most were superseded");
    assert_eq!(unread(&mut log, 0, end), expected);
    // What compaction writes it counts.
    for number in 0..60 {
        append(&mut log, &keyed(&[(&format!("{}", number % 5), Some("value"))])).expect("appended");
    }
    clean_up(&mut log, NOW, 0);
    let upper = log.end_offset();
    let expected = naive(&log, 0, upper);
    match log.unread(0, upper, Isolation::ReadCommitted).expect("looked") {
        UnreadLook::Known(batches) => assert_eq!(batches.count().expect("counted"), expected),
        UnreadLook::Uncounted(segment) => panic!("{segment:?} should be counted"),
    }
}

#[test]
fn damaged_batches_are_received_by_nobody() {
    let place = Place::real();
    let mut log = place.fresh(&LogConfig::default());
    for number in 0..30 {
        append(&mut log, &batch(&[&format!("value-{number}")])).expect("appended");
    }
    let end = log.close(NOW).expect("closed").recovery_point;
    let name = "00000000000000000000.log";
    let mut bytes = place.read(name);
    let size = bytes.len() / 30;
    // The length of one batch, so that nobody finds the next one by it.
    bytes[10 * size + 10] ^= 0x40;
    std::fs::write(place.dir().join(name), bytes).expect("written");
    let mut log = place.open(&LogConfig::default(), true, end).0;
    assert!(unread(&mut log, 0, end).records < 30);
    assert_eq!(log.quarantined().len(), 1);
    let next = log.quarantined()[0].offsets.end;
    assert_eq!(unread(&mut log, next, end).records as i64, end - next);
}
