//! Consumer groups of the new protocol over a socket: how they are told of, and topics that go and come back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{DeleteTopicsRequest, MetadataRequest};
use ottla_broker::Broker;
use ottla_broker::private::{GroupEvent, GroupLag};
use ottla_model::{ErrorCode, TopicId};
use ottla_wire::client::Client;
use ottla_wire::private::{DescribeLag, GroupWhy};
use support::groups::{Member, ask, commit_as, heartbeat, join_alone, leave};
use support::*;

const GROUP: &str = "readers";
const PATIENCE: Duration = Duration::from_secs(30);

fn lag(client: &mut Client) -> GroupLag {
    let question = DescribeLag { groups: Some(vec![GROUP.into()]), summary: false };
    ask(client, &question).unwrap().groups.entries.remove(0)
}

fn events(client: &mut Client) -> Vec<GroupEvent> {
    let told = ask(client, &GroupWhy { group: GROUP.into() }).unwrap();
    told.events.entries.into_iter().rev().map(|event| event.event).collect()
}

fn metrics(broker: &Broker) -> String {
    let mut stream = TcpStream::connect(broker.metrics_address().unwrap()).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ottla\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Joins as a member of the new protocol that reads one topic.
fn join_new(client: &mut Client, member: &str, topic: &str) -> Member {
    let joined = heartbeat(client, GROUP, member, 0, Some(&[topic]));
    assert_eq!(joined.error_code, 0, "{:?}", joined.error_message);
    Member { id: joined.member_id.unwrap(), generation: joined.member_epoch }
}

#[test]
fn a_consumer_group_is_told_of_as_any_other() {
    let broker =
        Broker::builder().memory().set("ottla.metrics.listener", "127.0.0.1:0").unwrap().start().unwrap();
    let mut client = client(&broker);
    client.set_client_id(Some("reader".into()));
    create(&mut client, "orders", 3, &[]);
    find_coordinator(&mut client, GROUP);
    produce(&mut client, "orders", batch(&["one", "two", "three"]));
    let member = join_new(&mut client, "first", "orders");
    assert_eq!(commit_as(&mut client, GROUP, Some(&member), ("orders", 0, 1)), 0);

    let told = lag(&mut client);
    assert_eq!(
        (told.group_type.as_str(), told.state.as_str(), told.protocol.as_str()),
        ("consumer", "Stable", "uniform")
    );
    let one = &told.members.entries[0];
    assert_eq!((told.member_count, one.member_id.as_str(), one.partition_count), (1, "first", 3));
    assert_eq!((one.client_id.as_str(), one.client_host.as_str()), ("reader", "/127.0.0.1"));
    let owners: Vec<_> =
        told.partitions.entries.iter().map(|one| (one.partition, one.owner.as_deref())).collect();
    assert_eq!(owners, [(0, Some("first")), (1, Some("first")), (2, Some("first"))]);
    assert_eq!(told.read_uncommitted.records, 2);
    assert_eq!(told.rebalances.get("member_joined"), Some(&1));

    let text = metrics(&broker);
    for sample in [
        "ottla_group_members{group=\"readers\"} 1\n",
        "ottla_group_state{group=\"readers\",type=\"consumer\",state=\"Stable\"} 1\n",
        "ottla_group_rebalances_total{group=\"readers\",reason=\"member_joined\"} 1\n",
        "kafka_consumergroup_lag{consumergroup=\"readers\",topic=\"orders\",partition=\"0\"} 2\n",
    ] {
        assert!(text.contains(sample), "{sample} in {text}");
    }

    let happened = events(&mut client);
    let GroupEvent::Joined { member: one } = &happened[0] else { panic!("{happened:?}") };
    assert_eq!((one.member_id.as_str(), one.client_id.as_str()), ("first", "reader"));
    let GroupEvent::TargetMade { epoch: 2, target: Some(target), .. } = &happened[2] else {
        panic!("{happened:?}")
    };
    assert_eq!(target[0].topics[0].partitions, [0, 1, 2]);
    let GroupEvent::RebalanceFinished { generation: 2, after: Some(after), .. } = &happened[3] else {
        panic!("{happened:?}")
    };
    assert_eq!(after, target);

    assert_eq!(heartbeat(&mut client, GROUP, "first", -1, None).error_code, 0);
    let told = lag(&mut client);
    assert_eq!((told.state.as_str(), told.member_count), ("Empty", 0));
    assert!(matches!(events(&mut client).last(), Some(GroupEvent::Emptied { generation: 3 })));
}

fn id_of(client: &mut Client, topic: &str) -> TopicId {
    let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let metadata = client.send(12, &MetadataRequest::default().with_topics(Some(vec![asked]))).unwrap();
    TopicId(metadata.topics[0].topic_id.into_bytes())
}

/// Commits an offset of partition 0 as clients of version 10 do, which name topics by id.
fn commit_by_id(client: &mut Client, member: &Member, topic_id: TopicId, offset: i64) -> ErrorCode {
    use ottla_wire::offset_commit::{
        Request, RequestPartition, RequestTopic, decode_response, encode_request,
    };
    let partition = RequestPartition {
        index: 0,
        committed_offset: offset,
        committed_leader_epoch: -1,
        committed_metadata: None,
    };
    let request = Request {
        group_id: GROUP.into(),
        member_id: member.id.clone(),
        generation_id_or_member_epoch: member.generation,
        topics: vec![RequestTopic { topic_id, partitions: vec![partition], ..RequestTopic::default() }],
        ..Request::default()
    };
    let mut body = BytesMut::new();
    encode_request(10, &request, &mut body).unwrap();
    let answer = client.send_body(8, 10, &body).unwrap();
    decode_response(10, &answer).unwrap().topics[0].partitions[0].error
}

/// Deletes the topic and makes another of its name: the ids of both.
fn recreate(client: &mut Client, topic: &str) -> (TopicId, TopicId) {
    let old = id_of(client, topic);
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name(topic)]);
    assert_eq!(client.send(5, &delete).unwrap().responses[0].error_code, 0);
    create(client, topic, 1, &[]);
    (old, id_of(client, topic))
}

#[test]
fn offsets_of_a_topic_are_not_those_of_the_next_one_of_its_name() {
    let broker = broker();
    let mut client = client(&broker);
    find_coordinator(&mut client, GROUP);
    for is_new in [false, true] {
        create(&mut client, "orders", 1, &[]);
        let join = |client: &mut Client| match is_new {
            true => join_new(client, "first", "orders"),
            false => join_alone(client, GROUP, "orders", &[0]),
        };
        let member = join(&mut client);
        assert_eq!(commit_as(&mut client, GROUP, Some(&member), ("orders", 0, 7)), 0);
        assert_eq!(committed(&mut client, GROUP, "orders"), 7);

        let (old, new) = recreate(&mut client, "orders");
        assert_eq!(committed(&mut client, GROUP, "orders"), -1, "it went with its topic");
        assert_eq!(commit_by_id(&mut client, &member, old, 8), ErrorCode::UnknownTopicId);
        assert_eq!(committed(&mut client, GROUP, "orders"), -1);
        // Who names the topic means the one that there is.
        assert_eq!(commit_by_id(&mut client, &member, new, 1), ErrorCode::None);
        assert_eq!(commit_as(&mut client, GROUP, Some(&member), ("orders", 0, 2)), 0);
        assert_eq!(committed(&mut client, GROUP, "orders"), 2);
        assert_eq!(lag(&mut client).partitions.entries[0].committed_offset, Some(2));

        if is_new {
            // The coordinator assigns the new topic, at the latest a second after it has assigned the old one.
            let (deadline, mut epoch) = (Instant::now() + PATIENCE, member.generation);
            let reads = loop {
                assert!(Instant::now() < deadline, "not assigned within {PATIENCE:?}");
                let beaten = heartbeat(&mut client, GROUP, &member.id, epoch, Some(&["orders"]));
                assert_eq!(beaten.error_code, 0);
                epoch = beaten.member_epoch;
                let topics = beaten.assignment.unwrap_or_default().topic_partitions;
                match topics.first() {
                    Some(topic) if topic.topic_id.into_bytes() == new.0 => break topic.partitions.clone(),
                    _ => std::thread::yield_now(),
                }
            };
            assert_eq!(reads, [0]);
            assert_eq!(heartbeat(&mut client, GROUP, "first", -1, None).error_code, 0);
        } else {
            leave(&mut client, GROUP, &member);
        }
        let delete = DeleteTopicsRequest::default().with_topic_names(vec![name("orders")]);
        assert_eq!(client.send(5, &delete).unwrap().responses[0].error_code, 0);
    }
}
