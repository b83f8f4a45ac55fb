//! Appending, reading, rolling and opening again, on a real disk and in memory.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use ottla_log::{
    AppendError, BatchError, BatchHeader, LogConfig, LogError, ReadError, ReadLimit, TimestampType,
};
use ottla_model::{TopicId, WallMillis};
use support::*;

fn fill(log: &mut ottla_log::Log, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    for number in 0..count {
        let texts: Vec<String> = (0..=number % 3).map(|part| format!("value {number} {part}")).collect();
        let texts_ref: Vec<&str> = texts.iter().map(String::as_str).collect();
        let appended = append(log, &batch(&texts_ref)).expect("appended");
        assert_eq!(appended.base_offset, all.len() as i64);
        assert_eq!(appended.next_offset, appended.last_offset + 1);
        all.extend(texts);
    }
    all
}

#[test]
fn what_was_appended_is_read_from_every_offset_also_after_opening_again() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        let all = fill(&mut log, 200);
        assert!(log.segment_count() > 5, "segments rolled");
        for from in 0..=all.len() {
            let read = consume(&log, from as i64);
            assert_eq!(values(&read), all[from..]);
            assert!(read.iter().zip(from as i64..).all(|(record, offset)| record.offset == offset));
        }
        let closed = log.close(NOW).expect("closed");
        assert_eq!(closed.recovery_point, all.len() as i64);
        assert!(matches!(append(&mut log, &batch(&["late"])), Err(AppendError::Closed)));

        let (log, report) = place.open(&config, true, closed.recovery_point);
        assert_eq!((report.batches_read, report.indexes_rebuilt, report.producer_batches), (0, 0, 0));
        assert_eq!(values(&consume(&log, 0)), all);
        assert_eq!(log.recovery_point(), log.end_offset());
        let (log, report) = place.open(&config, false, 0);
        assert_eq!((report.batches_read, report.bytes_cut), (200, 0));
        assert_eq!(values(&consume(&log, 0)), all);
    }
}

#[test]
fn a_log_without_records_has_no_files() {
    for place in Place::each() {
        let mut log = place.fresh(&LogConfig::default());
        assert_eq!((log.start_offset(), log.end_offset(), log.size_bytes()), (0, 0, 0));
        assert_eq!(log.read(0, everything()).expect("empty").bytes.len(), 0);
        assert!(matches!(log.read(1, everything()), Err(ReadError::OutOfRange)));
        assert_eq!(log.offset_for_time(0, i64::MAX).expect("looked"), None);
        assert_eq!(log.offset_of_max_timestamp().expect("looked"), None);
        log.sync().expect("nothing to sync");
        log.close(NOW).expect("nothing to close");
        assert!(!place.disk.exists(&place.dir()).expect("looked"));
        log.delete().expect("nothing to delete");
    }
}

#[test]
fn a_read_returns_whole_batches_within_its_limits() {
    for place in Place::each() {
        let mut log = place.fresh(&LogConfig { index_interval_bytes: 300, ..LogConfig::default() });
        for number in 0..100 {
            append(&mut log, &batch(&[&format!("a{number:03}"), &format!("b{number:03}")]))
                .expect("appended");
        }
        let size = log.size_bytes() as usize / 100;
        for from in [0, 1, 2, 77, 150, 198, 199] {
            for count in [1, 2, 3, 50] {
                let limit =
                    ReadLimit { max_bytes: size * count + size / 2, at_least_one: false, upper: i64::MAX };
                let read = log.read(from, limit).expect("read");
                let first = from / 2;
                let got = (count as i64).min(100 - first);
                assert_eq!(read.bytes.len(), got as usize * size, "{count} batches from {from}");
                assert_eq!(BatchHeader::parse(&read.bytes).expect("header").base_offset, first * 2);
                assert_eq!(read.next, (first + got) * 2);
            }
        }
        let tight = |at_least_one| ReadLimit { max_bytes: 10, at_least_one, upper: i64::MAX };
        assert_eq!(log.read(3, tight(true)).expect("read").bytes.len(), size);
        assert_eq!(log.read(3, tight(false)).expect("read").bytes.len(), 0);
        for upper in 0..=200 {
            let read = log.read(0, ReadLimit { upper, ..everything() }).expect("read");
            assert_eq!(read.bytes.len(), upper as usize / 2 * size, "upper bound {upper}");
            assert_eq!(read.next, upper / 2 * 2);
        }
        assert_eq!(log.read(200, everything()).expect("the end").bytes.len(), 0);
        assert!(matches!(log.read(201, everything()), Err(ReadError::OutOfRange)));
        assert!(matches!(log.read(-1, everything()), Err(ReadError::OutOfRange)));
    }
}

#[test]
fn bytes_are_the_clients_but_for_offset_and_epoch() {
    let place = Place::real();
    let mut log = place.fresh(&LogConfig::default());
    let sent = batch(&["one", "two"]);
    append(&mut log, &batch(&["zero"])).expect("appended");
    append(&mut log, &sent).expect("appended");
    let stored = log.read(1, everything()).expect("read").bytes;
    assert_eq!(stored[..8], 1i64.to_be_bytes());
    assert_eq!(stored[8..12], sent[8..12]);
    assert_eq!(stored[12..16], 3i32.to_be_bytes());
    assert_eq!(stored[16..], sent[16..]);
}

#[test]
fn the_time_of_the_append_is_stamped_and_sealed() {
    for place in Place::each() {
        let config = LogConfig { timestamp_type: TimestampType::LogAppendTime, ..LogConfig::default() };
        let mut log = place.fresh(&config);
        let appended = append(&mut log, &timed_batch(&[(5, "one"), (6, "two")])).expect("appended");
        assert_eq!(appended.log_append_time, NOW.0);
        assert!(consume(&log, 0).iter().all(|record| record.timestamp == NOW.0));
        // A CRC that was not computed again would be cut here.
        let (log, report) = place.open(&config, false, 0);
        assert_eq!((report.batches_read, report.bytes_cut, log.end_offset()), (1, 0, 2));
    }
}

#[test]
fn segments_roll_by_size_by_time_and_when_an_index_is_full() {
    let place = Place::memory();
    let size = batch(&["x"]).len() as u32;
    let mut log = place.fresh(&LogConfig { segment_bytes: size * 2, ..LogConfig::default() });
    for _ in 0..5 {
        append(&mut log, &batch(&["x"])).expect("appended");
    }
    assert_eq!(log.segment_count(), 3);
    let too_large = append(&mut log, &batch(&[&"x".repeat(200)]));
    assert!(matches!(too_large, Err(AppendError::Batch(BatchError::LargerThanSegment { .. }))));

    let place = Place::memory();
    let mut log = place.fresh(&LogConfig { segment_ms: 1000, ..LogConfig::default() });
    for timestamp in [0, 500, 1000, 1001, 2001, 3000] {
        append(&mut log, &timed_batch(&[(NOW.0 + timestamp, "x")])).expect("appended");
    }
    assert_eq!(log.segment_count(), 3);

    let place = Place::memory();
    let config = LogConfig { index_interval_bytes: 0, index_size_max_bytes: 60, ..LogConfig::default() };
    let mut log = place.fresh(&config);
    for number in 0..20 {
        append(&mut log, &timed_batch(&[(NOW.0 + number, "x")])).expect("appended");
    }
    // Room for five entries of time, the last of which is kept for the end of the segment.
    assert_eq!(log.segment_count(), 4);
}

#[test]
fn rebuilt_indexes_are_the_ones_that_were_written() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        let mut random = Seeded(11);
        for _ in 0..150 {
            let timestamp = NOW.0 + random.below(1000) as i64;
            append(&mut log, &timed_batch(&[(timestamp, "some value"), (timestamp - 3, "x")]))
                .expect("appended");
        }
        log.close(NOW).expect("closed");
        let written = place.files();
        let indexes: Vec<_> = written.iter().filter(|(name, _)| name.ends_with("index")).collect();
        assert!(indexes.len() > 6 && indexes.iter().any(|(_, bytes)| bytes.len() > 24));
        for (name, _) in &indexes {
            place.remove(name);
        }
        let (mut log, report) = place.open(&config, true, log.end_offset());
        assert_eq!(report.indexes_rebuilt, log.segment_count());
        log.close(NOW).expect("closed");
        assert_eq!(place.files(), written);

        let (mut log, _) = place.open(&config, false, 0);
        log.close(NOW).expect("closed");
        assert_eq!(place.files(), written, "also when everything was read");
    }
}

#[test]
fn damaged_indexes_cost_time_but_no_answer() {
    let place = Place::memory();
    let config = small_segments();
    let mut log = place.fresh(&config);
    for number in 0..60 {
        append(&mut log, &timed_batch(&[(NOW.0 + number * 10, "one"), (NOW.0 + number * 10 + 5, "two")]))
            .expect("appended");
    }
    log.close(NOW).expect("closed");
    for (name, good) in place.files().iter().filter(|(name, _)| name.ends_with("index")) {
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            place.write(name, &bad);
            let (log, _) = place.open(&config, true, 120);
            for from in (0..120).step_by(11) {
                let read = log.read(from, ReadLimit { max_bytes: 0, ..everything() }).expect("read");
                let header = BatchHeader::parse(&read.bytes).expect("header");
                assert_eq!(header.base_offset, from / 2 * 2, "{name} bit {bit}");
                let found = log.offset_for_time(NOW.0 + from * 5, i64::MAX).expect("looked").expect("found");
                assert_eq!(found.offset, from, "{name} bit {bit}");
            }
            let largest = log.offset_of_max_timestamp().expect("looked").expect("found");
            assert_eq!((largest.offset, largest.timestamp), (119, NOW.0 + 595), "{name} bit {bit}");
        }
        place.write(name, good);
    }
}

#[test]
fn an_index_that_is_out_of_order_is_made_again() {
    let place = Place::memory();
    let config = LogConfig { index_interval_bytes: 300, ..LogConfig::default() };
    let mut log = place.fresh(&config);
    for number in 0..300 {
        append(&mut log, &timed_batch(&[(NOW.0 + number * 10, "some value")])).expect("appended");
    }
    log.close(NOW).expect("closed");
    for name in ["00000000000000000000.index", "00000000000000000000.timeindex"] {
        let good = place.read(name);
        let mut bad = good.clone();
        bad[0] = 0x7f;
        place.write(name, &bad);
        let (log, _) = place.open(&config, true, 300);
        assert_eq!(log.offset_of_max_timestamp().expect("looked").expect("found").offset, 299, "{name}");
        for number in 0..300 {
            let found = log.offset_for_time(NOW.0 + number * 10 - 3, i64::MAX).expect("looked");
            assert_eq!(found.expect("found").offset, number, "{name}");
            assert_eq!(consume(&log, number).len() as i64, 300 - number);
        }
        place.write(name, &good);
    }
}

/// Base offset of the segment after the one that holds `offset`.
fn next_segment(log: &ottla_log::Log, offset: i64) -> i64 {
    let segment = |offset| log.read(offset, everything()).expect("read").segment;
    (offset..log.end_offset()).find(|&later| segment(later) > offset).expect("there is one")
}

#[test]
fn the_start_moves_and_whole_segments_go() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        let all = fill(&mut log, 100);
        let held = log.read(0, everything()).expect("read").bytes;
        let copy = held.to_vec();
        let (before, size) = (log.segment_count(), log.size_bytes());
        log.advance_start_offset(97).expect("moved");
        log.advance_start_offset(5).expect("does not go back");
        assert_eq!(log.start_offset(), 97);
        assert!(log.segment_count() < before && log.size_bytes() < size);
        assert_eq!(held, copy, "who reads a segment that goes finishes undisturbed");
        assert!(matches!(log.read(96, everything()), Err(ReadError::OutOfRange)));
        assert_eq!(values(&consume(&log, 97)), all[97..]);
        assert_eq!(log.offset_for_time(0, i64::MAX).expect("looked").expect("found").offset, 97);
        // A segment that ends where the log begins is of no use any more.
        let (count, next) = (log.segment_count(), next_segment(&log, 97));
        log.advance_start_offset(next - 1).expect("moved");
        assert_eq!(log.segment_count(), count);
        log.advance_start_offset(next).expect("moved");
        assert_eq!(log.segment_count(), count - 1);
        let end = log.end_offset();
        assert!(matches!(log.advance_start_offset(end + 1), Err(LogError::OutOfRange { .. })));
        log.advance_start_offset(end).expect("moved");
        assert_eq!(log.segment_count(), 1);
        append(&mut log, &batch(&["more"])).expect("appended");
        assert_eq!(values(&consume(&log, end)), ["more"]);
    }
}

#[test]
fn a_deleted_log_leaves_nothing_but_what_is_being_read() {
    for place in Place::each() {
        let mut log = place.fresh(&LogConfig::default());
        append(&mut log, &batch(&["one"])).expect("appended");
        let held = log.read(0, everything()).expect("read").bytes;
        let copy = held.to_vec();
        log.delete().expect("deleted");
        assert!(place.disk.list(&place.root).expect("listed").is_empty());
        assert_eq!(held, copy);
        assert!(matches!(append(&mut log, &batch(&["x"])), Err(AppendError::Closed)));
        assert!(log.read(0, everything()).is_err());
    }
}

#[test]
fn a_directory_of_another_topic_is_refused() {
    let place = Place::memory();
    let mut log = place.fresh(&LogConfig::default());
    append(&mut log, &batch(&["one"])).expect("appended");
    log.close(NOW).expect("closed");
    let identity = ottla_log::Identity { topic_id: TopicId([8; 16]), ..identity() };
    let open = ottla_log::Open { clean: true, recovery_point: 1, synced: false, now: WallMillis(0) };
    let opened = ottla_log::Log::open(place.disk.clone(), &place.dir(), identity, LogConfig::default(), open);
    assert!(matches!(opened, Err(LogError::OtherTopic { found }) if found == TopicId([7; 16])));
}

#[test]
fn a_log_that_went_cold_goes_on() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        let mut all = fill(&mut log, 50);
        log.sync().expect("synced");
        let held = log.read(0, everything()).expect("read").bytes;
        let copy = held.to_vec();
        log.cool();
        assert_eq!(held, copy);
        assert_eq!(values(&consume(&log, 0)), all);
        log.cool();
        append(&mut log, &batch(&["more"])).expect("appended");
        all.push("more".into());
        log.cool();
        assert_eq!(values(&consume(&log, 0)), all);
    }
}

#[test]
fn epochs_survive_with_and_without_their_checkpoint() {
    for place in Place::each() {
        let config = small_segments();
        let mut log = place.fresh(&config);
        for (epoch, count) in [(1, 20), (4, 10), (9, 5)] {
            for _ in 0..count {
                let append = ottla_log::Append { leader_epoch: epoch, ..client() };
                log.append(batch(&["some value"]), append).expect("appended");
            }
        }
        let check = |log: &ottla_log::Log| {
            assert_eq!(log.epoch_end_offset(1, 9), (1, 20));
            assert_eq!(log.epoch_end_offset(5, 9), (4, 30));
            assert_eq!(log.epoch_end_offset(9, 12), (9, 35));
            assert_eq!(log.epoch_end_offset(12, 12), (12, 35));
            assert_eq!((log.epoch_at(19), log.epoch_at(20), log.latest_epoch()), (Some(1), Some(4), 9));
        };
        check(&log);
        let (log, _) = place.open(&config, false, 0);
        check(&log);
        let (mut log, _) = place.open(&config, false, 35);
        check(&log);
        log.close(NOW).expect("closed");
        assert_eq!(place.read("leader-epoch-checkpoint"), b"0\n3\n1 0\n4 20\n9 30\n");
        place.write("leader-epoch-checkpoint", b"0\n3\n1 0\n");
        check(&place.open(&config, true, 35).0);
        // An epoch goes with its last record.
        place.write("leader-epoch-checkpoint", b"0\n3\n1 0\n4 20\n9 30\n");
        let (last, bytes) = place.files().into_iter().rfind(|(name, _)| name.ends_with(".log")).expect("one");
        let size = batch(&["some value"]).len();
        place.write(&last, &bytes[..bytes.len() - 5 * size]);
        let (log, _) = place.open(&config, false, 0);
        assert_eq!((log.end_offset(), log.latest_epoch()), (30, 4));
        assert_eq!(log.epoch_end_offset(9, 12), (4, 30));
    }
}

#[test]
fn a_log_with_unsynced_bytes_stays_open_when_it_is_cooled() {
    for place in Place::each() {
        let mut log = place.fresh(&LogConfig::default());
        append(&mut log, &batch(&["a"])).expect("appended");
        log.cool();
        assert!(!log.is_cold());
        log.sync().expect("synced");
        log.cool();
        assert!(log.is_cold());
        append(&mut log, &batch(&["b"])).expect("appended");
        assert!(!log.is_cold());
    }
}
