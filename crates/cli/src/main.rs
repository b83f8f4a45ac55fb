//! The `ottla` command.

mod ask;
mod client;
mod completions;
mod config;
mod consume;
mod group;
mod health;
mod import;
mod inspect;
mod logs;
mod moment;
mod paint;
mod patience;
mod produce;
mod progress;
mod record;
mod serve;
mod service_manager;
mod signals;
mod table;
mod topic;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A lightweight broker that speaks Kafka's protocol, and commands for this and any other Kafka.
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
    /// Tells whether a broker answers.
    Health(health::Health),
    /// Lists, shows, creates, alters and deletes topics.
    Topic(topic::Topic),
    /// Sends records that it reads from files or standard input.
    Produce(produce::Produce),
    /// Reads records and writes them to standard output.
    Consume(consume::Consume),
    /// Shows and changes the settings of topics, brokers and groups.
    Config(config::Config),
    /// Shows consumer groups: how far they are behind, what happened to them and to their offsets.
    Group(group::Group),
    /// Shows what a broker, or a stopped data directory, is doing and why.
    Inspect(inspect::Inspect),
    /// Takes topics over from the data directory of a stopped Apache Kafka.
    Import(import::Import),
    /// Prints what a shell needs to complete arguments.
    Completions(completions::Completions),
    /// Writes the manual pages.
    Man(completions::Man),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    paint::begin();
    let result = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::Health(health) => health.run(),
        Command::Topic(topic) => topic.run(),
        Command::Produce(produce) => produce.run(),
        Command::Consume(consume) => consume.run(),
        Command::Config(config) => config.run(),
        Command::Group(group) => group.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Import(import) => import.run(),
        Command::Completions(completions) => completions.run(Arguments::command()),
        Command::Man(man) => man.run(Arguments::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ottla: {error}");
            ExitCode::FAILURE
        }
    }
}
