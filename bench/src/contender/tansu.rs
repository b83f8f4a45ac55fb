//! Tansu, with its storage in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use ottla_tests::broker::{BrokerProgram, Readiness};
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::target_directory;

const VERSION: &str = "0.6.0";

/// Tansu, installed.
#[derive(Debug, Clone)]
pub(super) struct Tansu {
    binary: PathBuf,
}

impl Tansu {
    /// Has cargo build it, unless it did so before. That takes many minutes.
    pub(super) fn build() -> Result<Self, Problem> {
        let place = target_directory()?.join("tansu");
        let binary = place.join("bin/tansu");
        if !binary.is_file() {
            let mut install = Command::new("cargo");
            install.args([
                "install",
                "tansu",
                "--version",
                VERSION,
                "--locked",
                "--features",
                "dynostore,libsql",
            ]);
            let output = install.arg("--root").arg(&place).output().doing("run cargo install")?;
            if !output.status.success() {
                let error = String::from_utf8_lossy(&output.stderr);
                return Err(Problem::new(format!("cargo install of Tansu failed:\n{error}")));
            }
        }
        Ok(Self { binary })
    }
}

impl BrokerProgram for Tansu {
    fn name(&self) -> String {
        format!("Tansu {VERSION}")
    }

    fn serve(&self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.binary);
        let address = format!("tcp://127.0.0.1:{port}");
        command.arg("broker").current_dir(directory);
        command.args(["--listener-url", &address, "--advertised-listener-url", &address]);
        command.args(["--storage-engine", "memory://tansu/"]);
        command
    }

    fn readiness(&self) -> Readiness {
        Readiness::ListsItself
    }
}
