//! Idempotent producers, also across restarts.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use bytes::Bytes;
use ottla_log::{AppendError, BatchBuilder, Log, LogConfig, NewRecord};
use ottla_model::WallMillis;
use support::*;

const PRODUCER: i64 = 4000;

fn sent(epoch: i16, sequence: i32, count: i32) -> Bytes {
    let mut builder = BatchBuilder::new().producer(PRODUCER, epoch, sequence);
    for _ in 0..count {
        builder.push(NewRecord { timestamp: NOW.0, value: Some(b"some value"), ..NewRecord::default() });
    }
    builder.build()
}

fn is_duplicate_at(log: &mut Log, batch: &Bytes, offset: i64) -> bool {
    let end = log.end_offset();
    let appended = append(log, batch).expect("acknowledged");
    assert_eq!(log.end_offset(), end, "nothing is written twice");
    appended.duplicate && appended.base_offset == offset
}

#[test]
fn the_last_five_batches_are_acknowledged_again_with_their_first_offset() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        for number in 0..30 {
            append(&mut log, &sent(0, number * 2, 2)).expect("appended");
            append(&mut log, &batch(&["of another"])).expect("appended");
        }
        let offset = |number: i64| number * 3;
        for number in 25..30 {
            assert!(is_duplicate_at(&mut log, &sent(0, number * 2, 2), offset(number.into())), "{number}");
        }
        let old = append(&mut log, &sent(0, 48, 2));
        assert!(matches!(old, Err(AppendError::OutOfOrderSequence { last_sequence: 59, .. })));
        let gap = append(&mut log, &sent(0, 62, 2));
        assert!(matches!(gap, Err(AppendError::OutOfOrderSequence { sequence: 62, .. })));

        // After a crash everything since the newest snapshot is remembered, and the newest batch in any case.
        drop(log);
        let (mut log, report) = place.open(&config, false, 0);
        assert!(report.producer_snapshot.is_some());
        assert!(is_duplicate_at(&mut log, &sent(0, 58, 2), offset(29)));
        // Without its snapshots the log is all there is, and it is enough.
        drop(log);
        for (name, _) in place.files().iter().filter(|(name, _)| name.ends_with(".snapshot")) {
            place.remove(name);
        }
        let (mut log, report) = place.open(&config, false, 0);
        assert_eq!((report.producer_snapshot, report.producer_batches), (None, 60));
        for number in 25..30 {
            assert!(is_duplicate_at(&mut log, &sent(0, number * 2, 2), offset(number.into())), "{number}");
        }
        append(&mut log, &sent(0, 60, 2)).expect("in order");

        log.close(NOW).expect("closed");
        let (mut log, report) = place.open(&config, true, log.end_offset());
        assert_eq!((report.producer_snapshot, report.producer_batches), (Some(92), 0));
        assert!(is_duplicate_at(&mut log, &sent(0, 60, 2), 90));
        append(&mut log, &sent(0, 62, 2)).expect("in order");
    }
}

#[test]
fn damaged_snapshots_are_replaced_by_older_ones_or_the_log() {
    let place = Place::memory();
    let config = small_segments();
    let mut log = place.fresh(&config);
    for number in 0..80 {
        append(&mut log, &sent(0, number, 1)).expect("appended");
    }
    log.close(NOW).expect("closed");
    let snapshots: Vec<_> =
        place.files().into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".snapshot")).collect();
    assert!(snapshots.len() > 2);
    for name in snapshots.iter().rev() {
        let mut bytes = place.read(name);
        bytes[10] ^= 1;
        place.write(name, &bytes);
        let (mut log, _) = place.open(&config, true, 80);
        assert!(!place.disk.exists(&place.dir().join(name)).expect("looked"), "it is of no use to anyone");
        assert!(is_duplicate_at(&mut log, &sent(0, 79, 1), 79));
        assert!(matches!(append(&mut log, &sent(0, 81, 1)), Err(AppendError::OutOfOrderSequence { .. })));
    }
}

#[test]
fn silent_producers_are_forgotten() {
    let place = Place::memory();
    let config = LogConfig { producer_id_expiration_ms: 1000, ..LogConfig::default() };
    let mut log = place.fresh(&config);
    append(&mut log, &sent(0, 0, 1)).expect("appended");
    log.expire_producers(WallMillis(NOW.0 + 999));
    assert_eq!(log.producer_count(), 1);
    assert!(matches!(append(&mut log, &sent(0, 7, 1)), Err(AppendError::OutOfOrderSequence { .. })));
    log.expire_producers(WallMillis(NOW.0 + 1000));
    assert_eq!(log.producer_count(), 0);
    append(&mut log, &sent(0, 7, 1)).expect("an unknown producer may begin anywhere");
}

#[test]
fn a_stale_epoch_is_fenced_and_a_new_one_begins_at_zero() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig::default());
    append(&mut log, &sent(3, 0, 1)).expect("appended");
    assert!(matches!(append(&mut log, &sent(2, 1, 1)), Err(AppendError::InvalidProducerEpoch { .. })));
    assert!(matches!(append(&mut log, &sent(4, 1, 1)), Err(AppendError::OutOfOrderSequence { .. })));
    append(&mut log, &sent(4, 0, 1)).expect("a new epoch");
    assert!(matches!(append(&mut log, &sent(3, 1, 1)), Err(AppendError::InvalidProducerEpoch { .. })));
    let transactional = edit(&sent(4, 1, 1), |header| header.attributes = 0x10);
    assert!(matches!(append(&mut log, &transactional), Err(AppendError::InvalidTransactionState { .. })));
}
