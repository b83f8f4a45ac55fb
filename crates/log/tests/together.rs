//! Several logs that are synced, and closed, with one sync of their file system.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod support;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
use ottla_log::{Append, Disk, Flush, Identity, Log, LogError, Open, Origin, SimDisk};
use support::*;

const LOGS: i32 = 4;
const ROUNDS: i32 = 4;
const DATA: &str = "/data";

fn directory(number: i32) -> PathBuf {
    Path::new(DATA).join(format!("topic-{number}"))
}

fn open(disk: &SimDisk, number: i32, clean: bool, recovery_point: i64) -> Log {
    let open = Open { clean, recovery_point, synced: false, now: NOW };
    let identity = Identity { partition: number, ..identity() };
    Log::open(Arc::new(disk.clone()), &directory(number), identity, small_segments(), open).expect("opened").0
}

/// What the outside world knows of each log.
#[derive(Debug, Clone, Default)]
struct Known {
    values: Vec<String>,
    /// The leader epoch of each.
    epochs: Vec<i32>,
    /// So many of them were synced, as the log said.
    synced: usize,
    /// Syncs that failed.
    failures: usize,
}

/// Appends to all logs and syncs them together, several times over, and closes them together. It stops at the
/// first error that is not one of a single log.
fn run(disk: &SimDisk) -> Vec<Known> {
    let mut known = vec![Known::default(); LOGS as usize];
    let volume = disk.volume(Path::new(DATA)).expect("there");
    let mut logs: Vec<Log> = (0..LOGS).map(|number| open(disk, number, true, 0)).collect();
    for round in 0..ROUNDS {
        for (log, known) in logs.iter_mut().zip(&mut known) {
            for number in 0..10 {
                let value = format!("round {round} number {number}, {:>100}", "");
                // Each round is in a leader epoch of its own, so that each writes the checkpoint of epochs.
                let append = Append::new(round, Origin::Client, NOW);
                if log.append(batch(&[&value]), append).is_ok() {
                    known.values.push(value);
                    known.epochs.push(round);
                }
            }
        }
        finish(
            &mut logs,
            &mut known,
            |log| log.begin_flush(),
            |flushes| Flush::run_together(flushes, &*volume),
        );
    }
    let closing = |log: &mut Log| log.begin_close(NOW);
    finish(&mut logs, &mut known, closing, |flushes| Flush::run_together(flushes, &*volume));
    assert!(logs.iter().all(|log| !log.is_open()));
    known
}

fn finish(
    logs: &mut [Log],
    known: &mut [Known],
    begin: impl Fn(&mut Log) -> Result<Flush, LogError>,
    run: impl Fn(&[Flush]) -> Vec<io::Result<()>>,
) {
    let begun: Vec<_> = logs.iter_mut().map(begin).collect();
    let (places, flushes): (Vec<usize>, Vec<Flush>) =
        begun.into_iter().enumerate().filter_map(|(place, begun)| Some((place, begun.ok()?))).unzip();
    let outcomes = run(&flushes);
    for ((place, flush), outcome) in places.into_iter().zip(flushes).zip(outcomes) {
        if logs[place].end_flush(flush, outcome).is_err() {
            known[place].failures += 1;
            continue;
        }
        known[place].synced = known[place].values.len();
        assert_eq!(logs[place].recovery_point(), known[place].synced as i64);
    }
}

/// What is there of each log, which must begin with what was promised and hold nothing that was not sent.
fn check(disk: &SimDisk, known: &[Known], promised: impl Fn(&Known) -> usize, what: &str) {
    for (number, known) in known.iter().enumerate() {
        let log = open(disk, number as i32, false, known.synced as i64);
        let found = values(&consume(&log, 0));
        assert!(known.values.starts_with(&found[..found.len().min(known.values.len())]), "{what}: {found:?}");
        assert!(found.len() >= promised(known), "{what}, log {number}: {} of {known:?}", found.len());
        for offset in 0..known.synced {
            assert_eq!(log.epoch_at(offset as i64), Some(known.epochs[offset]), "{what}, log {number}");
        }
    }
}

#[test]
fn a_crash_at_every_operation_keeps_what_was_synced_together() {
    let whole = new_disk();
    let known = run(&whole);
    assert!(
        known.iter().all(|known| known.failures == 0 && known.synced == (10 * ROUNDS) as usize),
        "{known:?}"
    );
    // Each round has one sync for everything, and one for the names of the new checkpoints.
    let total = whole.count(Class::Any);
    let mut images = 0;
    for operation in 0..total {
        let disk = new_disk();
        disk.set_rules(vec![Rule::once(Class::Any, operation, Fault::Off)]);
        let known = run(&disk);
        let killed = format!("operation {operation}, killed");
        check(&disk.kill(), &known, |known| known.values.len(), &killed);
        for loss in Loss::ALL {
            let what = format!("operation {operation}, {loss:?}");
            check(&disk.crash(loss, operation), &known, |known| known.synced, &what);
            images += 1;
        }
    }
    println!("together: {total} operations, {images} disks recovered, nothing lost that was synced");
}

fn new_disk() -> SimDisk {
    let disk = SimDisk::new(Path::new(DATA), 1);
    disk.set_rules(Vec::new());
    disk
}

#[test]
fn logs_that_were_closed_together_open_without_being_read() {
    let disk = new_disk();
    run(&disk);
    for number in 0..LOGS {
        let dark = disk.crash(Loss::Dropped, 0);
        let open = Open { clean: true, recovery_point: i64::from(10 * ROUNDS), synced: false, now: NOW };
        let identity = Identity { partition: number, ..identity() };
        let opened = Log::open(Arc::new(dark), &directory(number), identity, small_segments(), open);
        let (log, report) = opened.expect("opened");
        assert_eq!((report.batches_read, report.not_clean, report.indexes_rebuilt), (0, false, 0));
        assert_eq!(report.producer_snapshot, Some(i64::from(10 * ROUNDS)));
        assert_eq!(consume(&log, 0).len(), (10 * ROUNDS) as usize);
    }
}

#[test]
fn one_sync_that_fails_takes_every_log_of_its_round_offline() {
    let disk = new_disk();
    run(&disk);
    let total = disk.count(Class::Sync);
    for fault in [Fault::Failing, Fault::Full] {
        let mut hit = 0;
        for number in 0..total {
            let disk = new_disk();
            disk.set_rules(vec![Rule::once(Class::Sync, number, fault)]);
            let known = run(&disk);
            assert!(known.iter().all(|known| known.failures == 1), "sync {number} with {fault:?}: {known:?}");
            assert_eq!(disk.count(Class::Sync), number + 1, "sync {number}: not tried again");
            hit += 1;
            let what = format!("sync {number} with {fault:?}");
            check(&disk.crash(Loss::Dropped, 0), &known, |known| known.synced, &what);
        }
        println!("together: {fault:?} at each of {hit} syncs: all offline, never tried again");
    }
}

#[test]
fn a_checkpoint_that_does_not_fit_harms_its_own_log_only_and_is_written_later() {
    let disk = new_disk();
    run(&disk);
    let total = disk.count(Class::Change);
    for number in 0..total {
        let disk = new_disk();
        disk.set_rules(vec![Rule::once(Class::Change, number, Fault::Full)]);
        let known = run(&disk);
        let whole = known.iter().filter(|known| known.synced == known.values.len()).count();
        assert!(whole >= LOGS as usize - 1, "change {number}: {known:?}");
        check(&disk.kill(), &known, |known| known.values.len(), &format!("change {number}"));
    }
}
