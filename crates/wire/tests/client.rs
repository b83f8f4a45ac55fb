//! The client against a server of this test, which reads and writes with the broker's side of the crate.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)] // A test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, HeartbeatRequest, HeartbeatResponse,
};
use ottla_model::ErrorCode;
use ottla_wire::client::{Client, ClientError};
use ottla_wire::{
    FrameReader, RequestHeader, StrBytes, check_request, encode_response_frame, offset_commit, parse_header,
    response_frame,
};

/// Answers requests of one connection with what `answer` returns, until it returns nothing.
fn serve(
    mut answer: impl FnMut(RequestHeader, Bytes) -> Option<Bytes> + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut frames = FrameReader::new(1 << 20);
        while let Some(mut frame) = read_frame(&mut stream, &mut frames) {
            let header = parse_header(&mut frame).expect("a header");
            check_request(header.api_key, header.version, &frame).expect("a body");
            match answer(header, frame) {
                Some(response) => stream.write_all(&response).expect("the client reads"),
                None => return,
            }
        }
    });
    (address, server)
}

fn read_frame(stream: &mut TcpStream, frames: &mut FrameReader) -> Option<Bytes> {
    loop {
        if let Some(frame) = frames.next().expect("valid") {
            return Some(frame);
        }
        let mut piece = [0; 1024];
        match stream.read(&mut piece).expect("readable") {
            0 => return None,
            count => frames.buffer_mut().extend_from_slice(&piece[..count]),
        }
    }
}

#[test]
fn requests_and_responses_of_both_header_versions() {
    let (address, server) = serve(|header, _| {
        assert_eq!(header.client_id.as_ref().map(StrBytes::as_str), Some("test"));
        let id = header.correlation_id;
        Some(match header.api_key {
            18 => {
                let response = ApiVersionsResponse::default().with_throttle_time_ms(header.version.into());
                encode_response_frame(18, header.version, id, &response).expect("encodable")
            }
            _ => {
                let response = HeartbeatResponse::default().with_error_code(27);
                encode_response_frame(12, header.version, id, &response).expect("encodable")
            }
        })
    });
    let mut client = Client::connect(address).expect("connected");
    client.set_client_id(Some(StrBytes::from_static_str("test")));
    for version in 1..=4 {
        let response = client.send(version, &ApiVersionsRequest::default()).expect("answered");
        assert_eq!(response.throttle_time_ms, i32::from(version));
        let response = client.send(version, &HeartbeatRequest::default()).expect("answered");
        assert_eq!(response.error_code, 27);
    }
    drop(client);
    server.join().expect("no assertion failed");
}

#[test]
fn messages_that_only_this_crate_has() {
    let partition = offset_commit::ResponsePartition { index: 3, error: ErrorCode::UnknownTopicId };
    let topic = offset_commit::ResponseTopic { partitions: vec![partition], ..Default::default() };
    let response = offset_commit::Response { throttle_time_ms: 0, topics: vec![topic] };
    let expected = response.clone();
    let (address, server) = serve(move |header, body| {
        let request = offset_commit::decode_request(header.version, &body).expect("valid");
        assert_eq!(request.group_id.as_str(), "group");
        let write = |buffer: &mut BytesMut| offset_commit::encode_response(header.version, &response, buffer);
        Some(response_frame(8, header.version, header.correlation_id, 64, write).expect("encodable"))
    });
    let mut client = Client::connect(address).expect("connected");
    let request =
        offset_commit::Request { group_id: StrBytes::from_static_str("group"), ..Default::default() };
    let mut body = BytesMut::new();
    offset_commit::encode_request(10, &request, &mut body).expect("encodable");
    let body = client.send_body(offset_commit::KEY, 10, &body).expect("answered");
    assert_eq!(offset_commit::decode_response(10, &body), Ok(expected));
    drop(client);
    server.join().expect("no assertion failed");
}

#[test]
fn wrong_answers_are_errors() {
    let request = ApiVersionsRequest::default();
    let reply = |correlation_id, body: &'static [u8]| {
        let write = move |buffer: &mut BytesMut| {
            buffer.extend_from_slice(body);
            Ok(())
        };
        response_frame(18, 0, correlation_id, 0, write).expect("encodable")
    };
    let (address, _server) = serve(move |header, _| Some(reply(header.correlation_id + 1, &[0; 6])));
    let outcome = Client::connect(address).expect("connected").send(0, &request);
    assert!(matches!(outcome, Err(ClientError::Correlation { sent: 1, received: 2 })), "{outcome:?}");

    // An array of 2^31 - 1 versions.
    let hostile = &[0, 0, 0x7f, 0xff, 0xff, 0xff];
    let (address, _server) = serve(move |header, _| Some(reply(header.correlation_id, hostile)));
    let outcome = Client::connect(address).expect("connected").send(0, &request);
    assert!(matches!(outcome, Err(ClientError::Malformed(_))), "{outcome:?}");

    let (address, _server) = serve(|_, _| Some(Bytes::from_static(&[0xff; 4])));
    let outcome = Client::connect(address).expect("connected").send(0, &request);
    assert!(matches!(outcome, Err(ClientError::Frame(_))), "{outcome:?}");

    let (address, _server) = serve(|_, _| None);
    let outcome = Client::connect(address).expect("connected").send(0, &request);
    assert!(matches!(outcome, Err(ClientError::Closed)), "{outcome:?}");
}

#[test]
fn hostile_bytes_and_a_broker_that_stays_silent() {
    let (address, server) = serve(|header, _| {
        assert_eq!(header.correlation_id, 99);
        // No answer to this one, but the connection stays open.
        Some(Bytes::new())
    });
    let mut client = Client::connect(address).expect("connected");
    client.write_raw(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 99, 0xff, 0xff]).expect("sent");
    client.set_timeout(Duration::from_millis(50)).expect("set");
    let outcome = client.read_frame();
    assert!(matches!(outcome, Err(ClientError::Io(_))), "{outcome:?}");
    drop(client);
    server.join().expect("no assertion failed");
}
