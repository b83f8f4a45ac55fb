//! `ottla inspect topics`, `log` and `groups` of a stopped data directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::scene::{Scene, text};

fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

pub(crate) fn inspect(scene: &Scene) {
    let mut broker = scene.broker("stopped.log");
    let address = broker.address();
    let run = |arguments: &[&str], input: &[u8]| scene.run_at(&address, arguments, input);
    run(&["topic", "create", "t", "-p", "2", "-c", "retention.ms=100000000"], b"").text();
    run(&["produce", "t", "-p", "1"], b"1\n2\n3\n").text();
    run(&["consume", "t", "-G", "readers", "-c", "2"], b"").text();
    let directory = broker.data_directory();
    let directory = text(&directory);
    let refused = run(&["inspect", "topics", directory], b"").complaint();
    assert!(refused.contains("a broker is using the data directory"), "{refused}");
    for is_clean in [true, false] {
        if is_clean {
            broker.stop().unwrap();
        } else {
            broker.end_by_kill().unwrap();
        }
        look(scene, directory, is_clean);
        broker.start_again().unwrap();
    }
    assert_eq!(run(&["consume", "t", "-G", "readers", "-e"], b"").text(), "3\n");
    broker.stop().unwrap();
}

fn look(scene: &Scene, directory: &str, is_clean: bool) {
    let before = files(Path::new(directory));
    let inspect = |arguments: &[&str]| {
        let arguments = [&["inspect", arguments[0], directory], &arguments[1..]].concat();
        scene.run_at("127.0.0.1:1", &arguments, b"")
    };
    let topics = inspect(&["topics", "t", "--json"]).json();
    assert_eq!(topics["stopped"]["cleanly"], json!(is_clean));
    let topic = &topics["topics"][0];
    assert_eq!(topic["configs"], json!({"retention.ms": "100000000"}));
    let partition = &topic["partitions"][1];
    assert_eq!((&partition["end_offset"], &partition["segments"]), (&json!(3), &json!(1)));
    let table = inspect(&["topics"]).text();
    assert_eq!(table.starts_with("The broker was not stopped cleanly."), !is_clean, "{table}");
    assert!(table.contains("\nt-1 ") && table.contains("retention.ms=100000000"), "{table}");
    let log = inspect(&["log", "t", "1", "--json"]).json();
    assert_eq!(log["segments"][0]["end_offset"], json!(3));
    assert_eq!(log["segments"][0]["size_bytes"], partition["size_bytes"]);
    // The producer numbered its records.
    assert_eq!(log["producers"][0]["last_sequence"], json!(2));
    assert!(inspect(&["log", "t", "1"]).text().contains("t-1: offsets 0 to 3, "));
    let groups = inspect(&["groups", "--json"]).json();
    let group = &groups["groups"]["groups"]["entries"][0];
    assert_eq!(group["group"], "readers");
    let committed = group["partitions"]["entries"].as_array().unwrap();
    let second = committed.iter().find(|entry| entry["partition"] == 1).unwrap();
    assert_eq!((&second["committed_offset"], &second["read_uncommitted"]["records"]), (&json!(2), &json!(1)));
    assert!(inspect(&["groups", "readers"]).text().contains("readers  t-1 "));
    for (arguments, complaint) in [
        (&["topics", "missing"][..], "there is no topic 'missing'"),
        (&["log", "t", "2"], "topic 't' has no partition 2; it has 2, counted from 0"),
        (&["groups", "missing"], "there is no group 'missing'"),
    ] {
        assert!(inspect(arguments).complaint().contains(complaint), "{arguments:?}");
    }
    assert!(files(Path::new(directory)) == before, "looking changed a file");
}
