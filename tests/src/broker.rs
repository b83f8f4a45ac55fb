//! A broker process: on one port, with one data directory, for as long as a test needs it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::port::free_port;
use crate::probe::lists_a_broker;
use crate::problem::{Doing, Problem};
use crate::process::Process;

/// The name of every broker's data directory, in the directory that it is given.
pub const DATA_DIRECTORY: &str = "data";

/// How long a broker may take from its start until it answers. Apache Kafka on two busy cores needs half of it.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long a broker may take to stop after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// The pause between two looks at a broker that does not answer yet; it is part of a measured start.
const PROBE_INTERVAL: Duration = Duration::from_millis(10);

/// How many lines of a broker's log a problem quotes.
const LOG_LINES_QUOTED: usize = 20;

/// How a broker tells that it serves clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// The first line on its standard output is `ottla ready HOST:PORT`.
    ReadyLine,
    /// Its answer to Metadata lists a broker: itself.
    ListsItself,
}

/// A broker as a program that can be started.
pub trait BrokerProgram: Send + Sync {
    /// Its name and version, for people.
    fn name(&self) -> String;

    /// Prepares a new directory, once before the first start. Most programs need nothing there.
    ///
    /// # Errors
    /// The program's own tool failed.
    fn prepare(&self, directory: &Path, port: u16) -> Result<(), Problem> {
        let _ = (directory, port);
        Ok(())
    }

    /// The command that serves clients on this port of 127.0.0.1 with its data in this directory, until SIGTERM.
    fn serve(&self, directory: &Path, port: u16) -> Command;

    /// Adds a setting, under Apache Kafka's name for it, to a command of [`Self::serve`]. A program without settings
    /// leaves it as it is.
    fn set(&self, command: &mut Command, name: &str, value: &str) {
        let _ = (command, name, value);
    }

    /// How it tells that it serves.
    fn readiness(&self) -> Readiness;

    /// Whether this is how the program ends after SIGTERM when all is well. A program that keeps nothing may end as it
    /// likes.
    fn ended_cleanly(&self, status: ExitStatus) -> bool {
        let _ = status;
        true
    }
}

/// How a broker is started, beyond what its program decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// Settings beyond its defaults, by Apache Kafka's names.
    pub settings: Vec<(String, String)>,
    /// How long it may take from its start until it answers.
    pub start_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { settings: Vec::new(), start_limit: START_LIMIT }
    }
}

/// A started broker. Dropping it kills the process and removes its data.
pub struct Broker {
    program: Arc<dyn BrokerProgram>,
    options: Options,
    directory: TempDir,
    log: PathBuf,
    port: u16,
    process: Process,
    started: Start,
}

/// When a broker's process was started, and how long it then took.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Just before the process was made.
    pub at: Instant,
    /// From there until it was seen to serve.
    pub ready_after: Duration,
}

impl Broker {
    /// Starts a broker on a free port with an empty data directory and waits until it answers. What it writes goes to
    /// the file `log`, which is made anew and then kept over restarts.
    ///
    /// # Errors
    /// It can not be started, or does not answer in time; the problem quotes its log.
    pub fn start(program: Arc<dyn BrokerProgram>, log: &Path) -> Result<Self, Problem> {
        Self::start_with(program, log, Options::default())
    }

    /// Does what [`Self::start`] does, with options that later starts keep.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        program: Arc<dyn BrokerProgram>,
        log: &Path,
        options: Options,
    ) -> Result<Self, Problem> {
        let directory =
            tempfile::Builder::new().prefix("ottla-test-").tempdir().doing("make a data directory")?;
        File::create(log).doing(format_args!("create {}", log.display()))?;
        let port = free_port()?;
        program.prepare(directory.path(), port)?;
        let (process, started) = start_process(program.as_ref(), &options, directory.path(), port, log)?;
        Ok(Self { program, options, directory, log: log.to_owned(), port, process, started })
    }

    /// The name of its program.
    #[must_use]
    pub fn name(&self) -> String {
        self.program.name()
    }

    /// What the broker has written so far, over all of its starts.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Changes what the next start goes by.
    pub fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// The address that clients are given, `127.0.0.1:PORT`; the same over all restarts.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where the broker keeps its data.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.directory.path().join(DATA_DIRECTORY)
    }

    /// The process id of the running broker.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// When and how quickly the running process started.
    #[must_use]
    pub fn started(&self) -> Start {
        self.started
    }

    /// Stops the broker with SIGTERM and starts it again on the same port and data.
    ///
    /// # Errors
    /// It did not stop cleanly or in time, or did not come back.
    pub fn restart(&mut self) -> Result<(), Problem> {
        self.stop()?;
        self.start_again()
    }

    /// Kills the broker with SIGKILL and starts it again on the same port and data.
    ///
    /// # Errors
    /// It did not come back.
    pub fn kill(&mut self) -> Result<(), Problem> {
        self.end_by_kill()?;
        self.start_again()
    }

    /// Kills the broker with SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// It had ended before.
    pub fn end_by_kill(&mut self) -> Result<(), Problem> {
        self.check_running()?;
        self.process.kill();
        self.process.wait(STOP_LIMIT)?;
        Ok(())
    }

    /// Stops the broker with SIGTERM.
    ///
    /// # Errors
    /// It had ended before, did not end in time, or ended in another way than its program does when all is well.
    pub fn stop(&mut self) -> Result<(), Problem> {
        self.check_running()?;
        self.process.terminate();
        match self.process.wait(STOP_LIMIT)? {
            Some(status) if self.program.ended_cleanly(status) => Ok(()),
            Some(status) => Err(self.problem(&format!("ended with {status} after SIGTERM"))),
            None => Err(self.problem(&format!("still ran {STOP_LIMIT:?} after SIGTERM"))),
        }
    }

    /// Checks that nobody but the harness ended the broker.
    ///
    /// # Errors
    /// It has ended.
    pub fn check_running(&mut self) -> Result<(), Problem> {
        match self.process.wait(Duration::ZERO)? {
            Some(status) => Err(self.problem(&format!("ended by itself with {status}"))),
            None => Ok(()),
        }
    }

    /// Lets the broker idle for this long.
    ///
    /// # Errors
    /// It ended meanwhile.
    pub fn idle(&mut self, duration: Duration) -> Result<(), Problem> {
        self.process.wait(duration)?;
        self.check_running()
    }

    /// Kills the process and gives what it leaves behind.
    #[must_use]
    pub fn into_directory(self) -> TempDir {
        let Self { directory, process, .. } = self;
        drop(process);
        directory
    }

    /// Starts the broker again on the same port and data, after [`Self::stop`] or [`Self::end_by_kill`].
    ///
    /// # Errors
    /// It did not come back.
    pub fn start_again(&mut self) -> Result<(), Problem> {
        let (program, directory) = (self.program.as_ref(), self.directory.path());
        let started = start_process(program, &self.options, directory, self.port, &self.log)?;
        (self.process, self.started) = started;
        Ok(())
    }

    fn problem(&self, what: &str) -> Problem {
        problem_with_log(&self.program.name(), what, &self.log)
    }
}

fn start_process(
    program: &dyn BrokerProgram,
    options: &Options,
    directory: &Path,
    port: u16,
    log: &Path,
) -> Result<(Process, Start), Problem> {
    let mut command = program.serve(directory, port);
    for (name, value) in &options.settings {
        program.set(&mut command, name, value);
    }
    command.stdin(Stdio::null()).stderr(append_to(log)?);
    match program.readiness() {
        Readiness::ReadyLine => command.stdout(Stdio::piped()),
        Readiness::ListsItself => command.stdout(append_to(log)?),
    };
    let at = Instant::now();
    let mut process = Process::start(&mut command)?;
    let limit = options.start_limit;
    let ready = match program.readiness() {
        Readiness::ReadyLine => wait_for_ready_line(&mut process, port, log, limit),
        Readiness::ListsItself => wait_for_answer(&mut process, port, limit),
    };
    let ready_after = at.elapsed();
    ready.map_err(|problem| problem_with_log(&program.name(), &problem.to_string(), log))?;
    Ok((process, Start { at, ready_after }))
}

fn append_to(log: &Path) -> Result<File, Problem> {
    OpenOptions::new().append(true).open(log).doing(format_args!("open {}", log.display()))
}

/// Waits for the ready line, then leaves a thread behind that copies further lines to the log.
fn wait_for_ready_line(process: &mut Process, port: u16, log: &Path, limit: Duration) -> Result<(), Problem> {
    let output = process.child().stdout.take().ok_or_else(|| Problem::new("has no standard output"))?;
    let (sender, first_line) = mpsc::channel();
    let mut rest = append_to(log)?;
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok() {
            let _ = sender.send(line);
        }
        let _ = std::io::copy(&mut reader, &mut rest);
    });
    let line = first_line
        .recv_timeout(limit)
        .map_err(|_| Problem::new(format!("printed no line within {limit:?}")))?;
    let expected = format!("ottla ready 127.0.0.1:{port}");
    if line.trim_end() == expected {
        return Ok(());
    }
    Err(Problem::new(format!("printed {line:?} first, where {expected:?} was expected")))
}

fn wait_for_answer(process: &mut Process, port: u16, limit: Duration) -> Result<(), Problem> {
    let deadline = Instant::now() + limit;
    while !lists_a_broker(port) {
        if let Some(status) = process.wait(PROBE_INTERVAL)? {
            return Err(Problem::new(format!("ended with {status} before it answered")));
        }
        if Instant::now() > deadline {
            return Err(Problem::new(format!("did not answer within {limit:?}")));
        }
    }
    Ok(())
}

fn problem_with_log(name: &str, what: &str, log: &Path) -> Problem {
    Problem::new(format!("{name} {what}; its log ends with:\n{}", last_lines(log, LOG_LINES_QUOTED)))
}

/// The last lines of a file, each indented; a note when it can not be read.
#[must_use]
pub fn last_lines(file: &Path, count: usize) -> String {
    let Ok(bytes) = std::fs::read(file) else {
        return format!("    ({} can not be read)", file.display());
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text.lines().rev().take(count).map(|line| format!("    {line}")).collect();
    lines.reverse();
    lines.join("\n")
}
