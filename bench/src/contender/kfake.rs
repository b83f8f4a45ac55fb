//! franz-go's kfake: a server in memory that franz-go's own tests use.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use ottla_tests::broker::{BrokerProgram, Readiness};
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::{root, target_directory};

/// kfake, built.
#[derive(Debug, Clone)]
pub(super) struct Kfake {
    binary: PathBuf,
    version: String,
}

impl Kfake {
    /// Builds the small program around it, from the versions that `bench/kfake/go.mod` names.
    pub(super) fn build() -> Result<Self, Problem> {
        let binary = target_directory()?.join("bench-kfake");
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&binary).arg(".").current_dir(root().join("bench/kfake"));
        let output = build.output().doing("run go build")?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(Problem::new(format!("go build of kfake failed:\n{error}")));
        }
        let modules = std::fs::read_to_string(root().join("bench/kfake/go.mod")).doing("read go.mod")?;
        let version =
            modules.lines().find_map(|line| line.trim().strip_prefix("github.com/twmb/franz-go/pkg/kfake "));
        Ok(Self { binary, version: version.unwrap_or("of an unknown version").to_owned() })
    }
}

impl BrokerProgram for Kfake {
    fn name(&self) -> String {
        format!("kfake {}", self.version)
    }

    fn prepare(&self, _directory: &Path, _port: u16) -> Result<(), Problem> {
        Ok(())
    }

    fn serve(&self, _directory: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(port.to_string());
        command
    }

    fn set(&self, _command: &mut Command, _name: &str, _value: &str) {}

    fn readiness(&self) -> Readiness {
        Readiness::ListsItself
    }

    fn ended_cleanly(&self, _status: ExitStatus) -> bool {
        true
    }
}
