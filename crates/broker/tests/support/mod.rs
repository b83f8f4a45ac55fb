//! What the tests of the embedded broker share.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

pub(crate) mod groups;
pub(crate) mod producer;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    CreateTopicsRequest, FetchRequest, FetchResponse, FindCoordinatorRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_log::{BatchBuilder, NewRecord};
use ottla_wire::client::Client;

/// Versions that name topics by name, and are new enough for everything else.
pub(crate) const PRODUCE: i16 = 12;
pub(crate) const FETCH: i16 = 12;

pub(crate) fn broker() -> Broker {
    Broker::builder().memory().start().unwrap()
}

pub(crate) fn client(broker: &Broker) -> Client {
    Client::connect(broker.address()).unwrap()
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

pub(crate) fn create(client: &mut Client, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
    let configs = configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string((*name).to_owned()))
            .with_value(Some(StrBytes::from_string((*value).to_owned())))
    });
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(configs.collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
    let response = client.send(7, &request).unwrap();
    assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
}

/// A batch of records with these values, and keys equal to them.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(NewRecord {
            timestamp: 1_000,
            key: Some(value.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &[],
        });
    }
    builder.build()
}

pub(crate) fn produce_request(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(Some(records));
    let topic = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(5000).with_topic_data(vec![topic])
}

pub(crate) fn produce(client: &mut Client, topic: &str, records: Bytes) -> PartitionProduceResponse {
    let response = client.send(PRODUCE, &produce_request(topic, 0, -1, records)).unwrap();
    response.responses[0].partition_responses[0].clone()
}

pub(crate) fn fetch_request(topic: &str, offset: i64, max_wait_ms: i32, min_bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(min_bytes)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic])
}

pub(crate) fn only_partition(response: &FetchResponse) -> &PartitionData {
    assert_eq!(response.responses.len(), 1);
    assert_eq!(response.responses[0].partitions.len(), 1);
    &response.responses[0].partitions[0]
}

/// The values of everything from `offset` on that one fetch returns, with their offsets.
pub(crate) fn fetch(client: &mut Client, topic: &str, offset: i64) -> Vec<(i64, String)> {
    let response = client.send(FETCH, &fetch_request(topic, offset, 0, 0)).unwrap();
    let partition = only_partition(&response);
    assert_eq!(partition.error_code, 0);
    values(partition.records.clone().unwrap_or_default())
}

pub(crate) fn values(mut bytes: Bytes) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let size = ottla_log::BatchHeader::parse(&bytes).unwrap().size_in_bytes().unwrap();
        let one = bytes.split_to(size);
        for record in ottla_log::records(&one).unwrap() {
            let record = record.unwrap();
            found.push((record.offset, String::from_utf8(record.value.unwrap().to_vec()).unwrap()));
        }
    }
    found
}

/// Makes the broker coordinate groups.
pub(crate) fn find_coordinator(client: &mut Client, group: &str) {
    let key = StrBytes::from_string(group.to_owned());
    let response =
        client.send(4, &FindCoordinatorRequest::default().with_coordinator_keys(vec![key])).unwrap();
    assert_eq!(response.coordinators[0].error_code, 0);
}

/// Commits an offset as a consumer without a group membership does; gives the error code.
pub(crate) fn commit(client: &mut Client, group: &str, topic: &str, offset: i64) -> i16 {
    use ottla_wire::offset_commit::{
        Request, RequestPartition, RequestTopic, decode_response, encode_request,
    };
    let partition = RequestPartition {
        index: 0,
        committed_offset: offset,
        committed_leader_epoch: -1,
        committed_metadata: None,
    };
    let topic = RequestTopic {
        name: Some(StrBytes::from_string(topic.to_owned())),
        partitions: vec![partition],
        ..RequestTopic::default()
    };
    let group_id = StrBytes::from_string(group.to_owned());
    let request = Request { group_id, topics: vec![topic], ..Request::default() };
    let mut body = BytesMut::new();
    encode_request(9, &request, &mut body).unwrap();
    let answer = client.send_body(8, 9, &body).unwrap();
    decode_response(9, &answer).unwrap().topics[0].partitions[0].error.code()
}

/// The committed offset of partition 0, or -1.
pub(crate) fn committed(client: &mut Client, group: &str, topic: &str) -> i64 {
    use ottla_wire::offset_fetch::{Request, RequestGroup, RequestTopic, decode_response, encode_request};
    let topic = RequestTopic {
        name: Some(StrBytes::from_string(topic.to_owned())),
        partitions: vec![0],
        ..RequestTopic::default()
    };
    let group_id = StrBytes::from_string(group.to_owned());
    let group = RequestGroup { group_id, topics: Some(vec![topic]), ..RequestGroup::default() };
    let mut body = BytesMut::new();
    encode_request(9, &Request { groups: vec![group], require_stable: false }, &mut body).unwrap();
    let answer = client.send_body(9, 9, &body).unwrap();
    decode_response(9, &answer).unwrap().groups[0].topics[0].partitions[0].committed_offset
}
