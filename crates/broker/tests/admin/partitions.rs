//! CreatePartitions.

use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::{BrokerId, CreatePartitionsRequest, MetadataRequest};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use crate::support::*;

type Assignments<'a> = Option<&'a [&'a [i32]]>;

fn more(topic: &str, count: i32, assignments: Assignments<'_>) -> CreatePartitionsTopic {
    let assignments = assignments.map(|given| {
        let one = |brokers: &&[i32]| {
            CreatePartitionsAssignment::default()
                .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
        };
        given.iter().map(one).collect()
    });
    CreatePartitionsTopic::default().with_name(name(topic)).with_count(count).with_assignments(assignments)
}

fn ask(
    client: &mut Client,
    topics: Vec<CreatePartitionsTopic>,
    validate_only: bool,
) -> Vec<(String, i16, String)> {
    let request = CreatePartitionsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(5000)
        .with_validate_only(validate_only);
    let results = client.send(3, &request).unwrap().results;
    let told = results.into_iter().map(|result| {
        let message = result.error_message.map_or(String::new(), |message| message.to_string());
        (result.name.to_string(), result.error_code, message)
    });
    told.collect()
}

fn partitions(client: &mut Client, topic: &str) -> usize {
    let response = client.send(12, &MetadataRequest::default().with_topics(None)).unwrap();
    let found = response.topics.iter().find(|found| found.name.as_ref() == Some(&name(topic)));
    found.map_or(0, |topic| topic.partitions.len())
}

#[test]
fn what_is_no_increase_or_no_assignment_is_refused() {
    use ErrorCode::{InvalidPartitions, InvalidReplicaAssignment, UnknownTopicOrPartition};
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "two", 2, &[]);
    let unknown = "The manual partition assignment includes broker 9, but no such broker is registered.";
    let twice = "The manual partition assignment includes the broker 1 more than once.";
    for (count, assignments, error, message) in [
        (2, None, InvalidPartitions, "Topic already has 2 partition(s)."),
        (
            1,
            None,
            InvalidPartitions,
            "The topic two currently has 2 partition(s); 1 would not be an increase.",
        ),
        (
            -1,
            None,
            InvalidPartitions,
            "The topic two currently has 2 partition(s); -1 would not be an increase.",
        ),
        // The count is looked at before the assignments.
        (
            1,
            Some(&[&[9][..]][..]),
            InvalidPartitions,
            "The topic two currently has 2 partition(s); 1 would not be an increase.",
        ),
        (
            5,
            Some(&[&[1][..]][..]),
            InvalidReplicaAssignment,
            "Attempted to add 3 additional partition(s), but only 1 assignment(s) were specified.",
        ),
        (
            3,
            Some(&[]),
            InvalidReplicaAssignment,
            "Attempted to add 1 additional partition(s), but only 0 assignment(s) were specified.",
        ),
        (3, Some(&[&[9][..]][..]), InvalidReplicaAssignment, unknown),
        (3, Some(&[&[1, 1][..]][..]), InvalidReplicaAssignment, twice),
        (
            3,
            Some(&[&[][..]][..]),
            InvalidReplicaAssignment,
            "The manual partition assignment includes an empty replica list.",
        ),
    ] {
        for validate_only in [true, false] {
            let told = ask(&mut client, vec![more("two", count, assignments)], validate_only);
            assert_eq!(told, [("two".to_owned(), error.code(), message.to_owned())]);
        }
    }
    for missing in ["nope", "a b", ""] {
        let told = ask(&mut client, vec![more(missing, 5, None)], false);
        assert_eq!(told, [(missing.to_owned(), UnknownTopicOrPartition.code(), String::new())]);
    }
    assert_eq!(partitions(&mut client, "two"), 2);
}

#[test]
fn partitions_are_usable_at_once_and_only_checked_ones_are_not_made() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "two", 2, &[]);
    create(&mut client, "other", 1, &[]);
    let done = [("two".to_owned(), 0, String::new())];
    assert_eq!(ask(&mut client, vec![more("two", 4, Some(&[&[1], &[1]]))], true), done);
    assert_eq!(partitions(&mut client, "two"), 2);
    assert_eq!(ask(&mut client, vec![more("two", 4, Some(&[&[1], &[1]]))], false), done);
    let response = client.send(PRODUCE, &produce_request("two", 3, -1, batch(&["first"]))).unwrap();
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);

    let asked = vec![more("two", 5, None), more("two", 6, None), more("other", 2, None)];
    let mut told = ask(&mut client, asked, false);
    told.sort();
    let twice = ("two".to_owned(), ErrorCode::InvalidRequest.code(), "Duplicate topic name.".to_owned());
    assert_eq!(told, [("other".to_owned(), 0, String::new()), twice]);
    assert_eq!((partitions(&mut client, "two"), partitions(&mut client, "other")), (4, 2));
}

#[test]
fn the_brokers_own_topics_keep_their_partitions() {
    let broker = broker();
    let mut client = client(&broker);
    find_coordinator(&mut client, "g");
    let before = partitions(&mut client, "__consumer_offsets");
    let told = ask(&mut client, vec![more("__consumer_offsets", 100, None)], false);
    assert_eq!(told[0].1, ErrorCode::InvalidRequest.code());
    assert_eq!(partitions(&mut client, "__consumer_offsets"), before);
    let told = ask(&mut client, vec![more("__cluster_metadata", 5, None)], false);
    assert_eq!(told[0].1, ErrorCode::UnknownTopicOrPartition.code());
}
