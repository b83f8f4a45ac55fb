//! `ottla completions` and `ottla man`: from the definition of the command line itself.

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::ask;

/// Prints what a shell needs to complete ottla's arguments.
///
/// For bash: ottla completions bash > /etc/bash_completion.d/ottla. For zsh: a file _ottla in a directory of $fpath. For
/// fish: ~/.config/fish/completions/ottla.fish.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints.
    pub(crate) fn run(self, mut command: Command) -> Result<(), Box<dyn Error>> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "ottla", &mut text);
        ask::print(&String::from_utf8(text)?)
    }
}

/// Writes a manual page for every command into a directory.
///
/// They are ottla.1, ottla-serve.1, ottla-topic-create.1 and so on. Put them into a man1 directory, or read one with
/// man -l DIR/ottla.1.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory, which is made when it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    /// Writes.
    pub(crate) fn run(self, command: Command) -> Result<(), Box<dyn Error>> {
        let directory = self.directory.display().to_string();
        let written = std::fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(command, &self.directory));
        written.map_err(|error| format!("cannot write manual pages into {directory}: {error}").into())
    }
}
