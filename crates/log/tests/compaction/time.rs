//! Finding records by time in a compacted log.

use ottla_model::Offset;

use super::keyed::*;
use super::support::*;

#[test]
fn lookups_by_time_find_what_a_scan_finds() {
    for seed in 0..15 {
        let mut seeded = Seeded(seed);
        let place = Place::real();
        let mut log = place.fresh(&compacted());
        append_random(&mut log, &mut seeded, 80);
        clean_up(&mut log, NOW, 0);
        for reopened in [false, true] {
            if reopened {
                let end = log.end_offset();
                log = place.open(&compacted(), false, end / 2).0;
            }
            let records = consume(&log, 0);
            let largest = records.iter().map(|record| record.timestamp).max().expect("some");
            let first_of_largest = records.iter().find(|record| record.timestamp == largest).expect("some");
            let found = log.offset_of_max_timestamp().expect("read").expect("found");
            assert_eq!((found.timestamp, found.offset), (largest, first_of_largest.offset), "seed {seed}");
            for step in 0..200 {
                let timestamp = NOW.0 - 10 + step * 60;
                let found =
                    log.offset_for_time(timestamp, Offset::MAX).expect("read").map(|found| found.offset);
                let wanted = records.iter().find(|record| record.timestamp >= timestamp);
                assert_eq!(found, wanted.map(|record| record.offset), "seed {seed}, time {timestamp}");
            }
        }
    }
}

#[test]
fn an_emptied_batch_has_no_time() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    let producer = ottla_log::BatchBuilder::new().producer(7, 0, 0);
    append(&mut log, &fill(producer, NOW.0 + 5000, &[("shared", Some("old"))])).expect("appended");
    for step in 0..100 {
        append(&mut log, &keyed_at(NOW.0 + step, &[("shared", Some("newest"))])).expect("appended");
    }
    clean_up(&mut log, NOW, 0);
    assert_eq!(shape(&log)[0], (0, 0, 0));
    let found = log.offset_of_max_timestamp().expect("read").expect("found");
    assert_eq!((found.timestamp, found.offset), (NOW.0 + 99, 100));
    assert_eq!(log.offset_for_time(NOW.0 + 4000, i64::MAX).expect("read"), None);
}
