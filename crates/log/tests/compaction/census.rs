//! What is counted is what is there.

use std::collections::BTreeSet;

use ottla_log::{CleanedCount, LogError, RecordCount};
use ottla_model::Offset;

use super::keyed::*;
use super::support::*;

#[test]
fn random_logs_are_counted_as_they_are_consumed() {
    for seed in 0..8 {
        let mut seeded = Seeded(seed);
        for place in Place::each() {
            let mut log = place.fresh(&compacted());
            let mut cleaned_to = 0;
            for _ in 0..4 {
                let batches = seeded.between(5, 40);
                append_random(&mut log, &mut seeded, batches);
                let census = log.census(Offset::MAX, cleaned_to).expect("taken");
                let records = consume(&log, log.start_offset());
                let keys: BTreeSet<_> = records.iter().map(|record| &record.key).collect();
                let all = RecordCount {
                    records: records.len() as u64,
                    tombstones: records.iter().filter(|record| record.value.is_none()).count() as u64,
                    keys: keys.len() as u64,
                    keys_incomplete: false,
                };
                assert_eq!(census.count_all(&limits(), &mut |_| true).expect("counted"), all, "seed {seed}");
                let small = census.count_all(&room_for(3), &mut |_| true).expect("counted");
                assert_eq!((small.keys, small.keys_incomplete), (3, true), "seed {seed}");
                let cleaned = records.iter().filter(|record| record.offset < cleaned_to);
                let counted = census.count_cleaned(&mut |_| true).expect("counted");
                assert_eq!(counted.keys, cleaned.clone().count() as u64, "seed {seed}");
                let tombstones = cleaned.filter(|record| record.value.is_none()).count() as u64;
                assert_eq!(counted.tombstones, tombstones, "seed {seed}");
                if let Some((first, last)) = counted.tombstones_may_go {
                    assert!(
                        Some(first) >= log.tombstones_until().expect("read") && first <= last,
                        "seed {seed}"
                    );
                }
                // A small map ends in the middle of a segment.
                let room = if seeded.below(2) == 0 { limits() } else { room_for(5) };
                if let Some(report) = clean(&mut log, NOW, cleaned_to, &room) {
                    report.deleted.remove().expect("removed");
                    cleaned_to = report.cleaned_to;
                }
            }
        }
    }
}

#[test]
fn tombstones_tell_when_they_may_go_and_a_count_can_be_stopped() {
    let place = Place::memory();
    let mut log = place.fresh(&compacted());
    for number in 0..40 {
        append(&mut log, &keyed(&[("gone", None), (&format!("{number}"), Some("value"))])).expect("appended");
    }
    let cleaned_to = clean_up(&mut log, NOW, 0);
    let census = log.census(cleaned_to, cleaned_to).expect("taken");
    // What is compacted or dropped meanwhile is counted all the same.
    clean_up(&mut log, NOW, 0);
    let counted = census.count_cleaned(&mut |_| true).expect("counted");
    let until = ottla_model::WallMillis(NOW.0 + compacted().delete_retention_ms);
    assert_eq!(log.tombstones_until().expect("read"), Some(until));
    assert_eq!((counted.tombstones, counted.tombstones_may_go), (1, Some((until, until))));
    assert!(counted.keys > 20 && !counted.has_transactions, "{counted:?}");
    assert!(matches!(census.count_cleaned(&mut |_| false), Err(LogError::Stopped)));
    assert!(matches!(census.count_all(&limits(), &mut |_| false), Err(LogError::Stopped)));
    let nothing = log.census(0, 0).expect("taken").count_cleaned(&mut |_| true).expect("counted");
    assert_eq!(nothing, CleanedCount::default());
}

#[test]
fn damage_is_no_count() {
    let place = Place::real();
    let mut log = place.fresh(&compacted());
    for number in 0..40 {
        append(&mut log, &keyed(&[(&format!("{number}"), None)])).expect("appended");
    }
    let cleaned_to = clean_up(&mut log, NOW, 0);
    assert!(cleaned_to > 0);
    let (name, bytes) =
        place.files().into_iter().find(|(name, _)| name.ends_with("0.log")).expect("the first segment");
    for position in [16, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x20;
        place.write(&name, &damaged);
        let again = place.open(&compacted(), true, 0).0;
        let census = again.census(Offset::MAX, cleaned_to).expect("taken");
        assert!(is_corrupt(&census.count_cleaned(&mut |_| true).expect_err("damaged")));
        assert!(is_corrupt(&census.count_all(&limits(), &mut |_| true).expect_err("damaged")));
    }
}
