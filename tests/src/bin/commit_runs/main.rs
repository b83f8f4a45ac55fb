//! Commits offsets, kills the release binary with SIGKILL while it compacts them, and looks for every last value.
//!
//!     cargo run --release -p ottla-tests --bin commit-runs -- --commits 1000000 --kills 20 --seed 1 --ledger FILE
//!
//! Appends a line to the ledger. A run that finds something wrong leaves its data and the broker's log behind.

#![allow(clippy::print_stdout, reason = "what a run did is what this program is for")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ottla_tests::kill::{CommitOutcome, CommitRun, run_commits};
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::target_directory;

const USAGE: &str = "usage: commit-runs --commits N --kills N --seed S --ledger FILE [-c KEY=VALUE]…";

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|(run, ledger)| commit_and_check(&run, &ledger)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(CommitRun, PathBuf), Problem> {
    let (mut commits, mut kills, mut seed, mut ledger) = (None, None, None, None);
    let mut settings = Vec::new();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| Problem::new(format!("{name} has no value\n{USAGE}")))?;
        match name.as_str() {
            "--commits" => commits = Some(value.parse().doing("read --commits")?),
            "--kills" => kills = Some(value.parse().doing("read --kills")?),
            "--seed" => seed = Some(value.parse().doing("read --seed")?),
            "--ledger" => ledger = Some(PathBuf::from(value)),
            "-c" => settings.push(value),
            _ => return Err(Problem::new(format!("{name} is no argument\n{USAGE}"))),
        }
    }
    let missing = || Problem::new(USAGE);
    let (commits, kills) = (commits.ok_or_else(missing)?, kills.ok_or_else(missing)?);
    let seed = seed.ok_or_else(missing)?;
    Ok((CommitRun { seed, commits, kills, settings }, ledger.ok_or_else(missing)?))
}

fn commit_and_check(run: &CommitRun, ledger: &Path) -> Result<bool, Problem> {
    let program = Ottla::find()?;
    let parent = target_directory()?.join("commit-runs");
    std::fs::create_dir_all(&parent).doing(format_args!("create {}", parent.display()))?;
    let directory = tempfile::tempdir_in(&parent).doing("make a directory for the run")?;
    let outcome = run_commits(&program, directory.path(), run);
    if outcome.as_ref().map_or(true, |outcome| outcome.violations > 0) {
        println!("the run is kept in {}", directory.keep().display());
    }
    let outcome = outcome?;
    tell(&outcome);
    let mut line = serde_json::to_vec(&outcome).doing("write an entry")?;
    line.push(b'\n');
    let opened = OpenOptions::new().create(true).append(true).open(ledger);
    opened.and_then(|mut file| file.write_all(&line)).doing(format_args!("write {}", ledger.display()))?;
    Ok(outcome.violations == 0)
}

fn tell(outcome: &CommitOutcome) {
    println!(
        "{} commits acknowledged, {} kills, {} of them during a compaction, {} last values compared, {} violations; {} \
         bytes of offsets in the end, {} ms",
        outcome.commits_acknowledged,
        outcome.kills,
        outcome.kills_in_compaction,
        outcome.values_compared,
        outcome.violations,
        outcome.offsets_bytes,
        outcome.took_ms
    );
    for violation in &outcome.found {
        println!("    {violation}");
    }
}
