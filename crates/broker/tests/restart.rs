//! What is still there after a stop, and what a clean or unclean one changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use kafka_protocol::messages::{DescribeClusterRequest, MetadataRequest};
use ottla_broker::{Broker, OpenError};
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

#[test]
fn folders_that_the_catalog_does_not_know_are_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("ghost-0")).unwrap();
    std::fs::create_dir(dir.path().join("gone-0.0123-delete")).unwrap();
    let broker = broker_in(dir.path());
    assert!(!dir.path().join("ghost-0").exists());
    assert!(dir.path().join("ghost-0-stray").exists());
    assert!(!dir.path().join("gone-0.0123-delete").exists());
    drop(broker);
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
