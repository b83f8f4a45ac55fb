//! What stock clients are asked for and held to: metrics that they push, and quotas on what they send, receive and take of the
//! broker's time. Apache Kafka's own tools subscribe and set the quotas, and measure the rates.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the functions around the tests fail as the tests do"
)]

mod metrics;
mod quotas;

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ottla_tests::broker::{Broker, Options, last_lines};
use ottla_tests::kafka::Kafka;
use ottla_tests::ottla::Ottla;
use ottla_tests::process::Process;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::root;

/// How long a program may run.
const PROGRAM_LIMIT: Duration = Duration::from_secs(120);

/// How much of what a program complains of is quoted when it fails.
const LINES_QUOTED: usize = 20;

/// A broker, and a directory for what is said by it and by the programs that it serves.
struct Session {
    broker: Broker,
    logs: tempfile::TempDir,
}

impl Session {
    fn start(settings: &[(&str, &str)]) -> Self {
        let logs = tempfile::tempdir().unwrap();
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = Options { settings: settings.collect(), ..Options::default() };
        let program = Arc::new(Ottla::find().unwrap());
        let broker = Broker::start_with(program, &logs.path().join("broker"), options).unwrap();
        Self { broker, logs }
    }

    /// A command that runs a Java program, by its main class or the name of its file in this directory.
    fn java(&self, program: &str) -> Command {
        let file = source(program);
        let program = if program.ends_with(".java") { file.to_str().unwrap() } else { program };
        Kafka::fetch().unwrap().java(self.logs.path(), program)
    }

    /// Runs one of Apache Kafka's tools, and gives what it has told.
    fn tool(&self, class: &str, arguments: &[&str]) -> String {
        let mut command = self.java(class);
        command.args(["--bootstrap-server", &self.broker.address()]).args(arguments);
        self.finish(command)
    }

    fn begin(&self, command: &mut Command) -> Process {
        command.stdout(File::create(self.told()).unwrap());
        command.stderr(File::create(self.complained()).unwrap());
        Process::start(command).unwrap()
    }

    /// Waits until a program has ended well, and gives what it has told.
    fn end(&self, mut process: Process) -> String {
        let ended = process.wait(PROGRAM_LIMIT).unwrap();
        assert!(
            ended.is_some_and(|status| status.success()),
            "it ended with {ended:?}:\n{}",
            self.complaint()
        );
        std::fs::read_to_string(self.told()).unwrap()
    }

    fn finish(&self, mut command: Command) -> String {
        self.end(self.begin(command.stdin(Stdio::null())))
    }

    fn complaint(&self) -> String {
        last_lines(&self.complained(), LINES_QUOTED)
    }

    fn told(&self) -> PathBuf {
        self.logs.path().join("told")
    }

    fn complained(&self) -> PathBuf {
        self.logs.path().join("complained")
    }
}

/// A file of this directory.
fn source(name: &str) -> PathBuf {
    root().join("tests/tests/metrics_and_quotas").join(name)
}

/// Whether this machine lacks what a test needs. In CI that is a failure.
fn is_skipped(toolchains: &[Toolchain]) -> bool {
    let Some(missing) = toolchains.iter().find_map(|toolchain| toolchain.missing()) else { return false };
    assert!(!skips_fail(), "{missing}, which CI does not allow");
    eprintln!("skipped: {missing}");
    true
}
