//! `ottla config`.

mod alter;
mod describe;
mod resource;
mod set;

use std::error::Error;

use clap::{Args, Subcommand};

pub(crate) use alter::{Change, alter};
pub(crate) use describe::own_settings;
pub(crate) use resource::Resource;

/// Shows and changes the settings of topics, brokers and groups, of any Kafka.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Shows settings, and where each comes from.
    Describe(describe::Describe),
    /// Prints the value of one setting.
    Get(describe::Get),
    /// Changes settings.
    Set(set::Set),
    /// Takes settings away, so that the default counts again.
    Delete(set::Delete),
}

impl Config {
    /// Does what is asked.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.what {
            What::Describe(asked) => asked.run(),
            What::Get(asked) => asked.run(),
            What::Set(asked) => asked.run(),
            What::Delete(asked) => asked.run(),
        }
    }
}
