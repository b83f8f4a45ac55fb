//! Measures the release binary: how soon it serves, how much memory it holds when idle, and how large it is.
//!
//!     cargo run --release -p ottla-tests --bin figures [DIRECTORY]
//!
//! prints a table and writes the raw figures as JSON to the directory, by default `docs/measurements`. The variable
//! `OTTLA_TEST_BROKER=kafka` measures Apache Kafka in the same way.

#![allow(clippy::print_stdout, reason = "the table is what this program is for")]

mod client;
mod machine;
mod memory;
mod report;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ottla_tests::broker::{Broker, BrokerProgram};
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::workspace::root;

use crate::client::Connection;
use crate::memory::Memory;
use crate::report::{Figures, Spread};

/// How often the start is measured.
const RUNS: usize = 20;

/// How long the broker does nothing before its memory counts as that of an idle one.
const IDLE_TIME: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match measure_and_report() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure_and_report() -> Result<(), Problem> {
    let directory = match std::env::args_os().nth(1) {
        Some(directory) => directory.into(),
        None => root().join("docs/measurements"),
    };
    let figures = measure(BrokerChoice::from_environment()?)?;
    print!("{}", figures.table());
    std::fs::create_dir_all(&directory).doing(format_args!("create {}", directory.display()))?;
    let file = directory.join(figures.file_name());
    std::fs::write(&file, figures.json()?).doing(format_args!("write {}", file.display()))?;
    println!("\nraw figures: {}", file.display());
    Ok(())
}

fn measure(choice: BrokerChoice) -> Result<Figures, Problem> {
    let program = choice.obtain()?;
    let scratch = tempfile::tempdir().doing("make a directory for logs")?;
    let log = scratch.path().join("broker.log");
    let (mut ready, mut first_produce) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (ready_after, acknowledged_after) = measure_start(&program, &log)?;
        ready.push(ready_after);
        first_produce.push(acknowledged_after);
    }
    let (memory_after_start, memory_idle) = measure_memory(&program, &log)?;
    let binary_bytes = match choice {
        BrokerChoice::Ottla => Some(size_of(Ottla::find()?.binary())?),
        BrokerChoice::Kafka => None,
    };
    Ok(Figures {
        broker: program.name(),
        machine: machine::describe()?,
        exec_to_ready: Spread::of(ready)?,
        exec_to_first_produce: Spread::of(first_produce)?,
        memory_after_start,
        memory_idle,
        binary_bytes,
    })
}

/// Starts a broker with an empty data directory and gives the times from its exec to its readiness and to the first
/// acknowledgement of a record, for which a topic is created before.
fn measure_start(program: &Arc<dyn BrokerProgram>, log: &Path) -> Result<(Duration, Duration), Problem> {
    let mut broker = Broker::start(Arc::clone(program), log)?;
    let mut connection = Connection::open(&broker.address())?;
    connection.create_topic("first")?;
    connection.produce("first", b"hello")?;
    let acknowledged_after = broker.started().at.elapsed();
    let ready_after = broker.started().ready_after;
    broker.stop()?;
    Ok((ready_after, acknowledged_after))
}

fn measure_memory(program: &Arc<dyn BrokerProgram>, log: &Path) -> Result<(Memory, Memory), Problem> {
    let mut broker = Broker::start(Arc::clone(program), log)?;
    let after_start = Memory::of_process(broker.process_id())?;
    broker.idle(IDLE_TIME)?;
    let idle = Memory::of_process(broker.process_id())?;
    broker.stop()?;
    Ok((after_start, idle))
}

fn size_of(file: &Path) -> Result<u64, Problem> {
    Ok(std::fs::metadata(file).doing(format_args!("look at {}", file.display()))?.len())
}
