//! Judges histories of what clients saw, together with a dump of what the broker held afterwards.
//!
//!     cargo run -p ottla-tests --bin check -- HISTORY… --dump DUMP
//!
//! prints what each rule looked at and every violation, and fails when there is one. The histories are those of one run;
//! they are read one after another.

#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

use std::path::PathBuf;
use std::process::ExitCode;

use ottla_tests::check::{Report, check};
use ottla_tests::history::{Dump, History, read_dump, read_events};
use ottla_tests::problem::Problem;

const USAGE: &str = "usage: check HISTORY… --dump DUMP";

fn main() -> ExitCode {
    match judge(std::env::args_os().skip(1).map(PathBuf::from)) {
        Ok(report) => {
            print!("{report}");
            if report.violation_count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn judge(mut arguments: impl Iterator<Item = PathBuf>) -> Result<Report, Problem> {
    let (mut events, mut dump, mut histories) = (Vec::new(), None::<Dump>, 0);
    while let Some(argument) = arguments.next() {
        if argument.as_os_str() == "--dump" {
            let file = arguments.next().ok_or_else(|| Problem::new(USAGE))?;
            dump = Some(read_dump(&file)?);
        } else {
            events.append(&mut read_events(&argument)?);
            histories += 1;
        }
    }
    let dump = dump.filter(|_| histories > 0).ok_or_else(|| Problem::new(USAGE))?;
    Ok(check(&History::of(events)?, &dump))
}
