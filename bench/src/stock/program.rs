//! Runs a client's program, or two at once, and keeps what they print.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;

use ottla_tests::problem::{Doing, Problem};
use ottla_tests::process::Process;

/// How long a program may run.
const LIMIT: Duration = Duration::from_secs(300);

/// What a program is to do.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Where the broker listens.
    pub(crate) address: String,
    /// The topic.
    pub(crate) topic: String,
    /// How many records.
    pub(crate) records: u64,
    /// Bytes of each value.
    pub(crate) value_bytes: usize,
}

/// A program that runs, with what it prints in a file, so that nobody has to read a pipe.
struct Running {
    name: String,
    process: Process,
    output: tempfile::NamedTempFile,
}

impl Running {
    fn start(mut command: Command) -> Result<Self, Problem> {
        let output = tempfile::NamedTempFile::new().doing("make a file for output")?;
        let writer = || -> Result<File, Problem> { output.reopen().doing("open a file for output") };
        command.stdin(Stdio::null()).stdout(writer()?).stderr(Stdio::null());
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Self { name, process: Process::start(&mut command)?, output })
    }

    fn end(mut self) -> Result<String, Problem> {
        let status = self.process.wait(LIMIT)?;
        let output = std::fs::read_to_string(self.output.path()).doing("read a program's output")?;
        match status {
            Some(status) if status.success() => Ok(output),
            Some(status) => Err(Problem::new(format!("{} ended with {status}:\n{output}", self.name))),
            None => Err(Problem::new(format!("{} still ran after {LIMIT:?}:\n{output}", self.name))),
        }
    }
}

/// Runs a program and gives what it prints.
pub(crate) fn run(command: Command) -> Result<String, Problem> {
    Running::start(command)?.end()
}

/// Runs two programs at once and gives what they print.
pub(crate) fn run_both(one: Command, other: Command) -> Result<(String, String), Problem> {
    let (one, other) = (Running::start(one)?, Running::start(other)?);
    Ok((one.end()?, other.end()?))
}

/// The number before the last occurrence of a unit.
pub(super) fn number_before(output: &str, unit: &str) -> Option<f64> {
    let (before, _) = output.rsplit_once(unit)?;
    before.rsplit([' ', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_found() {
        let output = "5 records sent, 1.0 records/sec (2 MB/sec)\n9 records sent, 28235.29 records/sec (x)\n";
        assert_eq!(number_before(output, " records/sec"), Some(28_235.29));
        assert_eq!(number_before("1 messages in 2ms: 559876 msgs/s (1 MB/s)", " msgs/s"), Some(559_876.0));
        assert_eq!(number_before("nothing", " msgs/s"), None);
    }

    #[test]
    fn a_program_that_fails_is_told() {
        assert!(run(Command::new("false")).is_err());
        let mut echo = Command::new("echo");
        echo.arg("said");
        assert_eq!(run(echo).unwrap(), "said\n");
    }
}
