//! Lag as a stock client sees it: what `ottla group lag` and `/metrics` say is what the client then receives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the functions around the test fail as it does"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ottla_tests::broker::{Broker, Options};
use ottla_tests::ottla::Ottla;
use ottla_tests::port::free_port;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::root;
use serde_json::Value;

const TOPIC: &str = "state";
const GROUP: &str = "readers";
const PATIENCE: Duration = Duration::from_secs(60);

struct Scene {
    ottla: Ottla,
    metrics_port: u16,
    broker: Broker,
    _directory: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let ottla = Ottla::find().unwrap();
        let metrics_port = free_port().unwrap();
        let directory = tempfile::tempdir().unwrap();
        // It tells its metrics and compacts at once.
        let settings = [
            ("ottla.metrics.listener", format!("127.0.0.1:{metrics_port}")),
            ("log.cleaner.backoff.ms", "50".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let options = Options { settings, ..Options::default() };
        let log = directory.path().join("log");
        let broker = Broker::start_with(Arc::new(ottla.clone()), &log, options).unwrap();
        Self { ottla, metrics_port, broker, _directory: directory }
    }

    /// Runs the stock client and gives the number that it prints, if it prints one.
    fn client(&self, what: &str, number: u64, more: &[&str]) -> Option<u64> {
        let python = client_directory().join(".venv/bin/python");
        let script = root().join("tests/tests/lag/reader.py");
        let mut command = Command::new(python);
        command
            .arg(script)
            .arg(what)
            .arg(self.broker.address())
            .args([TOPIC, &number.to_string()])
            .args(more);
        let output = succeed(&mut command);
        String::from_utf8(output.stdout).unwrap().trim().parse().ok()
    }

    fn ottla(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.ottla.binary());
        command.args(arguments).args(["--bootstrap", &self.broker.address()]);
        String::from_utf8(succeed(&mut command).stdout).unwrap()
    }

    /// What `ottla group lag` says of the only partition.
    fn lag(&self) -> Value {
        let document: Value = serde_json::from_str(&self.ottla(&["group", "lag", GROUP, "--json"])).unwrap();
        document["groups"]["entries"][0]["partitions"]["entries"][0].clone()
    }

    /// The value of a series of `/metrics`.
    fn metric(&self, series: &str) -> f64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics_port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ottla\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("# EOF\n"), "{text}");
        let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
    }

    /// Checks that both say what a client which goes on from there receives, and gives how much that is.
    fn check(&self, committed: u64) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = self.client("left", committed, &[]).unwrap();
            let partition = self.lag();
            let place = format!("group=\"{GROUP}\",topic=\"{TOPIC}\",partition=\"0\"");
            let lag = |isolation| {
                self.metric(&format!("ottla_group_lag_records{{{place},isolation=\"{isolation}\"}}"))
            };
            let exported = [lag("read_uncommitted"), lag("read_committed")];
            // The compactor may have gone on in between.
            if self.client("left", committed, &[]) != Some(before) && Instant::now() < deadline {
                continue;
            }
            assert_eq!(partition["committed_offset"], committed);
            assert_eq!(partition["read_uncommitted"]["records"], before);
            assert_eq!(partition["read_committed"]["records"], before);
            assert_eq!(exported, [before as f64; 2]);
            assert_eq!(self.metric(&format!("ottla_group_committed_offset{{{place}}}")), committed as f64);
            return before;
        }
    }
}

fn client_directory() -> std::path::PathBuf {
    root().join("tests/clients/python-librdkafka")
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{error}", output.status);
    output
}

#[test]
fn lag_is_what_a_client_then_receives() {
    if let Some(missing) = Toolchain::Python.missing() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return;
    }
    succeed(&mut Command::new(client_directory().join("build")));
    let mut scene = Scene::new();
    scene.client("fill", 2_000, &[]);
    // Compaction may have begun, so the offset tells nothing of how many records were read.
    let committed = scene.client("read", 8, &[GROUP]).unwrap();
    scene.check(committed);
    let deadline = Instant::now() + PATIENCE;
    while scene.metric("ottla_compactions_total") < 1.0 || scene.check(committed) > 1_000 {
        assert!(Instant::now() < deadline, "not compacted within {PATIENCE:?}");
    }
    // What was there before a restart is read once to be counted.
    for kill in [false, true] {
        if kill {
            scene.broker.kill().unwrap();
        } else {
            scene.broker.restart().unwrap();
        }
        scene.check(committed);
    }
    scene.client("fill", 500, &[]);
    assert!(scene.check(committed) >= 20);
    let text = scene.ottla(&["group", "lag"]);
    assert!(text.starts_with("GROUP") && text.contains("state-0"), "{text}");
    let text = scene.ottla(&["group", "list"]);
    assert!(text.contains("readers  classic  Empty"), "{text}");
    let text = scene.ottla(&["group", "describe", GROUP]);
    assert!(text.starts_with("readers: Empty, classic group"), "{text}");
    scene.broker.stop().unwrap();
}
