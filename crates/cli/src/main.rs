//! The `ottla` command.

mod ask;
mod group;
mod import;
mod inspect;
mod logs;
mod moment;
mod serve;
mod service_manager;
mod table;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A lightweight broker that speaks Kafka's protocol.
#[derive(Debug, Parser)]
#[command(name = "ottla", version, about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a broker until SIGTERM or SIGINT.
    Serve(serve::Serve),
    /// Takes topics over from the data directory of a stopped Apache Kafka.
    Import(import::Import),
    /// Shows consumer groups: how far they are behind, what happened to them and to their offsets.
    Group(group::Group),
    /// Shows what a broker, or a stopped data directory, is doing and why.
    Inspect(inspect::Inspect),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::Import(import) => import.run(),
        Command::Group(group) => group.run(),
        Command::Inspect(inspect) => inspect.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ottla: {error}");
            ExitCode::FAILURE
        }
    }
}
