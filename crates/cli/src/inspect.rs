//! `ottla inspect`.

mod compaction;
mod groups;
mod log;
mod stopped;
mod topics;

use std::error::Error;

use clap::{Args, Subcommand};

/// Shows what a broker, or a stopped data directory, is doing and why.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Compaction(compaction::InspectCompaction),
    Topics(topics::InspectTopics),
    Log(log::InspectLog),
    Groups(groups::InspectGroups),
}

impl Inspect {
    /// Asks and prints.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::Compaction(inspect) => inspect.run(),
            What::Topics(inspect) => inspect.run(),
            What::Log(inspect) => inspect.run(),
            What::Groups(inspect) => inspect.run(),
        }
    }
}
