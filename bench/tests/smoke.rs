//! Every measure once, in the smallest size, so that the benchmark does not rot.

#![allow(clippy::unwrap_used, reason = "the functions around the test fail as it does")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use ottla_bench::measures::ALL;
use ottla_bench::results::Results;
use ottla_tests::ottla::BINARY_VARIABLE;
use ottla_tests::process::Process;
use ottla_tests::workspace::{cargo, target_directory};

/// Its clients are programs of other ecosystems, which take minutes to build.
const OF_OTHERS: &str = "stock";

/// Many times what it takes on two cores; a measure that waits for ever fails.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// The binary that is named, or else the one that debug builds make: this is no measurement.
fn ottla() -> PathBuf {
    if let Some(named) = std::env::var_os(BINARY_VARIABLE) {
        return named.into();
    }
    assert!(cargo().args(["build", "-p", "ottla"]).status().unwrap().success());
    target_directory().unwrap().join("debug/ottla")
}

#[test]
fn every_measure_works() {
    let directory = tempfile::tempdir().unwrap();
    let results = directory.path().join("results.ndjson");
    let measures: Vec<&str> =
        ALL.iter().map(|measure| measure.name()).filter(|name| *name != OF_OTHERS).collect();
    let mut program = Command::new(env!("CARGO_BIN_EXE_bench-versus"));
    program.args(["--smoke", "--rounds", "1", "--contenders", "ottla,floor", "--only", &measures.join(",")]);
    let told = directory.path().join("told");
    program.arg("--out").arg(&results).env(BINARY_VARIABLE, ottla());
    program.stdout(Stdio::null()).stderr(File::create(&told).unwrap());
    let status = Process::start_group(&mut program).unwrap().wait(TIME_LIMIT).unwrap();
    let told = fs::read_to_string(told).unwrap();
    assert!(status.is_some_and(|status| status.success()), "{status:?}: {told}");
    let results = Results::read(&results).unwrap();
    for measure in ALL.iter().filter(|measure| measure.name() != OF_OTHERS) {
        for quantity in measure.quantities() {
            // System calls are counted where perf is there and may do so.
            let is_optional = quantity.figure.starts_with("system_calls");
            let found = results.points.iter().any(|point| {
                point.key.measure == measure.name() && point.figures.get(quantity.figure).is_some()
            });
            assert!(found || is_optional, "{} has no {}:\n{told}", measure.name(), quantity.figure);
        }
    }
}
