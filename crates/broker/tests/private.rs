//! Private APIs over a socket: who is told of them, what they refuse, how large their answers get.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "a seed is printed")]

mod support;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;
use ottla_broker::Broker;
use ottla_broker::private::{Compaction, CompactionReason, Question};
use ottla_log::{BatchBuilder, NewRecord};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use ottla_wire::fuzz::{Fill, SplitMix64, mutate, sample_request};
use ottla_wire::private::{Answer, InspectCompaction, PrivateRequest, decode_answer};
use ottla_wire::{PRIVATE_KEY_MIN, check_request, check_response, private_keys, versions};
use support::*;

/// Later than any of the clocks here.
const NOON_OF_2100: i64 = 4_102_488_000_000;

/// The keys that a client of that name is told of.
fn keys_told(broker: &Broker, version: i16, software_name: &str) -> Vec<i16> {
    let mut request = ApiVersionsRequest::default();
    if version >= 3 {
        request = request
            .with_client_software_name(StrBytes::from_string(software_name.to_owned()))
            .with_client_software_version("1".into());
    }
    let response = client(broker).send(version, &request).unwrap();
    assert_eq!(response.error_code, 0);
    response.api_keys.iter().map(|api| api.api_key).collect()
}

fn ask(client: &mut Client, body: &[u8]) -> Answer {
    let answer = client.send_body(InspectCompaction::KEY, 0, body).unwrap();
    assert!(check_response(InspectCompaction::KEY, 0, &answer).is_ok());
    decode_answer(&answer).unwrap()
}

fn inspect(client: &mut Client, topics: Option<&[&str]>) -> Result<Compaction, (ErrorCode, String)> {
    let topics = topics.map(|names| names.iter().map(|name| StrBytes::from_string((*name).into())).collect());
    let mut body = BytesMut::new();
    InspectCompaction { topics }.encode(0, &mut body).unwrap();
    let answer = ask(client, &body);
    match answer.document {
        Some(document) => Ok(read::<InspectCompaction>(&document)),
        None => Err((answer.error, answer.error_message.unwrap().to_string())),
    }
}

fn read<Q: Question>(document: &Bytes) -> Q::Document {
    serde_json::from_slice(document).unwrap()
}

#[test]
fn only_ottla_is_told_of_private_apis() {
    let broker = broker();
    let is_private = |key: &i16| *key >= PRIVATE_KEY_MIN;
    let told = keys_told(&broker, 3, "ottla");
    assert!(told.is_sorted());
    let (private, kafka): (Vec<i16>, Vec<i16>) = told.into_iter().partition(is_private);
    assert_eq!(private, private_keys().collect::<Vec<_>>());
    for (version, name) in [(0, ""), (2, ""), (3, "apache-kafka-java"), (3, "Ottla"), (4, "ottla-x")] {
        assert_eq!(keys_told(&broker, version, name), kafka, "{version} {name}");
    }
}

#[test]
fn what_is_wrong_is_told_or_closes_only_its_own_connection() {
    let broker = broker();
    let mut bystander = client(&broker);
    create(&mut bystander, "orders", 1, &[]);
    let refused = inspect(&mut bystander, Some(&["orders", "missing"])).unwrap_err();
    assert_eq!(refused, (ErrorCode::UnknownTopicOrPartition, "there is no topic 'missing'".to_owned()));
    let long = "é".repeat(10_000);
    let (error, message) = inspect(&mut bystander, Some(&[&long])).unwrap_err();
    assert_eq!((error, message.len() <= 1024), (ErrorCode::UnknownTopicOrPartition, true));
    let mut other = client(&broker);
    other.post_body(InspectCompaction::KEY, 1, &[0, 0]).unwrap();
    assert_eq!(other.read_frame().unwrap(), None, "a version that is not served");
    assert_eq!(inspect(&mut bystander, Some(&[])).unwrap().partitions.entries, []);
}

#[test]
fn hostile_bodies_pass_the_walker_or_close_their_connection() {
    const SEED: u64 = 0x0771a;
    println!("seed {SEED:#x}");
    let broker = broker();
    let mut random = SplitMix64(SEED);
    let fill = Fill { elements: 2, text: "topic", byte: 1, nulls: false, unknown_tags: 1, ..Fill::default() };
    let (mut answered, mut closed) = (0, 0);
    for key in private_keys() {
        for version in versions(key).unwrap() {
            let valid = sample_request(key, version, &fill).unwrap().bytes;
            for _ in 0..200 {
                let mut body = valid.clone();
                mutate(&mut random, &mut body);
                let mut client = client(&broker);
                client.post_body(key, version, &body).unwrap();
                let answer = client.read_frame().unwrap();
                assert_eq!(answer.is_some(), check_request(key, version, &body).is_ok(), "{key} {body:02x?}");
                answered += usize::from(answer.is_some());
                closed += usize::from(answer.is_none());
            }
        }
    }
    assert!(answered > 10 && closed > 10, "{answered} {closed}");
}

#[test]
fn an_answer_has_a_largest_size_and_says_what_it_leaves_out() {
    let broker = broker();
    let mut client = client(&broker);
    let name = "n".repeat(249);
    create(&mut client, &name, 6_000, &[("cleanup.policy", "compact")]);
    let mut body = BytesMut::new();
    InspectCompaction::default().encode(0, &mut body).unwrap();
    let document = ask(&mut client, &body).document.unwrap();
    assert!((2 << 20..4 << 20).contains(&document.len()), "{}", document.len());
    let partitions = read::<InspectCompaction>(&document).partitions;
    assert!(partitions.left_out > 0);
    assert_eq!(partitions.entries.len() as u64 + partitions.left_out, 6_000);
}

#[test]
fn every_reason_that_a_broker_has_at_hand() {
    let builder = Broker::builder().memory().set("log.cleaner.enable", "false").unwrap();
    let broker = builder.start().unwrap();
    let mut client = client(&broker);
    let compacted = [("cleanup.policy", "compact"), ("internal.segment.bytes", "1000")];
    create(&mut client, "plain", 1, &[]);
    create(&mut client, "empty", 1, &compacted);
    create(&mut client, "active", 1, &compacted);
    create(&mut client, "dirty", 1, &compacted);
    create(&mut client, "lazy", 1, &[&compacted[..], &[("min.cleanable.dirty.ratio", "1")]].concat());
    let young =
        [("min.compaction.lag.ms", "3600000"), ("message.timestamp.after.max.ms", "9223372036854775807")];
    let young = [&compacted[..], &young].concat();
    create(&mut client, "young", 1, &young);
    produce(&mut client, "active", batch(&["a"]));
    for value in 0..10 {
        let value = format!("{value:0200}");
        for topic in ["dirty", "lazy"] {
            assert_eq!(produce(&mut client, topic, batch(&[&value])).error_code, 0);
        }
        let mut builder = BatchBuilder::new();
        let value = Some(value.as_bytes());
        builder.push(NewRecord { timestamp: NOON_OF_2100, key: value, value, headers: &[] });
        assert_eq!(produce(&mut client, "young", builder.build()).error_code, 0);
    }
    let document = inspect(&mut client, None).unwrap();
    assert!(!document.cleaner_enabled);
    let blocked: Vec<_> = document
        .partitions
        .entries
        .iter()
        .map(|entry| (entry.topic.as_str(), entry.blocked.clone().unwrap()))
        .collect();
    assert_eq!(
        blocked[..4],
        [
            ("active", CompactionReason::ActiveSegment),
            ("dirty", CompactionReason::CleanerOff),
            ("empty", CompactionReason::Empty),
            ("lazy", CompactionReason::DirtyRatio),
        ]
    );
    let until_ms = NOON_OF_2100 + 3_600_000;
    assert_eq!(blocked[4..], [("young", CompactionReason::MinCompactionLag { until_ms })]);
    let dirty = &document.partitions.entries[1];
    assert_eq!((dirty.first_dirty_offset, dirty.clean_bytes, dirty.end_offset), (0, 0, 10));
    assert!(dirty.dirty_bytes > 0 && dirty.uncleanable_bytes > 0 && dirty.dirty_ratio == 1.0);
    assert_eq!(dirty.bound, CompactionReason::ActiveSegment);
    let plain = inspect(&mut client, Some(&["plain"])).unwrap().partitions.entries;
    assert_eq!(plain[0].blocked, Some(CompactionReason::Policy));
}
