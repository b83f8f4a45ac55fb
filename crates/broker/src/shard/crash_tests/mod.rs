//! A crash at every operation that a transaction does to a disk: over both partitions that it writes to, the offsets that
//! it commits, and the log of its coordinator.
//!
//! A script goes through one transaction, with a machine that stops at one operation after the other. From what the stop
//! leaves (the page cache of a killed process, and what power losses leave) a new broker is opened, whose drivers run until
//! nothing is open. Then the transaction has one outcome, in its records and its offsets alike, and everything that was
//! acknowledged is there. All of it runs in one thread, over a clock that moves when everybody waits, so that an operation
//! has the same number every time.

#![allow(clippy::print_stdout, reason = "what was swept is told")]

mod machine;
mod script;
mod verdict;

use std::collections::BTreeSet;

use ottla_log::SimDisk;
use ottla_log::disk::sim::{Class, Fault, Loss, Rule};

use machine::{Running, new_disk};
use script::{END_MS, Flavor, Plan, Script, Told};
use verdict::{Rested, rest};

/// Seeds of the losses that leave something to chance.
const LOSS_SEEDS: std::ops::Range<u64> = 0..2;

const SCRIPTS: [Script; 6] = [
    Script { flavor: Flavor::Two, plan: Plan::Commit },
    Script { flavor: Flavor::Two, plan: Plan::Abort },
    Script { flavor: Flavor::Two, plan: Plan::TimeOut },
    Script { flavor: Flavor::One, plan: Plan::Commit },
    Script { flavor: Flavor::One, plan: Plan::Abort },
    Script { flavor: Flavor::One, plan: Plan::TimeOut },
];

/// A disk with topics, coordinators, and a transaction that was committed before.
fn prepared() -> SimDisk {
    let disk = new_disk();
    let running = Running::open(disk.clone(), 0).expect("opens");
    running.run(script::prepare(running.shard()));
    // What has been served so far is on disk.
    drop(running);
    disk.crash(Loss::Kept, 0)
}

/// Runs a script on a copy of the disk until the operation with that number.
fn run_until(prepared: &SimDisk, script: Script, operation: u64) -> (SimDisk, Told) {
    let disk = prepared.kill();
    let running = Running::open(disk.clone(), 1).expect("opens");
    disk.set_rules(vec![Rule::once(Class::Any, operation, Fault::Off)]);
    let told = running.run(script.run(running.shard()));
    (disk, told)
}

fn left_behind(disk: &SimDisk) -> Vec<(SimDisk, String)> {
    let mut left = vec![(disk.kill(), "killed".to_owned())];
    for loss in Loss::ALL {
        let seeds = if matches!(loss, Loss::Dropped | Loss::Kept) { 0..1 } else { LOSS_SEEDS };
        left.extend(seeds.map(|seed| (disk.crash(loss, seed), format!("{loss:?} with seed {seed}"))));
    }
    left
}

#[test]
fn a_crash_at_every_operation_of_a_transaction_gives_it_one_outcome() {
    let prepared = prepared();
    let (mut swept, mut disks) = (0, 0);
    for script in SCRIPTS {
        let (mut states, mut outcomes) = (BTreeSet::new(), BTreeSet::new());
        let mut operation = 0;
        loop {
            let (disk, told) = run_until(&prepared, script, operation);
            if !disk.is_off() {
                break;
            }
            for (left, how) in left_behind(&disk) {
                let what = format!("{script:?}, operation {operation}, {how}");
                let Rested { found, outcome } = rest(left, script, &told, &what);
                states.insert(found);
                outcomes.insert(outcome);
                disks += 1;
            }
            operation += 1;
        }
        println!("crash: {script:?}: {operation} operations, found in {states:?}, ended as {outcomes:?}");
        assert_states(script, &states);
        swept += operation;
    }
    println!("crash: {swept} operations of transactions, {disks} disks recovered, one outcome each");
}

/// The sweep has stopped between every two records of the coordinator.
fn assert_states(script: Script, states: &BTreeSet<String>) {
    let last = match script.plan {
        Plan::Commit => ["PrepareCommit", "CompleteCommit"],
        Plan::Abort | Plan::TimeOut => ["PrepareAbort", "CompleteAbort"],
    };
    // How many partitions an open transaction has tells its records apart.
    let open = ["Ongoing with 1", "Ongoing with 2", "Ongoing with 3"];
    for state in open.into_iter().chain(last) {
        let found = states.iter().any(|found| found.starts_with(state));
        assert!(found, "{script:?}: no crash left the coordinator in {state}, but in {states:?}");
    }
}

#[test]
fn a_crash_at_every_operation_of_what_follows_a_crash_gives_it_the_same_outcome() {
    /// Every so many operations of the script.
    const STEP: usize = 7;
    let prepared = prepared();
    let (mut swept, mut disks) = (0, 0);
    for script in [SCRIPTS[0], SCRIPTS[1]] {
        for operation in (0..).step_by(STEP) {
            let (disk, told) = run_until(&prepared, script, operation);
            if !disk.is_off() {
                break;
            }
            for again in 0.. {
                let disk = disk.kill();
                disk.set_rules(vec![Rule::once(Class::Any, again, Fault::Off)]);
                // The second start, the markers and the end of the transaction, up to the operation.
                if let Ok(running) = Running::open(disk.clone(), 2) {
                    running.run(script::pass_time(END_MS));
                }
                if !disk.is_off() {
                    break;
                }
                let loss = Loss::ALL[usize::try_from(again).expect("few") % Loss::ALL.len()];
                for (left, how) in
                    [(disk.kill(), "killed".to_owned()), (disk.crash(loss, again), format!("{loss:?}"))]
                {
                    let what =
                        format!("{script:?}, operation {operation}, then {again} of what followed, {how}");
                    rest(left, script, &told, &what);
                    disks += 1;
                }
                swept += 1;
            }
        }
    }
    println!("crash: {swept} operations of what follows a crash, {disks} disks recovered, one outcome each");
}
