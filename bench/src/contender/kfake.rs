//! franz-go's kfake: a server in memory that franz-go's own tests use.

use std::path::Path;
use std::process::Command;

use ottla_tests::broker::{BrokerProgram, Readiness};
use ottla_tests::problem::Problem;

use crate::go_program::GoProgram;

/// kfake, built.
#[derive(Debug, Clone)]
pub(super) struct Kfake(GoProgram);

impl Kfake {
    pub(super) fn build() -> Result<Self, Problem> {
        GoProgram::build("kfake", "github.com/twmb/franz-go/pkg/kfake").map(Self)
    }
}

impl BrokerProgram for Kfake {
    fn name(&self) -> String {
        format!("kfake {}", self.0.version)
    }

    fn serve(&self, _directory: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.0.binary);
        command.arg(port.to_string());
        command
    }

    fn readiness(&self) -> Readiness {
        Readiness::ListsItself
    }
}
