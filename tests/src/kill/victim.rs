//! The broker that is killed: one data directory, one port, one process after another.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::broker::{BrokerProgram, last_lines};
use crate::ottla::Ottla;
use crate::port::free_port;
use crate::problem::{Doing, Problem};
use crate::process::Process;

/// How long a killed process may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(30);
const LOG_LINES_QUOTED: usize = 40;

/// Settings of the broker beyond its defaults: few and small partitions of the topics of
/// offsets and of transactions, so that they roll, too, a
/// compactor that rarely rests and leaves little of their history, a retention that looks often, and groups that do not
/// wait for more members.
const SETTINGS: [&str; 8] = [
    "offsets.topic.num.partitions=4",
    "offsets.topic.segment.bytes=16384",
    "transaction.state.log.num.partitions=4",
    "transaction.state.log.segment.bytes=16384",
    "log.cleaner.backoff.ms=20",
    "ottla.offsets.history.bytes=65536",
    "log.retention.check.interval.ms=100",
    "group.initial.rebalance.delay.ms=0",
];

/// A broker that can be killed at any time, also while it starts.
pub(super) struct Victim {
    program: Ottla,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    settings: Vec<String>,
}

/// A started process.
pub(super) struct Running {
    victim: Arc<Victim>,
    process: Process,
    started: Instant,
    first_line: Receiver<String>,
}

impl Victim {
    /// A broker with its data in `data` and its log in `directory`.
    pub(super) fn new(
        program: Ottla,
        directory: &Path,
        data: &Path,
        settings: &[String],
    ) -> Result<Self, Problem> {
        let log = directory.join("broker.log");
        File::create(&log).doing(format_args!("create {}", log.display()))?;
        let settings = SETTINGS.iter().map(ToString::to_string).chain(settings.iter().cloned()).collect();
        Ok(Self { program, data: data.to_owned(), log, port: free_port()?, settings })
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn start(self: &Arc<Self>) -> Result<Running, Problem> {
        let mut command: Command = self.program.serve(&self.data, self.port);
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        let log = OpenOptions::new().append(true).open(&self.log).doing("open the broker's log")?;
        command.stdin(Stdio::null()).stderr(log).stdout(Stdio::piped());
        let started = Instant::now();
        let mut process = Process::start(&mut command)?;
        let output = process.child().stdout.take().ok_or_else(|| Problem::new("has no standard output"))?;
        let (sender, first_line) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            if let Some(Ok(line)) = lines.next() {
                let _ = sender.send(line);
            }
            // The pipe stays open, or the broker could not write to it.
            lines.for_each(drop);
        });
        Ok(Running { victim: Arc::clone(self), process, started, first_line })
    }

    /// Starts it and waits until it says that it serves, at most `limit`.
    pub(super) fn start_ready(self: &Arc<Self>, limit: Duration) -> Result<Running, Problem> {
        let mut running = self.start()?;
        match running.ready_within(limit)? {
            Some(_) => Ok(running),
            None => Err(self.problem(&format!("was not ready within {limit:?}"))),
        }
    }

    pub(super) fn problem(&self, what: &str) -> Problem {
        let quoted = last_lines(&self.log, LOG_LINES_QUOTED);
        Problem::new(format!("the broker {what}; its log ends with:\n{quoted}"))
    }
}

impl Running {
    /// Waits until the broker says that it serves, at most `limit`; gives how long its start took. None when it has not
    /// said so by then.
    pub(super) fn ready_within(&mut self, limit: Duration) -> Result<Option<Duration>, Problem> {
        let expected = format!("ottla ready {}", self.victim.address());
        match self.first_line.recv_timeout(limit) {
            Ok(line) if line == expected => Ok(Some(self.started.elapsed())),
            Ok(line) => {
                Err(self.victim.problem(&format!("printed {line:?} where {expected:?} was expected")))
            }
            Err(error) => {
                // A process whose output has ended is about to end too.
                let ends = error == RecvTimeoutError::Disconnected;
                self.still_runs(if ends { GONE_LIMIT } else { Duration::ZERO })?;
                Ok(None)
            }
        }
    }

    /// Lets the broker run for this long.
    ///
    /// # Errors
    /// It ended by itself.
    pub(super) fn still_runs(&mut self, duration: Duration) -> Result<(), Problem> {
        match self.process.wait(duration)? {
            Some(status) => Err(self.victim.problem(&format!("ended by itself with {status}"))),
            None => Ok(()),
        }
    }

    /// Sends SIGSTOP: from now on nobody gets an answer.
    pub(super) fn freeze(&self) {
        self.process.freeze();
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub(super) fn kill(mut self) -> Result<(), Problem> {
        self.process.kill();
        let status: Option<ExitStatus> = self.process.wait(GONE_LIMIT)?;
        status.map(drop).ok_or_else(|| self.victim.problem("is still there after SIGKILL"))
    }
}
