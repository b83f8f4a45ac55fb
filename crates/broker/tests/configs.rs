//! The config APIs: settings of topics, brokers, groups and subscriptions, changed while the broker runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use kafka_protocol::messages::alter_configs_request::{
    AlterConfigsResource as LegacyResource, AlterableConfig as LegacyConfig,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    AlterConfigsRequest, ConsumerGroupHeartbeatRequest, DescribeConfigsRequest,
    IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_log::{BatchHeader, Compression};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use support::*;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

type Edit<'a> = (&'a str, i8, Option<&'a str>);

fn request(resources: &[(i8, &str, &[Edit<'_>])], validate_only: bool) -> IncrementalAlterConfigsRequest {
    let resources = resources.iter().map(|(kind, name, edits)| {
        let configs = edits.iter().map(|(name, operation, value)| {
            AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(*operation)
                .with_value(value.map(text))
        });
        AlterConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(text(name))
            .with_configs(configs.collect())
    });
    let request = IncrementalAlterConfigsRequest::default().with_resources(resources.collect());
    request.with_validate_only(validate_only)
}

fn alter_all(client: &mut Client, resources: &[(i8, &str, &[Edit<'_>])]) -> Vec<(i16, String)> {
    let response = client.send(1, &request(resources, false)).unwrap();
    let told = response.responses.into_iter();
    told.map(|one| (one.error_code, one.error_message.unwrap_or_default().to_string())).collect()
}

fn alter(client: &mut Client, kind: i8, name: &str, edits: &[Edit<'_>]) -> (i16, String) {
    alter_all(client, &[(kind, name, edits)]).remove(0)
}

fn set(client: &mut Client, kind: i8, name: &str, setting: &str, value: &str) {
    let told = alter(client, kind, name, &[(setting, SET, Some(value))]);
    assert_eq!(told, (0, String::new()));
}

/// The value in force, its source, and the sources of all synonyms.
fn describe(client: &mut Client, kind: i8, name: &str, setting: &str) -> Option<(String, i8, Vec<i8>)> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(Some(vec![text(setting)]));
    let request =
        DescribeConfigsRequest::default().with_resources(vec![resource]).with_include_synonyms(true);
    let response = client.send(4, &request).unwrap();
    assert_eq!(response.results[0].error_code, 0, "{:?}", response.results[0].error_message);
    let config = response.results[0].configs.first()?;
    let sources = config.synonyms.iter().map(|synonym| synonym.source).collect();
    Some((config.value.clone().unwrap_or_default().to_string(), config.config_source, sources))
}

fn start(directory: &Path) -> (Broker, Client) {
    let broker = Broker::builder().data_dir(directory).start().unwrap();
    let client = client(&broker);
    (broker, client)
}

#[test]
fn changes_survive_a_restart_and_a_deleted_topic_takes_its_own_along() {
    let directory = tempfile::tempdir().unwrap();
    let (broker, mut client) = start(directory.path());
    create(&mut client, "orders", 1, &[("retention.ms", "5000"), ("segment.ms", "7")]);
    let told = alter(
        &mut client,
        TOPIC,
        "orders",
        &[
            ("retention.ms", SET, Some("6000")),
            ("segment.ms", DELETE, None),
            ("cleanup.policy", APPEND, Some("compact")),
        ],
    );
    assert_eq!(told, (0, String::new()));
    set(&mut client, BROKER, "", "message.max.bytes", "2000");
    set(&mut client, BROKER, "1", "message.max.bytes", "3000");
    set(&mut client, BROKER, "1", "log.retention.ms", "9000");
    set(&mut client, GROUP, "g", "consumer.session.timeout.ms", "50000");
    set(&mut client, CLIENT_METRICS, "m", "interval.ms", "1000");
    let look = |client: &mut Client| {
        let max = describe(client, BROKER, "1", "message.max.bytes").unwrap();
        assert_eq!(max, ("3000".to_owned(), 2, vec![2, 3, 5]));
        let own = describe(client, TOPIC, "orders", "retention.ms").unwrap();
        assert_eq!(own, ("6000".to_owned(), 1, vec![1, 2, 5]));
        assert_eq!(describe(client, TOPIC, "orders", "max.message.bytes").unwrap().0, "3000");
        assert_eq!(describe(client, TOPIC, "orders", "segment.ms").unwrap().1, 5);
        assert_eq!(describe(client, TOPIC, "orders", "cleanup.policy").unwrap().0, "delete,compact");
        assert_eq!(describe(client, GROUP, "g", "consumer.session.timeout.ms").unwrap().1, 8);
        assert_eq!(describe(client, CLIENT_METRICS, "m", "interval.ms").unwrap().0, "1000");
        assert_eq!(
            describe(client, BROKER, "", "message.max.bytes").unwrap(),
            ("2000".to_owned(), 3, vec![3])
        );
        let listed = client.send(1, &ListConfigResourcesRequest::default()).unwrap();
        let listed = listed.config_resources.iter();
        let listed: Vec<_> = listed.map(|one| (one.resource_type, one.resource_name.to_string())).collect();
        let expected = [(32, "g"), (16, "m"), (8, "1"), (4, "1"), (2, "orders")];
        assert_eq!(listed, expected.map(|(kind, name)| (kind, name.to_owned())));
    };
    look(&mut client);
    broker.stop();
    let (broker, mut client) = start(directory.path());
    look(&mut client);
    assert_eq!(alter(&mut client, GROUP, "g", &[("consumer.session.timeout.ms", DELETE, None)]).0, 0);
    let only = ListConfigResourcesRequest::default().with_resource_types(vec![GROUP]);
    assert_eq!(client.send(1, &only).unwrap().config_resources, []);
    broker.stop();
}

#[test]
fn a_setting_acts_at_once_on_an_open_log() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let plain = batch(&["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; 20]);
    assert_eq!(produce(&mut client, "orders", plain.clone()).error_code, 0);
    // The broker's default, for all topics that do not set their own.
    set(&mut client, BROKER, "", "message.max.bytes", "100");
    let too_large = ErrorCode::MessageTooLarge.code();
    assert_eq!(produce(&mut client, "orders", plain.clone()).error_code, too_large);
    set(&mut client, TOPIC, "orders", "max.message.bytes", "100000");
    set(&mut client, TOPIC, "orders", "compression.type", "zstd");
    assert_eq!(produce(&mut client, "orders", plain.clone()).error_code, 0);
    let response = client.send(FETCH, &fetch_request("orders", 20, 0, 0)).unwrap();
    let bytes = only_partition(&response).records.clone().unwrap();
    assert_eq!(BatchHeader::parse(&bytes).unwrap().compression(), Some(Compression::Zstd));
    assert!(bytes.len() < plain.len());
    assert_eq!(fetch(&mut client, "orders", 0).len(), 40);
    // The records are of 1970.
    set(&mut client, TOPIC, "orders", "message.timestamp.before.max.ms", "10");
    let response = produce(&mut client, "orders", plain);
    assert_eq!(response.error_code, ErrorCode::InvalidTimestamp.code());
}

#[test]
fn a_groups_settings_act_on_the_running_group() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, "g");
    let beat = |client: &mut Client, epoch: i32| {
        let request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(text("g").into())
            .with_member_id(text("member"))
            .with_member_epoch(epoch)
            .with_rebalance_timeout_ms(1000)
            .with_subscribed_topic_names(Some(vec![name("orders")]))
            .with_topic_partitions(Some(Vec::new()));
        let response = client.send(1, &request).unwrap();
        assert_eq!(response.error_code, 0, "{:?}", response.error_message);
        (response.heartbeat_interval_ms, response.member_epoch)
    };
    let (interval, epoch) = beat(&mut client, 0);
    assert_eq!(interval, 5000);
    set(&mut client, GROUP, "g", "consumer.heartbeat.interval.ms", "6000");
    assert_eq!(beat(&mut client, epoch).0, 6000);
    let told = alter(&mut client, GROUP, "g", &[("consumer.heartbeat.interval.ms", SET, Some("1"))]);
    assert_eq!(told.0, ErrorCode::InvalidConfig.code());
    assert!(
        told.1.ends_with("greater than or equal to group.consumer.min.heartbeat.interval.ms"),
        "{}",
        told.1
    );
    assert_eq!(beat(&mut client, epoch).0, 6000);
}

/// Sets a setting that everything else is asked for together with.
const GOOD: Edit<'static> = ("retention.ms", SET, Some("1000"));

/// What is asked for: the kind of resource, its name, the edits; and what comes of it: the error, a part of its message.
type Refused = (i8, &'static str, &'static [Edit<'static>], ErrorCode, &'static str);

const REFUSED: &[Refused] = &[
    (
        TOPIC,
        "orders",
        &[GOOD, ("segment.ms", SET, Some("x"))],
        ErrorCode::InvalidConfig,
        "Not a number of type LONG",
    ),
    (
        TOPIC,
        "orders",
        &[GOOD, ("nope", SET, Some("1"))],
        ErrorCode::InvalidConfig,
        "Unknown topic config name: nope",
    ),
    (TOPIC, "orders", &[GOOD, GOOD], ErrorCode::InvalidRequest, "Error due to duplicate config keys"),
    (
        TOPIC,
        "orders",
        &[GOOD, ("segment.ms", SET, None)],
        ErrorCode::InvalidRequest,
        "Null value not supported for : segment.ms",
    ),
    (
        TOPIC,
        "orders",
        &[GOOD, ("segment.ms", 9, Some("1"))],
        ErrorCode::InvalidRequest,
        "Unknown operations type 9",
    ),
    (
        TOPIC,
        "orders",
        &[("min.compaction.lag.ms", SET, Some("2")), ("max.compaction.lag.ms", SET, Some("1"))],
        ErrorCode::InvalidConfig,
        "conflict topic config setting",
    ),
    (TOPIC, "missing", &[GOOD], ErrorCode::UnknownTopicOrPartition, "The topic 'missing' does not exist."),
    (TOPIC, "", &[GOOD], ErrorCode::InvalidRequest, "Default topic resources are not allowed."),
    (TOPIC, "../etc", &[GOOD], ErrorCode::InvalidTopicException, "Topic name is invalid"),
    (
        BROKER,
        "2",
        &[("log.retention.ms", SET, Some("1"))],
        ErrorCode::InvalidRequest,
        "Unexpected broker id, expected 1, but received 2",
    ),
    (
        BROKER,
        "x",
        &[("log.retention.ms", SET, Some("1"))],
        ErrorCode::InvalidRequest,
        "Node id must be an integer, but it is: x",
    ),
    (
        BROKER,
        "1",
        &[("node.id", SET, Some("1"))],
        ErrorCode::InvalidRequest,
        "Cannot update these configs dynamically: [node.id]",
    ),
    (
        GROUP,
        "",
        &[("consumer.session.timeout.ms", DELETE, None)],
        ErrorCode::InvalidRequest,
        "Default group resources are not allowed.",
    ),
    (
        CLIENT_METRICS,
        "m",
        &[("interval.ms", SET, Some("1"))],
        ErrorCode::InvalidRequest,
        "must be between 100 and 3600000",
    ),
    (3, "x", &[GOOD], ErrorCode::InvalidRequest, "Unknown resource type 3"),
];

#[test]
fn what_is_refused_is_refused_as_a_whole() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    for (kind, resource, edits, error, part) in REFUSED {
        let (code, message) = alter(&mut client, *kind, resource, edits);
        assert_eq!(code, error.code(), "{message}");
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(describe(&mut client, TOPIC, "orders", "retention.ms").unwrap().1, 5);
    // Each resource stands for itself, and one that is named twice is refused twice.
    let edits: &[Edit<'_>] = &[GOOD];
    let told = alter_all(
        &mut client,
        &[(TOPIC, "orders", edits), (TOPIC, "orders", edits), (TOPIC, "missing", edits)],
    );
    let codes: Vec<i16> = told.into_iter().map(|(code, _)| code).collect();
    let [twice, missing] =
        [ErrorCode::InvalidRequest, ErrorCode::UnknownTopicOrPartition].map(ErrorCode::code);
    assert_eq!(codes, [twice, twice, missing]);
    // What is only checked is not changed.
    let checked = client.send(1, &request(&[(TOPIC, "orders", edits)], true)).unwrap();
    assert_eq!(checked.responses[0].error_code, 0);
    assert_eq!(describe(&mut client, TOPIC, "orders", "retention.ms").unwrap().1, 5);
}

#[test]
fn the_older_request_replaces_everything() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[("retention.ms", "5000"), ("segment.ms", "7")]);
    let config = LegacyConfig::default().with_name(text("retention.ms")).with_value(Some(text("6000")));
    let resource = LegacyResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text("orders"))
        .with_configs(vec![config]);
    let request = AlterConfigsRequest::default().with_resources(vec![resource]);
    for version in 0..=2 {
        assert_eq!(client.send(version, &request).unwrap().responses[0].error_code, 0);
    }
    assert_eq!(describe(&mut client, TOPIC, "orders", "retention.ms").unwrap().0, "6000");
    assert_eq!(describe(&mut client, TOPIC, "orders", "segment.ms").unwrap().1, 5);
}
