//! The release binary is killed with SIGKILL, again and again, under load and while it starts, and loses nothing that it
//! acknowledged.
//!
//! As many cycles as fit the time, at most [`CYCLES_MAX`], in rounds of [`CYCLES_PER_ROUND`]; `kill-runs` is the same for
//! as long as one likes. The seeds are printed; a round that breaks a rule leaves its files in cargo's directory for
//! temporary files of tests.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "seeds and figures are printed; a test fails by a panic"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use ottla_tests::kill::{Outcome, Round, run};
use ottla_tests::load::Random;
use ottla_tests::ottla::Ottla;

const SEED: u64 = 0x6f74_746c;
const CYCLES_MAX: u32 = 300;
const CYCLES_PER_ROUND: u32 = 20;
/// No further cycle begins after this; the last round's check comes on top.
const TIME_LIMIT: Duration = Duration::from_secs(150);
/// So many cycles are run on the slowest machine.
const CYCLES_MIN: u32 = 20;

#[test]
fn kill_minus_nine_loses_nothing() {
    let program = Ottla::find().unwrap();
    let until = Instant::now() + TIME_LIMIT;
    let (mut cycles, mut records) = (0, 0);
    let mut seeds = Random::new(SEED);
    while cycles < CYCLES_MAX && (Instant::now() < until || cycles < CYCLES_MIN) {
        let until = Some(until).filter(|_| cycles >= CYCLES_MIN);
        let seed = seeds.any();
        let round = Round { seed, cycles: CYCLES_PER_ROUND, until, settings: Vec::new() };
        let outcome = one_round(&program, &round);
        cycles += outcome.cycles;
        records += outcome.acknowledged();
        println!(
            "seed {seed}: {} cycles, {} of them while starting, longest start {:?}, {} records acknowledged",
            outcome.cycles,
            outcome.killed_starting,
            outcome.longest_start,
            outcome.acknowledged()
        );
    }
    println!("{cycles} cycles, {records} records acknowledged and checked, no violations");
}

fn one_round(program: &Ottla, round: &Round) -> Outcome {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::Builder::new().prefix("kill-").tempdir_in(parent).unwrap();
    let outcome = run(program, directory.path(), round);
    let said = match outcome {
        Ok(outcome) if outcome.report.violation_count() == 0 => return outcome,
        Ok(outcome) => outcome.report.to_string(),
        Err(problem) => problem.to_string(),
    };
    panic!("seed {}, files kept in {}:\n{said}", round.seed, directory.keep().display());
}
