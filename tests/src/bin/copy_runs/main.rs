//! Copies records from one partition to another in transactions, with a stock Java client, while the client and the release
//! binary are killed with SIGKILL, and compares the output with the input.
//!
//!     cargo run --release -p ottla-tests --bin copy-runs -- --records 1000000 --kills 100 --seed 1 --ledger FILE
//!
//! The run is made of parts of 100,000 records, each with a broker of its own, and appends a line to its ledger after each.
//! Started again with the same seed and ledger, it goes on after the last one; `--records-per-part` makes fewer or more of
//! them. A part that goes wrong leaves its data and logs behind and says where.

#![allow(clippy::print_stdout, reason = "what a part did is what this program is for")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ottla_tests::copy::{CopyOutcome, CopyRun, run_copy};
use ottla_tests::load::Random;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::target_directory;

const USAGE: &str =
    "usage: copy-runs --records N --kills N --seed S --ledger FILE [--records-per-part N] [-c KEY=VALUE]…";
const RECORDS_PER_PART: u64 = 100_000;

struct Arguments {
    records: u64,
    /// Kills of the broker, and as many of the client.
    kills: u64,
    seed: u64,
    ledger: PathBuf,
    records_per_part: u64,
    settings: Vec<(String, String)>,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|arguments| copy_all(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, Problem> {
    let (mut records, mut kills, mut seed, mut ledger) = (None, None, None, None);
    let (mut records_per_part, mut settings) = (RECORDS_PER_PART, Vec::new());
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| Problem::new(format!("{name} has no value\n{USAGE}")))?;
        match name.as_str() {
            "--records" => records = Some(value.parse().doing("read --records")?),
            "--kills" => kills = Some(value.parse().doing("read --kills")?),
            "--seed" => seed = Some(value.parse().doing("read --seed")?),
            "--ledger" => ledger = Some(PathBuf::from(value)),
            "--records-per-part" => records_per_part = value.parse().doing("read --records-per-part")?,
            "-c" => settings.extend(value.split_once('=').map(|(key, value)| (key.into(), value.into()))),
            _ => return Err(Problem::new(format!("{name} is no argument\n{USAGE}"))),
        }
    }
    let missing = || Problem::new(USAGE);
    Ok(Arguments {
        records: records.ok_or_else(missing)?,
        kills: kills.ok_or_else(missing)?,
        seed: seed.ok_or_else(missing)?,
        ledger: ledger.ok_or_else(missing)?,
        records_per_part: records_per_part.max(1),
        settings,
    })
}

/// The parts of this run that the ledger has.
fn done(ledger: &Path, seed: u64) -> Result<Vec<CopyOutcome>, Problem> {
    let Ok(file) = File::open(ledger) else { return Ok(Vec::new()) };
    let mut parts: Vec<CopyOutcome> = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.doing("read the ledger")?;
        parts.push(serde_json::from_str(&line).doing("read the ledger")?);
    }
    parts.retain(|part| part.seed == seed);
    Ok(parts)
}

fn copy_all(arguments: &Arguments) -> Result<(), Problem> {
    let program = Ottla::find()?;
    let parts = arguments.records.div_ceil(arguments.records_per_part);
    loop {
        let done = done(&arguments.ledger, arguments.seed)?;
        let sum = |count: fn(&CopyOutcome) -> u64| done.iter().map(count).sum::<u64>();
        let (copied, kills) = (sum(|part| part.records), sum(|part| part.broker_kills.into()));
        let place = done.len() as u64;
        if place >= parts {
            let client_kills = sum(|part| part.client_kills.into());
            println!(
                "{copied} records copied, {kills} kills of the broker and {client_kills} of the client, equal"
            );
            return Ok(());
        }
        // What is left, evenly over the parts that are left.
        let left = arguments.kills.saturating_sub(kills).div_ceil(parts.saturating_sub(place));
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let run = CopyRun {
            seed: Random::part(arguments.seed, place).any(),
            records: arguments.records_per_part.min(arguments.records.saturating_sub(copied)),
            broker_kills: left,
            client_kills: left,
            settings: arguments.settings.clone(),
        };
        one_part(&program, arguments, place, &run)?;
    }
}

fn one_part(program: &Ottla, arguments: &Arguments, part: u64, run: &CopyRun) -> Result<(), Problem> {
    let parent = target_directory()?.join("copy-runs");
    std::fs::create_dir_all(&parent).doing(format_args!("create {}", parent.display()))?;
    let directory = tempfile::tempdir_in(&parent).doing("make a directory for the part")?;
    let outcome = run_copy(program, directory.path(), run).inspect_err(|_| {
        println!("part {part} with seed {} is kept in {}", run.seed, directory.keep().display());
    });
    let outcome = CopyOutcome { seed: arguments.seed, part, ..outcome? };
    println!(
        "part {part} (seed {}): {} records equal after {} kills of the broker and {} of the client; copied in {} ms",
        run.seed, outcome.records, outcome.broker_kills, outcome.client_kills, outcome.copy_ms
    );
    let mut line = serde_json::to_vec(&outcome).doing("write an entry")?;
    line.push(b'\n');
    let opened = OpenOptions::new().create(true).append(true).open(&arguments.ledger);
    let written = opened.and_then(|mut file| file.write_all(&line).and_then(|()| file.sync_all()));
    written.doing(format_args!("write {}", arguments.ledger.display()))
}
