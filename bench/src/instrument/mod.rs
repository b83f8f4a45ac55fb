//! A broker under a tool that counts what it does: system calls by strace, instructions by callgrind.
//!
//! Both count from the process's start to its end, and neither depends on how busy the machine is. What one request costs is
//! the difference of two runs, divided by how many requests the second one had more.

mod callgrind;
mod counts;
mod strace;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use ottla_tests::broker::{Broker, BrokerProgram, Options};
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use rustix::fs::{CWD, FileType, Mode, mknodat};

pub use callgrind::INSTRUCTIONS;
pub use counts::Counts;

/// The broker's runtime starts so many threads, whatever the machine has: threads that wake each other cost as well.
const RUNTIME_THREADS: &str = "2";

/// The name of what a tool writes, in a directory of its own.
const OUTPUT: &str = "counts";

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// System calls of all threads, by name; those that failed are counted apart.
    Strace,
    /// Instructions of all threads in user space.
    Callgrind,
}

impl Tool {
    /// What this machine lacks to run it, in words.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        let program = self.program();
        let ran = self.command(Path::new("/dev/null")).arg("true").stdin(Stdio::null()).output();
        match ran {
            Ok(output) if output.status.success() => None,
            Ok(output) => {
                let error = String::from_utf8_lossy(&output.stderr);
                Some(format!("{program} can not be used here: {}", error.lines().next().unwrap_or_default()))
            }
            Err(_) => Some(format!("this machine lacks {program} (Debian: apt-get install {program})")),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Strace => "strace",
            Self::Callgrind => "valgrind",
        }
    }

    /// Runs what is added to it and writes what it has counted to a file. The process is the program's own.
    fn command(self, output: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::Strace => command.args(["-D", "-f", "-c", "-o"]).arg(output),
            Self::Callgrind => {
                let to = format!("--callgrind-out-file={}", output.display());
                command.args(["--tool=callgrind", "--quiet", &to])
            }
        };
        command
    }

    fn read(self, output: &str) -> Result<Counts, Problem> {
        match self {
            Self::Strace => strace::read(output),
            Self::Callgrind => callgrind::read(output),
        }
    }
}

/// Starts a broker with an empty data directory, has it work, stops it, and gives all that the tool has counted.
///
/// # Errors
/// The tool or the broker does not work, or the work fails.
pub fn count(
    ottla: &Ottla,
    tool: Tool,
    options: Options,
    work: impl FnOnce(&mut Broker) -> Result<(), Problem>,
) -> Result<Counts, Problem> {
    let directory = tempfile::tempdir().doing("make a directory for counts")?;
    let output = directory.path().join(OUTPUT);
    let piped = (tool == Tool::Strace).then(|| pipe(&output)).transpose()?;
    let to = output.clone();
    let program = ottla.clone().served_by(move |ottla, directory, port| {
        let serve = ottla.serve(directory, port);
        let mut command = tool.command(&to);
        command.arg(serve.get_program()).args(serve.get_args());
        command.env("TOKIO_WORKER_THREADS", RUNTIME_THREADS);
        command
    });
    let mut broker = Broker::start_with(Arc::new(program), &directory.path().join("log"), options)?;
    work(&mut broker)?;
    broker.stop()?;
    let text = match piped {
        Some(reader) => reader.join().unwrap_or_else(|_| Err(std::io::Error::other("its reader ended"))),
        None => fs::read_to_string(&output),
    };
    tool.read(&text.doing(format_args!("read what {} counted", tool.program()))?)
}

/// Reads through a named pipe what comes after the broker has ended: strace outlives it, and the pipe's end tells when it
/// has written everything.
fn pipe(path: &Path) -> Result<JoinHandle<std::io::Result<String>>, Problem> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).doing("make a named pipe")?;
    let path = path.to_owned();
    Ok(std::thread::spawn(move || fs::read_to_string(path)))
}
