//! What one request costs the release binary in system calls and in instructions, with bounds: guards that do not depend
//! on how busy the machine is.
//!
//! Each run gives a broker the same load, and one run has more requests of one kind; the difference is theirs. Where
//! strace or valgrind is missing, its trials are counted as ignored, and as failed in CI.

#![allow(clippy::print_stdout, reason = "what requests cost is what the suite is for")]

mod bounds;
mod work;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use ottla_bench::instrument::{Counts, Tool, count};
use ottla_tests::broker::Options;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::Problem;
use ottla_tests::verdict::skips_fail;

use bounds::{Bound, OTHERS};
use work::Work;

/// Requests of each kind in every run, and how many one kind has more in its own run.
const REQUESTS: u64 = 100;
const REQUESTS_MORE: u64 = 1500;

/// Rarer things are not told.
const TOLD_FROM: f64 = 0.005;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Produce,
    Fetch,
    Commit,
}

const TOOLS: [(Tool, &str); 2] = [(Tool::Strace, "system_calls"), (Tool::Callgrind, "instructions")];
const KINDS: [(Kind, &str); 3] = [
    (Kind::Produce, "of_a_produced_batch"),
    (Kind::Fetch, "of_a_fetched_batch"),
    (Kind::Commit, "of_a_commit"),
];

fn main() -> ExitCode {
    // Trials of a tool share the run that theirs are compared with.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let trials = TOOLS.iter().flat_map(|(tool, counted)| {
        KINDS.iter().map(move |(kind, of)| {
            Trial::ignorable_test(format!("{counted}::{of}"), move || complete(*tool, *kind))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn complete(tool: Tool, kind: Kind) -> Result<Completion, Failed> {
    if let Some(lacks) = tool.missing() {
        return if skips_fail() { Err(lacks.into()) } else { Ok(Completion::ignored_with(lacks)) };
    }
    if tool == Tool::Callgrind && cfg!(not(target_arch = "x86_64")) {
        return Ok(Completion::ignored_with("the bounds are of the instructions of x86-64"));
    }
    check(tool, kind).map_err(|problem| problem.to_string())?;
    Ok(Completion::Completed)
}

/// Compares what a request costs with its bounds.
fn check(tool: Tool, kind: Kind) -> Result<(), Problem> {
    let each = run(tool, Some(kind))?.each_beyond(&base(tool)?, REQUESTS_MORE);
    let bounds = bounds::of(tool, kind);
    println!("\n{:>16} {:>10} {:>10} {:>10}", "", "now", "measured", "bound");
    let mut over = Vec::new();
    for (Bound { name, measured, most }, now) in bounds.iter().zip(by_bound(&each, &bounds)) {
        println!("{name:>16} {now:>10.2} {measured:>10.2} {most:>10.2}");
        if now > *most {
            over.push(format!("{now:.2} {name}, where {most:.2} is the bound"));
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    let all = each.into_iter().filter(|(_, now)| now.abs() >= TOLD_FROM);
    let all: BTreeMap<String, f64> = all.collect();
    Err(Problem::new(format!("each has {}; all counts: {all:.2?}", over.join(" and "))))
}

/// What was found for each bound.
fn by_bound(each: &BTreeMap<String, f64>, bounds: &[Bound]) -> Vec<f64> {
    let named = |name: &str| bounds.iter().any(|bound| bound.name == name);
    let others: f64 = each.iter().filter(|(name, _)| !named(name)).map(|(_, cost)| cost).sum();
    let cost = |name: &str| if name == OTHERS { others } else { each.get(name).copied().unwrap_or_default() };
    bounds.iter().map(|bound| cost(bound.name)).collect()
}

/// The run that all runs of a tool are compared with.
fn base(tool: Tool) -> Result<Counts, Problem> {
    static STRACE: OnceLock<Result<Counts, Problem>> = OnceLock::new();
    static CALLGRIND: OnceLock<Result<Counts, Problem>> = OnceLock::new();
    let base = match tool {
        Tool::Strace => &STRACE,
        Tool::Callgrind => &CALLGRIND,
    };
    base.get_or_init(|| run(tool, None)).clone()
}

/// Everything that a broker does for the load, with more of one kind.
fn run(tool: Tool, more: Option<Kind>) -> Result<Counts, Problem> {
    let requests = |kind| if more == Some(kind) { REQUESTS + REQUESTS_MORE } else { REQUESTS };
    let work = Work {
        produces: requests(Kind::Produce),
        fetches: requests(Kind::Fetch),
        commits: requests(Kind::Commit),
    };
    count(&Ottla::find()?, tool, Options::default(), |broker| work.give(broker))
}
