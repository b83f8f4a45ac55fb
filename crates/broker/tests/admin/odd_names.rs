//! Topics that belong to the broker, and names that are paths.

use std::collections::BTreeSet;
use std::path::Path;

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{CreateTopicsRequest, IncrementalAlterConfigsRequest, MetadataRequest};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use crate::support::*;

use ErrorCode::{InvalidConfig, InvalidTopicException, TopicAlreadyExists, UnknownTopicOrPartition};

/// `ConfigResource.Type.TOPIC` and `AlterConfigOp.OpType.SET`.
const TOPIC: i8 = 2;
const SET: i8 = 0;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn alter(client: &mut Client, topic: &str, setting: &str, value: &str) -> i16 {
    let config = AlterableConfig::default()
        .with_name(text(setting))
        .with_config_operation(SET)
        .with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    client.send(1, &request).unwrap().responses[0].error_code
}

fn make(client: &mut Client, topic: &str) -> i16 {
    let topic =
        CreatableTopic::default().with_name(name(topic)).with_num_partitions(1).with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
    client.send(7, &request).unwrap().topics[0].error_code
}

/// Asks for the topic so that a missing one is made.
fn ask_for(client: &mut Client, topic: &str) -> i16 {
    let topic = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request =
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(true);
    client.send(12, &request).unwrap().topics[0].error_code
}

fn send(client: &mut Client, topic: &str) -> i16 {
    produce(client, topic, batch(&["a"])).error_code
}

#[test]
fn clients_may_change_settings_of_the_brokers_own_topics_and_nothing_else() {
    let broker = broker();
    let mut client = client(&broker);
    find_coordinator(&mut client, "g");
    let offsets = "__consumer_offsets";
    assert_eq!(make(&mut client, offsets), TopicAlreadyExists.code());
    assert_eq!(alter(&mut client, offsets, "retention.ms", "600000"), 0);
    assert_eq!(alter(&mut client, offsets, "segment.bytes", "1"), InvalidConfig.code());
    assert_eq!(send(&mut client, offsets), InvalidTopicException.code());
    assert_eq!(commit(&mut client, "g", "t", 1), UnknownTopicOrPartition.code());
    create(&mut client, "t", 1, &[]);
    assert_eq!(commit(&mut client, "g", "t", 1), 0, "the topic still works");

    let catalog = "__cluster_metadata";
    assert_eq!(alter(&mut client, catalog, "retention.ms", "600000"), UnknownTopicOrPartition.code());
    assert_eq!(ask_for(&mut client, catalog), UnknownTopicOrPartition.code());
    assert_eq!(send(&mut client, catalog), UnknownTopicOrPartition.code());
}

/// Every name below a directory.
fn names_below(directory: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(names_below(&path));
        }
        names.insert(path.display().to_string());
    }
    names
}

#[test]
fn names_that_are_paths_make_no_files() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("deep/data");
    std::fs::create_dir_all(&data).unwrap();
    let broker = Broker::builder().data_dir(&data).start().unwrap();
    let mut client = client(&broker);
    let before = names_below(parent.path());
    let long = "../".repeat(100);
    for path in
        ["..", ".", "../x", "../../x", "/", "/tmp/x", "a/b", "a\\b", "x\0", "x\n", "~", "%2e%2e", &long]
    {
        assert_eq!(make(&mut client, path), InvalidTopicException.code(), "{path:?}");
        assert_eq!(ask_for(&mut client, path), InvalidTopicException.code(), "{path:?}");
        assert_eq!(send(&mut client, path), UnknownTopicOrPartition.code(), "{path:?}");
        assert_eq!(alter(&mut client, path, "retention.ms", "1"), InvalidTopicException.code(), "{path:?}");
    }
    assert_eq!(names_below(parent.path()), before);
    drop(client);
    broker.stop();
    Broker::builder().data_dir(&data).start().unwrap();
}
