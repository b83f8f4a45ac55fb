//! Which stopped data directory is looked into.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use ottla_broker::private::Stopped;
use ottla_broker::{Sources, StoppedDirectory};

/// A data directory, and the settings of its broker.
#[derive(Debug, Args)]
pub(super) struct Directory {
    /// The data directory, which no broker may be using
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// The settings file of the broker that uses the directory, if it has one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A setting that the broker which uses the directory is given
    #[arg(short = 'c', value_name = "KEY=VALUE")]
    pairs: Vec<String>,
}

impl Directory {
    /// Opens it; nothing in it is changed.
    pub(super) fn open(self) -> Result<StoppedDirectory, Box<dyn Error>> {
        let sources = Sources { pairs: self.pairs, file: self.config, ..Sources::default() };
        Ok(StoppedDirectory::open(&self.directory, sources.load()?.settings)?)
    }
}

/// What is said first of a broker that was killed.
pub(super) fn how(stopped: Stopped) -> &'static str {
    if stopped.cleanly {
        ""
    } else {
        "The broker was not stopped cleanly. This is what its next start will recover.\n"
    }
}
