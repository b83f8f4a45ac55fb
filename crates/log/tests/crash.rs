//! A crash at every operation that a log does to a disk, also while it recovers from one.
//!
//! `OTTLA_FAULT_ROUNDS=100` runs a hundred scripts instead of one.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
use ottla_log::{Identity, Log, LogError, Open, SimDisk};
use ottla_model::TopicId;
use support::script::*;
use support::*;

const STEPS: usize = 70;
/// Seed of the first script.
const SEED: u64 = 20;

/// Runs the script of a seed until the operation with that number.
fn crashed(seed: u64, steps: &[Step], operation: u64) -> (SimDisk, Story) {
    let disk = new_disk(seed);
    disk.set_rules(vec![Rule::once(Class::Any, operation, Fault::Off)]);
    let story = Runner::run(&disk, seed, steps);
    (disk, story)
}

fn total_operations(seed: u64, steps: &[Step]) -> u64 {
    let disk = new_disk(seed);
    Runner::run(&disk, seed, steps);
    operations(&disk)
}

#[test]
fn a_crash_at_every_operation_loses_nothing_that_was_promised() {
    let (mut swept, mut images) = (0, 0);
    for seed in SEED..SEED + rounds() {
        let steps = steps(seed, STEPS);
        let total = total_operations(seed, &steps);
        for operation in 0..total {
            let (disk, story) = crashed(seed, &steps, operation);
            assert!(disk.is_off(), "seed {seed}: operation {operation} is reached");
            for (left, promise, how) in left_behind(&disk, 0..2) {
                let what = format!("seed {seed}, operation {operation}, {how}");
                check_twice(&left, &story, &what);
                let log = check(&left, &story, promise, &what);
                check_again(&left, &story, promise, &log, &what);
                check_producers(log, &story, &what);
                images += 1;
            }
            swept += 1;
        }
    }
    println!("crash: {swept} operations from seed {SEED}, {images} disks recovered, 0 promises broken");
}

/// Recovering twice gives the same bytes as recovering once.
fn check_twice(left: &SimDisk, story: &Story, what: &str) {
    let once = left.kill();
    drop(open_log(&once, story.open()).expect("opened"));
    let twice = once.kill();
    drop(open_log(&twice, story.open()).expect("opened"));
    assert_same_files(&twice, &once, &format!("{what}: recovering twice"));
}

fn assert_same_files(one: &SimDisk, other: &SimDisk, what: &str) {
    let (one, other) = (files(one), files(other));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other), "{what}");
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "{what}");
    }
}

/// What was recovered, and served, is down.
fn check_again(left: &SimDisk, story: &Story, promise: Promise, log: &Log, what: &str) {
    let end = log.end_offset();
    for (disk, how) in [(left.kill(), "killed"), (left.crash(Loss::Dropped, 0), "in the dark")] {
        let again = check(&disk, story, promise, &format!("{what}, then {how}"));
        assert_eq!(again.end_offset(), end, "{what}, then {how}: what was served is gone");
    }
}

#[test]
fn a_crash_at_every_operation_of_a_recovery_is_harmless() {
    let mut swept = 0;
    for seed in SEED..SEED + rounds() {
        let steps = steps(seed, STEPS);
        let total = total_operations(seed, &steps);
        for operation in (0..total).step_by(3) {
            let (disk, story) = crashed(seed, &steps, operation);
            let story = Story { synced: operation % 2 == 0, ..story };
            let loss = Loss::ALL[operation as usize % Loss::ALL.len()];
            let left = disk.crash(loss, operation);
            let whole = left.kill();
            let (log, _) = open_log(&whole, story.open()).expect("opened");
            let end = log.end_offset().max(story.start);
            for number in 0..operations(&whole) {
                let disk = left.kill();
                disk.set_rules(vec![Rule::once(Class::Any, number, Fault::Off)]);
                let opened = open_log(&disk, story.open());
                let what = format!("seed {seed}, operation {operation}, {loss:?}, recovery {number}");
                drop(opened);
                let killed = disk.kill();
                drop(open_log(&killed, story.open()).expect("opened"));
                assert_same_files(&killed, &whole, &format!("{what}, killed"));
                assert_eq!(
                    check(&killed, &story, Promise::Synced, &what).end_offset(),
                    end,
                    "{what}, killed"
                );
                let loss = Loss::ALL[number as usize % Loss::ALL.len()];
                let dark = disk.crash(loss, number);
                assert_eq!(
                    check(&dark, &story, Promise::Synced, &what).end_offset(),
                    end,
                    "{what}, {loss:?}"
                );
                swept += 1;
            }
        }
    }
    println!("crash: {swept} operations of recoveries from seed {SEED}, 0 promises broken");
}

#[test]
fn a_deleted_log_is_there_or_gone_and_never_another_ones() {
    let steps = steps(SEED, 25);
    let disk = new_disk(SEED);
    Runner::run(&disk, SEED, &steps);
    let before = operations(&disk);
    let run = |disk: &SimDisk| {
        let story = Runner::run(disk, SEED, &steps);
        let (mut log, _) = open_log(disk, story.open()).expect("opened");
        log.sync().expect("synced");
        let story = Story { synced_end: story.end(), recovery_point: story.end(), clean: false, ..story };
        let start = operations(disk);
        (log, story, start)
    };
    let (mut log, _, start) = run(&new_disk(SEED));
    assert!(start >= before);
    log.delete().expect("deleted");
    drop(log);
    let next = Identity { topic_id: TopicId([8; 16]), ..identity() };
    let mut swept = 0;
    for operation in 0.. {
        let disk = new_disk(SEED);
        let (mut log, story, start) = run(&disk);
        disk.set_rules(vec![Rule::once(Class::Any, operation, Fault::Off)]);
        let deleted = log.delete();
        assert!(start > 0);
        for (left, promise, how) in left_behind(&disk, 0..3) {
            let what = format!("operation {operation}, {how}");
            let open = Open { clean: false, recovery_point: 0, synced: false, now: NOW };
            let disk = Arc::new(left.kill());
            match Log::open(disk, Path::new(DIRECTORY), next.clone(), config(), open) {
                Ok((log, _)) => assert_eq!(log.end_offset(), 0, "{what}: another topic got its records"),
                Err(LogError::OtherTopic { .. }) => {
                    assert!(deleted.is_err(), "{what}: it was deleted and is there");
                    check(&left, &story, promise, &what);
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
        swept += 1;
        if deleted.is_ok() {
            break;
        }
    }
    println!("crash: {swept} operations of a deletion");
}

#[test]
fn a_seed_gives_the_same_bytes_each_time() {
    for seed in SEED..SEED + 3 {
        let steps = steps(seed, STEPS);
        let middle = total_operations(seed, &steps) / 2;
        let images = || {
            let (disk, story) = crashed(seed, &steps, middle);
            let left = left_behind(&disk, 0..5).into_iter();
            left.map(|(left, promise, how)| {
                let before = files(&left);
                drop(check(&left, &story, promise, &how));
                (before, files(&left))
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(images(), images(), "seed {seed}");
    }
}
