//! Has a hundred real clients join, leave, be killed and be paused, with the broker killed in between, for as many rounds
//! as are asked for, and checks what they saw.
//!
//!     cargo run --release -p ottla-tests --bin churn-runs -- --rounds 20 --seed 1 --ledger FILE
//!
//! The run appends a line to its ledger after each round. Started again with the same seed and ledger, it goes on after
//! the last round. A round that breaks a rule leaves its history and what the programs wrote behind and says where;
//! `--judge HISTORY` judges it again. `OTTLA_TEST_BROKER=kafka` runs the same against Apache Kafka.

#![allow(clippy::print_stdout, reason = "what a round did is what this program is for")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ottla_tests::broker::BrokerProgram;
use ottla_tests::check::check_members;
use ottla_tests::churn::{Churn, Entry, Outcome, build_clients, chosen_broker, read_events, run};
use ottla_tests::kill::Ledger;
use ottla_tests::load::Random;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::target_directory;

const USAGE: &str =
    "usage: churn-runs --rounds N --seed S --ledger FILE [--seconds T], or churn-runs --judge HISTORY";

/// How long members come and go in a round.
const SECONDS: u64 = 60;

struct Arguments {
    rounds: u64,
    seed: u64,
    ledger: PathBuf,
    seconds: u64,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let judged = match words.next().as_deref() {
        Some("--judge") => {
            words.next().ok_or_else(|| Problem::new(USAGE)).and_then(|file| judge(Path::new(&file)))
        }
        first => {
            parse(first.map(str::to_owned).into_iter().chain(words)).and_then(|arguments| churn(&arguments))
        }
    };
    match judged {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, Problem> {
    let (mut rounds, mut seed, mut ledger, mut seconds) = (None, None, None, SECONDS);
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| Problem::new(format!("{name} has no value\n{USAGE}")))?;
        match name.as_str() {
            "--rounds" => rounds = Some(value.parse().doing("read --rounds")?),
            "--seed" => seed = Some(value.parse().doing("read --seed")?),
            "--ledger" => ledger = Some(PathBuf::from(value)),
            "--seconds" => seconds = value.parse().doing("read --seconds")?,
            _ => return Err(Problem::new(format!("{name} is no argument\n{USAGE}"))),
        }
    }
    let missing = || Problem::new(USAGE);
    Ok(Arguments {
        rounds: rounds.ok_or_else(missing)?,
        seed: seed.ok_or_else(missing)?,
        ledger: ledger.ok_or_else(missing)?,
        seconds,
    })
}

fn judge(history: &Path) -> Result<bool, Problem> {
    let report = check_members(&read_events(history)?);
    println!("{report}");
    Ok(report.violation_count() == 0)
}

/// Runs rounds until the ledger has them; whether no rule was broken in any of them.
fn churn(arguments: &Arguments) -> Result<bool, Problem> {
    let (program, name) = chosen_broker()?;
    build_clients()?;
    let mut ledger: Ledger<Entry> = Ledger::open(&arguments.ledger)?;
    let seed = arguments.seed;
    let done =
        |ledger: &Ledger<Entry>| ledger.entries().iter().filter(|entry| entry.seed == seed).count() as u64;
    while done(&ledger) < arguments.rounds {
        let round = done(&ledger);
        let round_seed = Random::part(seed, round).any();
        let churn = Churn { seed: round_seed, lasting: Duration::from_secs(arguments.seconds) };
        let outcome = one_round(&program, round, &churn);
        let entry = Entry::of(seed, round, round_seed, &name, &outcome);
        match &entry.done {
            Some(done) => {
                println!("round {round} (seed {round_seed}): {done}; {} violations", entry.violations);
            }
            None => println!("round {round} (seed {round_seed}) came to no end"),
        }
        for found in &entry.found {
            println!("    {found}");
        }
        ledger.append(entry)?;
        outcome?;
    }
    let violations: u64 =
        ledger.entries().iter().filter(|entry| entry.seed == seed).map(|entry| entry.violations).sum();
    println!("{} rounds, {violations} violations", done(&ledger));
    Ok(violations == 0)
}

/// Runs a round in a directory that stays when there is something to look at.
fn one_round(program: &Arc<dyn BrokerProgram>, round: u64, churn: &Churn) -> Result<Outcome, Problem> {
    let parent = target_directory()?.join("churn-runs");
    std::fs::create_dir_all(&parent).doing(format_args!("create {}", parent.display()))?;
    let directory = tempfile::Builder::new().prefix(&format!("round-{round}-")).tempdir_in(&parent);
    let directory = directory.doing("make a directory for the round")?;
    let outcome = run(Arc::clone(program), directory.path(), churn);
    let good = outcome.as_ref().is_ok_and(|outcome| outcome.report.violation_count() == 0);
    if !good {
        println!("round {round} is kept in {}", directory.keep().display());
    }
    outcome
}
