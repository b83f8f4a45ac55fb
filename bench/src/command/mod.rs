//! The command line.

mod hour;
mod load;
mod report;
mod results;
mod versus;

use clap::{Parser, Subcommand};
use ottla_tests::problem::Problem;

/// Measures the broker beside others.
#[derive(Debug, Parser)]
#[command(name = "bench-versus", args_conflicts_with_subcommands = true)]
pub struct Command {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    versus: versus::Versus,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Puts load on a broker that runs already, and tells what came of it
    Load(load::Load),
    /// Gives one broker a steady load for an hour, and writes a line each minute
    Hour(hour::Hour),
    /// Writes what was measured into docs/performance.md
    Report(report::Report),
}

impl Command {
    /// Does what was asked for.
    ///
    /// # Errors
    /// A sentence for the person who asked.
    pub fn run(&self) -> Result<(), Problem> {
        match &self.what {
            None => self.versus.run(),
            Some(What::Hour(hour)) => hour.run(),
            Some(What::Load(load)) => load.run(),
            Some(What::Report(report)) => report.run(),
        }
    }
}
