//! CreateTopics: every option, alone and against another.

use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::{BrokerId, CreateTopicsRequest, MetadataRequest};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use crate::support::*;

use ErrorCode::{
    InvalidConfig, InvalidPartitions, InvalidReplicaAssignment, InvalidReplicationFactor, InvalidRequest,
    InvalidTopicException, PolicyViolation, TopicAlreadyExists,
};

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn numbers(topic: &str, partitions: i32, factor: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(factor)
}

fn with(topic: &str, configs: &[(&str, Option<&str>)]) -> CreatableTopic {
    let configs = configs
        .iter()
        .map(|(key, value)| CreatableTopicConfig::default().with_name(text(key)).with_value(value.map(text)));
    numbers(topic, 1, 1).with_configs(configs.collect())
}

fn assigned(topic: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = assignments.iter().map(|(partition, brokers)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(*partition)
            .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
    });
    numbers(topic, -1, -1).with_assignments(assignments.collect())
}

fn ask(client: &mut Client, topics: Vec<CreatableTopic>, validate_only: bool) -> Vec<CreatableTopicResult> {
    let request = CreateTopicsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(5000)
        .with_validate_only(validate_only);
    client.send(7, &request).unwrap().topics
}

/// Each topic alone is refused with that code and message, and leaves nothing behind.
fn refused(client: &mut Client, cases: Vec<(CreatableTopic, ErrorCode, &str)>) {
    for (topic, error, message) in cases {
        for validate_only in [true, false] {
            let told = ask(client, vec![topic.clone()], validate_only).remove(0);
            let said = told.error_message.as_ref().map_or("", StrBytes::as_str);
            assert_eq!((told.error_code, said), (error.code(), message), "{topic:?}");
            assert!(told.topic_id.is_nil());
            let nothing = (told.num_partitions, told.replication_factor, told.configs);
            assert_eq!(nothing, (-1, -1, Some(Vec::new())), "Kafka's answer has no numbers then");
        }
    }
}

fn existing(client: &mut Client) -> Vec<String> {
    let response = client.send(12, &MetadataRequest::default().with_topics(None)).unwrap();
    response.topics.iter().map(|topic| topic.name.as_ref().unwrap().to_string()).collect()
}

#[test]
fn names_that_are_none_or_taken() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "my.topic", 1, &[]);
    let long = "x".repeat(250);
    let too_long =
        format!("Topic name is invalid: the length of '{long}' is longer than the max allowed length 249");
    let strange = |shown: &str| {
        format!(
            "Topic name is invalid: '{shown}' contains one or more characters other than ASCII alphanumerics, '.', \
             '_' and '-'"
        )
    };
    let collides = "Topic 'my_topic' collides with existing topic: my.topic";
    let bad = |topic: &str| with(topic, &[("nope", None)]);
    refused(
        &mut client,
        vec![
            (
                numbers("", 1, 1),
                InvalidTopicException,
                "Topic name is invalid: the empty string is not allowed",
            ),
            (numbers(".", 1, 1), InvalidTopicException, "Topic name is invalid: '.' is not allowed"),
            (numbers("..", 1, 1), InvalidTopicException, "Topic name is invalid: '..' is not allowed"),
            (numbers(&long, 1, 1), InvalidTopicException, &too_long),
            (numbers("../x", 1, 1), InvalidTopicException, &strange("../x")),
            (numbers("/", 1, 1), InvalidTopicException, &strange("/")),
            (numbers("a\\b", 1, 1), InvalidTopicException, &strange("a\\b")),
            (numbers("é", 1, 1), InvalidTopicException, &strange("é")),
            (numbers("a\u{1b}[2J\0", 1, 1), InvalidTopicException, &strange("a\\u{1b}[2J\\0")),
            (
                numbers("__cluster_metadata", 1, 1),
                InvalidRequest,
                "Creation of internal topic __cluster_metadata is prohibited.",
            ),
            // Names are looked at first.
            (bad("a b"), InvalidTopicException, &strange("a b")),
            (bad("my.topic"), TopicAlreadyExists, "Topic 'my.topic' already exists."),
            (bad("my_topic"), InvalidTopicException, collides),
            (numbers("my_topic", 0, 9), InvalidTopicException, collides),
        ],
    );
    // Two of one request do not collide with each other, in Kafka neither.
    let both = ask(&mut client, vec![numbers("our.topic", 1, 1), numbers("our_topic", 1, 1)], false);
    assert_eq!([both[0].error_code, both[1].error_code], [0, 0]);
    let longest = "x".repeat(249);
    for legal in ["...", "-", "_", "__x", longest.as_str()] {
        assert_eq!(ask(&mut client, vec![numbers(legal, 1, 1)], false)[0].error_code, 0, "{legal}");
    }
}

#[test]
fn numbers_that_cannot_be() {
    let broker = broker();
    let mut client = client(&broker);
    let partitions = "Number of partitions was set to an invalid non-positive value.";
    let factor = "Replication factor must be larger than 0, or -1 to use the default value.";
    let brokers = "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached \
                   because only 1 broker(s) are registered or some brokers have all their log directories cordoned.";
    refused(
        &mut client,
        vec![
            (numbers("n", 0, 1), InvalidPartitions, partitions),
            (numbers("n", -2, 1), InvalidPartitions, partitions),
            (numbers("n", 0, 0), InvalidReplicationFactor, factor),
            (numbers("n", 1, -2), InvalidReplicationFactor, factor),
            (numbers("n", 1, 2), InvalidReplicationFactor, brokers),
            (
                numbers("n", i32::MAX, 1),
                PolicyViolation,
                "Excessively large number of partitions per request.",
            ),
            (
                numbers("n", 10_000, 1),
                PolicyViolation,
                "Unable to perform excessively large batch operation.",
            ),
        ],
    );
    assert_eq!(existing(&mut client), [""; 0]);
    let told = ask(&mut client, vec![numbers("by-default", -1, -1)], false).remove(0);
    assert_eq!((told.num_partitions, told.replication_factor), (1, 1));
}

#[test]
fn assignments_that_cannot_be() {
    let broker = broker();
    let mut client = client(&broker);
    let consecutive = "partitions should be a consecutive 0-based integer sequence";
    let unknown = |broker: i32| {
        format!("The manual partition assignment includes broker {broker}, but no such broker is registered.")
    };
    let (first, second) = (unknown(7), unknown(-1));
    let mut with_partitions = assigned("a", &[(0, &[1])]);
    with_partitions.num_partitions = 1;
    let mut with_factor = assigned("a", &[(0, &[1])]);
    with_factor.replication_factor = 1;
    refused(
        &mut client,
        vec![
            (assigned("a", &[(0, &[1]), (2, &[1])]), InvalidReplicaAssignment, consecutive),
            (assigned("a", &[(1, &[1])]), InvalidReplicaAssignment, consecutive),
            (assigned("a", &[(-1, &[1])]), InvalidReplicaAssignment, consecutive),
            (assigned("a", &[(0, &[9, 7])]), InvalidReplicaAssignment, &first),
            (assigned("a", &[(0, &[1, -1])]), InvalidReplicaAssignment, &second),
            (
                assigned("a", &[(0, &[1, 1])]),
                InvalidReplicaAssignment,
                "The manual partition assignment includes the broker 1 more than once.",
            ),
            (
                assigned("a", &[(0, &[1]), (1, &[])]),
                InvalidReplicaAssignment,
                "The manual partition assignment includes an empty replica list.",
            ),
            (
                with_partitions,
                InvalidRequest,
                "A manual partition assignment was specified, but numPartitions was not set to -1.",
            ),
            (
                with_factor,
                InvalidRequest,
                "A manual partition assignment was specified, but replication factor was not set to -1.",
            ),
        ],
    );
    let told = ask(&mut client, vec![assigned("a", &[(1, &[1]), (0, &[1])])], false).remove(0);
    assert_eq!((told.error_code, told.num_partitions, told.replication_factor), (0, 2, 1), "in any order");
}

#[test]
fn settings_that_cannot_be() {
    let broker = broker();
    let mut client = client(&broker);
    let off = "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log \
               storage.";
    refused(
        &mut client,
        vec![
            (
                with("s", &[("retention.ms", None), ("nope", None)]),
                InvalidConfig,
                "Null value not supported for topic configs: retention.ms,nope",
            ),
            (
                with("s", &[("retention.ms", Some("x")), ("nope", Some("1"))]),
                InvalidConfig,
                "Unknown topic config name: nope",
            ),
            (
                with("s", &[("cleanup.policy", Some("compact,nope"))]),
                InvalidConfig,
                "Invalid value nope for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            (
                with("s", &[("cleanup.policy", Some("compact,,delete"))]),
                InvalidConfig,
                "Configuration 'cleanup.policy' values must not be empty.",
            ),
            (
                with("s", &[("min.compaction.lag.ms", Some("10")), ("max.compaction.lag.ms", Some("5"))]),
                InvalidConfig,
                "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)",
            ),
            (
                with("s", &[("min.insync.replicas", Some("0"))]),
                InvalidConfig,
                "Invalid value 0 for configuration min.insync.replicas: Value must be at least 1",
            ),
            (with("s", &[("remote.storage.enable", Some("true"))]), InvalidConfig, off),
            // Settings are looked at before numbers and assignments.
            (
                numbers("s", 0, 9).with_configs(with("s", &[("nope", Some("1"))]).configs),
                InvalidConfig,
                "Unknown topic config name: nope",
            ),
        ],
    );
    let mixed =
        vec![with("bad", &[("retention.ms", Some("x"))]), with("good", &[("retention.ms", Some("5"))])];
    let codes: Vec<i16> = ask(&mut client, mixed, false).iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [InvalidConfig.code(), 0], "each topic stands for itself");
    assert_eq!(existing(&mut client), ["good"]);
}

#[test]
fn a_name_given_twice_makes_no_topic() {
    let broker = broker();
    let mut client = client(&broker);
    let topics = vec![numbers("twice", 1, 1), numbers("once", 1, 1), numbers("twice", 2, 1)];
    let mut told: Vec<(String, i16, String)> = ask(&mut client, topics, false)
        .into_iter()
        .map(|topic| {
            let message = topic.error_message.map_or(String::new(), |message| message.to_string());
            (topic.name.to_string(), topic.error_code, message)
        })
        .collect();
    told.sort();
    let duplicate = ("twice".to_owned(), InvalidRequest.code(), "Duplicate topic name.".to_owned());
    assert_eq!(told, [("once".to_owned(), 0, String::new()), duplicate], "answered once");
    assert_eq!(existing(&mut client), ["once"]);
}

#[test]
fn what_would_be_is_told_without_making_it() {
    let broker = Broker::builder().memory().start().unwrap();
    let mut client = client(&broker);
    let topic = with("checked", &[("retention.ms", Some(" 5"))]);
    let told = ask(&mut client, vec![topic], true).remove(0);
    assert_eq!((told.error_code, told.num_partitions, told.replication_factor), (0, 1, 1));
    assert!(!told.topic_id.is_nil(), "Kafka draws an id too");
    let configs = told.configs.unwrap();
    let own: Vec<_> = configs.iter().filter(|config| config.config_source == 1).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].name.as_str(), own[0].value.as_deref()), ("retention.ms", Some("5")));
    assert!(configs.iter().all(|config| !config.read_only && !config.is_sensitive));
    assert_eq!(configs.len(), 33, "every setting that Kafka 4.3.1 documents");
    let inherited = configs.iter().find(|config| config.name.as_str() == "segment.bytes").unwrap();
    assert_eq!((inherited.value.as_deref(), inherited.config_source), (Some("1073741824"), 5));
    assert_eq!(existing(&mut client), [""; 0]);
}

#[test]
fn a_topic_is_usable_at_once_from_another_connection() {
    let broker = broker();
    let (mut admin, mut producer) = (client(&broker), client(&broker));
    for round in 0..200 {
        let topic = format!("round-{round}");
        create(&mut admin, &topic, 3, &[]);
        let request = produce_request(&topic, 2, -1, batch(&["first"]));
        let response = producer.send(PRODUCE, &request).unwrap();
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!((answer.error_code, answer.base_offset), (0, 0), "{topic}");
    }
}
