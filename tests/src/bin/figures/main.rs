//! Measures the release binary, beside Apache Kafka where that says something.
//!
//!     cargo run --release -p ottla-tests --bin figures [start | footprint | compaction | groups | transactions] [OPTION…]
//!
//! * `start`, the default: how soon a broker with many full partitions serves all of them, after a clean stop and after kill -9.
//! * `footprint`: the size of the image and of its binary, how soon that serves, and its memory when idle, with 1,000 topics
//!   and with 1,000 connections.
//! * `compaction`: how long the compaction of a large offsets log takes, in how much memory, and what a producer notices.
//! * `groups`: how long groups of 50 and 500 members take to form and to replace a member, and how soon a broker that
//!   starts with a million committed offsets tells them.
//! * `transactions`: small transactions with an offset commit each, and large ones, by 1 and 16 producers.
//!
//! What has a floor beside it, and commits, starts with an empty directory and throughput are measured by `bench/`.
//!
//! Each prints a table and writes the raw figures as JSON to `docs/measurements`.

#![allow(clippy::print_stdout, reason = "the tables are what this program is for")]

mod arguments;
mod compaction;
mod footprint;
mod groups;
mod output;
mod start;
mod transactions;

use std::process::ExitCode;

use ottla_tests::problem::Problem;

use crate::arguments::{Arguments, What};

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Problem> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    match arguments.what {
        What::Footprint => footprint::measure(&arguments),
        What::Start => start::measure(&arguments),
        What::Compaction => compaction::measure(&arguments),
        What::Groups => groups::measure(&arguments),
        What::Transactions => transactions::measure(&arguments),
    }
}
