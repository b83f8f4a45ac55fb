//! Changes of settings, quotas and features are there after a SIGKILL that comes right behind their answers.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "figures are printed; a test fails by a panic"
)]

use std::path::Path;

use ottla_tests::kill::{SettingsRun, run_settings};
use ottla_tests::ottla::Ottla;

const SEED: u64 = 0x7365_7474;
const KILLS: u32 = 60;

#[test]
fn answered_changes_survive_kills() {
    let program = Ottla::find().unwrap();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::Builder::new().prefix("settings-").tempdir_in(parent).unwrap();
    let outcome = run_settings(&program, directory.path(), &SettingsRun { seed: SEED, kills: KILLS });
    let said = match &outcome {
        Ok(outcome) if outcome.found.is_empty() => {
            println!("seed {SEED}: {KILLS} kills, {} changes, all kept", outcome.changes);
            assert!(outcome.changes > u64::from(KILLS), "{outcome:?}");
            return;
        }
        Ok(outcome) => outcome.found.join("\n"),
        Err(problem) => problem.to_string(),
    };
    panic!("seed {SEED}, files kept in {}:\n{said}", directory.keep().display());
}
