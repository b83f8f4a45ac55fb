//! Bytes that the classes of kafka-clients 4.3.1 wrote.

use bytes::{Bytes, BytesMut};
use ottla_model::{ErrorCode, TopicId};
use ottla_wire::message::{CurrentLeader, NodeEndpoint};
use ottla_wire::{
    RequestHeader, Rope, StrBytes, check_request, check_response, describe_log_dirs, fetch, list_offsets,
    offset_commit, offset_fetch, parse_header, produce, unsupported_api_versions, write_txn_markers,
};

use crate::random::ours;

const TOPIC_ID: TopicId = TopicId([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

fn from_hex(hex: &str) -> Bytes {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

#[test]
fn list_offsets_11_request() {
    let bytes = from_hex(concat!(
        "ffffffff0102076f7264657273030000000000000007fffffffffffffffa0000000003ffffffff00",
        "00018bcfe5687b00000000753000"
    ));
    assert!(check_request(2, 11, &bytes).is_ok());
    let partition = |index, current_leader_epoch, timestamp| list_offsets::RequestPartition {
        index,
        current_leader_epoch,
        timestamp,
    };
    let partitions = vec![
        partition(0, 7, list_offsets::EARLIEST_PENDING_UPLOAD_TIMESTAMP),
        partition(3, -1, 1_700_000_000_123),
    ];
    let request = list_offsets::Request {
        replica_id: -1,
        isolation_level: 1,
        timeout_ms: 30_000,
        topics: vec![list_offsets::RequestTopic { name: text("orders"), partitions }],
    };
    assert_eq!(list_offsets::decode_request(11, &bytes), Ok(request.clone()));
    assert_eq!(ours(list_offsets::encode_request, 11, &request), bytes);
}

#[test]
fn list_offsets_11_response() {
    let bytes = from_hex(concat!(
        "0000000502076f7264657273030000000000000000018bcfe5687b000000000000002a0000000700",
        "000000030003ffffffffffffffffffffffffffffffffffffffff000000"
    ));
    assert!(check_response(2, 11, &bytes).is_ok());
    let found = list_offsets::ResponsePartition {
        index: 0,
        error: ErrorCode::None,
        timestamp: 1_700_000_000_123,
        offset: 42,
        leader_epoch: 7,
    };
    let error = ErrorCode::UnknownTopicOrPartition;
    let missing = list_offsets::ResponsePartition { index: 3, error, ..Default::default() };
    let topic = list_offsets::ResponseTopic { name: text("orders"), partitions: vec![found, missing] };
    let response = list_offsets::Response { throttle_time_ms: 5, topics: vec![topic] };
    assert_eq!(ours(list_offsets::encode_response, 11, &response), bytes);
    assert_eq!(list_offsets::decode_response(11, &bytes), Ok(response));
}

#[test]
fn offset_commit_10_request() {
    let bytes = from_hex(concat!(
        "0862696c6c696e6700000009046d2d31097374617469632d31020102030405060708090a0b0c0d0e",
        "0f1003000000010000011f71fb04cb00000004056e6f746500000000020000000000000000ffffff",
        "ff00000000"
    ));
    assert!(check_request(8, 10, &bytes).is_ok());
    let partitions = vec![
        offset_commit::RequestPartition {
            index: 1,
            committed_offset: 1_234_567_890_123,
            committed_leader_epoch: 4,
            committed_metadata: Some(text("note")),
        },
        offset_commit::RequestPartition {
            index: 2,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: None,
        },
    ];
    let request = offset_commit::Request {
        group_id: text("billing"),
        generation_id_or_member_epoch: 9,
        member_id: text("m-1"),
        group_instance_id: Some(text("static-1")),
        retention_time_ms: -1,
        topics: vec![offset_commit::RequestTopic { name: None, topic_id: TOPIC_ID, partitions }],
    };
    assert_eq!(offset_commit::decode_request(10, &bytes), Ok(request.clone()));
    assert_eq!(ours(offset_commit::encode_request, 10, &request), bytes);
}

#[test]
fn offset_commit_10_response() {
    let bytes = from_hex("00000001020102030405060708090a0b0c0d0e0f100300000001000000000000020064000000");
    assert!(check_response(8, 10, &bytes).is_ok());
    let partition = |index, error| offset_commit::ResponsePartition { index, error };
    let partitions = vec![partition(1, ErrorCode::None), partition(2, ErrorCode::UnknownTopicId)];
    let topics = vec![offset_commit::ResponseTopic { name: None, topic_id: TOPIC_ID, partitions }];
    let response = offset_commit::Response { throttle_time_ms: 1, topics };
    assert_eq!(ours(offset_commit::encode_response, 10, &response), bytes);
    assert_eq!(offset_commit::decode_response(10, &bytes), Ok(response));
}

#[test]
fn offset_fetch_10_request() {
    let bytes = from_hex(concat!(
        "030862696c6c696e67046d2d3100000009020102030405060708090a0b0c0d0e0f10030000000000",
        "000005000006617564697400ffffffff00000100"
    ));
    assert!(check_request(9, 10, &bytes).is_ok());
    let topics = vec![offset_fetch::RequestTopic { name: None, topic_id: TOPIC_ID, partitions: vec![0, 5] }];
    let billing = offset_fetch::RequestGroup {
        group_id: text("billing"),
        member_id: Some(text("m-1")),
        member_epoch: 9,
        topics: Some(topics),
    };
    let audit = offset_fetch::RequestGroup { group_id: text("audit"), ..Default::default() };
    let request = offset_fetch::Request { groups: vec![billing, audit], require_stable: true };
    assert_eq!(offset_fetch::decode_request(10, &bytes), Ok(request.clone()));
    assert_eq!(ours(offset_fetch::encode_request, 10, &request), bytes);
}

#[test]
fn offset_fetch_10_response() {
    let bytes = from_hex(concat!(
        "00000002030862696c6c696e67020102030405060708090a0b0c0d0e0f1003000000000000000000",
        "00004d00000004056e6f746500000000000005ffffffffffffffffffffffff010058000000000006",
        "61756469740100450000"
    ));
    assert!(check_response(9, 10, &bytes).is_ok());
    let partitions = vec![
        offset_fetch::ResponsePartition {
            index: 0,
            committed_offset: 77,
            committed_leader_epoch: 4,
            metadata: Some(text("note")),
            error: ErrorCode::None,
        },
        offset_fetch::ResponsePartition {
            index: 5,
            error: ErrorCode::UnstableOffsetCommit,
            ..Default::default()
        },
    ];
    let topics = vec![offset_fetch::ResponseTopic { name: None, topic_id: TOPIC_ID, partitions }];
    let group = |group_id, topics, error| offset_fetch::ResponseGroup { group_id, topics, error };
    let groups = vec![
        group(text("billing"), topics, ErrorCode::None),
        group(text("audit"), Vec::new(), ErrorCode::GroupIdNotFound),
    ];
    let response = offset_fetch::Response { throttle_time_ms: 2, groups };
    assert_eq!(ours(offset_fetch::encode_response, 10, &response), bytes);
    assert_eq!(offset_fetch::decode_response(10, &bytes), Ok(response));
}

#[test]
fn produce_13_request() {
    let bytes = from_hex("037478ffff00007530020102030405060708090a0b0c0d0e0f10020000000105deadbeef000000");
    assert!(check_request(0, 13, &bytes).is_ok());
    let request = produce::decode_request(13, &bytes).expect("valid");
    let records = Some(Bytes::from_static(&[0xde, 0xad, 0xbe, 0xef]));
    let partitions = vec![produce::ProducePartition { index: 1, records }];
    assert_eq!(
        request,
        produce::ProduceRequest {
            transactional_id: Some(text("tx")),
            acks: -1,
            timeout_ms: 30_000,
            topics: vec![produce::ProduceTopic { name: None, topic_id: TOPIC_ID, partitions }],
        }
    );
}

#[test]
fn produce_13_response() {
    let bytes = from_hex(concat!(
        "020102030405060708090a0b0c0d0e0f1004000000000000000000000000000affffffffffffffff",
        "0000000000000002010000000000010006ffffffffffffffffffffffffffffffffffffffffffffff",
        "ff01066d6f766564010009000000020000000800000000020057ffffffffffffffffffffffffffff",
        "ffffffffffffffffffff0200000004076e6f206b6579000000000000000301000e02000000020362",
        "32000023840000"
    ));
    assert!(check_response(0, 13, &bytes).is_ok());
    let written = produce::ProducePartitionResponse {
        index: 0,
        base_offset: 10,
        log_start_offset: 2,
        ..Default::default()
    };
    let moved = produce::ProducePartitionResponse {
        index: 1,
        error: ErrorCode::NotLeaderOrFollower,
        error_message: Some(text("moved")),
        current_leader: CurrentLeader { leader_id: 2, leader_epoch: 8 },
        ..Default::default()
    };
    let refused = produce::ProducePartitionResponse {
        index: 2,
        error: ErrorCode::InvalidRecord,
        record_errors: vec![produce::RecordError { batch_index: 4, message: Some(text("no key")) }],
        ..Default::default()
    };
    let partitions = vec![written, moved, refused];
    let endpoint = NodeEndpoint { node_id: 2, host: text("b2"), port: 9092, rack: None };
    let response = produce::ProduceResponse {
        topics: vec![produce::ProduceTopicResponse { name: None, topic_id: TOPIC_ID, partitions }],
        throttle_time_ms: 3,
        node_endpoints: vec![endpoint],
    };
    assert_eq!(ours(produce::encode_response, 13, &response), bytes);
}

#[test]
fn fetch_18_response() {
    let bytes = from_hex(concat!(
        "00000003000000000063020102030405060708090a0b0c0d0e0f1003000000000000000000000000",
        "000a00000000000000090000000000000001020000000000000005000000000000000600ffffffff",
        "05deadbeef00000000010006ffffffffffffffffffffffffffffffffffffffffffffffff00ffffff",
        "ff0102000d00000003000000000000001e0001090000000200000008000001000f02000000020362",
        "3200002384027200"
    ));
    assert!(check_response(1, 18, &bytes).is_ok());
    let read = fetch::FetchPartitionResponse {
        index: 0,
        high_watermark: 10,
        last_stable_offset: 9,
        log_start_offset: 1,
        aborted_transactions: Some(vec![fetch::AbortedTransaction { producer_id: 5, first_offset: 6 }]),
        records: Bytes::from_static(&[0xde, 0xad, 0xbe, 0xef]),
        ..Default::default()
    };
    let moved = fetch::FetchPartitionResponse {
        index: 1,
        error: ErrorCode::NotLeaderOrFollower,
        current_leader: CurrentLeader { leader_id: 2, leader_epoch: 8 },
        diverging_epoch: Some(fetch::EpochEndOffset { epoch: 3, end_offset: 30 }),
        ..Default::default()
    };
    let partitions = vec![read, moved];
    let endpoint = NodeEndpoint { node_id: 2, host: text("b2"), port: 9092, rack: Some(text("r")) };
    let response = fetch::FetchResponse {
        throttle_time_ms: 3,
        error: ErrorCode::None,
        session_id: 99,
        topics: vec![fetch::FetchTopicResponse { name: None, topic_id: TOPIC_ID, partitions }],
        node_endpoints: vec![endpoint],
    };
    let mut rope = Rope::new();
    fetch::encode_response(18, &response, &mut rope).expect("Ottla encodes");
    assert_eq!(Bytes::from(rope.into_parts().concat()), bytes);
}

#[test]
fn write_txn_markers_2() {
    let bytes = from_hex("02000000000000000700030102076f72646572730300000000000000050000000009020000");
    assert!(check_request(27, 2, &bytes).is_ok());
    let topic = write_txn_markers::MarkerTopic { name: text("orders"), partitions: vec![0, 5] };
    let marker = write_txn_markers::Marker {
        producer_id: 7,
        producer_epoch: 3,
        committed: true,
        topics: vec![topic],
        coordinator_epoch: 9,
        transaction_version: 2,
    };
    let request = write_txn_markers::Request { markers: vec![marker] };
    assert_eq!(write_txn_markers::decode_request(2, &bytes), Ok(request.clone()));
    assert_eq!(ours(write_txn_markers::encode_request, 2, &request), bytes);

    let bytes = from_hex("02000000000000000702076f72646572730200000005002f00000000");
    assert!(check_response(27, 2, &bytes).is_ok());
    let partitions = vec![(5, ErrorCode::InvalidProducerEpoch)];
    let topics = vec![write_txn_markers::TopicResult { name: text("orders"), partitions }];
    let marker = write_txn_markers::MarkerResult { producer_id: 7, topics };
    let response = write_txn_markers::Response { markers: vec![marker] };
    assert_eq!(write_txn_markers::decode_response(2, &bytes), Ok(response.clone()));
    assert_eq!(ours(write_txn_markers::encode_response, 2, &response), bytes);
}

#[test]
fn request_header_2() {
    let mut frame = BytesMut::from(&from_hex("0009000a000000070002633100")[..]);
    frame.extend_from_slice(b"body");
    let mut frame = frame.freeze();
    let header = RequestHeader { api_key: 9, version: 10, correlation_id: 7, client_id: Some(text("c1")) };
    assert_eq!(parse_header(&mut frame), Ok(header));
    assert_eq!(frame, b"body"[..]);
}

#[test]
fn api_versions_of_an_unknown_version() {
    let frame = unsupported_api_versions(7, 0, 4).expect("encodable");
    assert_eq!(frame[..8], [0, 0, 0, 16, 0, 0, 0, 7]);
    assert_eq!(frame[8..], from_hex("002300000001001200000004"));
}

#[test]
fn describe_log_dirs_5_response() {
    let bytes = from_hex(concat!(
        "000000000000020000132f746d702f61646d696e2f6b312f6461746102066474702d620300000000",
        "00000000000000000000000000000000000000000001000000000000000000000000000000000000",
        "000000003efe39d0000000000dc1dc4000000000"
    ));
    assert!(check_response(35, 5, &bytes).is_ok());
    let partition =
        |index| describe_log_dirs::Partition { index, size_bytes: 0, offset_lag: 0, is_future: false };
    let topic =
        describe_log_dirs::Topic { name: text("dtp-b"), partitions: vec![partition(0), partition(1)] };
    let log_dir = describe_log_dirs::LogDir {
        error: ErrorCode::None,
        path: text("/tmp/admin/k1/data"),
        topics: vec![topic],
        total_bytes: 270_553_174_016,
        usable_bytes: 59_087_011_840,
        is_cordoned: false,
    };
    let response =
        describe_log_dirs::Response { throttle_time_ms: 0, error: ErrorCode::None, results: vec![log_dir] };
    assert_eq!(describe_log_dirs::decode_response(5, &bytes), Ok(response.clone()));
    assert_eq!(ours(describe_log_dirs::encode_response, 5, &response), bytes);
}
