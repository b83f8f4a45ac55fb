//! A consume-process-produce program copies 100,000 records from one partition to another, in transactions, while it and
//! the broker are killed with SIGKILL: what a reader of committed data finds is the input, each record once and in order.
//!
//! `copy-runs` is the same with as many records and kills as one likes.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "figures are printed; a test fails by a panic"
)]

use std::path::Path;

use ottla_tests::copy::{CopyRun, run_copy};
use ottla_tests::ottla::Ottla;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;

const SEED: u64 = 0x636f_7079;
const RECORDS: u64 = 100_000;
const KILLS_OF_EACH: u32 = 10;

#[test]
fn a_copy_is_exact_whoever_is_killed() {
    if let Some(missing) = Toolchain::Java.missing() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return;
    }
    let program = Ottla::find().unwrap();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::Builder::new().prefix("copy-").tempdir_in(parent).unwrap();
    let run = CopyRun {
        seed: SEED,
        records: RECORDS,
        broker_kills: KILLS_OF_EACH,
        client_kills: KILLS_OF_EACH,
        settings: Vec::new(),
    };
    match run_copy(&program, directory.path(), &run) {
        Ok(outcome) => println!("{outcome:?}"),
        Err(problem) => panic!("seed {SEED}, files kept in {}:\n{problem}", directory.keep().display()),
    }
}
