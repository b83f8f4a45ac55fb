//! Measures the release binary, beside Apache Kafka where that says something.
//!
//!     cargo run --release -p ottla-tests --bin figures [empty | footprint | start | compaction | commits | groups | transactions]
//!     [OPTION…]
//!
//! * `empty`, the default: how soon a broker with an empty directory serves, how much memory it holds when idle, and how
//!   large the binary is. `OTTLA_TEST_BROKER=kafka` measures Apache Kafka in the same way.
//! * `footprint`: the size of the image and of its binary, how soon that serves, and its memory when idle, with 1,000 topics
//!   and with 1,000 connections.
//! * `start`: how soon a broker with many full partitions serves all of them, after a clean stop and after kill -9.
//! * `compaction`: how long the compaction of a large offsets log takes, in how much memory, and what a producer notices.
//! * `commits`: commits of offsets with 1, 16 and 128 committers: rate, latency, and what one costs the broker.
//! * `groups`: how long groups of 50 and 500 members take to form and to replace a member, and how soon a broker that
//!   starts with a million committed offsets tells them.
//! * `transactions`: small transactions with an offset commit each, and large ones, by 1 and 16 producers.
//!
//! Each prints a table and writes the raw figures as JSON to `docs/measurements`.

#![allow(clippy::print_stdout, reason = "the tables are what this program is for")]

mod arguments;
mod commits;
mod compaction;
mod empty;
mod footprint;
mod groups;
mod output;
mod start;
mod transactions;

use std::process::ExitCode;

use ottla_tests::measure::{ECHO_ARGUMENT, serve_echo};
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
    let mut given = std::env::args().skip(1).peekable();
    // The floor runs in a process of its own: this program, started by itself.
    if given.next_if(|argument| argument == ECHO_ARGUMENT).is_some() {
        return serve_echo(given);
    }
    let arguments = Arguments::parse(given)?;
    match arguments.what {
        What::Empty => empty::measure(&arguments),
        What::Footprint => footprint::measure(&arguments),
        What::Start => start::measure(&arguments),
        What::Compaction => compaction::measure(&arguments),
        What::Commits => commits::measure(&arguments),
        What::Groups => groups::measure(&arguments),
        What::Transactions => transactions::measure(&arguments),
    }
}
