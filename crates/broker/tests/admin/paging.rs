//! DescribeTopicPartitions.

use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use ottla_wire::client::Client;

use crate::support::*;

/// What a page has: each topic with its error and partitions, and where the next one begins.
type Page = (Vec<(String, i16, Vec<i32>)>, Option<(String, i32)>);

fn page(response: &DescribeTopicPartitionsResponse) -> Page {
    let topics = response.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            assert_eq!(
                (partition.error_code, partition.leader_id.0, partition.replica_nodes.len()),
                (0, 1, 1)
            );
            partition.partition_index
        });
        (topic.name.as_ref().unwrap().to_string(), topic.error_code, partitions.collect())
    });
    let cursor = response.next_cursor.as_ref();
    (topics.collect(), cursor.map(|cursor| (cursor.topic_name.to_string(), cursor.partition_index)))
}

fn ask(client: &mut Client, topics: &[&str], limit: i32, from: Option<(&str, i32)>) -> Page {
    let topics = topics.iter().map(|topic| TopicRequest::default().with_name(name(topic)));
    let cursor = from.map(|(topic, partition)| {
        Cursor::default().with_topic_name(name(topic)).with_partition_index(partition)
    });
    let request = DescribeTopicPartitionsRequest::default()
        .with_topics(topics.collect())
        .with_response_partition_limit(limit)
        .with_cursor(cursor);
    page(&client.send(0, &request).unwrap())
}

fn topic(name: &str, partitions: &[i32]) -> (String, i16, Vec<i32>) {
    (name.to_owned(), 0, partitions.to_vec())
}

fn refused(name: &str, error: ErrorCode) -> (String, i16, Vec<i32>) {
    (name.to_owned(), error.code(), Vec::new())
}

#[test]
fn pages_follow_one_another() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "a", 3, &[]);
    create(&mut client, "b", 2, &[]);
    let both = ["b", "a", "b"];
    let all = vec![topic("a", &[0, 1, 2]), topic("b", &[0, 1])];
    assert_eq!(ask(&mut client, &[], 2000, None), (all.clone(), None));
    assert_eq!(ask(&mut client, &both, 2000, None), (all, None), "in the order of the names, each once");

    let next = |topic: &str, partition| Some((topic.to_owned(), partition));
    let first = ask(&mut client, &both, 2, None);
    assert_eq!(first, (vec![topic("a", &[0, 1])], next("a", 2)));
    let second = ask(&mut client, &both, 2, Some(("a", 2)));
    assert_eq!(second, (vec![topic("a", &[2]), topic("b", &[0])], next("b", 1)));
    let third = ask(&mut client, &both, 2, Some(("b", 1)));
    assert_eq!(third, (vec![topic("b", &[1])], None));

    let at_the_border = ask(&mut client, &both, 3, None);
    assert_eq!(at_the_border, (vec![topic("a", &[0, 1, 2])], next("b", 0)));
    for no_limit in [0, -1] {
        assert_eq!(ask(&mut client, &both, no_limit, None), (vec![topic("a", &[0])], next("a", 1)));
    }
}

#[test]
fn the_size_of_a_page_can_be_set() {
    let builder = Broker::builder().memory().set("max.request.partition.size.limit", "2").unwrap();
    let broker = builder.start().unwrap();
    let mut client = client(&broker);
    create(&mut client, "a", 3, &[]);
    let next = Some(("a".to_owned(), 2));
    assert_eq!(ask(&mut client, &[], i32::MAX, None), (vec![topic("a", &[0, 1])], next));
}

#[test]
fn a_page_has_at_most_2000_partitions() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "wide", 2001, &[]);
    let (topics, cursor) = ask(&mut client, &[], i32::MAX, None);
    assert_eq!((topics[0].2.len(), cursor), (2000, Some(("wide".to_owned(), 2000))));
}

#[test]
fn missing_topics_and_illegal_cursors() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "b", 2, &[]);
    let (topics, _) = ask(&mut client, &["nope", "not legal", "b"], 2000, None);
    let unknown = refused("nope", ErrorCode::UnknownTopicOrPartition);
    let illegal = refused("not legal", ErrorCode::InvalidTopicException);
    assert_eq!(topics, [topic("b", &[0, 1]), unknown.clone(), illegal]);

    // What stands behind the last partition is an empty rest.
    assert_eq!(ask(&mut client, &["b"], 9, Some(("b", 7))), (vec![topic("b", &[])], None));
    // Of all topics a cursor may name one that is gone meanwhile.
    assert_eq!(ask(&mut client, &[], 9, Some(("a", 1))), (vec![topic("b", &[0, 1])], None));
    assert_eq!(ask(&mut client, &["nope"], 9, Some(("nope", 2))), (vec![unknown], None));
    for illegal in [("a", 0), ("b", -1)] {
        let refused = vec![refused("b", ErrorCode::InvalidRequest)];
        assert_eq!(ask(&mut client, &["b"], 9, Some(illegal)), (refused, None));
    }
}
