//! The harness itself, driven by client programs and brokers that are a few lines of shell.

#![allow(clippy::unwrap_used, reason = "the functions around the tests fail as the tests do")]

use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use ottla_tests::broker::{Broker, BrokerProgram, Readiness};
use ottla_tests::client_program::{ClientProgram, Report, build};
use ottla_tests::message::Outcome;
use ottla_tests::problem::Problem;
use tempfile::TempDir;

/// A broker that only says that it is ready, and ends at the first signal.
struct ShellBroker {
    script: &'static str,
}

const GOOD_BROKER: &str = "echo started >&2; echo ottla ready 127.0.0.1:$0; exec tail -f /dev/null";

impl BrokerProgram for ShellBroker {
    fn name(&self) -> String {
        "the shell broker".to_owned()
    }

    fn prepare(&self, _directory: &Path, _port: u16) -> Result<(), Problem> {
        Ok(())
    }

    fn serve(&self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new("sh");
        command.current_dir(directory).args(["-c", self.script]).arg(port.to_string());
        command
    }

    fn set(&self, command: &mut Command, name: &str, value: &str) {
        command.arg(format!("{name}={value}"));
    }

    fn readiness(&self) -> Readiness {
        Readiness::ReadyLine
    }

    fn ended_cleanly(&self, status: ExitStatus) -> bool {
        status.signal() == Some(15)
    }
}

/// What one run of a client program came to.
struct Run {
    reports: Vec<(String, Outcome)>,
    end: Result<(), Problem>,
    error_output: String,
    broker_log: String,
}

impl Run {
    fn problem(&self) -> String {
        self.end.clone().unwrap_err().to_string()
    }
}

fn start_broker(directory: &TempDir, script: &'static str) -> Result<Broker, Problem> {
    Broker::start(Arc::new(ShellBroker { script }), &directory.path().join("broker.log"))
}

/// Runs a client program of this shell code, with the scenarios `one` and `two`.
fn run_client(script: &str, limit: Duration) -> Run {
    let directory = TempDir::new().unwrap();
    write_program(&directory, "run", script);
    let mut broker = start_broker(&directory, GOOD_BROKER).unwrap();
    let program = ClientProgram {
        directory: directory.path().to_owned(),
        run_id: "r1".to_owned(),
        scenarios: ["one", "two"].map(str::to_owned).to_vec(),
        error_output: directory.path().join("stderr.log"),
        transcript: directory.path().join("conversation.log"),
        limit,
    };
    let mut reports = Vec::new();
    let end = program.run(&mut broker, |Report { scenario, outcome, .. }| reports.push((scenario, outcome)));
    let error_output = std::fs::read_to_string(&program.error_output).unwrap();
    let broker_log = std::fs::read_to_string(directory.path().join("broker.log")).unwrap();
    Run { reports, end, error_output, broker_log }
}

/// Makes a program of this shell code. What is executed is a link to a file of the repository: a file that was just
/// written may still be open in a process that another test is starting, and then refuses to be executed.
fn write_program(directory: &TempDir, name: &str, script: &str) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell_client/run");
    symlink(program, directory.path().join(name)).unwrap();
    std::fs::write(directory.path().join("script"), script).unwrap();
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn results_are_handed_over_and_broker_lines_are_answered() {
    let script = "echo \"$@\" >&2
        echo BROKER restart; read answer; echo PASS one
        echo BROKER kill; read answer; echo FAIL two got $answer
        echo END";
    let run = run_client(script, LONG);
    run.end.clone().unwrap();
    let expected = [("one".to_owned(), Outcome::Pass), ("two".to_owned(), Outcome::Fail("got READY".into()))];
    assert_eq!(run.reports, expected);
    assert!(run.error_output.starts_with("127.0.0.1:"), "{}", run.error_output);
    assert!(run.error_output.ends_with(" r1 one two\n"), "{}", run.error_output);
    assert_eq!(run.broker_log, "started\n".repeat(3));
}

#[test]
fn a_program_that_forgets_a_scenario_is_caught() {
    let run = run_client("echo PASS one; echo END", LONG);
    assert_eq!(run.problem(), "said END without a result for two");
    assert_eq!(run.reports.len(), 1);
}

#[test]
fn a_program_that_reports_twice_or_something_else_is_caught() {
    assert!(run_client("echo PASS one; echo PASS one; echo END", LONG).problem().contains("reported one"));
    assert!(run_client("echo PASS three; echo END", LONG).problem().contains("reported three"));
    assert!(run_client("echo hello; echo END", LONG).problem().contains("\"hello\" is not in the contract"));
}

#[test]
fn a_program_that_ends_wrongly_is_caught() {
    assert_eq!(run_client("echo PASS one; exit 0", LONG).problem(), "ended its output without END");
    let run = run_client("echo PASS one; echo PASS two; echo END; exit 3", LONG);
    assert!(run.problem().contains("exit status: 3"), "{}", run.problem());
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    let run = run_client("echo PASS one; tail -f /dev/null", Duration::from_millis(300));
    assert_eq!(run.problem(), "still ran after 300ms");
    assert_eq!(run.reports, [("one".to_owned(), Outcome::Pass)]);
}

#[test]
fn a_broker_that_died_is_noticed() {
    let directory = TempDir::new().unwrap();
    let script = "echo ottla ready 127.0.0.1:$0; exec 1>&-; echo out of luck >&2; exit 4";
    let mut broker = start_broker(&directory, script).unwrap();
    broker.idle(LONG).unwrap_err();
    let problem = broker.stop().unwrap_err().to_string();
    assert!(problem.contains("ended by itself with exit status: 4"), "{problem}");
    assert!(problem.contains("out of luck"), "the log is not quoted: {problem}");
}

#[test]
fn a_broker_with_another_first_line_is_refused() {
    let directory = TempDir::new().unwrap();
    let problem = start_broker(&directory, "echo hello; exec tail -f /dev/null").err().unwrap().to_string();
    assert!(problem.contains("printed \"hello\\n\" first"), "{problem}");
}

#[test]
fn a_failing_build_shows_its_output() {
    let directory = TempDir::new().unwrap();
    write_program(&directory, "build", "echo fetching; echo no network >&2; exit 1");
    let problem = build(directory.path()).unwrap_err().to_string();
    assert!(problem.contains("fetching\nno network"), "{problem}");
    assert!(build(&directory.path().join("nowhere")).is_err());
}
