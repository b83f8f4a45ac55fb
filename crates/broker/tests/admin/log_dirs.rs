//! DescribeLogDirs and AlterReplicaLogDirs.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, DescribeLogDirsRequest};
use kafka_protocol::protocol::{Encodable, StrBytes};
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::check_response;
use ottla_wire::client::Client;
use ottla_wire::describe_log_dirs::{Response, decode_response, request_version};

use crate::support::*;

fn describe(client: &mut Client, version: i16, topics: Option<&[(&str, &[i32])]>) -> Response {
    let topics = topics.map(|topics| {
        let topics = topics.iter().map(|(topic, partitions)| {
            DescribableLogDirTopic::default().with_topic(name(topic)).with_partitions(partitions.to_vec())
        });
        topics.collect()
    });
    let mut body = BytesMut::new();
    let request = DescribeLogDirsRequest::default().with_topics(topics);
    request.encode(&mut body, request_version(version)).unwrap();
    let answer: Bytes = client.send_body(35, version, &body).unwrap();
    check_response(35, version, &answer).unwrap();
    decode_response(version, &answer).unwrap()
}

/// Each topic's partitions with their sizes.
fn sizes(response: &Response) -> Vec<(String, Vec<(i32, i64)>)> {
    let topics = response.results[0].topics.iter();
    let sizes = topics.map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            assert_eq!((partition.offset_lag, partition.is_future), (0, false));
            (partition.index, partition.size_bytes)
        });
        (topic.name.to_string(), partitions.collect())
    });
    sizes.collect()
}

fn bytes_of_logs(directory: &Path) -> i64 {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
    logs.map(|file| file.metadata().unwrap().len() as i64).sum()
}

#[test]
fn sizes_are_those_of_the_files_and_of_the_volume() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::builder().data_dir(dir.path()).start().unwrap();
    let mut client = client(&broker);
    create(&mut client, "full", 2, &[("segment.bytes", "1048576")]);
    create(&mut client, "idle", 1, &[]);
    produce(&mut client, "full", batch(&["a", "b"]));
    produce(&mut client, "full", batch(&["c"]));
    let on_disk = bytes_of_logs(&dir.path().join("full-0"));
    assert!(on_disk > 0);
    let expected = vec![("full".to_owned(), vec![(0, on_disk), (1, 0)]), ("idle".to_owned(), vec![(0, 0)])];
    for version in 1..=5 {
        let response = describe(&mut client, version, None);
        assert_eq!(sizes(&response), expected, "version {version}");
        let log_dir = &response.results[0];
        assert_eq!(Path::new(log_dir.path.as_str()), std::path::absolute(dir.path()).unwrap());
        let volume = rustix::fs::statvfs(dir.path()).unwrap();
        let total = if version >= 4 { (volume.f_blocks * volume.f_frsize) as i64 } else { -1 };
        assert_eq!(log_dir.total_bytes, total);
        assert_eq!(log_dir.usable_bytes > 0 && log_dir.usable_bytes < total, version >= 4);
    }
}

#[test]
fn only_what_is_asked_for_and_exists_is_described() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "a", 3, &[]);
    let asked: &[(&str, &[i32])] =
        &[("a", &[2, 7, 2]), ("a", &[0]), ("none", &[0]), ("__cluster_metadata", &[0])];
    let described = describe(&mut client, 4, Some(asked));
    assert_eq!(sizes(&described), [("a".to_owned(), vec![(0, 0), (2, 0)])]);
    assert_eq!(sizes(&describe(&mut client, 4, Some(&[]))), []);
    let in_memory = &described.results[0];
    assert_eq!((in_memory.total_bytes, in_memory.usable_bytes), (-1, -1), "memory is no volume");
}

#[test]
fn nothing_moves() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "a", 1, &[]);
    create(&mut client, "b", 1, &[]);
    let here = describe(&mut client, 4, None).results[0].path.clone();
    let directory = |path: &StrBytes, topic: &str, partitions: &[i32]| {
        let topic =
            AlterReplicaLogDirTopic::default().with_name(name(topic)).with_partitions(partitions.to_vec());
        AlterReplicaLogDir::default().with_path(path.clone()).with_topics(vec![topic])
    };
    let dirs = vec![
        directory(&here, "a", &[0, 9]),
        directory(&here, "none", &[0]),
        directory(&"/elsewhere".into(), "b", &[0, 9]),
    ];
    let response = client.send(2, &AlterReplicaLogDirsRequest::default().with_dirs(dirs)).unwrap();
    let errors = response.results.iter().map(|topic| {
        let errors =
            topic.partitions.iter().map(|partition| (partition.partition_index, partition.error_code));
        (topic.topic_name.as_str(), errors.collect::<Vec<_>>())
    });
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    let no_directory = ErrorCode::LogDirNotFound.code();
    let expected = [
        ("a", vec![(0, 0), (9, unknown)]),
        ("b", vec![(0, no_directory), (9, no_directory)]),
        ("none", vec![(0, unknown)]),
    ];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
}
