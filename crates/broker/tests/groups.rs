//! Committed offsets and groups over a socket, as far as the clients' scenarios do not reach.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteTopicsRequest, GroupId, OffsetDeleteRequest};
use ottla_model::ErrorCode;
use support::*;

fn group(id: &str) -> GroupId {
    GroupId(id.to_owned().into())
}

#[test]
fn a_group_without_a_coordinator_is_told_so() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    // As in Kafka, nobody coordinates before somebody has asked who does.
    assert_eq!(commit(&mut client, "readers", "orders", 1), ErrorCode::NotCoordinator.code());
    find_coordinator(&mut client, "readers");
    assert_eq!(commit(&mut client, "readers", "orders", 1), 0);
    assert_eq!(commit(&mut client, "readers", "missing", 1), ErrorCode::UnknownTopicOrPartition.code());
}

#[test]
fn offsets_go_with_their_topic_their_group_or_on_request() {
    let broker = broker();
    let mut client = client(&broker);
    find_coordinator(&mut client, "readers");
    for topic in ["orders", "others", "more"] {
        create(&mut client, topic, 1, &[]);
        assert_eq!(commit(&mut client, "readers", topic, 5), 0);
        assert_eq!(committed(&mut client, "readers", topic), 5);
    }
    let partition = |index| OffsetDeleteRequestPartition::default().with_partition_index(index);
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(name("orders"))
        .with_partitions(vec![partition(0), partition(7)]);
    let missing =
        OffsetDeleteRequestTopic::default().with_name(name("missing")).with_partitions(vec![partition(0)]);
    let request =
        OffsetDeleteRequest::default().with_group_id(group("readers")).with_topics(vec![topic, missing]);
    let deleted = client.send(0, &request).unwrap();
    assert_eq!((deleted.error_code, deleted.topics.len()), (0, 2));
    let errors = |topic: usize| -> Vec<(i32, i16)> {
        deleted.topics[topic].partitions.iter().map(|part| (part.partition_index, part.error_code)).collect()
    };
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!((errors(0), errors(1)), (vec![(7, unknown), (0, 0)], vec![(0, unknown)]));
    assert_eq!(committed(&mut client, "readers", "orders"), -1);

    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name("others")]);
    assert_eq!(client.send(5, &delete).unwrap().responses[0].error_code, 0);
    assert_eq!(committed(&mut client, "readers", "others"), -1);
    assert_eq!(committed(&mut client, "readers", "more"), 5);

    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group("readers"), group("unknown")]);
    let results = client.send(2, &delete).unwrap().results;
    assert_eq!(results[0].error_code, 0);
    assert_eq!(results[1].error_code, ErrorCode::GroupIdNotFound.code());
    assert_eq!(committed(&mut client, "readers", "more"), -1);
}

#[test]
fn commits_that_arrive_together_are_all_answered_and_all_there() {
    let broker = broker();
    let mut clients: Vec<_> = (0..16).map(|_| client(&broker)).collect();
    create(&mut clients[0], "orders", 1, &[]);
    find_coordinator(&mut clients[0], "readers");
    std::thread::scope(|scope| {
        for (number, client) in clients.iter_mut().enumerate() {
            scope.spawn(move || {
                for offset in 0..200 {
                    assert_eq!(commit(client, &format!("readers-{number}"), "orders", offset), 0);
                }
            });
        }
    });
    for number in 0..16 {
        assert_eq!(committed(&mut clients[0], &format!("readers-{number}"), "orders"), 199);
    }
}
