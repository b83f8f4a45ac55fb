//! Compaction and retention by the running broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ListOffsetsRequest;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use ottla_broker::Broker;
use ottla_log::{BatchBuilder, BatchHeader, NewRecord};
use ottla_wire::client::Client;
use support::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again until it is so.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}

/// Everything in the partition, answer after answer. Compaction may leave batches without records, which only move on.
fn scan(client: &mut Client, topic: &str, from: i64) -> Vec<(i64, String)> {
    let mut found: Vec<(i64, String)> = Vec::new();
    let mut next = from;
    loop {
        let response = client.send(FETCH, &fetch_request(topic, next, 0, 0)).unwrap();
        let mut bytes = only_partition(&response).records.clone().unwrap_or_default();
        if bytes.is_empty() {
            return found;
        }
        found.extend(values(bytes.clone()));
        while let Some(header) = BatchHeader::parse(&bytes) {
            next = header.last_offset() + 1;
            let _ = bytes.split_to(header.size_in_bytes().unwrap());
        }
    }
}

fn keyed(key: &str, value: &str) -> bytes::Bytes {
    let mut builder = BatchBuilder::new();
    let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
    builder.push(NewRecord { timestamp: 1_000, key, value, headers: &[] });
    builder.build()
}

#[test]
fn a_compacted_topic_keeps_the_last_value_of_each_key_at_its_offset() {
    let dir = tempfile::tempdir().unwrap();
    let builder = Broker::builder().data_dir(dir.path()).set("log.cleaner.backoff.ms", "20").unwrap();
    let broker = builder.start().unwrap();
    let mut client = client(&broker);
    let configs = [
        ("cleanup.policy", "compact"),
        ("internal.segment.bytes", "4000"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ];
    create(&mut client, "state", 1, &configs);
    let mut model = BTreeMap::new();
    for round in 0..400 {
        let (key, value) = (format!("key-{}", round % 7), format!("value-{round}"));
        let offset = produce(&mut client, "state", keyed(&key, &value)).base_offset;
        model.insert(key, (offset, value));
    }
    let last: Vec<(i64, String)> = model.into_values().collect();
    // The active segment is never compacted, so some old values stay; most do not.
    wait_until("compacted", || scan(&mut client, "state", 0).len() < 100);
    let has_old_files = || {
        let names = std::fs::read_dir(dir.path().join("state-0")).unwrap();
        names.map(|entry| entry.unwrap().file_name()).any(|name| name.to_string_lossy().ends_with(".deleted"))
    };
    wait_until("the old files are gone", || !has_old_files());
    let left = scan(&mut client, "state", 0);
    assert!(left.is_sorted_by_key(|(offset, _)| *offset));
    assert!(last.iter().all(|record| left.contains(record)), "{left:?}");
    let end = produce(&mut client, "state", keyed("key-0", "after")).base_offset;
    assert_eq!(end, 400, "offsets are never given again");
}

#[test]
fn the_offsets_topic_is_compacted_and_no_commit_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        Broker::builder()
            .data_dir(dir.path())
            .set("log.cleaner.backoff.ms", "20")
            .unwrap()
            .set("offsets.topic.segment.bytes", "1048576")
            .unwrap()
            .set("offsets.topic.num.partitions", "1")
            .unwrap()
            .set("ottla.offsets.history.bytes", "0")
            .unwrap()
            .start()
            .unwrap()
    };
    let broker = start();
    let mut commits = client(&broker);
    create(&mut commits, "orders", 1, &[]);
    find_coordinator(&mut commits, "readers-0");
    for offset in 0..2_500 {
        for group in 0..6 {
            assert_eq!(commit(&mut commits, &format!("readers-{group}"), "orders", offset), 0);
        }
    }
    let size = || {
        let entries = std::fs::read_dir(dir.path().join("__consumer_offsets-0")).unwrap();
        let logs = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().to_str().unwrap().ends_with(".log"));
        logs.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum::<u64>()
    };
    wait_until("the offsets topic is small", || size() < 1_100_000);
    broker.stop();
    let broker = start();
    let mut after = client(&broker);
    for group in 0..6 {
        assert_eq!(committed(&mut after, &format!("readers-{group}"), "orders"), 2_499);
    }
}

/// The offsets of the records that are left in the only partition of the offsets topic.
fn offsets_left(client: &mut Client) -> Vec<i64> {
    let mut left = Vec::new();
    let mut next = 0;
    loop {
        let response = client.send(FETCH, &fetch_request("__consumer_offsets", next, 0, 0)).unwrap();
        let mut bytes = only_partition(&response).records.clone().unwrap_or_default();
        if bytes.is_empty() {
            return left;
        }
        while let Some(header) = BatchHeader::parse(&bytes) {
            let batch = bytes.split_to(header.size_in_bytes().unwrap());
            left.extend(ottla_log::records(&batch).unwrap().map(|record| record.unwrap().offset));
            next = header.last_offset() + 1;
        }
    }
}

#[test]
fn the_history_of_offsets_is_kept_as_far_as_there_is_room() {
    const ROOM_BYTES: u64 = 200_000;
    let builder = Broker::builder().memory().set("log.cleaner.backoff.ms", "20").unwrap();
    let builder = builder.set("offsets.topic.segment.bytes", "20000").unwrap();
    let builder = builder.set("offsets.topic.num.partitions", "1").unwrap();
    let broker =
        builder.set("ottla.offsets.history.bytes", &ROOM_BYTES.to_string()).unwrap().start().unwrap();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, "readers");
    let count = 4_000;
    for offset in 0..count {
        assert_eq!(commit(&mut client, "readers", "orders", offset), 0);
    }
    wait_until("what there is no room for is compacted", || {
        offsets_left(&mut client).first().is_some_and(|first| *first > 0)
    });
    let left = offsets_left(&mut client);
    // A batch of one commit has less than this, so that many are in the window at least.
    let batch_bytes_max = 200;
    let window = ROOM_BYTES as i64 / batch_bytes_max;
    assert!(
        left.iter().rev().take(window as usize).eq((count - window..count).rev().collect::<Vec<_>>().iter())
    );
    assert_eq!(committed(&mut client, "readers", "orders"), count - 1);
}

fn earliest(client: &mut Client, topic: &str) -> i64 {
    let partition = ListOffsetsPartition::default().with_timestamp(-2);
    let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    client.send(7, &ListOffsetsRequest::default().with_topics(vec![topic])).unwrap().topics[0].partitions[0]
        .offset
}

#[test]
fn old_segments_go_and_stay_gone() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let builder = Broker::builder().data_dir(dir.path());
        builder.set("log.retention.check.interval.ms", "20").unwrap().start().unwrap()
    };
    let broker = start();
    let mut client_before = client(&broker);
    let configs = [("retention.bytes", "10000"), ("internal.segment.bytes", "4000"), ("retention.ms", "-1")];
    create(&mut client_before, "orders", 1, &configs);
    for number in 0..300 {
        produce(&mut client_before, "orders", batch(&[&format!("value-{number}")]));
    }
    wait_until("old segments are gone", || earliest(&mut client_before, "orders") > 100);
    let start_offset = earliest(&mut client_before, "orders");
    assert_eq!(scan(&mut client_before, "orders", start_offset).len() as i64, 300 - start_offset);
    broker.stop();
    let broker = start();
    let mut after = client(&broker);
    assert!(earliest(&mut after, "orders") >= start_offset);
    assert_eq!(produce(&mut after, "orders", batch(&["next"])).base_offset, 300);
}
