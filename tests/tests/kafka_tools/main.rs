//! Apache Kafka's own tools for groups, offsets and settings say of Ottla what they say of Apache Kafka.
//!
//! `Session.java` runs the tools, all in one virtual machine. What they say of Apache Kafka lies beside it, recorded by
//!
//! ```text
//! OTTLA_TEST_BROKER=kafka cargo test -p ottla-tests --test kafka_tools
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the functions around the tests fail as the tests do"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ottla_tests::broker::{Broker, last_lines};
use ottla_tests::kafka::{Kafka, VERSION};
use ottla_tests::process::Process;
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::root;

/// Some 240 runs of a tool; on two busy cores they take a quarter of it.
const SESSION_LIMIT: Duration = Duration::from_secs(240);

/// How much of what the session complains of is quoted when it fails.
const LINES_QUOTED: usize = 20;

#[test]
fn kafkas_tools_say_of_ottla_what_they_say_of_kafka() {
    if let Some(missing) = Toolchain::Java.missing() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return;
    }
    let choice = BrokerChoice::from_environment().unwrap();
    let told = session(choice);
    if choice == BrokerChoice::Kafka {
        std::fs::write(recording(), told).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(recording()).unwrap();
    let differences = differences(&expected, &told);
    assert!(differences.is_empty(), "they differ:\n{}", differences.join("\n"));
}

fn directory() -> PathBuf {
    root().join("tests/tests/kafka_tools")
}

fn recording() -> PathBuf {
    directory().join(format!("kafka-{VERSION}.txt"))
}

/// What the tools say of a new broker.
fn session(choice: BrokerChoice) -> String {
    let logs = tempfile::tempdir().unwrap();
    let (told, complained) = (logs.path().join("told"), logs.path().join("complained"));
    let mut broker = Broker::start(choice.obtain().unwrap(), &logs.path().join("broker")).unwrap();
    let program = directory().join("Session.java");
    let mut command = Kafka::fetch().unwrap().java(logs.path(), program.to_str().unwrap());
    command.arg(broker.address()).arg(&told).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&complained).unwrap());
    let ended = Process::start(&mut command).unwrap().wait(SESSION_LIMIT).unwrap();
    let complaint = last_lines(&complained, LINES_QUOTED);
    assert!(ended.is_some_and(|status| status.success()), "the session ended with {ended:?}:\n{complaint}");
    broker.stop().unwrap();
    std::fs::read_to_string(told).unwrap()
}

/// What was told differently, command by command. The lines of an answer are sorted.
fn differences(expected: &str, told: &str) -> Vec<String> {
    let (expected, told) = (answers(expected), answers(told));
    let mut differences = Vec::new();
    for pair in expected.iter().zip(&told).filter(|(expected, told)| expected != told) {
        let ((command, expected), (heading, told)) = pair;
        let mut difference = vec![format!("{command}")];
        if command != heading {
            difference.push(format!("  which was told as {heading}"));
        }
        difference.extend(expected.difference(told).map(|line| format!("  Kafka: {line}")));
        difference.extend(told.difference(expected).map(|line| format!("  Ottla: {line}")));
        differences.push(difference.join("\n"));
    }
    if expected.len() != told.len() {
        differences.push(format!("{} commands were expected, {} were run", expected.len(), told.len()));
    }
    differences
}

/// Each command with the lines that it told.
fn answers(text: &str) -> Vec<(&str, BTreeSet<&str>)> {
    text.split_terminator("\n\n")
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .map(|(command, lines)| (command, lines.lines().collect()))
        .collect()
}

#[test]
fn a_difference_is_told_with_its_command() {
    let expected = "$ one\na\nb\n\n$ two\n\n$ three    # exits with 1\n! c\n\n";
    assert_eq!(differences(expected, expected), [""; 0]);
    let told = expected.replace("b\n", "d\n").replace("    # exits with 1", "");
    let changed = "$ one\n  Kafka: b\n  Ottla: d";
    let code = "$ three    # exits with 1\n  which was told as $ three";
    assert_eq!(differences(expected, &told), [changed, code]);
    assert_eq!(differences(expected, "$ one\na\nb\n\n"), ["3 commands were expected, 1 were run"]);
}
