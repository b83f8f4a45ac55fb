//! `ottla inspect compaction` of a running broker, of a stopped data directory, and of what is neither.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{CreateTopicsRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::{Compaction, CompactionReason, PartitionCompaction, Stopped};
use ottla_log::{BatchBuilder, NewRecord};
use ottla_wire::client::Client;
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running `ottla serve`, killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(directory: &Path) -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "data", "-c"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
        command.args(arguments).arg("log.cleaner.backoff.ms=20").current_dir(directory).env_clear();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("ottla ready ").unwrap().trim().to_owned();
        Self { child, address }
    }

    fn stop(mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn inspect(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.args(["inspect", "compaction"]).args(arguments).current_dir(directory).env_clear();
    command.output().unwrap()
}

/// What it prints, when all is well.
fn printed(directory: &Path, arguments: &[&str]) -> String {
    let output = inspect(directory, arguments);
    let (out, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && told.is_empty(), "{told}");
    out
}

fn document(directory: &Path, arguments: &[&str]) -> Compaction {
    serde_json::from_str(&printed(directory, &[arguments, &["--json"]].concat())).unwrap()
}

fn only(document: &Compaction) -> &PartitionCompaction {
    assert_eq!(document.partitions.entries.len(), 1);
    &document.partitions.entries[0]
}

fn create(client: &mut Client, topic: &str, configs: &[(&str, &str)]) {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let configs = configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(topic)))
        .with_num_partitions(1)
        .with_replication_factor(1)
        .with_configs(configs.collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
    assert_eq!(client.send(7, &request).unwrap().topics[0].error_code, 0);
}

fn produce(client: &mut Client, topic: &str, key: &str, value: Option<&str>) {
    let mut builder = BatchBuilder::new();
    let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
    builder.push(NewRecord { timestamp: 1_000, key, value, headers: &[] });
    let data = PartitionProduceData::default().with_records(Some(builder.build()));
    let name = TopicName(StrBytes::from_string(topic.to_owned()));
    let topic = TopicProduceData::default().with_name(name).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(5000).with_topic_data(vec![topic]);
    let response = client.send(12, &request).unwrap();
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
}

const COMPACTED: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("internal.segment.bytes", "4000"),
    ("min.cleanable.dirty.ratio", "0.01"),
];

/// 400 records of 10 keys, of which 3 end with a tombstone.
fn fill(client: &mut Client, topic: &str) {
    for number in 0..400 {
        let deletes = number >= 200 && number % 10 < 3;
        let value = format!("value {number} {}", "x".repeat(50));
        produce(client, topic, &format!("key-{}", number % 10), (!deletes).then_some(&value));
    }
}

/// Every file with its bytes and when it was changed last.
fn files(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, i64, i64)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let about = path.metadata().unwrap();
        let bytes = if about.is_dir() { Vec::new() } else { std::fs::read(&path).unwrap() };
        if about.is_dir() {
            found.extend(files(&path));
        }
        found.insert(path, (bytes, about.mtime(), about.mtime_nsec()));
    }
    found
}

#[test]
fn a_running_broker_and_its_directory_after_a_clean_stop_tell_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let serving = Serving::start(here);
    let address = serving.address.clone();
    let running = ["--bootstrap", &*address];
    assert_eq!(printed(here, &running), "No topic has cleanup.policy=compact.\n");
    let mut client = Client::connect(&*address).unwrap();
    create(&mut client, "plain", &[]);
    create(&mut client, "state", &COMPACTED);
    assert_eq!(printed(here, &running), "1 partitions are empty.\n");
    fill(&mut client, "state");
    let deadline = Instant::now() + PATIENCE;
    let cleaned = loop {
        let document = document(here, &running);
        let entry = only(&document).clone();
        // Then nothing more happens to it.
        if entry.blocked == Some(CompactionReason::ActiveSegment) {
            break entry;
        }
        assert!(Instant::now() < deadline, "{entry:?}");
        std::thread::yield_now();
    };
    let counted = cleaned.cleaned.unwrap();
    assert_eq!((counted.keys, counted.keys_exact, counted.tombstones), (10, true, 3), "{cleaned:?}");
    assert!(counted.tombstones_from_ms <= counted.tombstones_until_ms);
    assert!(cleaned.clean_bytes > 0 && cleaned.first_dirty_offset > 300, "{cleaned:?}");
    let text = printed(here, &running);
    assert!(text.starts_with("PARTITION  "), "{text}");
    let line = text.lines().nth(1).unwrap();
    assert!(line.starts_with("state-0 "), "{text}");
    for part in ["all that is dirty is in the active segment; tombstones may go from 20", ", in 23 h 59 min"]
    {
        assert!(line.contains(part), "{text}");
    }
    assert!(
        printed(here, &[&running[..], &["plain", "state"]].concat())
            .contains("cleanup.policy is not compact")
    );
    let refused = inspect(here, &["--data-dir", "data"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(told, "ottla: a broker is using the data directory data; ask it instead, with --bootstrap\n");

    let stopped = ["--data-dir", "data"];
    serving.stop(Signal::TERM);
    let before = files(&here.join("data"));
    let told = document(here, &stopped);
    assert_eq!(told.stopped, Some(Stopped { cleanly: true }));
    let entry = only(&told);
    let all = entry.all.unwrap();
    assert_eq!((all.keys, all.keys_exact), (10, true));
    assert!(all.tombstones > 3, "those in the active segment too");
    let same = PartitionCompaction { all: None, ..entry.clone() };
    assert_eq!(same, cleaned, "as the broker had told");
    assert!(printed(here, &stopped).contains("ALL KEYS"));
    assert!(files(&here.join("data")) == before, "looking changed a file");
}

#[test]
fn what_a_kill_leaves_is_told_as_recovery_will_make_it_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let stopped = ["--data-dir", "data"];
    let serving = Serving::start(here);
    let mut client = Client::connect(&*serving.address).unwrap();
    create(&mut client, "later", &[("cleanup.policy", "compact")]);
    for number in 0..20 {
        produce(&mut client, "later", &number.to_string(), Some("value"));
    }
    serving.stop(Signal::KILL);
    // As a crash in the middle of a write leaves it.
    let log = here.join("data/later-0/00000000000000000000.log");
    let mut torn = std::fs::read(&log).unwrap();
    torn.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 20, 0, 0]);
    std::fs::write(&log, torn).unwrap();
    let before = files(&here.join("data"));
    let told = document(here, &[&stopped[..], &["later"]].concat());
    assert_eq!(told.stopped, Some(Stopped { cleanly: false }));
    let all = only(&told).all.unwrap();
    assert_eq!((only(&told).end_offset, all.records, all.keys, all.tombstones), (20, 20, 20, 0));
    assert!(printed(here, &stopped).starts_with("The broker was not stopped cleanly."));
    assert!(files(&here.join("data")) == before, "looking changed a file");
    // A broker starts on it as if nobody had looked.
    let serving = Serving::start(here);
    let running = document(here, &["--bootstrap", &serving.address, "later"]);
    assert_eq!(only(&running).end_offset, 20);
}

#[test]
fn what_it_cannot_do_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    std::fs::create_dir(here.join("empty")).unwrap();
    std::fs::create_dir(here.join("kafka")).unwrap();
    std::fs::write(here.join("kafka/meta.properties"), "version=1\nnode.id=1\ncluster.id=x\n").unwrap();
    let serving = Serving::start(here);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs_up = silent.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || drop(silent.accept().unwrap()));
    for (arguments, part) in [
        (
            vec!["--bootstrap", &*serving.address, "missing"],
            "there is no topic 'missing' (UNKNOWN_TOPIC_OR_PARTITION)",
        ),
        (vec!["--bootstrap", &*closed], "is a broker running there?"),
        (
            vec!["--bootstrap", &*hangs_up],
            "is not an Ottla, or one that is too old for this command: the broker closed",
        ),
        (vec!["--bootstrap", "nonsense"], "cannot connect to nonsense"),
        (vec!["--data-dir", "missing"], "cannot use the data directory missing: it is not one of Ottla's"),
        (vec!["--data-dir", "empty"], "it is not one of Ottla's: there is no meta.properties"),
        (vec!["--data-dir", "kafka"], "it is not one of Ottla's: there is no ottla.properties"),
        (vec!["--data-dir", "data", "-c", "num.partition=3"], "did you mean 'num.partitions'?"),
    ] {
        let output = inspect(here, &arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        assert!(told.contains(part), "{arguments:?}: {told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{arguments:?}: {told}");
    }
    thread.join().unwrap();
    serving.stop(Signal::TERM);
    let missing = inspect(here, &["--data-dir", "data", "missing"]);
    assert_eq!(missing.stderr, b"ottla: there is no topic 'missing'\n");
}
