//! Idempotent producers go on, and what they send twice is recognised, when their records are gone.

use ottla_log::{AppendError, BatchBuilder};
use ottla_model::Offset;

use super::keyed::*;
use super::support::*;

fn from_producer(id: i64, sequence: i32, key: &str) -> bytes::Bytes {
    fill(BatchBuilder::new().producer(id, 2, sequence), NOW.0, &[(key, Some("value")), (key, Some("last"))])
}

#[test]
fn duplicates_are_recognised_after_compaction_and_a_restart() {
    for place in Place::each() {
        let mut log = place.fresh(&compacted());
        let offset_of = |log: &mut ottla_log::Log, id, sequence| -> Offset {
            append(log, &from_producer(id, sequence, "shared")).expect("appended").base_offset
        };
        offset_of(&mut log, 1, 0);
        let one = offset_of(&mut log, 1, 2);
        offset_of(&mut log, 2, 0);
        offset_of(&mut log, 2, 2);
        let two = offset_of(&mut log, 2, 4);
        for _ in 0..100 {
            append(&mut log, &keyed(&[("shared", Some("newest"))])).expect("appended");
        }
        clean_up(&mut log, NOW, 0);
        let emptied: Vec<_> = shape(&log).into_iter().take_while(|&(base, ..)| base <= two).collect();
        assert_eq!(emptied, [(one, one + 1, 0), (two, two + 1, 0)], "the last of each, without records");

        // The newest snapshot is taken away, so that the producers come from what is left of the log.
        let end = log.end_offset();
        drop(log);
        for (name, _) in place.files().iter().filter(|(name, _)| name.ends_with(".snapshot")) {
            place.remove(name);
        }
        let (mut log, _) = place.open(&compacted(), false, end);
        assert_eq!(log.producer_count(), 2);
        for (id, sequence, offset) in [(1, 2, one), (2, 4, two)] {
            let again = append(&mut log, &from_producer(id, sequence, "shared")).expect("known");
            assert!(again.duplicate);
            assert_eq!(again.base_offset, offset);
        }
        let gap = append(&mut log, &from_producer(1, 9, "shared"));
        assert!(matches!(gap, Err(AppendError::OutOfOrderSequence { last_sequence: 3, .. })));
        append(&mut log, &from_producer(1, 4, "shared")).expect("it goes on");
        // The place of a producer that has written something since is given up.
        for _ in 0..100 {
            append(&mut log, &keyed(&[("shared", Some("newest"))])).expect("appended");
        }
        clean_up(&mut log, NOW, 0);
        assert!(shape(&log).iter().all(|&(base, ..)| base != one));
        assert!(shape(&log).contains(&(two, two + 1, 0)));
    }
}
