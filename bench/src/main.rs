//! `bench-versus`: measures the broker beside others. docs/performance.md tells how.

#![allow(clippy::print_stdout, reason = "the tables are what this program is for")]

use std::process::ExitCode;

use clap::Parser;
use ottla_bench::command::Command;
use ottla_bench::floor::{FLOOR_ARGUMENT, serve};
use ottla_tests::measure::{ECHO_ARGUMENT, serve_echo};
use ottla_tests::problem::Problem;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Problem> {
    let mut given = std::env::args().skip(1);
    // The floors run in processes of their own: this program, started by itself.
    match given.next().as_deref() {
        Some(ECHO_ARGUMENT) => serve_echo(given),
        Some(FLOOR_ARGUMENT) => serve(given),
        _ => Command::parse().run(),
    }
}
