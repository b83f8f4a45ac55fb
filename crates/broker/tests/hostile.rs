//! Bad input over a socket: each costs its sender an error code or the connection, and nobody else anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest, ProduceRequest};
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use support::*;

/// Sends bytes and says that there are no more; gives what comes back until the broker closes the connection too.
fn half_closed(broker: &Broker, bytes: &[u8]) -> Vec<u8> {
    exchange(broker, bytes, true)
}

/// Sends bytes and keeps the connection open; gives what comes back until the broker closes it by itself.
fn closed_by_broker(broker: &Broker, bytes: &[u8]) -> Vec<u8> {
    exchange(broker, bytes, false)
}

fn exchange(broker: &Broker, bytes: &[u8], half_close: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(broker.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The broker may have closed the connection before all was written.
    let _ = stream.write_all(bytes);
    if half_close {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("still open: {bytes:02x?}"),
        _ => answer,
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = i32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}

fn request(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut bytes = api_key.to_be_bytes().to_vec();
    bytes.extend(version.to_be_bytes());
    bytes.extend(7i32.to_be_bytes());
    bytes.extend((-1i16).to_be_bytes());
    bytes.extend(body);
    frame(&bytes)
}

#[test]
fn frames_that_lie_close_only_their_own_connection() {
    let broker = broker();
    let mut bystander = client(&broker);
    create(&mut bystander, "orders", 1, &[]);
    let bad: &[&[u8]] = &[
        &[0xff, 0xff, 0xff, 0xff],
        &[0x80, 0, 0, 0],
        &[0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 12],
        &[0, 0, 0, 0],
        &[0, 0, 0, 2, 0, 3],
        b"GET / HTTP/1.1\r\n\r\n",
        &request(999, 0, &[]),
        &request(3, 99, &[]),
        &request(3, -1, &[]),
        &request(0, 2, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        // Metadata 1 with an array of 2^31-1 names, and one cut in the middle.
        &request(3, 1, &[0x7f, 0xff, 0xff, 0xff]),
        &request(3, 1, &[0, 0, 0, 1, 0, 9, b'o']),
        &request(3, 1, &[0xff, 0xff, 0xff, 0xfe]),
        // Bytes behind the end of the message.
        &request(3, 1, &[0, 0, 0, 0, 1, 2, 3]),
    ];
    for bytes in bad {
        assert_eq!(closed_by_broker(&broker, bytes), b"", "{bytes:02x?}");
        assert_eq!(fetch(&mut bystander, "orders", 0), []);
    }
    for cut in [&[0, 0, 0, 4, 0, 3][..], &[0, 0, 0], &request(3, 1, &[0, 0, 0, 0])[..9]] {
        assert_eq!(half_closed(&broker, cut), b"", "{cut:02x?}");
    }
    assert_eq!(produce(&mut bystander, "orders", batch(&["still here"])).error_code, 0);
}

#[test]
fn requests_before_a_bad_one_are_answered() {
    let broker = broker();
    let mut bytes = request(18, 0, &[]);
    bytes.extend(request(3, 1, &[0xff, 0xff, 0xff, 0xff]));
    bytes.extend(request(999, 0, &[]));
    bytes.extend(request(18, 0, &[]));
    let answer = closed_by_broker(&broker, &bytes);
    let first = usize::try_from(i32::from_be_bytes(answer[..4].try_into().unwrap())).unwrap() + 4;
    let second =
        usize::try_from(i32::from_be_bytes(answer[first..first + 4].try_into().unwrap())).unwrap() + 4;
    assert_eq!(answer.len(), first + second, "two answers, and none behind the bad request");
}

#[test]
fn announcing_large_requests_takes_nothing_from_others() {
    let broker = broker();
    let mut other = client(&broker);
    create(&mut other, "orders", 1, &[]);
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(broker.address()).unwrap();
        stream.write_all(&(100i32 << 20).to_be_bytes()).unwrap();
        held.push(stream);
    }
    let large = "x".repeat(400_000);
    assert_eq!(produce(&mut other, "orders", batch(&[&large])).error_code, 0);
}

#[test]
fn a_request_sees_the_topics_that_one_before_it_made() {
    let broker = broker();
    let mut client = client(&broker);
    let topic = MetadataRequestTopic::default().with_name(Some(name("made")));
    let request =
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(true);
    let made = client.post(9, &request).unwrap();
    let produced = client.post(PRODUCE, &produce_request("made", 0, -1, batch(&["a"]))).unwrap();
    assert_eq!(client.receive::<MetadataRequest>(9, made).unwrap().topics[0].error_code, 0);
    let produced = client.receive::<ProduceRequest>(PRODUCE, produced).unwrap();
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
}

#[test]
fn random_bytes_never_stop_the_broker() {
    let broker = broker();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..300 {
        let length = usize::try_from(next() % 200).unwrap();
        let mut body: Vec<u8> = (0..length).map(|_| next() as u8).collect();
        // Half of them reach a handler's schema.
        if round % 2 == 0 && body.len() > 8 {
            let keys = [0u8, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 23, 32, 37, 60];
            body[0] = 0;
            body[1] = keys[usize::try_from(next()).unwrap() % keys.len()];
            body[2] = 0;
            body[3] %= 14;
        }
        half_closed(&broker, &frame(&body));
    }
    let mut after = client(&broker);
    create(&mut after, "orders", 1, &[]);
    assert_eq!(produce(&mut after, "orders", batch(&["a"])).error_code, 0);
}

#[test]
fn a_newer_api_versions_is_answered_in_version_0() {
    let broker = broker();
    // Version 5 has a header and a body of a form that this broker does not know.
    let answer =
        half_closed(&broker, &frame(&[0, 18, 0, 5, 0, 0, 0, 9, 0, 1, b'x', 0, 3, b'k', b'g', b'o', 0]));
    assert_eq!(&answer[4..8], 9i32.to_be_bytes());
    assert_eq!(&answer[8..10], ErrorCode::UnsupportedVersion.code().to_be_bytes());
    // One entry: ApiVersions itself, from 0 to 4.
    assert_eq!(&answer[10..], [0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
}

#[test]
fn produce_is_advertised_from_0_and_served_from_3() {
    let broker = broker();
    let mut client = client(&broker);
    let request = ApiVersionsRequest::default()
        .with_client_software_name("test".into())
        .with_client_software_version("1".into());
    let response = client.send(4, &request).unwrap();
    assert_eq!(response.error_code, 0);
    let range = |key: i16| {
        let api = response.api_keys.iter().find(|api| api.api_key == key).unwrap();
        (api.min_version, api.max_version)
    };
    assert_eq!(
        (range(0), range(1), range(2), range(8), range(9)),
        ((0, 13), (4, 18), (1, 11), (2, 10), (1, 10))
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    // A fetch that waits, and behind it produces, the first of which ends the wait.
    let waiting = client.post(FETCH, &fetch_request("orders", 0, 20_000, 1)).unwrap();
    let posted: Vec<i32> = (0..20)
        .map(|number| {
            let request = produce_request("orders", 0, 1, batch(&[&number.to_string()]));
            client.post(PRODUCE, &request).unwrap()
        })
        .collect();
    let response = client.receive::<kafka_protocol::messages::FetchRequest>(FETCH, waiting).unwrap();
    assert!(!values(only_partition(&response).records.clone().unwrap()).is_empty());
    for (offset, correlation) in posted.into_iter().enumerate() {
        let response = client.receive::<ProduceRequest>(PRODUCE, correlation).unwrap();
        let base = response.responses[0].partition_responses[0].base_offset;
        assert_eq!(base, i64::try_from(offset).unwrap());
    }
}

#[test]
fn a_client_that_never_reads_does_not_hold_up_others() {
    let broker = broker();
    let mut other = client(&broker);
    create(&mut other, "orders", 1, &[]);
    let large = "x".repeat(500_000);
    produce(&mut other, "orders", batch(&[&large]));
    let mut deaf = client(&broker);
    deaf.set_timeout(Duration::from_millis(200)).unwrap();
    // Asks until the socket takes no more, without reading one answer.
    while deaf.post(FETCH, &fetch_request("orders", 0, 0, 0)).is_ok() {}
    assert_eq!(produce(&mut other, "orders", batch(&["next"])).base_offset, 1);
    broker.stop();
}
