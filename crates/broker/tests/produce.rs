//! What a Produce appends, refuses, and repeats.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::InitProducerIdRequest;
use ottla_log::{BatchBuilder, NewRecord};
use ottla_model::ErrorCode;
use ottla_wire::client::ClientError;
use support::*;

/// The CRC of a batch begins here; it covers everything behind it.
const CRC_AT: usize = 17;
const CRC_FROM: usize = 21;

/// Changes a batch and makes its CRC true again.
fn forged(batch: &Bytes, change: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut bytes = BytesMut::from(&batch[..]);
    change(&mut bytes);
    let crc = crc32c::crc32c(&bytes[CRC_FROM..]);
    bytes[CRC_AT..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
    bytes.freeze()
}

#[test]
fn bad_batches_get_kafkas_codes_and_leave_no_trace() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[("max.message.bytes", "1000")]);
    create(&mut client, "compacted", 1, &[("cleanup.policy", "compact")]);
    let good = batch(&["a", "b"]);
    let mut flipped = BytesMut::from(&good[..]);
    *flipped.last_mut().unwrap() ^= 1;
    let mut old_magic = BytesMut::from(&good[..]);
    old_magic[16] = 1;
    let twice: Bytes = [&good[..], &good[..]].concat().into();
    let cases: Vec<(&str, &str, Bytes, ErrorCode)> = vec![
        ("crc", "orders", flipped.freeze(), ErrorCode::CorruptMessage),
        ("magic", "orders", old_magic.freeze(), ErrorCode::InvalidRecord),
        ("two batches", "orders", twice, ErrorCode::InvalidRecord),
        ("cut", "orders", good.slice(..good.len() - 1), ErrorCode::InvalidRecord),
        ("empty", "orders", Bytes::new(), ErrorCode::InvalidRecord),
        ("garbage", "orders", Bytes::from_static(&[0xee; 200]), ErrorCode::CorruptMessage),
        ("count too high", "orders", forged(&good, |bytes| bytes[60] = 3), ErrorCode::InvalidRecord),
        ("count too low", "orders", forged(&good, |bytes| bytes[60] = 1), ErrorCode::InvalidRecord),
        ("control", "orders", forged(&good, |bytes| bytes[22] |= 0x20), ErrorCode::InvalidRecord),
        ("codec", "orders", forged(&good, |bytes| bytes[22] |= 7), ErrorCode::UnsupportedCompressionType),
        ("too large", "orders", batch(&[&"x".repeat(1000)]), ErrorCode::MessageTooLarge),
        ("keyless", "compacted", keyless(), ErrorCode::InvalidRecord),
        ("unknown topic", "missing", good.clone(), ErrorCode::UnknownTopicOrPartition),
        ("internal", "__consumer_offsets", good.clone(), ErrorCode::InvalidTopicException),
    ];
    find_coordinator(&mut client, "g");
    for (what, topic, records, error) in cases {
        let response = produce(&mut client, topic, records);
        assert_eq!(ErrorCode::from_code(response.error_code), Some(error), "{what}");
        assert_eq!(response.base_offset, -1, "{what}");
    }
    for topic in ["orders", "compacted"] {
        assert_eq!(
            produce(&mut client, topic, good.clone()).base_offset,
            0,
            "nothing was appended to {topic}"
        );
    }
}

fn keyless() -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"v"), headers: &[] });
    builder.build()
}

#[test]
fn acks_0_is_not_answered_and_its_errors_close_the_connection() {
    let broker = broker();
    let mut sender = client(&broker);
    create(&mut sender, "orders", 1, &[]);
    sender.post(PRODUCE, &produce_request("orders", 0, 0, batch(&["quiet"]))).unwrap();
    // The answer to the next request is the next answer.
    assert_eq!(produce(&mut sender, "orders", batch(&["loud"])).base_offset, 1);
    let sent = sender.post(PRODUCE, &produce_request("orders", 5, 0, batch(&["lost"]))).unwrap();
    let closed = sender.receive::<kafka_protocol::messages::ProduceRequest>(PRODUCE, sent);
    assert!(matches!(closed, Err(ClientError::Closed | ClientError::Io(_))), "{closed:?}");
    let mut other = client(&broker);
    let response = other.send(PRODUCE, &produce_request("orders", 0, 7, batch(&["acks"]))).unwrap();
    let error = response.responses[0].partition_responses[0].error_code;
    assert_eq!(ErrorCode::from_code(error), Some(ErrorCode::InvalidRequiredAcks));
}

fn idempotent(producer: i64, epoch: i16, sequence: i32, value: &str) -> Bytes {
    let mut builder = BatchBuilder::new().producer(producer, epoch, sequence);
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(value.as_bytes()), headers: &[] });
    builder.build()
}

#[test]
fn duplicates_are_acknowledged_with_their_first_offset_five_batches_deep() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let ids: Vec<i64> = (0..2)
        .map(|_| client.send(4, &InitProducerIdRequest::default().with_transactional_id(None)).unwrap())
        .map(|response| response.producer_id.0)
        .collect();
    assert_ne!(ids[0], ids[1]);
    let producer = ids[0];
    for sequence in 0..7 {
        let response = produce(&mut client, "orders", idempotent(producer, 0, sequence, "v"));
        assert_eq!((response.error_code, response.base_offset), (0, i64::from(sequence)));
    }
    for sequence in 2..7 {
        let response = produce(&mut client, "orders", idempotent(producer, 0, sequence, "v"));
        assert_eq!((response.error_code, response.base_offset), (0, i64::from(sequence)), "{sequence}");
    }
    let error = |response: kafka_protocol::messages::produce_response::PartitionProduceResponse| {
        ErrorCode::from_code(response.error_code).unwrap()
    };
    let gap = produce(&mut client, "orders", idempotent(producer, 0, 9, "v"));
    assert_eq!(error(gap), ErrorCode::OutOfOrderSequenceNumber);
    let newer = produce(&mut client, "orders", idempotent(producer, 1, 0, "v"));
    assert_eq!(error(newer), ErrorCode::None);
    let stale = produce(&mut client, "orders", idempotent(producer, 0, 7, "v"));
    assert_eq!(error(stale), ErrorCode::InvalidProducerEpoch);
    assert_eq!(fetch(&mut client, "orders", 0).len(), 8);
}

#[test]
fn with_flush_messages_1_every_acknowledgement_means_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let broker = ottla_broker::Broker::builder().data_dir(dir.path()).start().unwrap();
    let mut first = client(&broker);
    create(&mut first, "orders", 1, &[("flush.messages", "1")]);
    let mut others: Vec<_> = (0..8).map(|_| client(&broker)).collect();
    // All of them wait, whatever their acks, and share syncs.
    let posted: Vec<i32> = others
        .iter_mut()
        .zip([1i16, -1].into_iter().cycle())
        .map(|(client, acks)| {
            client.post(PRODUCE, &produce_request("orders", 0, acks, batch(&["v"]))).unwrap()
        })
        .collect();
    let mut offsets: Vec<i64> = others
        .iter_mut()
        .zip(posted)
        .map(|(client, sent)| {
            client.receive::<kafka_protocol::messages::ProduceRequest>(PRODUCE, sent).unwrap()
        })
        .map(|response| response.responses[0].partition_responses[0].base_offset)
        .collect();
    offsets.sort_unstable();
    assert_eq!(offsets, (0..8).collect::<Vec<i64>>());
    assert_eq!(fetch(&mut first, "orders", 0).len(), 8);
}
