//! Transactions in a compacted log: aborted records go, markers go after them, and readers see the same.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ottla_log::{BatchHeader, Log, LogConfig, Outcome, Record};
use ottla_model::{Offset, WallMillis};

use super::keyed::*;
use super::support::transactions::*;
use super::support::*;

const RETENTION_MS: i64 = 1000;

fn config() -> LogConfig {
    LogConfig { delete_retention_ms: RETENTION_MS, segment_bytes: 900, ..compacted() }
}

fn after(millis: i64) -> WallMillis {
    WallMillis(NOW.0 + millis)
}

fn fill_segments(log: &mut Log) {
    let end = log.end_offset();
    for number in 0..30 {
        append(log, &keyed(&[(&format!("filler-{end}-{number}"), Some("a longer value"))]))
            .expect("appended");
    }
}

/// Base offset, number of records, and whether it is a marker, of each batch before `end`.
fn batches_before(log: &Log, end: Offset) -> Vec<(Offset, i32, bool)> {
    let headers = batches(log).into_iter().map(|batch| header(&batch));
    let of = |header: BatchHeader| (header.base_offset, header.record_count, header.is_control());
    headers.take_while(|header| header.base_offset < end).map(of).collect()
}

#[test]
fn aborted_records_go_at_once_and_hide_nothing() {
    for place in Place::each() {
        let mut log = place.fresh(&config());
        let mut one = Transactor::new(1);
        append(&mut log, &keyed(&[("a", Some("committed"))])).expect("appended");
        one.send(&mut log, &[("a", Some("aborted")), ("b", Some("aborted"))]);
        append(&mut log, &keyed(&[("c", Some("between"))])).expect("appended");
        one.send(&mut log, &[("a", None)]);
        one.end(&mut log, Outcome::Abort);
        // The producer goes on, so that nothing of the transaction stays for its sake.
        one.send(&mut log, &[("d", Some("committed"))]);
        one.end(&mut log, Outcome::Commit);
        let end = log.end_offset();
        fill_segments(&mut log);
        clean_up(&mut log, NOW, 0);
        // The marker is there as long as a reader may have read what it aborts.
        let kept = [(0, 1, false), (3, 1, false), (5, 1, true), (6, 1, false), (7, 1, true)];
        assert_eq!(batches_before(&log, end), kept);
        assert_eq!(read_committed(&log, 0, usize::MAX)[..3], [0, 3, 6]);
        assert_eq!(log.aborted_transactions(0, end).expect("looked up").len(), 1);
        // The second run finds nothing of it, and lets the marker wait; the index forgets it.
        let report = clean(&mut log, NOW, 0, &limits()).expect("dirty");
        assert_eq!(report.stats.tombstones_until, Some(after(RETENTION_MS)));
        assert_eq!(batches_before(&log, end), kept);
        assert!(log.aborted_transactions(0, end).expect("looked up").is_empty());
        let waiting = header(&batches(&log)[2]);
        assert!(waiting.has_delete_horizon() && waiting.base_timestamp == after(RETENTION_MS).0);
        clean_up(&mut log, after(RETENTION_MS - 1), 0);
        assert_eq!(batches_before(&log, end), kept);
        clean_up(&mut log, after(RETENTION_MS), 0);
        assert_eq!(batches_before(&log, end), [(0, 1, false), (3, 1, false), (6, 1, false), (7, 1, true)]);
        check_transactions(&log, "compacted");
    }
}

#[test]
fn the_last_batch_and_the_last_epoch_of_a_producer_stay() {
    let place = Place::memory();
    // No segment ends among the transactions: its last batch would stay for that.
    let config = || LogConfig { segment_bytes: 1500, ..config() };
    let mut log = place.fresh(&config());
    let mut one = Transactor::new(1);
    let mut two = Transactor { bumps_epochs: true, ..Transactor::new(2) };
    for _ in 0..3 {
        one.send(&mut log, &[("a", Some("aborted"))]);
        one.end(&mut log, Outcome::Abort);
        two.send(&mut log, &[("b", Some("aborted"))]);
        two.end(&mut log, Outcome::Abort);
    }
    let end = log.end_offset();
    fill_segments(&mut log);
    for round in 0..4 {
        clean_up(&mut log, after(round * 2 * RETENTION_MS), 0);
    }
    // Of the first its last batch and the marker of it, of the second its last marker, whose epoch nothing else has.
    assert_eq!(batches_before(&log, end), [(8, 0, false), (9, 1, true), (11, 0, true)]);
    let before = log.active_producers();
    log.close(NOW).expect("closed");
    for (name, _) in place.files() {
        if name.ends_with(".snapshot") || name.ends_with(".txnindex") {
            place.remove(&name);
        }
    }
    let (mut log, _) = place.open(&config(), true, 0);
    let known = |log: &Log| -> Vec<_> {
        let all = log.active_producers().into_iter();
        all.map(|known| (known.producer_id, known.producer_epoch, known.last_sequence)).collect()
    };
    assert_eq!(known(&log), [(1, 0, 2), (2, 3, -1)]);
    assert_eq!(before.len(), 2);
    assert_eq!(log.last_stable_offset(log.end_offset()), log.end_offset(), "nothing is open");
    let again = Transactor { sequence: 2, ..one.clone() };
    assert!(append(&mut log, &again.batch(&[("a", Some("aborted"))])).expect("known").duplicate);
    let stale = Transactor { epoch: 2, ..two.clone() };
    assert!(stale.append(&mut log, stale.batch(&[("b", None)])).is_err());
    two.send(&mut log, &[("b", None)]);
}

/// A snapshot says that a transaction is open whose records, and then its marker, compaction has taken away.
#[test]
fn an_old_snapshot_opens_no_transaction_that_has_gone() {
    let place = Place::memory();
    let mut log = place.fresh(&config());
    let mut one = Transactor { bumps_epochs: true, ..Transactor::new(1) };
    one.send(&mut log, &[("a", Some("aborted"))]);
    fill_segments(&mut log);
    one.end(&mut log, Outcome::Abort);
    fill_segments(&mut log);
    for round in 0..4 {
        clean_up(&mut log, after(round * 2 * RETENTION_MS), 0);
    }
    let markers: Vec<BatchHeader> =
        batches(&log).iter().map(header).filter(|header| header.is_control()).collect();
    assert_eq!(
        markers.iter().map(|marker| marker.record_count).collect::<Vec<_>>(),
        [0],
        "all but its epoch"
    );
    let end = log.end_offset();
    log.close(NOW).expect("closed");
    loop {
        let (log, _) = place.open(&config(), true, end);
        assert_eq!(log.last_stable_offset(end), end);
        drop(log);
        let files = place.files();
        let newest = files.iter().rfind(|(name, _)| name.ends_with(".snapshot"));
        let Some((newest, _)) = newest else { break };
        place.remove(newest);
    }
}

/// What a log is to say, whatever compaction does.
#[derive(Default)]
struct Model {
    /// All batches that were ever appended.
    batches: Vec<Bytes>,
}

type Folded = BTreeMap<Bytes, (Offset, Bytes)>;

fn fold_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Folded {
    let mut folded = BTreeMap::new();
    for record in records {
        let key = record.key.clone().expect("a key");
        match &record.value {
            Some(value) => folded.insert(key, (record.offset, value.clone())),
            None => folded.remove(&key),
        };
    }
    folded
}

fn data_records<'a>(batches: impl IntoIterator<Item = &'a Bytes>) -> BTreeMap<Offset, Record> {
    let data = batches.into_iter().filter(|batch| !header(batch).is_control());
    data.flat_map(all).map(|record| (record.offset, record)).collect()
}

impl Model {
    fn note(&mut self, log: &Log) {
        let next = self.batches.last().map_or(0, |batch| header(batch).last_offset() + 1);
        self.batches.extend(log.batches(next).map(|batch| batch.expect("batch")));
    }

    fn check(&self, log: &Log, what: &str) {
        let naive = Naive::of(&self.batches);
        let end = log.end_offset();
        assert_eq!(log.last_stable_offset(end), naive.stable(end), "{what}: last stable offset");
        let was = data_records(&self.batches);
        let kept = batches(log);
        let is = data_records(&kept);
        for (offset, record) in &is {
            assert_eq!(was.get(offset), Some(record), "{what}: a record that never was");
        }
        let stable = naive.stable(end);
        let committed: BTreeSet<Offset> = naive.committed.range(..stable).copied().collect();
        let expected = fold_of(committed.iter().filter_map(|offset| was.get(offset)));
        for max_bytes in [1, usize::MAX] {
            let seen = read_committed(log, log.start_offset(), max_bytes);
            let odd: Vec<_> = seen.iter().filter(|offset| !committed.contains(offset)).collect();
            assert!(odd.is_empty(), "{what}: {odd:?} were aborted, or are open");
            assert_eq!(fold_of(seen.iter().map(|offset| &is[offset])), expected, "{what}: what is committed");
        }
        // Who reads everything sees the newest committed value of each key, or what was written after it.
        let newest = fold_of(is.values());
        for (key, (offset, _)) in &expected {
            let later = |record: &Record| record.key.as_ref() == Some(key) && record.offset >= *offset;
            let found = newest.get(key).map(|(offset, _)| *offset);
            assert!(found >= Some(*offset) || is.values().any(later), "{what}: {key:?} is gone");
        }
    }
}

fn random_step(log: &mut Log, producers: &mut [Transactor], open: &mut [bool], random: &mut Seeded) {
    let keys: Vec<String> = (0..random.between(1, 3)).map(|_| format!("k{}", random.below(6))).collect();
    let value = format!("{}", random.below(1000));
    let records: Vec<(&str, Option<&str>)> =
        keys.iter().map(|key| (key.as_str(), (random.below(4) > 0).then_some(value.as_str()))).collect();
    let number = random.below(producers.len() as u64 + 2) as usize;
    match producers.get_mut(number) {
        None => drop(append(log, &keyed(&records)).expect("appended")),
        Some(producer) if open[number] && random.below(2) == 0 => {
            let outcome = if random.below(2) == 0 { Outcome::Abort } else { Outcome::Commit };
            producer.end(log, outcome);
            open[number] = false;
        }
        Some(producer) => {
            producer.send(log, &records);
            open[number] = true;
        }
    }
}

#[test]
fn readers_see_the_same_before_and_after() {
    for seed in 0..25 {
        let mut random = Seeded(seed);
        let place = Place::memory();
        let mut log = place.fresh(&config());
        let mut producers: Vec<Transactor> =
            (1..=3).map(|id| Transactor { bumps_epochs: id == 2, ..Transactor::new(id) }).collect();
        let (mut open, mut model) = ([false; 3], Model::default());
        let (mut cleaned_to, mut now) = (0, 0);
        for round in 0..10 {
            for _ in 0..random.between(5, 30) {
                random_step(&mut log, &mut producers, &mut open, &mut random);
            }
            model.note(&log);
            let what = format!("seed {seed}, round {round}");
            model.check(&log, &what);
            now += random.below(1500) as i64;
            let room = if random.below(2) == 0 { limits() } else { room_for(random.between(1, 4) as usize) };
            if random.below(3) == 0 {
                cleaned_to = 0;
            }
            if let Some(report) = clean(&mut log, after(now), cleaned_to, &room) {
                report.deleted.remove().expect("removed");
                cleaned_to = report.cleaned_to;
            }
            model.check(&log, &format!("{what}, compacted"));
            let end = log.end_offset();
            match random.below(4) {
                0 => {
                    log.close(NOW).expect("closed");
                    let lost = [".snapshot", ".txnindex", ".never"][random.below(3) as usize];
                    for (name, _) in place.files() {
                        if name.ends_with(lost) && random.below(2) == 0 {
                            place.remove(&name);
                        }
                    }
                    log = place.open(&config(), true, end).0;
                }
                1 => {
                    drop(log);
                    log = place.open(&config(), false, random.below(end as u64 + 1) as i64).0;
                }
                _ => continue,
            }
            assert_eq!(log.end_offset(), end);
            model.check(&log, &format!("{what}, compacted and opened"));
        }
    }
}
