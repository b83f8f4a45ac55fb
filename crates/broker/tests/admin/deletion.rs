//! DeleteTopics, and what is left of a topic's id afterwards.

use bytes::BytesMut;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{DeleteTopicsRequest, MetadataRequest};
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, TopicId};
use ottla_wire::client::Client;
use ottla_wire::{offset_commit, offset_fetch};
use uuid::Uuid;

use crate::support::*;

use ErrorCode::{InvalidRequest, UnknownTopicId, UnknownTopicOrPartition};

const BOTH: &str = "You may not specify both topic name and topic id.";
const NEITHER: &str = "Neither topic name nor id were specified.";
const MAPPED: &str = "The provided topic name maps to an ID that was already supplied.";
const NO_NAME: &str = "This server does not host this topic-partition.";
const NO_ID: &str = "This server does not host this topic ID.";

fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap()
}

fn by_name(topic: &str) -> DeleteTopicState {
    DeleteTopicState::default().with_name(Some(name(topic)))
}

fn by_id(id: Uuid) -> DeleteTopicState {
    DeleteTopicState::default().with_name(None).with_topic_id(id)
}

/// Name, code and message of each answer.
fn delete(
    client: &mut Client,
    topics: Vec<DeleteTopicState>,
) -> Vec<(Option<String>, Uuid, ErrorCode, String)> {
    let request = DeleteTopicsRequest::default().with_topics(topics).with_timeout_ms(5000);
    let responses = client.send(6, &request).unwrap().responses;
    let told = responses.into_iter().map(|told| {
        let message = told.error_message.map_or(String::new(), |message| message.to_string());
        (told.name.map(|name| name.to_string()), told.topic_id, error(told.error_code), message)
    });
    told.collect()
}

/// The code and id of one topic in Metadata.
fn look_up(client: &mut Client, topic: MetadataRequestTopic) -> (ErrorCode, Uuid) {
    let request = MetadataRequest::default().with_topics(Some(vec![topic]));
    let found = client.send(12, &request).unwrap().topics.remove(0);
    (error(found.error_code), found.topic_id)
}

fn id_of(client: &mut Client, topic: &str) -> Uuid {
    look_up(client, MetadataRequestTopic::default().with_name(Some(name(topic)))).1
}

#[test]
fn what_names_no_topic_or_names_one_twice_is_refused() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "kept", 1, &[]);
    let (id, other) = (id_of(&mut client, "kept"), Uuid::from_u128(7));
    let nil = Uuid::nil();
    let both = by_name("kept").with_topic_id(id);
    let kept = || Some("kept".to_owned());
    let nope = || Some("nope".to_owned());
    for (asked, told) in [
        (vec![by_name("nope")], vec![(nope(), nil, UnknownTopicOrPartition, NO_NAME)]),
        (vec![by_name("a b")], vec![(Some("a b".to_owned()), nil, UnknownTopicOrPartition, NO_NAME)]),
        (vec![by_id(other)], vec![(None, other, UnknownTopicId, NO_ID)]),
        (vec![both], vec![(kept(), id, InvalidRequest, BOTH)]),
        (vec![by_id(nil), by_id(nil)], vec![(None, nil, InvalidRequest, NEITHER); 2]),
        (vec![by_id(id), by_id(id)], vec![(None, id, InvalidRequest, "Duplicate topic id.")]),
        (
            vec![by_name("kept"), by_name("kept")],
            vec![(kept(), nil, InvalidRequest, "Duplicate topic name.")],
        ),
        (vec![by_name("kept"), by_id(id)], vec![(kept(), id, InvalidRequest, MAPPED)]),
        (vec![by_id(id), by_name("kept")], vec![(kept(), id, InvalidRequest, MAPPED)]),
    ] {
        let answered = delete(&mut client, asked.clone());
        let told: Vec<_> =
            told.into_iter().map(|(name, id, error, words)| (name, id, error, words.to_owned())).collect();
        assert_eq!(answered, told, "{asked:?}");
    }
    assert_eq!(id_of(&mut client, "kept"), id);
}

/// What OffsetCommit and OffsetFetch in the version that names topics by their ids are answered.
fn offset_codes_by_id(client: &mut Client, id: Uuid) -> [ErrorCode; 2] {
    let (topic_id, group) = (TopicId(id.into_bytes()), StrBytes::from_static_str("g"));
    let partition = offset_commit::RequestPartition {
        index: 0,
        committed_offset: 1,
        committed_leader_epoch: -1,
        committed_metadata: None,
    };
    let topic = offset_commit::RequestTopic { topic_id, partitions: vec![partition], ..Default::default() };
    let request =
        offset_commit::Request { group_id: group.clone(), topics: vec![topic], ..Default::default() };
    let mut body = BytesMut::new();
    offset_commit::encode_request(10, &request, &mut body).unwrap();
    let answer = client.send_body(8, 10, &body).unwrap();
    let committed = offset_commit::decode_response(10, &answer).unwrap().topics[0].partitions[0].error;

    let topic = offset_fetch::RequestTopic { topic_id, partitions: vec![0], ..Default::default() };
    let group =
        offset_fetch::RequestGroup { group_id: group, topics: Some(vec![topic]), ..Default::default() };
    let request = offset_fetch::Request { groups: vec![group], require_stable: false };
    let mut body = BytesMut::new();
    offset_fetch::encode_request(10, &request, &mut body).unwrap();
    let answer = client.send_body(9, 10, &body).unwrap();
    let fetched = offset_fetch::decode_response(10, &answer).unwrap();
    [committed, fetched.groups[0].topics[0].partitions[0].error]
}

/// What requests that name the topic by this id are answered: Produce, Fetch, Metadata, OffsetCommit, OffsetFetch and
/// DeleteTopics.
fn codes_by_id(client: &mut Client, id: Uuid) -> [ErrorCode; 6] {
    let mut produce = produce_request("", 0, -1, batch(&["late"]));
    produce.topic_data[0].topic_id = id;
    let produced = client.send(13, &produce).unwrap().responses[0].partition_responses[0].error_code;

    let mut fetch = fetch_request("", 0, 0, 0);
    fetch.topics[0].topic_id = id;
    let fetched = client.send(17, &fetch).unwrap().responses[0].partitions[0].error_code;

    let looked_up = look_up(client, MetadataRequestTopic::default().with_name(None).with_topic_id(id)).0;

    let [committed, offsets] = offset_codes_by_id(client, id);
    let [produced, fetched] = [produced, fetched].map(error);
    let deleted = delete(client, vec![by_id(id)])[0].2;
    [produced, fetched, looked_up, committed, offsets, deleted]
}

#[test]
fn requests_for_the_id_of_a_deleted_topic_are_refused_also_when_its_name_is_used_again() {
    let broker = broker();
    let mut client = client(&broker);
    find_coordinator(&mut client, "g");
    create(&mut client, "again", 1, &[]);
    let old = id_of(&mut client, "again");
    let answered = (Some("again".to_owned()), old, ErrorCode::None, String::new());
    assert_eq!(delete(&mut client, vec![by_id(old)]), [answered], "the name is told with the id");
    assert_eq!(codes_by_id(&mut client, old), [UnknownTopicId; 6]);

    create(&mut client, "again", 1, &[]);
    let new = id_of(&mut client, "again");
    assert_ne!(new, old);
    assert_eq!(codes_by_id(&mut client, old), [UnknownTopicId; 6]);
    assert_eq!(fetch(&mut client, "again", 0), [], "nothing of it reached the new topic");
    assert_eq!(codes_by_id(&mut client, new), [ErrorCode::None; 6]);
}

#[test]
fn the_brokers_own_topics_stay() {
    let broker = broker();
    let mut client = client(&broker);
    find_coordinator(&mut client, "g");
    let told = delete(&mut client, vec![by_name("__consumer_offsets")]);
    assert_eq!(told[0].2, InvalidRequest);
    let told = delete(&mut client, vec![by_name("__cluster_metadata")]);
    assert_eq!(told[0].2, UnknownTopicOrPartition);
    assert!(!id_of(&mut client, "__consumer_offsets").is_nil());
}
