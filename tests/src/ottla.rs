//! The broker under test: the release binary of `ottla`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;

use crate::broker::{BrokerProgram, DATA_DIRECTORY, Readiness};
use crate::problem::{Doing, Problem};
use crate::workspace::{cargo, root, target_directory};

/// Names a binary to test in place of the one that the workspace builds.
pub const BINARY_VARIABLE: &str = "OTTLA_BINARY";

/// A built `ottla`.
#[derive(Debug, Clone)]
pub struct Ottla {
    binary: PathBuf,
}

impl Ottla {
    /// The binary that [`BINARY_VARIABLE`] names, or else the release binary of this workspace, built now (once per
    /// process; cargo has nothing to do when it is current).
    ///
    /// # Errors
    /// The build failed, or the named binary does not exist.
    pub fn find() -> Result<Self, Problem> {
        static FOUND: OnceLock<Result<Ottla, Problem>> = OnceLock::new();
        FOUND.get_or_init(find_binary).clone()
    }

    /// The binary in this file.
    ///
    /// # Errors
    /// There is no such file.
    pub fn at(binary: PathBuf) -> Result<Self, Problem> {
        if binary.is_file() {
            return Ok(Self { binary });
        }
        Err(Problem::new(format!("{} is no file", binary.display())))
    }

    /// What the binary says its version is.
    ///
    /// # Errors
    /// It can not be run.
    pub fn version(&self) -> Result<String, Problem> {
        let output =
            Command::new(&self.binary).arg("--version").output().doing("ask the broker's version")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The binary's path.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The same broker, served by another command: with limits, or under a program that counts what it does.
    pub fn served_by<F>(self, serve: F) -> ServedBy<F>
    where
        F: Fn(&Self, &Path, u16) -> Command + Send + Sync,
    {
        ServedBy { ottla: self, serve }
    }
}

/// See [`Ottla::served_by`].
pub struct ServedBy<F> {
    ottla: Ottla,
    serve: F,
}

impl<F> BrokerProgram for ServedBy<F>
where
    F: Fn(&Ottla, &Path, u16) -> Command + Send + Sync,
{
    fn name(&self) -> String {
        self.ottla.name()
    }

    fn serve(&self, directory: &Path, port: u16) -> Command {
        (self.serve)(&self.ottla, directory, port)
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

fn find_binary() -> Result<Ottla, Problem> {
    if let Some(named) = std::env::var_os(BINARY_VARIABLE) {
        // Cargo runs tests in the package's directory, while people name files from the top of the repository.
        return Ottla::at(root().join(named)).doing(format_args!("use {BINARY_VARIABLE}"));
    }
    let output = cargo().args(["build", "--release", "-p", "ottla"]).output().doing("run cargo build")?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(Problem::new(format!("cargo build --release -p ottla failed:\n{error}")));
    }
    Ok(Ottla { binary: target_directory()?.join("release/ottla") })
}

impl BrokerProgram for Ottla {
    fn name(&self) -> String {
        "Ottla".to_owned()
    }

    fn serve(&self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--listen").arg(format!("127.0.0.1:{port}"));
        command.arg("--data-dir").arg(directory.join(DATA_DIRECTORY));
        command
    }

    fn set(&self, command: &mut Command, name: &str, value: &str) {
        command.arg("-c").arg(format!("{name}={value}"));
    }

    fn readiness(&self) -> Readiness {
        Readiness::ReadyLine
    }

    fn ended_cleanly(&self, status: ExitStatus) -> bool {
        status.code() == Some(0)
    }
}
