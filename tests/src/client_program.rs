//! Runs one client program by the contract of `tests/clients/SCENARIOS.md`.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::message::{BrokerAction, Message, Outcome};
use crate::problem::{Doing, Problem};
use crate::process::Process;

/// How long a whole program may run, all scenarios together. A scenario has its own limit of 60 seconds inside the
/// program, so this one is met only by a program whose scenarios are slow in many places, or that hangs.
pub const PROGRAM_LIMIT: Duration = Duration::from_secs(300);

/// How long a program may take from its `END` to its exit.
const EXIT_LIMIT: Duration = Duration::from_secs(15);

/// The end of one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The time since the report before it, or since the program's start.
    pub duration: Duration,
}

/// One run of a client program.
#[derive(Debug, Clone)]
pub struct ClientProgram {
    /// The directory with the program's `run`.
    pub directory: PathBuf,
    /// What the names of all its topics and groups begin with.
    pub run_id: String,
    /// The scenarios to run, by name.
    pub scenarios: Vec<String>,
    /// The file that receives its standard error.
    pub error_output: PathBuf,
    /// The file that receives the conversation, each line with the seconds since the start.
    pub transcript: PathBuf,
    /// How long it may run.
    pub limit: Duration,
}

impl ClientProgram {
    /// Runs the program against a broker, does to the broker what the program asks for, and hands over each report
    /// as it comes.
    ///
    /// # Errors
    /// The program broke the contract, ran out of time or failed, or the broker did. Reports that were handed over
    /// before stay true.
    pub fn run(&self, broker: &mut Broker, mut report: impl FnMut(Report)) -> Result<(), Problem> {
        let deadline = Instant::now() + self.limit;
        let error_output = File::create(&self.error_output).doing("create the file for standard error")?;
        let mut command = Command::new(self.directory.join("run"));
        command.arg(broker.address()).arg(&self.run_id).args(&self.scenarios).current_dir(&self.directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(error_output);
        let mut process = Process::start_group(&mut command)?;
        let transcript = File::create(&self.transcript).doing("create the file for the conversation")?;
        let mut conversation = Conversation::with(&mut process, transcript)?;
        let mut expected = self.scenarios.clone();
        let mut last_report = Instant::now();
        loop {
            match conversation.next_message(deadline, self.limit)? {
                Message::End => break,
                Message::Broker(action) => {
                    act(broker, action)?;
                    conversation.say_ready()?;
                }
                Message::Result { scenario, outcome } => {
                    let place = expected.iter().position(|name| *name == scenario);
                    let place = place.ok_or_else(|| unexpected(&scenario))?;
                    expected.remove(place);
                    let now = Instant::now();
                    report(Report { scenario, outcome, duration: now.duration_since(last_report) });
                    last_report = now;
                }
            }
        }
        // A program that reads on would wait for this.
        drop(conversation);
        check_end(&mut process, &expected)?;
        broker.check_running()
    }
}

fn unexpected(scenario: &str) -> Problem {
    Problem::new(format!("reported {scenario}, which was not asked for or was reported before"))
}

fn act(broker: &mut Broker, action: BrokerAction) -> Result<(), Problem> {
    match action {
        BrokerAction::Restart => broker.restart(),
        BrokerAction::Kill => broker.kill(),
    }
}

fn check_end(process: &mut Process, expected: &[String]) -> Result<(), Problem> {
    let status = process.wait(EXIT_LIMIT)?;
    let status = status.ok_or_else(|| Problem::new(format!("still ran {EXIT_LIMIT:?} after END")))?;
    if !status.success() {
        return Err(Problem::new(format!("ended with {status} after END")));
    }
    if !expected.is_empty() {
        return Err(Problem::new(format!("said END without a result for {}", expected.join(", "))));
    }
    Ok(())
}

/// The two pipes of the contract.
struct Conversation {
    lines: Receiver<std::io::Result<String>>,
    input: ChildStdin,
    transcript: File,
    started: Instant,
}

impl Conversation {
    fn with(process: &mut Process, transcript: File) -> Result<Self, Problem> {
        let no_pipe = || Problem::new("the client program has no pipes");
        let input = process.child().stdin.take().ok_or_else(no_pipe)?;
        let output = process.child().stdout.take().ok_or_else(no_pipe)?;
        let (sender, lines) = mpsc::channel();
        // The thread ends when the pipe does, which is at the latest when the process group is killed.
        std::thread::spawn(move || BufReader::new(output).lines().try_for_each(|line| sender.send(line)));
        Ok(Self { lines, input, transcript, started: Instant::now() })
    }

    fn next_message(&mut self, deadline: Instant, limit: Duration) -> Result<Message, Problem> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let line = line.doing("read the program's output")?;
                self.write_down(&line)?;
                Message::parse(&line)
            }
            Err(RecvTimeoutError::Timeout) => Err(Problem::new(format!("still ran after {limit:?}"))),
            Err(RecvTimeoutError::Disconnected) => Err(Problem::new("ended its output without END")),
        }
    }

    fn say_ready(&mut self) -> Result<(), Problem> {
        self.write_down("(READY)")?;
        self.input.write_all(b"READY\n").doing("tell the program that the broker is ready")
    }

    fn write_down(&mut self, line: &str) -> Result<(), Problem> {
        let seconds = self.started.elapsed().as_secs_f64();
        writeln!(self.transcript, "{seconds:7.2} {line}").doing("write down the conversation")
    }
}

/// Runs a program's `build`.
///
/// # Errors
/// It is missing or failed; the problem carries all of its output.
pub fn build(directory: &Path) -> Result<(), Problem> {
    let program = directory.join("build");
    let mut command = Command::new(&program);
    let output = command.current_dir(directory).stdin(Stdio::null()).output();
    let output = output.doing(format_args!("run {}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(Problem::new(format!("{} ended with {}:\n{out}{error}", program.display(), output.status)))
}
