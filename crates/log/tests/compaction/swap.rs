//! What goes on while a compaction runs and ends.

use ottla_log::ReadLimit;

use super::keyed::*;
use super::support::*;

#[test]
fn slices_stay_good_and_appends_go_on() {
    for place in Place::each() {
        let mut log = place.fresh(&compacted());
        append_random(&mut log, &mut Seeded(11), 60);
        let limit = ReadLimit { max_bytes: 1500, ..everything() };
        let mut held = Vec::new();
        let mut from = 0;
        while from < log.end_offset() {
            let read = log.read(from, limit).expect("read");
            from = read.next;
            held.push(read.bytes);
        }
        let copies: Vec<Vec<u8>> = held.iter().map(|bytes| bytes.to_vec()).collect();
        let cleaned = run(&log, NOW, 0, &limits()).expect("dirty");
        append_random(&mut log, &mut Seeded(12), 20);
        let folded = fold(&log);
        let report = log.finish_clean(cleaned).expect("finished");
        report.deleted.remove().expect("removed");
        log.cool();
        assert_eq!(fold(&log), folded);
        for (slice, copy) in held.iter().zip(&copies) {
            assert_eq!(slice, copy, "a reader of an old segment finishes undisturbed");
        }
    }
}

#[test]
fn what_retention_has_taken_does_not_come_back() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    append_random(&mut log, &mut Seeded(21), 90);
    let cleaned = run(&log, NOW, 0, &limits()).expect("dirty");
    let cut = log.end_offset() / 2;
    log.advance_start_offset(cut).expect("moved");
    let folded = fold(&log);
    let before = log.segment_count();
    let report = log.finish_clean(cleaned).expect("finished");
    assert!(report.segments_discarded > 0);
    assert_eq!(log.segment_count(), before - report.segments_replaced + report.segments_made);
    assert_eq!((log.start_offset(), fold(&log)), (cut, folded.clone()));
    report.deleted.remove().expect("removed");
    assert!(place.files().iter().all(|(name, _)| !name.contains(".cleaned")));
    let end = log.end_offset();
    let (mut log, _) = place.open(&compacted(), false, end);
    log.advance_start_offset(cut).expect("moved");
    assert_eq!(fold(&log), folded);
}

#[test]
fn a_log_that_was_closed_takes_nothing() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    append_random(&mut log, &mut Seeded(31), 60);
    let cleaned = run(&log, NOW, 0, &limits()).expect("dirty");
    log.close(NOW).expect("closed");
    let files = |place: &Place| place.files().into_iter().filter(|(name, _)| !name.contains(".cleaned"));
    let before: Vec<_> = files(&place).collect();
    assert!(log.finish_clean(cleaned).is_err());
    assert_eq!(place.files(), before);
}

#[test]
fn a_sync_that_was_under_way_ends_well() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    append_random(&mut log, &mut Seeded(41), 60);
    let flush = log.begin_flush().expect("begun");
    let cleaned = run(&log, NOW, 0, &limits()).expect("dirty");
    let report = log.finish_clean(cleaned).expect("finished");
    report.deleted.remove().expect("removed");
    let result = flush.run();
    log.end_flush(flush, result).expect("ended");
    assert_eq!(log.recovery_point(), log.end_offset());
    log.sync().expect("synced");
}
