//! Tombstones stay until everybody has had the time to see them (KIP-534).

use ottla_log::{BatchBuilder, BatchHeader, CleanBlocked, CleanBound, LogConfig, NewRecord, Outcome};
use ottla_model::WallMillis;

use super::keyed::*;
use super::support::*;

const RETENTION_MS: i64 = 1000;

fn after(millis: i64) -> WallMillis {
    WallMillis(NOW.0 + millis)
}

#[test]
fn a_tombstone_gets_its_time_in_the_first_run_and_goes_after_it() {
    for (codec, framing) in CODECS {
        let place = Place::memory();
        let config = LogConfig { delete_retention_ms: RETENTION_MS, ..compacted() };
        let mut log = place.fresh(&config);
        append(&mut log, &keyed(&[("gone", Some("value")), ("stays", Some("value"))])).expect("appended");
        append(&mut log, &compress(&keyed(&[("gone", None), ("other", Some("value"))]), codec, framing))
            .expect("appended");
        for _ in 0..60 {
            append(&mut log, &keyed(&[("filler", Some("a longer value"))])).expect("appended");
        }
        let before: Vec<_> = consume(&log, 2).into_iter().take(2).collect();

        let report = clean(&mut log, NOW, 0, &limits()).expect("dirty");
        assert_eq!(report.stats.tombstones_until, Some(after(RETENTION_MS)));
        assert_eq!(log.tombstones_until().expect("read"), Some(after(RETENTION_MS)));
        assert_eq!(offsets(&log)[..3], [1, 2, 3]);
        let kept: Vec<_> = consume(&log, 2).into_iter().take(2).collect();
        assert_eq!(kept, before, "the timestamps are what they were");
        let header = log.batches(2).next().expect("one").expect("batch");
        let header = BatchHeader::parse(&header).expect("header");
        assert!(header.has_delete_horizon());
        assert_eq!(header.base_timestamp, after(RETENTION_MS).0);
        assert_eq!(header.compression(), Some(codec));

        // Not a millisecond too early, and the time is not put off by another run.
        clean_up(&mut log, after(RETENTION_MS - 1), 0);
        assert_eq!(offsets(&log)[..3], [1, 2, 3]);
        assert_eq!(log.tombstones_until().expect("read"), Some(after(RETENTION_MS)));
        clean_up(&mut log, after(RETENTION_MS), 0);
        assert_eq!(offsets(&log)[..2], [1, 3], "{codec:?}");
        assert_eq!(log.tombstones_until().expect("read"), None);
        assert_eq!(consume(&log, 3)[0], before[1]);
    }
}

#[test]
fn a_tombstone_begins_to_wait_when_all_that_it_hides_is_gone() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { delete_retention_ms: RETENTION_MS, ..compacted() });
    append(&mut log, &keyed(&[("a", Some("1"))])).expect("appended");
    append(&mut log, &keyed(&[("b", Some("1"))])).expect("appended");
    append(&mut log, &keyed(&[("a", None)])).expect("appended");
    append(&mut log, &keyed(&[("c", None)])).expect("appended");
    for _ in 0..60 {
        append(&mut log, &keyed(&[("filler", Some("a longer value"))])).expect("appended");
    }
    // The map is full at the tombstone of c, which is copied all the same.
    let report = clean(&mut log, NOW, 0, &room_for(2)).expect("dirty");
    assert_eq!(report.cleaned_to, 3);
    assert_eq!(offsets(&log)[..3], [1, 2, 3]);
    let horizons: Vec<bool> = log
        .batches(0)
        .map(|batch| BatchHeader::parse(&batch.expect("batch")).expect("header").has_delete_horizon())
        .collect();
    assert_eq!(horizons[..3], [false, true, false]);
    clean(&mut log, after(RETENTION_MS), 3, &limits()).expect("dirty");
    assert_eq!(offsets(&log)[..2], [1, 3], "the one has gone, the other begins to wait");
    assert_eq!(log.tombstones_until().expect("read"), Some(after(2 * RETENTION_MS)));
}

#[test]
fn records_without_a_key_go() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { compacted: false, ..compacted() });
    let mut builder = BatchBuilder::new();
    for key in [None, Some(&b"key"[..])] {
        builder.push(NewRecord { timestamp: NOW.0, key, value: Some(b"value"), headers: &[] });
    }
    append(&mut log, &builder.build()).expect("appended");
    for number in 0..60 {
        append(&mut log, &keyed(&[(&format!("filler-{number}"), Some("a longer value"))])).expect("appended");
    }
    log.set_config(compacted());
    clean_up(&mut log, NOW, 0);
    assert_eq!(offsets(&log)[..2], [1, 2], "a record without a key says nothing");
}

fn transactional(key: &str, value: Option<&str>) -> bytes::Bytes {
    fill(BatchBuilder::new().producer(7, 0, -1).transactional(), NOW.0, &[(key, value)])
}

#[test]
fn an_open_transaction_holds_compaction_back() {
    let place = Place::memory();
    place.disk.create_dir_all(&place.dir()).expect("made");
    place.write("00000000000000000000.log", &transactional("a", Some("1")));
    let (mut log, _) = place.open(&compacted(), false, 0);
    for _ in 0..60 {
        append(&mut log, &keyed(&[("filler", Some("a longer value"))])).expect("appended");
    }
    let status = log.clean_status(NOW, i64::MAX, 0);
    let bound = CleanBound::OpenTransaction { first_offset: 0 };
    assert_eq!(status.blocked, Some(CleanBlocked::Bound(bound)));
    let commit = transactions::marker(7, 0, Outcome::Commit);
    log.append(commit, transactions::coordinator(false)).expect("appended");
    assert_eq!(log.clean_status(NOW, log.end_offset() - 1, 0).blocked, Some(CleanBlocked::Bound(bound)));
    assert_eq!(log.clean_status(NOW, i64::MAX, 0).blocked, None);
}
