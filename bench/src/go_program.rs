//! The small Go programs of the benchmark.

use std::path::PathBuf;
use std::process::Command;

use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::{root, target_directory};

/// A Go program, built.
#[derive(Debug, Clone)]
pub(crate) struct GoProgram {
    /// Where it is.
    pub(crate) binary: PathBuf,
    /// The version of a module that it is built with.
    pub(crate) version: String,
}

impl GoProgram {
    /// Builds the program in this directory of `bench`, from the versions that its `go.mod` names, and tells that of this
    /// module.
    pub(crate) fn build(directory: &str, module: &str) -> Result<Self, Problem> {
        let source = root().join("bench").join(directory);
        let binary = target_directory()?.join(format!("bench-{directory}"));
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&binary).arg(".").current_dir(&source);
        let output = build.output().doing("run go build")?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(Problem::new(format!("go build of bench/{directory} failed:\n{error}")));
        }
        let modules = std::fs::read_to_string(source.join("go.mod")).doing("read go.mod")?;
        let versions = modules.lines().map(|line| line.trim().trim_start_matches("require "));
        let mut named = versions.filter_map(|line| line.split_once(' ').filter(|(name, _)| *name == module));
        let version = named.next().map_or("of an unknown version", |(_, version)| version);
        Ok(Self { binary, version: version.to_owned() })
    }
}
