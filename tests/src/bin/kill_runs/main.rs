//! Kills the release binary with SIGKILL under load for as many cycles as are asked for, and checks what it kept.
//!
//!     cargo run --release -p ottla-tests --bin kill-runs -- --cycles 3000 --seed 1 --ledger FILE
//!
//! The run is made of rounds, each over a data directory of its own, and appends a line to its ledger after each round.
//! Started again with the same seed and ledger, it goes on after the last round. A round that breaks a rule leaves its
//! history, dump, data and broker's log behind and says where; `check` reads them.

#![allow(clippy::print_stdout, reason = "what a round did is what this program is for")]

mod arguments;

use std::path::PathBuf;
use std::process::ExitCode;

use ottla_tests::kill::{Entry, Ledger, Outcome, Round, run};
use ottla_tests::load::Random;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::target_directory;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| kill_and_check(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs rounds until the ledger has the cycles; whether no rule was broken in any of them.
fn kill_and_check(arguments: &Arguments) -> Result<bool, Problem> {
    let program = Ottla::find()?;
    let version = program.version()?;
    let mut ledger = Ledger::open(&arguments.ledger)?;
    let seed = arguments.seed;
    loop {
        let done: u64 = ledger.of_seed(seed).map(|entry| u64::from(entry.cycles)).sum();
        let left = arguments.cycles.saturating_sub(done);
        if left == 0 {
            break;
        }
        let place = ledger.of_seed(seed).count() as u64;
        let round_seed = Random::part(seed, place).any();
        let cycles = u32::try_from(left).unwrap_or(u32::MAX).min(arguments.cycles_per_round);
        let round = Round { seed: round_seed, cycles, until: None, settings: arguments.settings.clone() };
        match one_round(&program, place, &round) {
            Ok(outcome) => {
                let entry = Entry::of(seed, place, round_seed, &version, &outcome);
                tell(&entry);
                ledger.append(entry)?;
            }
            Err(problem) => {
                ledger.append(Entry::stopped(seed, place, round_seed, &version, &problem))?;
                return Err(problem);
            }
        }
    }
    let (mut cycles, mut records, mut violations) = (0, 0, 0);
    for entry in ledger.of_seed(seed) {
        cycles += u64::from(entry.cycles);
        records += entry.records_acknowledged;
        violations += entry.violations;
    }
    println!("{cycles} cycles, {records} records acknowledged and checked, {violations} violations");
    Ok(violations == 0)
}

/// Runs a round in a directory that stays when there is something to look at.
fn one_round(program: &Ottla, place: u64, round: &Round) -> Result<Outcome, Problem> {
    let parent = target_directory()?.join("kill-runs");
    std::fs::create_dir_all(&parent).doing(format_args!("create {}", parent.display()))?;
    let directory = tempfile::Builder::new().prefix(&format!("round-{place}-")).tempdir_in(&parent);
    let directory = directory.doing("make a directory for the round")?;
    let outcome = run(program, directory.path(), round);
    let good = outcome.as_ref().is_ok_and(|outcome| outcome.report.violation_count() == 0);
    if !good {
        let kept: PathBuf = directory.keep();
        println!("round {place} with seed {} is kept in {}", round.seed, kept.display());
    }
    outcome
}

fn tell(entry: &Entry) {
    let Entry { round, round_seed, cycles, killed_starting, longest_start_ms, took_ms, .. } = entry;
    println!(
        "round {round} (seed {round_seed}): {cycles} cycles ({killed_starting} while starting, longest start \
         {longest_start_ms} ms) in {took_ms} ms; {} records acknowledged, {} read, {} commits read, {} transactions, \
         {} reads of committed data, {} responses; {} violations",
        entry.records_acknowledged,
        entry.records_read,
        entry.commits_read,
        entry.transactions,
        entry.committed_reads,
        entry.responses,
        entry.violations
    );
    for violation in &entry.found {
        println!("    {violation}");
    }
}
