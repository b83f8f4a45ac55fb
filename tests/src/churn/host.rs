//! A process with members, or with the producer.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::cast::TOPIC;
use super::event::Fact;
use super::line::{Said, parse};
use super::plan::Newcomer;
use super::record::Record;
use crate::problem::{Doing, Problem};
use crate::process::Process;
use crate::workspace::client_directory;

/// How long a process may take to end after its input did. It does nothing then but end.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A running process.
#[derive(Debug)]
pub(super) struct Host {
    client: &'static str,
    process: Process,
    input: Option<ChildStdin>,
    reader: Option<JoinHandle<Result<(), Problem>>>,
    record: Arc<Record>,
    pub(super) members: BTreeSet<u32>,
}

impl Host {
    /// Starts a process without members. What it says for people is appended to a file in `logs`.
    pub(super) fn start(
        client: &'static str,
        address: &str,
        logs: &Path,
        record: &Arc<Record>,
    ) -> Result<Self, Problem> {
        let directory = client_directory(client);
        let log = logs.join(format!("{client}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log).doing("open a client's log")?;
        let mut command = Command::new(directory.join("churn"));
        command.args([address, TOPIC]).current_dir(&directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut process = Process::start_group(&mut command)?;
        let no_pipe = || Problem::new("the client program has no pipes");
        let input = process.child().stdin.take().ok_or_else(no_pipe)?;
        let output = process.child().stdout.take().ok_or_else(no_pipe)?;
        let lines = Arc::clone(record);
        let reader = std::thread::spawn(move || listen(output, &lines));
        let record = Arc::clone(record);
        Ok(Self {
            client,
            process,
            input: Some(input),
            reader: Some(reader),
            record,
            members: BTreeSet::new(),
        })
    }

    /// Makes a member.
    pub(super) fn join(&mut self, newcomer: Newcomer) -> Result<(), Problem> {
        let Newcomer { member, group, protocol } = newcomer;
        let (group, client) = (group.name.to_owned(), self.client.to_owned());
        self.record.note(Fact::Joins { member, group: group.clone(), protocol: protocol.to_owned(), client });
        self.members.insert(member);
        self.tell(&format!("join {member} {group} {protocol}"))
    }

    /// Has a member leave.
    pub(super) fn leave(&mut self, member: u32) -> Result<(), Problem> {
        self.members.remove(&member);
        self.record.note(Fact::Leaves { member });
        self.tell(&format!("leave {member}"))
    }

    /// Says anything else of the contract.
    pub(super) fn tell(&mut self, what: &str) -> Result<(), Problem> {
        let input = self.input.as_mut().ok_or_else(|| Problem::new("the client program has no input"))?;
        writeln!(input, "{what}").doing(format_args!("tell {} to {what}", self.client))
    }

    /// Stops its time.
    pub(super) fn pause(&self) {
        self.process.freeze();
        self.each_member(|member| Fact::Paused { member });
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.each_member(|member| Fact::Resumed { member });
        self.process.thaw();
    }

    /// Kills it.
    pub(super) fn kill(mut self) -> Result<(), Problem> {
        self.process.kill();
        self.process.wait(END_LIMIT)?;
        self.each_member(|member| Fact::Killed { member });
        self.heard()
    }

    /// Ends its input, whereupon it ends with all that is in it.
    pub(super) fn end(mut self) -> Result<(), Problem> {
        self.input = None;
        let status = self.process.wait(END_LIMIT)?;
        if !status.is_some_and(|status| status.success()) {
            return Err(Problem::new(format!(
                "{} ended with {status:?} at the end of its input",
                self.client
            )));
        }
        self.heard()
    }

    /// Checks that nobody but the harness ended it.
    pub(super) fn check(&mut self) -> Result<(), Problem> {
        match self.process.wait(Duration::ZERO)? {
            Some(status) => Err(Problem::new(format!("{} ended by itself with {status}", self.client))),
            None => Ok(()),
        }
    }

    fn heard(&mut self) -> Result<(), Problem> {
        let reader = self.reader.take().ok_or_else(|| Problem::new("nobody listens to the program"))?;
        reader.join().map_err(|_| Problem::new("the listener panicked"))?
    }

    fn each_member(&self, fact: impl Fn(u32) -> Fact) {
        for member in &self.members {
            self.record.note(fact(*member));
        }
    }
}

/// Takes down what a program says until its output ends. A last line may be cut: the program was killed.
fn listen(output: impl Read, record: &Record) -> Result<(), Problem> {
    let mut output = BufReader::new(output);
    let mut line = String::new();
    loop {
        line.clear();
        output.read_line(&mut line).doing("read a program's output")?;
        if !line.ends_with('\n') {
            return Ok(());
        }
        match parse(&line)? {
            Said::Event(event) => record.take(event),
            Said::Stopped => record.stopped(),
            Said::Remark => {}
        }
    }
}
