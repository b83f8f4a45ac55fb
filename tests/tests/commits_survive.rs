//! Commits survive kills that come while their topic is compacted: every last acknowledged value is there.
//!
//! `commit-runs` is the same with as many commits as one likes.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "figures are printed; a test fails by a panic"
)]

use std::path::Path;

use ottla_tests::kill::{CommitRun, run_commits};
use ottla_tests::load::KEYS;
use ottla_tests::ottla::Ottla;

const SEED: u64 = 0x636f_6d6d;
const COMMITS: u64 = 150_000;
const KILLS: u32 = 6;
/// Kills that must find a compaction under way. The compactor is throttled, so most do.
const KILLS_IN_COMPACTION_MIN: u32 = 3;

#[test]
fn the_last_acknowledged_values_survive_kills_during_compaction() {
    let program = Ottla::find().unwrap();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::Builder::new().prefix("commits-").tempdir_in(parent).unwrap();
    let run = CommitRun { seed: SEED, commits: COMMITS, kills: KILLS, settings: Vec::new() };
    let outcome = run_commits(&program, directory.path(), &run);
    let said = match &outcome {
        Ok(outcome) if outcome.violations == 0 => {
            println!("{outcome:?}");
            assert!(outcome.kills_in_compaction >= KILLS_IN_COMPACTION_MIN, "{outcome:?}");
            assert_eq!(outcome.values_compared, KEYS, "{outcome:?}");
            return;
        }
        Ok(outcome) => outcome.found.join("\n"),
        Err(problem) => problem.to_string(),
    };
    panic!("seed {SEED}, files kept in {}:\n{said}", directory.keep().display());
}
