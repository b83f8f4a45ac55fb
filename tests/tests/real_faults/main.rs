//! Faults and limits of a real kernel under the release binary: a full disk, a disk that becomes read-only, a cut of the
//! power, few descriptors.
//!
//! Everything happens in a mount namespace of its own, so that no mount outlives the test and nobody else sees one. Where
//! this user may not mount what a trial needs, the trial is counted as ignored and says why.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "figures are printed, and what a test needs must be there"
)]

mod full_disk;
mod many_partitions;
mod mounts;
mod namespace;
mod power;
mod read_only;
mod seen;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use ottla_tests::problem::Problem;
use tempfile::TempDir;

use namespace::Ground;

/// A trial: what it is called, which ground it needs, and what it does in a directory of its own, which stays when it
/// fails.
type Fault = (&'static str, Ground, fn(&Path) -> Result<(), Problem>);

const FAULTS: [Fault; 7] = [
    ("a_full_disk_refuses_and_heals", Ground::UserNamespace, full_disk::refuses_and_heals),
    ("a_start_on_a_full_disk_loses_nothing", Ground::UserNamespace, full_disk::start_when_full),
    ("a_remount_read_only_is_refused_while_logs_are_open", Ground::UserNamespace, read_only::remount),
    ("a_disk_that_turns_read_only_serves_reads", Ground::Root, read_only::aborted),
    ("a_power_cut_takes_nothing_that_was_flushed", Ground::Root, power::flushed),
    (
        "ten_thousand_partitions_are_served_with_few_descriptors",
        Ground::UserNamespace,
        many_partitions::few_descriptors,
    ),
    ("a_power_cut_takes_the_last_window_at_most", Ground::Root, power::background),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(None)).exit_code();
    }
    match namespace::enter() {
        Ok(ground) => {
            // One fault at a time: each has the two cores for its load.
            let arguments = Arguments { test_threads: Some(1), ..arguments };
            libtest_mimic::run(&arguments, trials(ground)).exit_code()
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn trials(ground: Option<Ground>) -> Vec<Trial> {
    let trial =
        |(name, needed, run): Fault| Trial::ignorable_test(name, move || complete(name, ground, needed, run));
    FAULTS.into_iter().map(trial).collect()
}

fn complete(
    name: &str,
    ground: Option<Ground>,
    needed: Ground,
    run: fn(&Path) -> Result<(), Problem>,
) -> Result<Completion, Failed> {
    if let Some(lacks) = namespace::lacks(ground, needed) {
        eprintln!("not run here: {name}: {lacks}");
        return Ok(Completion::ignored_with(lacks));
    }
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory: TempDir = tempfile::Builder::new().prefix("fault-").tempdir_in(parent)?;
    match run(directory.path()) {
        Ok(()) => Ok(Completion::Completed),
        Err(problem) => {
            Err(format!("{problem}\nhistory and log are kept in {}", directory.keep().display()).into())
        }
    }
}
