//! librdkafka's own `rdkafka_performance`, built from the sources that the crate `rdkafka-sys` holds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ottla_tests::measure::copy_directory;
use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::{root, target_directory};
use serde_json::Value;

use super::Client;
use super::program::{Task, number_before};

/// The manifest that names the release.
const MANIFEST: &str = "bench/librdkafka/Cargo.toml";
const CRATE: &str = "rdkafka-sys";

pub(super) struct Librdkafka;

impl Client for Librdkafka {
    fn name(&self) -> &'static str {
        "librdkafka"
    }

    fn producer(&self, task: &Task) -> Result<Command, Problem> {
        let mut command = program(task)?;
        command.args(["-P", "-t", &task.topic, "-a", "-1", "-s", &task.value_bytes.to_string()]);
        // The library's own default; the program would wait a second for a batch to fill.
        command.args(["-X", "linger.ms=5"]);
        Ok(command)
    }

    fn consumer(&self, task: &Task) -> Result<Command, Problem> {
        let mut command = program(task)?;
        let group = format!("librdkafka-{}", task.topic);
        command.args(["-G", &group, "-t", &task.topic, "-X", "auto.offset.reset=earliest"]);
        Ok(command)
    }

    fn produced(&self, output: &str) -> Option<f64> {
        number_before(output, " msgs/s")
    }

    fn consumed(&self, output: &str) -> Option<f64> {
        number_before(output, " msgs/s")
    }
}

fn program(task: &Task) -> Result<Command, Problem> {
    static BUILT: OnceLock<Result<PathBuf, Problem>> = OnceLock::new();
    let mut command = Command::new(BUILT.get_or_init(build).clone()?);
    // An interval that does not pass: it tells of the end alone.
    command.args(["-b", &task.address, "-c", &task.records.to_string(), "-i", "1000000"]);
    Ok(command)
}

fn build() -> Result<PathBuf, Problem> {
    let place = target_directory()?.join("bench-librdkafka");
    let binary = place.join("examples/rdkafka_performance");
    if binary.is_file() {
        return Ok(binary);
    }
    if place.exists() {
        // A build that was broken off.
        std::fs::remove_dir_all(&place).doing("remove an old build of librdkafka")?;
    }
    copy_directory(&sources()?, &place)?;
    let options = ["ssl", "gssapi", "curl", "zstd", "lz4-ext"].map(|what| format!("--disable-{what}"));
    finish(Command::new("bash").arg("configure").args(options).current_dir(&place))?;
    finish(Command::new("make").args(["-j2", "libs"]).current_dir(&place))?;
    finish(Command::new("make").arg("rdkafka_performance").current_dir(place.join("examples")))?;
    Ok(binary)
}

/// Where cargo keeps the sources, fetched if need be.
fn sources() -> Result<PathBuf, Problem> {
    let mut metadata = Command::new("cargo");
    metadata
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(root().join(MANIFEST));
    let told: Value = serde_json::from_str(&finish(&mut metadata)?).doing("read what cargo metadata says")?;
    let packages = told.get("packages").and_then(Value::as_array).into_iter().flatten();
    let mut manifests = packages.filter(|package| package.get("name").and_then(Value::as_str) == Some(CRATE));
    let manifest = manifests.next().and_then(|package| package.get("manifest_path")?.as_str());
    let directory = manifest.and_then(|manifest| Path::new(manifest).parent());
    let directory = directory.ok_or_else(|| Problem::new(format!("cargo metadata names no {CRATE}")))?;
    Ok(directory.join("librdkafka"))
}

fn finish(command: &mut Command) -> Result<String, Problem> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().doing(format_args!("run {name}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(Problem::new(format!("{name} failed for librdkafka:\n{error}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
