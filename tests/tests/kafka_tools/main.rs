//! Apache Kafka's own tools say of Ottla what they say of Apache Kafka.
//!
//! `Session.java` runs the tools, all in one virtual machine. What they say of Apache Kafka lies beside it, in a directory with
//! its version, recorded by
//!
//! ```text
//! OTTLA_TEST_BROKER=kafka cargo test -p ottla-tests --test kafka_tools
//! ```
//!
//! `OTTLA_TOOLS=groups,offsets` plays these scenarios alone. What differs and is meant to stands in `differences.txt`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the functions around the tests fail as the tests do"
)]

mod answers;
mod comparison;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ottla_tests::broker::{Broker, last_lines};
use ottla_tests::kafka::{Kafka, VERSION};
use ottla_tests::process::Process;
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::root;

use comparison::{Comparison, Decisions};

/// Hundreds of runs of a tool; on two busy cores they take half of it.
const SESSION_LIMIT: Duration = Duration::from_secs(400);

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
    let chosen = std::env::var("OTTLA_TOOLS").unwrap_or_default();
    let chosen: Vec<&str> = chosen.split(',').filter(|name| !name.is_empty()).collect();
    let told = session(choice, &chosen);
    if choice == BrokerChoice::Kafka {
        for (scenario, transcript) in &told {
            std::fs::write(recordings().join(scenario), transcript).unwrap();
        }
        return;
    }
    compare(&told, chosen.is_empty());
}

/// Fails when something differs that should not. All is whether every scenario was played.
fn compare(told: &BTreeMap<String, String>, all: bool) {
    let mut decisions = Decisions::read(&read(&directory().join("differences.txt")));
    let mut comparison = Comparison::default();
    for (scenario, transcript) in told {
        comparison.add(&read(&recordings().join(scenario)), transcript, &mut decisions);
    }
    // Straight to the error output: it is to be seen when the test passes too.
    std::io::stderr().write_all(format!("\n{}", comparison.table()).as_bytes()).unwrap();
    let mut problems = comparison.problems;
    if all {
        problems.extend(decisions.unmet().map(|decision| format!("differs no more:\n{decision}")));
    }
    assert!(problems.is_empty(), "- Apache Kafka, + Ottla:\n\n{}", problems.join("\n"));
}

fn directory() -> PathBuf {
    root().join("tests/tests/kafka_tools")
}

fn recordings() -> PathBuf {
    directory().join(format!("kafka-{VERSION}"))
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What the tools say of a new broker, by the name of the scenario's file.
fn session(choice: BrokerChoice, scenarios: &[&str]) -> BTreeMap<String, String> {
    let place = tempfile::tempdir().unwrap();
    let (told, classes) = (place.path().join("told"), place.path().join("classes"));
    for new in [&told, &classes] {
        std::fs::create_dir(new).unwrap();
    }
    let kafka = Kafka::fetch().unwrap().compile(&directory().join("Session.java"), &classes).unwrap();
    let mut broker = Broker::start(choice.obtain().unwrap(), &place.path().join("broker")).unwrap();
    let complained = place.path().join("complained");
    let mut command = kafka.java(place.path(), "Session");
    command.arg(broker.address()).arg(&told).args(scenarios).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&complained).unwrap());
    let ended = Process::start(&mut command).unwrap().wait(SESSION_LIMIT).unwrap();
    let complaint = last_lines(&complained, LINES_QUOTED);
    assert!(ended.is_some_and(|status| status.success()), "the session ended with {ended:?}:\n{complaint}");
    broker.stop().unwrap();
    let files = std::fs::read_dir(&told).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), read(&file.path()))).collect()
}
