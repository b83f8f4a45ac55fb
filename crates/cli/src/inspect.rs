//! `ottla inspect`.

mod compaction;

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
}

impl Inspect {
    /// Asks and prints.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::Compaction(inspect) => inspect.run(),
        }
    }
}
