//! The quorum, elections, reassignments and registrations of a cluster of one.

use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, BrokerId, DescribeClusterRequest, DescribeQuorumRequest,
    ElectLeadersRequest, ListPartitionReassignmentsRequest, MetadataRequest, UnregisterBrokerRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_model::ErrorCode;

use crate::support::*;

fn said(message: &Option<StrBytes>) -> &str {
    message.as_deref().unwrap_or("null")
}

#[test]
fn clients_are_told_of_the_rack() {
    let racked = Broker::builder().memory().set("broker.rack", "eu-1").unwrap().start().unwrap();
    for (broker, rack) in [(racked, Some("eu-1")), (broker(), None)] {
        let mut client = client(&broker);
        for version in 0..=13 {
            let response = client.send(version, &MetadataRequest::default()).unwrap();
            assert_eq!(response.brokers[0].rack.as_deref(), rack.filter(|_| version > 0), "{version}");
        }
        for version in 0..=2 {
            let request = DescribeClusterRequest::default().with_endpoint_type(1);
            let response = client.send(version, &request).unwrap();
            assert_eq!(response.brokers[0].rack.as_deref(), rack, "{version}");
        }
    }
}

#[test]
fn the_quorum_is_the_catalogs_log() {
    let broker = broker();
    let mut client = client(&broker);
    let asked = |topics: &[(&str, &[i32])]| {
        let topics = topics.iter().map(|(topic, partitions)| {
            let partitions =
                partitions.iter().map(|index| PartitionData::default().with_partition_index(*index));
            TopicData::default().with_topic_name(name(topic)).with_partitions(partitions.collect())
        });
        DescribeQuorumRequest::default().with_topics(topics.collect())
    };
    let mut end = None;
    for version in 0..=2 {
        create(&mut client, &format!("topic-{version}"), 1, &[]);
        let response = client.send(version, &asked(&[("__cluster_metadata", &[0])])).unwrap();
        let partition = &response.topics[0].partitions[0];
        let voter = &partition.current_voters[0];
        assert_eq!((partition.error_code, partition.leader_id.0, voter.replica_id.0), (0, 1, 1));
        assert_eq!(partition.high_watermark, voter.log_end_offset);
        assert!(end < Some(voter.log_end_offset), "every topic is a record");
        end = Some(voter.log_end_offset);
        assert_eq!(voter.last_caught_up_timestamp > 0, version >= 1);
        assert_eq!(response.nodes.len(), usize::from(version >= 2));
    }
    // Asked for anything else, Kafka knows nothing at all.
    for topics in [&[("orders", &[0][..])][..], &[("__cluster_metadata", &[0, 1])]] {
        let response = client.send(2, &asked(topics)).unwrap();
        let partition = &response.topics[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::UnknownTopicOrPartition.code());
        assert_eq!(said(&partition.error_message), "This server does not host this topic-partition.");
        assert_eq!((response.error_code, response.nodes.len()), (0, 0));
    }
}

#[test]
fn no_election_is_needed() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "a", 1, &[]);
    let topic = |topic: &str, partitions: &[i32]| {
        TopicPartitions::default().with_topic(name(topic)).with_partitions(partitions.to_vec())
    };
    let mut request = ElectLeadersRequest::default()
        .with_topic_partitions(Some(vec![topic("a", &[0, 7]), topic("none", &[0])]))
        .with_timeout_ms(1000);
    for election_type in [0, 1] {
        request.election_type = election_type;
        let response = client.send(2, &request).unwrap();
        let results = response.replica_election_results.iter().flat_map(|topic| &topic.partition_result);
        let told: Vec<_> = results.map(|result| (result.error_code, said(&result.error_message))).collect();
        let unknown = ErrorCode::UnknownTopicOrPartition.code();
        let expected = [
            (ErrorCode::ElectionNotNeeded.code(), "Leader election not needed for topic partition."),
            (unknown, "No such partition as a-7"),
            (unknown, "No such topic as none"),
        ];
        assert_eq!(told, expected);
    }
    request.election_type = 7;
    let response = client.send(2, &request).unwrap();
    assert_eq!(response.error_code, ErrorCode::InvalidRequest.code());
    let all = ElectLeadersRequest::default().with_topic_partitions(None).with_timeout_ms(1000);
    let response = client.send(2, &all).unwrap();
    assert_eq!(response.replica_election_results[0].topic, name("a"));
    assert_eq!(response.replica_election_results[0].partition_result, [], "none was held");
}

#[test]
fn partitions_are_assigned_where_they_are() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "a", 4, &[]);
    let partition = |index: i32, replicas: Option<&[i32]>| {
        let replicas = replicas.map(|replicas| replicas.iter().map(|id| BrokerId(*id)).collect());
        ReassignablePartition::default().with_partition_index(index).with_replicas(replicas)
    };
    let topic = |topic: &str, partitions| {
        ReassignableTopic::default().with_name(name(topic)).with_partitions(partitions)
    };
    let assignments = vec![
        partition(0, Some(&[1])),
        partition(1, Some(&[2])),
        partition(2, None),
        partition(3, Some(&[])),
        partition(3, Some(&[1, 1])),
        partition(4, Some(&[1])),
    ];
    let request = AlterPartitionReassignmentsRequest::default()
        .with_timeout_ms(1000)
        .with_topics(vec![topic("a", assignments), topic("none", vec![partition(0, None)])]);
    let response = client.send(1, &request).unwrap();
    let results = response.responses.iter().flat_map(|topic| &topic.partitions);
    let told: Vec<_> = results.map(|result| (result.error_code, said(&result.error_message))).collect();
    let illegal = ErrorCode::InvalidReplicaAssignment.code();
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    let expected = [
        (0, "null"),
        (illegal, "The manual partition assignment includes broker 2, but no such broker is registered."),
        (ErrorCode::NoReassignmentInProgress.code(), "null"),
        (illegal, "The manual partition assignment includes an empty replica list."),
        (illegal, "The manual partition assignment includes the broker 1 more than once."),
        (unknown, "Unable to find partition a:4."),
        (unknown, "Unable to find a topic named none."),
    ];
    assert_eq!(told, expected);
    let list = ListPartitionReassignmentsRequest::default().with_topics(None);
    let response = client.send(0, &list).unwrap();
    assert_eq!((response.error_code, response.topics.len()), (0, 0));
}

#[test]
fn only_this_broker_is_registered_and_it_stays() {
    let broker = broker();
    let mut client = client(&broker);
    let request = |id| UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
    let response = client.send(0, &request(7)).unwrap();
    assert_eq!(response.error_code, ErrorCode::BrokerIdNotRegistered.code());
    assert_eq!(said(&response.error_message), "Broker ID 7 is not currently registered");
    assert_eq!(client.send(0, &request(1)).unwrap().error_code, ErrorCode::InvalidRequest.code());
}
