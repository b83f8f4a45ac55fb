//! What is still there after a stop, and what a clean or unclean one changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    DeleteRecordsRequest, DeleteTopicsRequest, DescribeClusterRequest, MetadataRequest,
};
use ottla_broker::{Broker, OpenError};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use support::*;

fn broker_in(dir: &Path) -> Broker {
    Broker::builder().data_dir(dir).start().unwrap()
}

#[test]
fn records_topics_and_offsets_survive_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    create(&mut before, "orders", 3, &[("retention.ms", "1234")]);
    produce(&mut before, "orders", batch(&["a", "b"]));
    find_coordinator(&mut before, "readers");
    assert_eq!(commit(&mut before, "readers", "orders", 1), 0);
    let cluster = before.send(0, &DescribeClusterRequest::default()).unwrap().cluster_id;
    let topic_id = before.send(12, &MetadataRequest::default().with_topics(None)).unwrap().topics[1].topic_id;
    broker.stop();

    let broker = broker_in(dir.path());
    let mut after = client(&broker);
    assert_eq!(produce(&mut after, "orders", batch(&["c"])).base_offset, 2);
    assert_eq!(fetch(&mut after, "orders", 0).len(), 3);
    assert_eq!(committed(&mut after, "readers", "orders"), 1);
    assert_eq!(after.send(0, &DescribeClusterRequest::default()).unwrap().cluster_id, cluster);
    let metadata = after.send(12, &MetadataRequest::default().with_topics(None)).unwrap();
    let orders = &metadata.topics[1];
    assert_eq!((orders.topic_id, orders.partitions.len()), (topic_id, 3));
    assert_eq!(orders.partitions[0].leader_epoch, 0, "a clean stop keeps the leader epoch");
}

#[test]
fn an_unused_partition_has_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut client = client(&broker);
    create(&mut client, "idle", 10, &[]);
    find_coordinator(&mut client, "readers");
    let folders = || {
        let entries = std::fs::read_dir(dir.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.contains('-') && !name.contains('.')).collect();
        names.sort();
        names
    };
    assert_eq!(folders(), ["__cluster_metadata-0"]);
    produce(&mut client, "idle", batch(&["a"]));
    assert_eq!(folders(), ["__cluster_metadata-0", "idle-0"]);
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn folders_that_the_catalog_does_not_know_are_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let deleted = "gone-0.0123456789abcdef0123456789abcdef-delete";
    // Twice the same stray, and a folder of somebody else that only looks alike.
    for round in 1..=2 {
        for name in ["ghost-0", deleted, "backup-delete"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        broker_in(dir.path()).stop();
        let names = names_in(dir.path());
        assert!(!names.contains(&"ghost-0".to_owned()) && !names.contains(&deleted.to_owned()), "{names:?}");
        assert!(names.contains(&"backup-delete".to_owned()), "{names:?}");
        let strays = names.iter().filter(|name| name.starts_with("ghost-0.") && name.ends_with("-stray"));
        assert_eq!(strays.count(), round, "{names:?}");
    }
}

#[test]
fn files_of_an_earlier_topic_never_become_part_of_a_later_one() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    create(&mut before, "orders", 1, &[]);
    produce(&mut before, "orders", batch(&["old"]));
    broker.stop();
    let kept = tempfile::tempdir().unwrap();
    copy(&dir.path().join("orders-0"), &kept.path().join("orders-0"));

    let broker = broker_in(dir.path());
    let mut between = client(&broker);
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name("orders")]);
    assert_eq!(between.send(5, &delete).unwrap().responses[0].error_code, 0);
    create(&mut between, "orders", 1, &[]);
    broker.stop();
    // As if the deletion had been cut short.
    copy(&kept.path().join("orders-0"), &dir.path().join("orders-0"));

    let broker = broker_in(dir.path());
    let mut after = client(&broker);
    assert_eq!(fetch(&mut after, "orders", 0), []);
    assert_eq!(produce(&mut after, "orders", batch(&["new"])).base_offset, 0);
    broker.stop();
    assert!(names_in(dir.path()).iter().any(|name| name.ends_with("-stray")));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_unclean_stop_keeps_what_was_acknowledged_and_raises_the_leader_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    create(&mut before, "orders", 1, &[]);
    produce(&mut before, "orders", batch(&["a", "b"]));
    find_coordinator(&mut before, "readers");
    assert_eq!(commit(&mut before, "readers", "orders", 1), 0);
    // What kill -9 leaves is what the files hold now; the copy has a torn end besides.
    let left = tempfile::tempdir().unwrap();
    copy(dir.path(), left.path());
    let log = left.path().join("orders-0/00000000000000000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes.extend_from_slice(&bytes.clone()[..40]);
    std::fs::write(&log, bytes).unwrap();

    let broker = broker_in(left.path());
    let mut after = client(&broker);
    assert_eq!(fetch(&mut after, "orders", 0).len(), 2);
    assert_eq!(committed(&mut after, "readers", "orders"), 1);
    assert_eq!(produce(&mut after, "orders", batch(&["c"])).base_offset, 2);
    let metadata = after.send(12, &MetadataRequest::default().with_topics(None)).unwrap();
    assert_eq!(metadata.topics[1].partitions[0].leader_epoch, 1);
}

#[test]
fn deleted_records_stay_deleted_also_for_a_later_topic_of_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    for topic in ["orders", "others"] {
        create(&mut before, topic, 1, &[]);
        for value in ["a", "b", "c"] {
            produce(&mut before, topic, batch(&[value]));
        }
        assert_eq!(delete_records(&mut before, topic, 2), (0, 2));
        assert_eq!(delete_records(&mut before, topic, 1), (0, 2), "the start never goes back");
        assert_eq!(delete_records(&mut before, topic, 4).0, ErrorCode::OffsetOutOfRange.code());
    }
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name("others")]);
    assert_eq!(before.send(5, &delete).unwrap().responses[0].error_code, 0);
    create(&mut before, "others", 1, &[]);
    produce(&mut before, "others", batch(&["new"]));
    let left = tempfile::tempdir().unwrap();
    copy(dir.path(), left.path());

    // After a clean stop and after none.
    broker.stop();
    for path in [dir.path(), left.path()] {
        let broker = broker_in(path);
        let mut after = client(&broker);
        assert_eq!(fetch(&mut after, "orders", 2), [(2, "c".to_owned())]);
        let below = after.send(FETCH, &fetch_request("orders", 1, 0, 0)).unwrap();
        assert_eq!(only_partition(&below).error_code, ErrorCode::OffsetOutOfRange.code());
        assert_eq!(fetch(&mut after, "others", 0), [(0, "new".to_owned())]);
    }
}

/// The error code and where the log starts now.
fn delete_records(client: &mut Client, topic: &str, before: i64) -> (i16, i64) {
    let partition = DeleteRecordsPartition::default().with_partition_index(0).with_offset(before);
    let topic = DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
    let partition = client.send(2, &request).unwrap().topics[0].partitions[0].clone();
    (partition.error_code, partition.low_watermark)
}

#[test]
fn no_name_that_a_client_can_ask_for_keeps_the_broker_from_starting_again() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    for odd in [
        "__cluster_metadata",
        "__consumer_offsets",
        "__transaction_state",
        "a-0",
        "...",
        "x-delete",
        "x-stray",
    ] {
        let topic = MetadataRequestTopic::default().with_name(Some(name(odd)));
        let request =
            MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(true);
        let answered = before.send(9, &request).unwrap().topics[0].error_code;
        assert_eq!(answered != 0, odd == "__cluster_metadata", "{odd}: {answered}");
        if !odd.starts_with("__") {
            produce(&mut before, odd, batch(&["a"]));
        }
    }
    broker.stop();
    let broker = broker_in(dir.path());
    let mut after = client(&broker);
    for odd in ["a-0", "...", "x-delete", "x-stray"] {
        assert_eq!(fetch(&mut after, odd, 0).len(), 1, "{odd}");
    }
}

#[test]
fn a_taken_directory_or_port_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let second = Broker::builder().data_dir(dir.path()).start();
    assert!(matches!(second, Err(OpenError::Locked { .. })), "{second:?}");
    let port = Broker::builder().memory().listen(&broker.address().to_string()).start();
    assert!(matches!(port, Err(OpenError::Listen { .. })), "{port:?}");
    let file = dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let no_directory = Broker::builder().data_dir(&file).start().unwrap_err().to_string();
    assert!(no_directory.contains("a-file") && !no_directory.contains('\n'), "{no_directory}");
}

#[test]
fn logs_are_recovered_side_by_side_as_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path());
    let mut before = client(&broker);
    create(&mut before, "many", 8, &[]);
    for partition in 0..8 {
        let request = produce_request("many", partition, 1, batch(&[&format!("of {partition}")]));
        let answer = before.send(PRODUCE, &request).unwrap();
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let left = tempfile::tempdir().unwrap();
    copy(dir.path(), left.path());
    let recover = |threads: &str, path: &Path| {
        let builder = Broker::builder().set("num.recovery.threads.per.data.dir", threads).unwrap();
        builder.data_dir(path).start()
    };
    for threads in ["1", "5"] {
        let mine = tempfile::tempdir().unwrap();
        copy(left.path(), mine.path());
        let broker = recover(threads, mine.path()).unwrap();
        let mut after = client(&broker);
        for partition in 0..8 {
            let mut request = fetch_request("many", 0, 0, 0);
            request.topics[0].partitions[0].partition = partition;
            let found = after.send(FETCH, &request).unwrap();
            let found = values(only_partition(&found).records.clone().unwrap());
            assert_eq!(found, [(0, format!("of {partition}"))], "{threads} threads");
        }
    }
    // Of several that cannot be opened, the first is told.
    for partition in [3, 4, 6] {
        let metadata = left.path().join(format!("many-{partition}/partition.metadata"));
        std::fs::remove_file(&metadata).unwrap();
        std::fs::create_dir(&metadata).unwrap();
    }
    for _ in 0..5 {
        let error = recover("5", left.path()).unwrap_err().to_string();
        assert!(error.contains("many-3"), "{error}");
    }
}
