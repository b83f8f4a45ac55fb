//! Where the repository and its build output are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::problem::{Doing, Problem};

/// The top of the repository: the directory of the workspace's `Cargo.toml`.
#[must_use]
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The directory of one client program, `tests/clients/NAME`.
#[must_use]
pub fn client_directory(client: &str) -> PathBuf {
    root().join("tests/clients").join(client)
}

/// Cargo's target directory, wherever the environment or a configuration file puts it.
///
/// # Errors
/// `cargo metadata` failed.
pub fn target_directory() -> Result<&'static Path, Problem> {
    static DIRECTORY: OnceLock<Result<PathBuf, Problem>> = OnceLock::new();
    let found = DIRECTORY.get_or_init(|| {
        let metadata = cargo_metadata()?;
        let directory = metadata.get("target_directory").and_then(Value::as_str);
        directory.map(PathBuf::from).ok_or_else(|| Problem::new("cargo metadata names no target directory"))
    });
    found.as_ref().map(PathBuf::as_path).map_err(Problem::clone)
}

/// What `cargo metadata` says about the packages of the workspace, without their dependencies' own packages.
///
/// # Errors
/// Cargo failed, or its answer is not JSON.
pub fn cargo_metadata() -> Result<Value, Problem> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let output = cargo().args(arguments).output().doing("run cargo metadata")?;
    if !output.status.success() {
        return Err(Problem::new(format!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    serde_json::from_slice(&output.stdout).doing("read the answer of cargo metadata")
}

/// The cargo that runs this test, in the top of the repository.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
