//! The `ottla` command.

mod import;
mod logs;
mod serve;

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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::Import(import) => import.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ottla: {error}");
            ExitCode::FAILURE
        }
    }
}
