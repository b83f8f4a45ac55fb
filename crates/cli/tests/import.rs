//! `ottla import` as a person meets it: what it refuses, in one line each. `tests/tests/kafka_files` has it import.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.args(arguments).current_dir(directory).env_clear();
    command
}

#[test]
fn what_it_cannot_do_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["kafka/orders-0", "half/orders-1", "empty"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    let mut serving = command(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--data-dir", "used"]);
    let mut serving = serving.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    BufReader::new(serving.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    for (arguments, part) in [
        (vec!["--from", "kafka", "--data-dir", "used"], "used by another process"),
        (vec!["--from", "used"], "a broker is using it"),
        (vec!["--from", "missing"], "missing"),
        (vec!["--from", "empty"], "there are no folders of topics"),
        (vec!["--from", "half"], "there is no folder orders-0"),
        (vec!["--from", "kafka", "payments"], "there is no folder of it"),
        (vec!["--from", "kafka", "--config", "retention.hours=1"], "Unknown topic config name"),
    ] {
        let output = command(dir.path(), &[&["import"], &arguments[..]].concat()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        assert!(told.contains(part), "{arguments:?}: {told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{arguments:?}: {told}");
    }
    serving.kill().unwrap();
    serving.wait().unwrap();
}

#[test]
fn a_topic_without_records_is_imported_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("kafka/orders-0")).unwrap();
    let output = command(dir.path(), &["import", "--from", "kafka"]).output().unwrap();
    let (out, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{told}");
    assert_eq!(out, "imported orders: 1 partitions, 0 records, 0 bytes\n");
    assert!(dir.path().join("ottla-data/__cluster_metadata-0").is_dir(), "./ottla-data is the default");
}
