//! An Ottla whose data directory begins with an import.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use ottla_tests::broker::{BrokerProgram, DATA_DIRECTORY, Readiness};
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};

use super::import;
use super::workload::TOPICS;

/// Ottla, and where its topics come from.
pub(crate) struct Imported {
    pub(crate) ottla: Ottla,
    pub(crate) from: PathBuf,
    /// True when there is something to remark.
    pub(crate) with_remarks: bool,
}

impl BrokerProgram for Imported {
    fn name(&self) -> String {
        self.ottla.name()
    }

    fn prepare(&self, directory: &Path, _port: u16) -> Result<(), Problem> {
        let output = import(&self.ottla, &self.from, &directory.join(DATA_DIRECTORY)).output();
        let output = output.doing("run ottla import")?;
        let told = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(Problem::new(format!("import failed: {}", String::from_utf8_lossy(&output.stderr))));
        }
        if !self.with_remarks {
            assert_eq!(told.lines().count(), TOPICS.len(), "one line a topic, and nothing to remark: {told}");
        }
        Ok(())
    }

    fn serve(&self, directory: &Path, port: u16) -> Command {
        self.ottla.serve(directory, port)
    }

    fn set(&self, command: &mut Command, name: &str, value: &str) {
        self.ottla.set(command, name, value);
    }

    fn readiness(&self) -> Readiness {
        self.ottla.readiness()
    }

    fn ended_cleanly(&self, status: ExitStatus) -> bool {
        self.ottla.ended_cleanly(status)
    }
}
