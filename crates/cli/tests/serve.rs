//! `ottla serve` as a person or a script meets it: lines, files, signals, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use ottla_wire::client::Client;
use rustix::process::{Pid, Signal, kill_process};

/// A running `ottla serve`, killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut child =
            command(directory, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("ottla ready ").unwrap_or_else(|| panic!("first line: {line:?}"));
        Self { child, address: address.trim().to_owned() }
    }

    fn stop(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let status = self.child.wait().unwrap();
        let mut told = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut told).unwrap();
        (status, told)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.arg("serve").args(arguments).current_dir(directory).env_clear();
    command
}

/// Runs a command that must fail, and gives what it told.
fn refused(directory: &Path, arguments: &[&str]) -> String {
    let output = command(directory, arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn signals_stop_it_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().unwrap();
        let serving = Serving::start(dir.path(), &["--listen", "127.0.0.1:0"]);
        // It answers as soon as the line is there; and a client that stays connected does not keep it from stopping.
        let mut client = Client::connect(&*serving.address).unwrap();
        let metadata = kafka_protocol::messages::MetadataRequest::default().with_topics(None);
        assert_eq!(client.send(9, &metadata).unwrap().brokers.len(), 1);
        let (status, told) = serving.stop(signal);
        assert!(status.success(), "{status} {told}");
        assert!(told.contains("stopped cleanly"), "{told}");
        assert!(dir.path().join("ottla-data/meta.properties").exists(), "./ottla-data is the default");
    }
}

#[test]
fn memory_writes_nothing_to_disk() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &["--memory", "--listen", "127.0.0.1:0"]);
    let (status, _) = serving.stop(Signal::TERM);
    assert!(status.success());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_it_cannot_use_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &["--listen", "127.0.0.1:0", "--data-dir", "data"]);
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (arguments, part) in [
        (vec!["--memory", "--listen", &*serving.address], "cannot listen on"),
        (vec!["--listen", "127.0.0.1:0", "--data-dir", "data"], "used by another process"),
        (vec!["--listen", "127.0.0.1:0", "--data-dir", "file"], "cannot use the data directory"),
        (vec!["--listen", "nonsense"], "HOST:PORT"),
        (vec!["-c", "num.partition=3"], "did you mean 'num.partitions'?"),
        (vec!["-c", "num.partitions=many"], "Not a number"),
        (vec!["-c", "num.partitions"], "KEY=VALUE"),
        (vec!["--config", "missing.properties"], "missing.properties"),
        (vec!["--config", "."], "not a regular file"),
    ] {
        let told = refused(dir.path(), &arguments);
        assert!(told.contains(part), "{arguments:?}: {told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{arguments:?}: {told}");
    }
}

#[test]
fn a_settings_file_that_is_none_is_told() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("directory")).unwrap();
    std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
    let huge = vec![b'#'; (1 << 20) + 1];
    for (name, bytes) in [
        ("binary", &b"\x7fELF\x02\x01\xff\xfe\0"[..]),
        ("latin-1", b"broker.rack=K\xf6ln\n"),
        ("huge", &huge),
        ("nul", b"a=1\nnum.partitions=3\0\n"),
        ("escape", b"a=1\nlog.dirs=C:\\users\n"),
        ("value", b"# ours\nnum.partitions=3\n\nlog.cleaner.min.cleanable.ratio=2\n"),
        ("together", b"log.cleaner.min.compaction.lag.ms=2\nlog.cleaner.max.compaction.lag.ms=1\n"),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    for (file, part) in [
        ("directory", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        ("loop", "cannot read the settings file loop"),
        ("binary", "it is not text in UTF-8"),
        ("latin-1", "escapes such as \\u00fc"),
        ("huge", "it is larger than 1048576 bytes"),
        ("nul", "nul, line 2: invalid value '3"),
        ("escape", "line 2: \\u stands for a character when four hexadecimal digits follow"),
        ("value", "value, line 4: invalid value '2.0' for setting 'log.cleaner.min.cleanable.ratio'"),
        ("together", "it must not be more than log.cleaner.max.compaction.lag.ms, 1"),
    ] {
        let told = refused(dir.path(), &["--memory", "--listen", "127.0.0.1:0", "--config", file]);
        assert!(told.contains(part), "{file}: {told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{file}: {told}");
    }
    assert!(!dir.path().join("ottla-data").exists());
}

#[test]
fn a_value_of_the_environment_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let mut serve = command(dir.path(), &["--memory", "--listen", "127.0.0.1:0"]);
    let output = serve.env("KAFKA_NUM_PARTITIONS", std::ffi::OsStr::from_bytes(b"3\xff")).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(told.contains("for setting 'num.partitions': Not a number of type INT"), "{told}");
}

#[test]
fn settings_come_from_flags_environment_and_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("server.properties"),
        "num.partitions=3\nprocess.roles=broker\nnum.partitons=1\n",
    )
    .unwrap();
    let serving = Serving::start(
        dir.path(),
        &["--memory", "--listen", "127.0.0.1:0", "--config", "server.properties", "--log-format", "json"],
    );
    let mut client = Client::connect(&*serving.address).unwrap();
    let topic = kafka_protocol::messages::metadata_request::MetadataRequestTopic::default()
        .with_name(Some(kafka_protocol::messages::TopicName("orders".into())));
    let request = kafka_protocol::messages::MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(true);
    let response = client.send(9, &request).unwrap();
    assert_eq!(response.topics[0].partitions.len(), 3);
    // Without advertised.listeners a client is told what its own connection reached.
    let broker = &response.brokers[0];
    assert_eq!(format!("{}:{}", &*broker.host, broker.port), serving.address);
    let (_, told) = serving.stop(Signal::TERM);
    assert!(told.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{told}");
    assert!(told.contains("did you mean 'num.partitions'?"), "{told}");
    assert!(told.contains("without effect here: process.roles"), "{told}");
}
