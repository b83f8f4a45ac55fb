//! Servers that do nothing but what must be done, so that each figure of a broker has a limit beside it.
//!
//! [`Floor::Sink`] receives each request, computes the CRC-32C of its bytes, writes them to a file and answers.
//! [`Floor::Source`] answers each request with a part of a mapped file. Each runs in a process of its own, which is the
//! running program started by itself, so that the kernel counts its costs apart. The floor of what is bound by requests
//! is the echo server of [`ottla_tests::measure`].

mod frame;
mod serve;
mod sink;
mod source;

use std::path::Path;
use std::process::Command;

use ottla_tests::broker::{BrokerProgram, DATA_DIRECTORY, Readiness};
use ottla_tests::measure::hex_of;
use ottla_tests::problem::{Doing, Problem};

pub use serve::serve;

/// A server that does what must be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Floor {
    /// Writes what it receives.
    Sink {
        /// The answer to every request, as a frame whose correlation id is filled in.
        answer: Vec<u8>,
    },
    /// Sends what is in a file.
    Source {
        /// What stands in front of the records in every answer, as a frame whose correlation id is filled in.
        head: Vec<u8>,
        /// Bytes of records in every answer.
        records_bytes: usize,
        /// Bytes of the file, from which every answer takes the next part.
        file_bytes: usize,
    },
}

/// The argument by which the running program is asked to be one of these.
pub const FLOOR_ARGUMENT: &str = "floor";

const SINK: &str = "sink";
const SOURCE: &str = "source";

impl BrokerProgram for Floor {
    fn name(&self) -> String {
        match self {
            Self::Sink { .. } => "floor: receive, CRC-32C, write, answer".to_owned(),
            Self::Source { .. } => "floor: write a mapped file to the socket".to_owned(),
        }
    }

    fn prepare(&self, directory: &Path, _port: u16) -> Result<(), Problem> {
        let data = directory.join(DATA_DIRECTORY);
        std::fs::create_dir(&data).doing("make a data directory")
    }

    fn serve(&self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap_or_default());
        command.arg(FLOOR_ARGUMENT).arg(port.to_string()).arg(directory.join(DATA_DIRECTORY).join("log"));
        match self {
            Self::Sink { answer } => command.arg(SINK).arg(hex_of(answer)),
            Self::Source { head, records_bytes, file_bytes } => command
                .arg(SOURCE)
                .arg(hex_of(head))
                .arg(records_bytes.to_string())
                .arg(file_bytes.to_string()),
        };
        command
    }

    fn readiness(&self) -> Readiness {
        Readiness::ReadyLine
    }
}
