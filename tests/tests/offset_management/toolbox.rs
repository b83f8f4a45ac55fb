//! All that it takes to run a program, made when it is first needed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use ottla_tests::broker::last_lines;
use ottla_tests::client_program::build;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::process::Process;
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::workspace::{client_directory, root};

use crate::brokers::Brokers;
use crate::programs::{DIRECTORY, Language, Program, directory, list_of};

/// How long a program may run. The longest one waits for a minute to pass.
const PROGRAM_LIMIT: Duration = Duration::from_secs(120);

/// A program that joins a group before it commits.
const FIRST_GROUP: &str = "resume.py";

/// How many lines of a program's standard error a failure quotes.
const ERROR_LINES_QUOTED: usize = 20;

/// A step that is done once, by whoever needs it first.
type Once<T> = OnceLock<Result<T, Problem>>;

pub(crate) struct Toolbox {
    choice: BrokerChoice,
    logs: PathBuf,
    brokers: Once<Brokers>,
    classes: Once<PathBuf>,
    java: Once<()>,
    python: Once<()>,
}

impl Toolbox {
    /// Nothing is built or started yet. What programs and brokers say besides goes to the directory.
    pub(crate) fn new(choice: BrokerChoice, logs: PathBuf) -> Self {
        let (brokers, classes) = (OnceLock::new(), OnceLock::new());
        Self { choice, logs, brokers, classes, java: OnceLock::new(), python: OnceLock::new() }
    }

    /// Runs a program and gives what it printed.
    pub(crate) fn run(&self, program: &Program) -> Result<String, Problem> {
        self.run_with(program, &[])
    }

    /// Does the same with arguments behind the broker's address.
    pub(crate) fn run_with(&self, program: &Program, arguments: &[&str]) -> Result<String, Problem> {
        let mut command = match program.language {
            Language::Java => self.java(program)?,
            Language::Python => self.python(program)?,
            Language::Shell => shell(program)?,
        };
        self.finish(program, command.arg(self.address(program)?).args(arguments))
    }

    /// Runs a program with the script that the page tells readers to use.
    pub(crate) fn run_as_a_reader(&self, program: &Program) -> Result<String, Problem> {
        self.build_java()?;
        let mut command = Command::new(root().join("docs").join(DIRECTORY).join("run"));
        self.finish(program, command.arg(&program.file).arg(self.address(program)?))
    }

    /// Stops the brokers.
    pub(crate) fn stop(&self) -> Result<(), Problem> {
        match self.brokers.get() {
            Some(Ok(brokers)) => brokers.stop(),
            _ => Ok(()),
        }
    }

    fn address(&self, program: &Program) -> Result<String, Problem> {
        let brokers = self.brokers.get_or_init(|| {
            std::fs::create_dir_all(&self.logs).doing("make a directory for logs")?;
            Ok(Brokers::new(self.choice.obtain()?, &self.logs))
        });
        brokers.as_ref().map_err(Problem::clone)?.address(&program.settings(), |address| self.begin(address))
    }

    /// Apache Kafka makes `__consumer_offsets` when a first group asks for it, and refuses commits until then, which
    /// librdkafka leaves to the program. So a first group reads before the programs do.
    fn begin(&self, address: &str) -> Result<(), Problem> {
        if self.choice == BrokerChoice::Ottla || Language::Python.toolchain().missing().is_some() {
            return Ok(());
        }
        let first = Program::at(Language::Python, FIRST_GROUP)?;
        self.finish(&first, self.python(&first)?.arg(address)).map(drop)
    }

    fn finish(&self, program: &Program, command: &mut Command) -> Result<String, Problem> {
        let file = |ending: &str| self.logs.join(format!("{}.{ending}", program.name()));
        let (output, errors) = (file("out"), file("err"));
        command.stdin(Stdio::null());
        command.stdout(File::create(&output).doing("make a file for the output")?);
        command.stderr(File::create(&errors).doing("make a file for the errors")?);
        let mut process = Process::start_group(command)?;
        let status = process.wait(PROGRAM_LIMIT)?;
        let said = std::fs::read_to_string(&output).doing("read the output")?.trim_end().to_owned();
        match status {
            Some(status) if status.success() => Ok(said),
            Some(status) => {
                let errors = last_lines(&errors, ERROR_LINES_QUOTED);
                Err(Problem::new(format!("it ended with {status}, having printed\n{said}\nand\n{errors}")))
            }
            None => {
                Err(Problem::new(format!("it still ran after {PROGRAM_LIMIT:?}, having printed\n{said}")))
            }
        }
    }

    fn python(&self, program: &Program) -> Result<Command, Problem> {
        let client = client_directory("python-librdkafka");
        self.python.get_or_init(|| build(&client)).clone()?;
        let mut command = Command::new(client.join(".venv/bin/python"));
        command.arg(program.path());
        Ok(command)
    }

    fn java(&self, program: &Program) -> Result<Command, Problem> {
        let libraries = self.build_java()?;
        let classes = self.classes.get_or_init(|| self.compile(&libraries)).clone()?;
        let mut command = Command::new("java");
        // The programs are short and many, so they have a small heap and the fast compiler alone.
        // Virtual machines that start at once would warn of each other's performance data, on standard output.
        command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp"]);
        command.arg(format!("{}:{libraries}", classes.display())).arg(program.stem());
        Ok(command)
    }

    /// Has Maven fetch the client, and gives the class path of it and of its settings for logging.
    fn build_java(&self) -> Result<String, Problem> {
        self.java.get_or_init(|| build(&client_directory("java-4.3.1"))).clone()?;
        let target = client_directory("java").join("target-4.3.1");
        Ok(format!("{}:{}", target.join("classes").display(), target.join("lib/*").display()))
    }

    /// Compiles all Java programs at once, which takes a tenth of what one by one would.
    fn compile(&self, libraries: &str) -> Result<PathBuf, Problem> {
        let classes = self.logs.join("classes");
        std::fs::create_dir_all(&classes).doing("make a directory for classes")?;
        let mut command = Command::new("javac");
        command.args(["--release", "17", "-Xlint:all", "-Werror", "-cp", libraries, "-d"]).arg(&classes);
        command.args(list_of(Language::Java)?.iter().map(|program| program.file.clone()));
        let output = command.current_dir(directory(Language::Java)).output().doing("run javac")?;
        let said = String::from_utf8_lossy(&output.stderr);
        output
            .status
            .success()
            .then_some(classes)
            .ok_or_else(|| Problem::new(format!("javac failed:\n{said}")))
    }
}

/// Commands find the `ottla` under test as they would find an installed one.
fn shell(program: &Program) -> Result<Command, Problem> {
    let binary = Ottla::find()?;
    let mut path = binary.binary().parent().unwrap_or_else(|| Path::new("")).as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.arg(program.path()).env("PATH", path);
    Ok(command)
}
