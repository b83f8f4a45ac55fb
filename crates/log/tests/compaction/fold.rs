//! What a log says is the same before and after, and it says it in as few records as it may.

use std::collections::BTreeMap;

use ottla_log::Log;
use ottla_model::{Offset, WallMillis};

use super::keyed::*;
use super::support::*;

const LATER: WallMillis = WallMillis(NOW.0 + 10_000_000_000);

/// Every record is one that was there before, and of those before `cleaned_to` each is the newest of its key there.
fn check(before: &[ottla_log::Record], log: &Log, cleaned_to: Offset, seed: u64) {
    let was: BTreeMap<Offset, &ottla_log::Record> =
        before.iter().map(|record| (record.offset, record)).collect();
    let mut newest = BTreeMap::new();
    for record in before.iter().filter(|record| record.offset < cleaned_to) {
        newest.insert(record.key.clone(), record.offset);
    }
    for record in consume(log, log.start_offset()) {
        assert_eq!(Some(&&record), was.get(&record.offset), "seed {seed}");
        if record.offset < cleaned_to {
            assert_eq!(newest.get(&record.key), Some(&record.offset), "seed {seed}: a newer value is there");
        }
    }
}

#[test]
fn random_logs_say_the_same() {
    for seed in 0..20 {
        let mut seeded = Seeded(seed);
        for place in Place::each() {
            let mut log = place.fresh(&compacted());
            let mut cleaned_to = 0;
            for _ in 0..4 {
                let batches = seeded.between(5, 40);
                append_random(&mut log, &mut seeded, batches);
                let (before, folded) = (consume(&log, 0), fold(&log));
                let (start, end) = (log.start_offset(), log.end_offset());
                let room =
                    if seeded.below(2) == 0 { limits() } else { room_for(seeded.between(1, 8) as usize) };
                if let Some(report) = clean(&mut log, NOW, cleaned_to, &room) {
                    report.deleted.remove().expect("removed");
                    cleaned_to = report.cleaned_to;
                }
                assert_eq!(fold(&log), folded, "seed {seed}");
                assert_eq!((log.start_offset(), log.end_offset()), (start, end), "seed {seed}");
                check(&before, &log, cleaned_to, seed);
                if seeded.below(3) == 0 {
                    let shape_before = shape(&log);
                    log = place.open(&compacted(), false, seeded.below(end as u64 + 1) as i64).0;
                    assert_eq!(shape(&log), shape_before, "seed {seed}");
                    assert_eq!(log.end_offset(), end, "seed {seed}");
                }
            }
            // Much later even the tombstones go.
            clean_up(&mut log, LATER, 0);
            let folded = fold(&log);
            clean_up(&mut log, WallMillis(LATER.0 * 2), 0);
            assert_eq!(fold(&log), folded, "seed {seed}");
        }
    }
}

#[test]
fn a_small_map_takes_several_passes_and_ends_where_a_large_one_does() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    for round in 0..6 {
        for key in 0..20 {
            append(&mut log, &keyed(&[(&format!("{key}"), Some(&format!("{round}")))])).expect("appended");
        }
    }
    let folded = fold(&log);
    let bound = log.clean_status(NOW, log.end_offset(), 0).first_uncleanable_offset;
    let (mut cleaned_to, mut passes) = (0, 0);
    while cleaned_to < bound {
        let report = clean(&mut log, NOW, cleaned_to, &room_for(7)).expect("dirty");
        assert!(report.cleaned_to > cleaned_to, "each pass gets further");
        assert!(report.stats.keys <= 7);
        assert_eq!(report.stats.map_full, report.cleaned_to < bound);
        cleaned_to = report.cleaned_to;
        passes += 1;
    }
    assert!(passes > 10, "{passes}");
    assert_eq!(fold(&log), folded);
    let below: Vec<_> = offsets(&log).into_iter().filter(|&offset| offset < bound).collect();
    assert_eq!(below.len(), 20, "one of each key");
}

#[test]
fn segments_are_joined_and_offsets_stay() {
    let place = Place::real();
    let mut log = place.fresh(&compacted());
    for number in 0..60 {
        let value = "x".repeat(100);
        append(&mut log, &keyed(&[("a", Some(&value)), (&format!("{number}"), None)])).expect("appended");
    }
    let before = log.segment_count();
    assert!(before > 5);
    let report = clean(&mut log, NOW, 0, &limits()).expect("dirty");
    assert_eq!(report.segments_replaced, before - 1);
    assert_eq!(report.segments_made, before - 1, "full ones have no room for each other");
    assert!(report.bytes_after < report.bytes_before);
    assert_eq!(report.cleaned_to, log.clean_status(NOW, i64::MAX, 0).first_uncleanable_offset);
    assert!(!report.deleted.is_empty());
    report.deleted.remove().expect("removed");
    // What was left of them has room in a few.
    let report = clean(&mut log, NOW, 0, &limits()).expect("dirty");
    assert!(report.segments_replaced > report.segments_made);
    assert!(report.segments_made < before / 2);
    assert_eq!(log.segment_count(), before - report.segments_replaced + report.segments_made);
    report.deleted.remove().expect("removed");
    let names: Vec<String> = place.files().into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| !name.contains(".deleted") && !name.contains(".cleaned")), "{names:?}");
    // Reading from any offset finds what is at it or after it.
    let all = offsets(&log);
    for from in 0..log.end_offset() {
        let found = consume(&log, from).first().map(|record| record.offset);
        assert_eq!(found, all.iter().copied().find(|&offset| offset >= from), "from {from}");
    }
    assert!(log.plan_clean(NOW, i64::MAX, log.end_offset() - 1).expect("planned").is_none());
}

#[test]
fn what_all_stays_keeps_its_bytes_and_what_stays_of_a_batch_keeps_its_codec() {
    for (codec, framing) in CODECS {
        let place = Place::memory();
        let mut log = place.fresh(&compacted());
        let unique: Vec<String> = (0..20).map(|number| format!("unique-{number}")).collect();
        let whole: Vec<_> = unique.iter().map(|key| (key.as_str(), Some("some value"))).collect();
        let half: Vec<_> = whole[..10].iter().copied().chain([("twice", Some("old"))]).collect();
        append(&mut log, &compress(&keyed(&whole), codec, framing)).expect("appended");
        let first = log.batches(0).next().expect("one").expect("batch");
        append(&mut log, &compress(&keyed(&half), codec, framing)).expect("appended");
        append(&mut log, &compress(&keyed(&half), codec, framing)).expect("appended");
        for _ in 0..100 {
            append(&mut log, &keyed(&[("twice", Some("new"))])).expect("appended");
        }
        clean_up(&mut log, NOW, 0);
        let batches: Vec<_> = log.batches(0).map(|batch| batch.expect("batch")).collect();
        let headers: Vec<_> =
            batches.iter().map(|batch| ottla_log::BatchHeader::parse(batch).expect("header")).collect();
        // Of the first batch the first ten are superseded, of the third nothing but the last.
        assert_eq!(headers[0].compression(), Some(codec));
        assert_eq!((headers[0].base_offset, headers[0].last_offset(), headers[0].record_count), (0, 19, 10));
        assert_eq!((headers[1].base_offset, headers[1].last_offset(), headers[1].record_count), (31, 41, 10));
        let kept = all(&batches[0]);
        assert_eq!(kept.iter().map(|record| record.offset).collect::<Vec<_>>(), (10..20).collect::<Vec<_>>());
        assert_eq!(kept, all(&first)[10..]);
        let again = batches.clone();
        clean_up(&mut log, NOW, 0);
        let unchanged: Vec<_> = log.batches(0).map(|batch| batch.expect("batch")).collect();
        assert_eq!(unchanged[..2], again[..2], "{codec:?}: what all stays is copied");
    }
}

#[test]
fn a_batch_that_is_larger_than_the_buffers_passes() {
    let place = Place::memory();
    let config = ottla_log::LogConfig { segment_bytes: 100_000, ..compacted() };
    let mut log = place.fresh(&config);
    let value = "v".repeat(50_000);
    for _ in 0..4 {
        append(&mut log, &keyed(&[("a", Some(&value)), ("b", Some("small"))])).expect("appended");
    }
    let folded = fold(&log);
    assert!(clean(&mut log, NOW, 0, &limits()).is_some());
    assert_eq!(fold(&log), folded);
}

#[test]
fn damage_is_not_copied_and_a_run_can_be_stopped() {
    let place = Place::real();
    let mut log = place.fresh(&compacted());
    append_random(&mut log, &mut Seeded(5), 60);
    let files = place.files();
    let plan = log.plan_clean(NOW, i64::MAX, 0).expect("planned").expect("dirty");
    let mut total = 0;
    plan.run(&limits(), &mut |bytes| {
        total += bytes;
        true
    })
    .expect("run")
    .discard()
    .expect("discarded");
    assert!(total > 2 * plan.size_bytes(), "it is told of what is read twice and written");
    for stop_at in (0..total).step_by(997) {
        let mut done = 0;
        let stopped = plan.run(&limits(), &mut |bytes| {
            done += bytes;
            done <= stop_at
        });
        assert!(matches!(stopped, Err(ottla_log::LogError::Stopped)));
        assert_eq!(place.files(), files, "nothing is left");
    }
    let name = "00000000000000000000.log";
    let mut bytes = place.read(name);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(place.dir().join(name), bytes).expect("written");
    let log = place.open(&compacted(), true, 0).0;
    let plan = log.plan_clean(NOW, i64::MAX, 0).expect("planned").expect("dirty");
    assert!(is_corrupt(&plan.run(&limits(), &mut |_| true).expect_err("damaged")));
}
