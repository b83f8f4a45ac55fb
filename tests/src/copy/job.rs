//! The Java program, compiled, and its processes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::broker::last_lines;
use crate::kafka::Kafka;
use crate::problem::{Doing, Problem};
use crate::process::Process;
use crate::workspace::root;

const LINES_QUOTED: usize = 30;

/// What the program is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Make the topics and fill the input.
    Fill,
    /// Copy what is not copied yet.
    Copy {
        /// Decides which transactions it aborts.
        seed: u64,
        /// How long it waits for an answer, in milliseconds.
        patient_ms: u64,
        /// Most records in a transaction.
        records_max: u64,
    },
    /// Compare the output with the input.
    Compare,
}

/// The compiled program, and where its logs go.
#[derive(Debug)]
pub struct Job {
    kafka: Kafka,
    directory: PathBuf,
    address: String,
    count: u64,
}

/// A process of the program. Dropping it kills it.
pub struct Running {
    process: Process,
    /// The offset up to which it says that it has copied.
    copied: Arc<AtomicU64>,
    /// Writes what it says to its log.
    follower: Option<JoinHandle<()>>,
    log: PathBuf,
}

impl Job {
    /// Compiles the program; its classes and logs go to `directory`.
    ///
    /// # Errors
    /// Maven or the compiler failed.
    pub fn new(directory: &Path, address: String, count: u64) -> Result<Self, Problem> {
        let source = root().join("tests/kafka/Copy.java");
        let kafka = Kafka::fetch()?.compile(&source, directory)?;
        Ok(Self { kafka, directory: directory.to_owned(), address, count })
    }

    /// Starts the program.
    ///
    /// # Errors
    /// It can not be started.
    pub fn start(&self, mode: Mode) -> Result<Running, Problem> {
        let mut command = self.kafka.java(&self.directory, "Copy");
        let (name, more) = match mode {
            Mode::Fill => ("fill", Vec::new()),
            Mode::Copy { seed, patient_ms, records_max } => {
                ("copy", [seed, patient_ms, records_max].map(|number| number.to_string()).to_vec())
            }
            Mode::Compare => ("compare", Vec::new()),
        };
        command.args([name, &self.address, &self.count.to_string()]).args(more);
        let log = self.directory.join("copy.log");
        let opened = File::options().create(true).append(true).open(&log).doing("open the program's log")?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(opened.try_clone().doing("share a log")?);
        let mut process = Process::start(&mut command)?;
        let output = process.child().stdout.take().ok_or_else(|| Problem::new("has no standard output"))?;
        let copied = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&copied);
        let follower = std::thread::spawn(move || follow(BufReader::new(output), opened, &noted));
        Ok(Running { process, copied, follower: Some(follower), log })
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// It failed, or took longer than `limit`.
    pub fn finish(&self, mode: Mode, limit: Duration) -> Result<(), Problem> {
        self.start(mode)?.ended_within(limit)
    }
}

/// Writes the lines to the log, and notes how far the copy is.
fn follow(lines: impl BufRead, mut log: File, copied: &AtomicU64) {
    for line in lines.lines().map_while(Result::ok) {
        let number = line.strip_prefix("copied ").or(line.strip_prefix("begins at "));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            copied.fetch_max(number, Ordering::AcqRel);
        }
        let _ = std::io::Write::write_all(&mut log, format!("{line}\n").as_bytes());
    }
}

impl Running {
    /// How far the copy is.
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Acquire)
    }

    /// Lets it run for this long; whether it has ended by then, well.
    ///
    /// # Errors
    /// It has failed.
    pub fn has_ended(&mut self, within: Duration) -> Result<bool, Problem> {
        let ended = self.process.wait(within)?;
        // What it said last is in its log.
        if let Some(follower) = self.follower.take_if(|_| ended.is_some()) {
            let _ = follower.join();
        }
        match ended {
            None => Ok(false),
            Some(status) if status.success() => Ok(true),
            Some(status) => Err(self.problem(&format!("ended with {status}"))),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It failed, or took longer.
    pub fn ended_within(&mut self, limit: Duration) -> Result<(), Problem> {
        if self.has_ended(limit)? { Ok(()) } else { Err(self.problem(&format!("still ran after {limit:?}"))) }
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub fn kill(mut self) -> Result<(), Problem> {
        self.process.kill();
        self.process.wait(Duration::from_secs(30)).map(drop)
    }

    /// What is wrong with it, with the end of its log.
    #[must_use]
    pub fn problem(&self, what: &str) -> Problem {
        Problem::new(format!("the copy {what}; it said last:\n{}", last_lines(&self.log, LINES_QUOTED)))
    }
}
