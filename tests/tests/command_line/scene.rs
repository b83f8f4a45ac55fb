//! The binary, a broker that most trials share, and runs of the one against the other.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use ottla_tests::broker::Broker;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::workspace::target_directory;

/// After so long a run is killed, which `timeout` does.
const RUN_SECONDS: &str = "120";

pub(crate) struct Scene {
    pub(crate) choice: BrokerChoice,
    pub(crate) binary: PathBuf,
    logs: PathBuf,
    shared: OnceLock<(String, Mutex<Option<Broker>>)>,
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    /// What it printed, when all went well.
    #[track_caller]
    pub(crate) fn bytes(self) -> Vec<u8> {
        assert_eq!((self.code, &*self.err), (Some(0), ""), "{}", String::from_utf8_lossy(&self.out));
        self.out
    }

    /// The same, as text.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    /// The same, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// What it complained of, when it failed as a command does that could not do what it was told.
    #[track_caller]
    pub(crate) fn complaint(self) -> String {
        assert_eq!(self.code, Some(1), "{}", self.err);
        assert!(self.err.starts_with("ottla: "), "{}", self.err);
        self.err
    }
}

impl Scene {
    pub(crate) fn new(choice: BrokerChoice) -> Result<Self, Problem> {
        let logs = target_directory()?.join("command-line-runs");
        std::fs::create_dir_all(&logs).doing("make a directory for logs")?;
        let binary = Ottla::find()?.binary().to_owned();
        Ok(Self { choice, binary, logs, shared: OnceLock::new() })
    }

    /// A broker of one's own.
    pub(crate) fn broker(&self, name: &str) -> Broker {
        Broker::start(self.choice.obtain().unwrap(), &self.logs.join(name)).unwrap()
    }

    /// Where the broker is that the trials share.
    pub(crate) fn address(&self) -> &str {
        let (address, _) = self.shared.get_or_init(|| {
            let broker = self.broker("shared.log");
            (broker.address(), Mutex::new(Some(broker)))
        });
        address
    }

    pub(crate) fn stop(&self) -> Result<(), Problem> {
        let broker = self.shared.get().and_then(|(_, broker)| broker.lock().unwrap().take());
        broker.map_or(Ok(()), |mut broker| broker.stop())
    }

    /// Runs a command against the shared broker, with nothing to read.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    /// The same, with this on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        ran(self.command(self.address(), arguments), input)
    }

    /// Runs a command against any broker, or none.
    pub(crate) fn run_at(&self, address: &str, arguments: &[&str], input: &[u8]) -> Ran {
        ran(self.command(address, arguments), input)
    }

    fn command(&self, address: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", RUN_SECONDS]).arg(&self.binary).args(arguments);
        command.env_clear().env("OTTLA_BOOTSTRAP", address);
        command
    }

    /// A command to be started by itself, so that signals reach it.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().env("OTTLA_BOOTSTRAP", self.address());
        command
    }

    /// Makes a topic.
    #[track_caller]
    pub(crate) fn topic(&self, name: &str, partitions: &str) {
        self.run(&["topic", "create", name, "-p", partitions]).text();
    }

    /// A file with these bytes, whose directory lives as long as what is returned first.
    pub(crate) fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        (directory, path)
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a command to its end.
pub(crate) fn ran(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A command that does not read it closes the pipe, which is its right.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    let err = String::from_utf8(output.stderr).unwrap();
    Ran { code: output.status.code(), out: output.stdout, err }
}
