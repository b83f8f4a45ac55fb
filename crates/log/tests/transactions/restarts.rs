//! What is known of transactions when files other than the segments are gone.

use ottla_log::{AppendError, Log, Outcome};

use super::random::{producers, small, step};
use super::support::transactions::*;
use super::support::*;

/// A log of many segments with open, aborted and committed transactions, and its producers.
pub(crate) fn written(place: &Place, seed: u64) -> (Log, Vec<Transactor>) {
    let mut random = Seeded(seed);
    let (mut producers, mut open) = (producers(), [false; 4]);
    let mut log = place.fresh(&small());
    for _ in 0..80 {
        step(&mut log, &mut producers, &mut open, &mut random);
    }
    (log, producers)
}

fn names(place: &Place, suffix: &str) -> Vec<String> {
    let all = place.files().into_iter().map(|(name, _)| name);
    all.filter(|name| name.ends_with(suffix)).collect()
}

#[test]
fn all_is_made_again_from_the_batches() {
    for seed in 0..6 {
        for (suffixes, clean) in [
            (&[".snapshot"][..], true),
            (&[".txnindex"], true),
            (&[".txnindex"], false),
            (&[".snapshot", ".txnindex"], true),
            (&[".snapshot", ".txnindex", ".index", ".timeindex"], false),
        ] {
            let place = Place::memory();
            let (mut log, producers) = written(&place, seed);
            let end = log.end_offset();
            let before = log.active_producers();
            log.close(NOW).expect("closed");
            for suffix in suffixes {
                let found = names(&place, suffix);
                assert!(found.len() > 5, "{suffix}");
                found.iter().for_each(|name| place.remove(name));
            }
            let (mut log, _) = place.open(&small(), clean, end);
            let what = format!("seed {seed}, without {suffixes:?}, clean {clean}");
            check_transactions(&log, &what);
            assert_eq!(log.active_producers(), before, "{what}: epochs, sequences, coordinators");
            for producer in producers {
                let known = before.iter().find(|known| known.producer_id == producer.id).expect("known");
                let stale = Transactor { epoch: producer.epoch - 1, ..producer.clone() };
                let refused = stale.append(&mut log, stale.batch(&[("key", None)]));
                assert!(
                    matches!(refused, Err(AppendError::InvalidProducerEpoch { .. })),
                    "{what}: {known:?}"
                );
                let next = producer.append(&mut log, producer.batch(&[("key", None)]));
                assert!(next.is_ok_and(|next| !next.duplicate), "{what}: {known:?}");
            }
            // What was missing is there again.
            let missing = |name: &String| !place.disk.exists(&place.dir().join(name)).expect("looked");
            let sealed = names(&place, ".log").len() - 1;
            let indexes: Vec<String> = names(&place, ".txnindex");
            assert!(indexes.len() >= sealed && !indexes.iter().any(missing), "{what}");
        }
    }
}

#[test]
fn a_transaction_over_many_segments_is_aborted_in_the_last_one() {
    for place in Place::each() {
        let mut log = place.fresh(&small());
        let (mut one, mut two) = (Transactor::new(1), Transactor::new(2));
        let value = "v".repeat(100);
        one.send(&mut log, &[("a", Some(&value))]);
        for _ in 0..20 {
            two.send(&mut log, &[("b", Some(&value))]);
            two.end(&mut log, Outcome::Abort);
            one.send(&mut log, &[("a", Some(&value))]);
        }
        one.end(&mut log, Outcome::Abort);
        assert!(log.segment_count() > 10);
        check_transactions(&log, "written");
        let all = log.aborted_transactions(0, 1).expect("looked up");
        assert_eq!((all.len(), all[0].first_offset, all[0].producer_id), (1, 0, 1));
        assert_eq!(log.aborted_transactions(1, 2).expect("looked up").len(), 2);
        let end = log.end_offset();
        drop(log);
        check_transactions(&place.open(&small(), false, end).0, "after a crash");
        // Retention takes the beginning of the transaction away.
        let (mut log, _) = place.open(&small(), false, end);
        log.advance_start_offset(30).expect("moved");
        assert_eq!(read_committed(&log, 30, 1), Vec::<i64>::new());
        drop(log);
        for name in names(&place, ".snapshot").iter().chain(&names(&place, ".txnindex")) {
            place.remove(name);
        }
        let (log, _) = place.open(&small(), false, end);
        assert_eq!(read_committed(&log, log.start_offset(), 1), Vec::<i64>::new());
        assert_eq!(log.last_stable_offset(end), end);
    }
}

/// Closing writes a whole index of the active segment; what is aborted after that must not be lost with the next
/// one.
#[test]
fn the_index_of_a_segment_that_goes_on_is_the_newest() {
    let place = Place::memory();
    let config = ottla_log::LogConfig::default();
    let mut one = Transactor::new(1);
    let mut log = place.fresh(&config);
    for clean in [true, false, true, true, false] {
        one.send(&mut log, &[("a", Some("value"))]);
        one.end(&mut log, Outcome::Abort);
        log.cool();
        check_transactions(&log, "written");
        if clean {
            log.close(NOW).expect("closed");
        }
        let end = log.end_offset();
        drop(log);
        log = place.open(&config, clean, end).0;
        check_transactions(&log, "opened");
    }
}
