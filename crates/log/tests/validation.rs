//! Batches that must be refused, each with Kafka's code, and those that must not.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use bytes::Bytes;
use ottla_log::{
    BatchBuilder, BatchError, BatchHeader, LogConfig, NewRecord, Origin, Rules, TimestampType, ValidBatch,
    records, validate,
};
use ottla_model::{ErrorCode, WallMillis};
use support::*;

fn rules() -> Rules {
    LogConfig::default().rules(Origin::Client)
}

fn good() -> Bytes {
    batch(&["one", "two", "three"])
}

fn judge(bytes: &Bytes) -> Result<ValidBatch, BatchError> {
    validate(bytes, &rules(), NOW)
}

fn code(result: Result<ValidBatch, BatchError>) -> ErrorCode {
    result.map_or_else(|error| error.code(), |_| ErrorCode::None)
}

fn edited(change: impl FnOnce(&mut BatchHeader)) -> ErrorCode {
    code(judge(&edit(&good(), change)))
}

/// A body of one record with these fields, each of one byte.
fn record(fields: &[u8]) -> Vec<u8> {
    let mut body = vec![u8::try_from(fields.len() * 2).expect("short")];
    body.extend_from_slice(fields);
    body
}

fn one_record(body: &[u8]) -> ErrorCode {
    let mut header = BatchHeader::parse(&batch(&["x"])).expect("header");
    header.max_timestamp = header.base_timestamp;
    code(judge(&seal(header, body)))
}

#[test]
fn a_good_batch_is_taken_as_it_is() {
    let valid = judge(&good()).expect("valid");
    assert_eq!(valid.header().to_bytes()[..], good()[..61]);
    assert_eq!(valid.body(), &good().slice(61..));
    assert_eq!(valid.size_in_bytes(), good().len());
}

#[test]
fn bytes_that_are_not_one_whole_batch() {
    let whole = good();
    assert_eq!(code(judge(&Bytes::new())), ErrorCode::InvalidRecord, "no batch at all");
    for length in 0..whole.len() {
        assert_eq!(code(judge(&whole.slice(..length))), ErrorCode::InvalidRecord, "cut at {length}");
    }
    let twice: Bytes = [whole.clone(), whole.clone()].concat().into();
    assert_eq!(code(judge(&twice)), ErrorCode::InvalidRecord, "two batches");
    for length in 1..whole.len() {
        // Kafka drops what is too short for another batch.
        let tail: Bytes = [whole.clone(), whole.slice(..length)].concat().into();
        assert_eq!(code(judge(&tail)), ErrorCode::None, "a tail of {length} bytes");
    }
    let garbage: Bytes = [&whole[..], &[0; 12]].concat().into();
    assert_eq!(code(judge(&garbage)), ErrorCode::CorruptMessage, "a length that no batch has");
}

#[test]
fn lengths_and_magic() {
    let with = |at: usize, bytes: &[u8]| {
        let mut batch = good().to_vec();
        batch[at..at + bytes.len()].copy_from_slice(bytes);
        code(judge(&batch.into()))
    };
    for length in [i32::MIN, -1, 0, 13] {
        assert_eq!(with(8, &length.to_be_bytes()), ErrorCode::CorruptMessage, "length {length}");
    }
    assert_eq!(with(8, &14i32.to_be_bytes()), ErrorCode::CorruptMessage, "smaller than a header");
    assert_eq!(with(8, &i32::MAX.to_be_bytes()), ErrorCode::InvalidRecord, "not whole");
    for (magic, expected) in [
        (0, ErrorCode::InvalidRecord),
        (1, ErrorCode::InvalidRecord),
        (3, ErrorCode::CorruptMessage),
        (0x80, ErrorCode::CorruptMessage),
    ] {
        assert_eq!(with(16, &[magic]), expected, "magic {magic}");
    }
}

#[test]
fn every_flipped_bit_behind_the_crc_is_seen() {
    let whole = good();
    for bit in 21 * 8..whole.len() * 8 {
        let mut flipped = whole.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(code(judge(&flipped.into())), ErrorCode::CorruptMessage, "bit {bit}");
    }
}

#[test]
fn headers_that_lie() {
    for (name, result) in [
        ("a base offset", edited(|header| header.base_offset = 7)),
        ("too many records", edited(|header| (header.record_count, header.last_offset_delta) = (4, 3))),
        ("too few records", edited(|header| (header.record_count, header.last_offset_delta) = (2, 1))),
        ("another last offset", edited(|header| header.last_offset_delta = 3)),
        ("a negative last offset", edited(|header| header.last_offset_delta = -1)),
        ("no records", edited(|header| (header.record_count, header.last_offset_delta) = (0, -1))),
        ("negative records", edited(|header| header.record_count = -3)),
        (
            "as many records as can be",
            edited(|header| {
                (header.record_count, header.last_offset_delta) = (i32::MAX, i32::MAX - 1);
            }),
        ),
        ("a control batch", edited(|header| header.attributes = 0x20)),
        ("a producer without sequence", edited(|header| header.producer_id = 5)),
    ] {
        assert_eq!(result, ErrorCode::InvalidRecord, "{name}");
    }
    for codec in 5..=7 {
        assert_eq!(edited(|header| header.attributes = codec), ErrorCode::UnsupportedCompressionType);
    }
    for codec in 1..=4 {
        // Plain records under the name of a codec.
        assert_eq!(edited(|header| header.attributes = codec), ErrorCode::InvalidRecord, "codec {codec}");
    }
    assert_eq!(edited(|header| (header.producer_id, header.base_sequence) = (5, 0)), ErrorCode::None);
    assert_eq!(edited(|header| header.partition_leader_epoch = 99), ErrorCode::None);
}

#[test]
fn records_that_do_not_add_up() {
    // Attributes, timestamp delta, offset delta, key length, value length, header count; -1 is written as 1.
    assert_eq!(one_record(&record(&[0, 0, 0, 1, 1, 0])), ErrorCode::None);
    for (name, body) in [
        ("an offset that is not the first", record(&[0, 0, 2, 1, 1, 0])),
        ("a negative offset", record(&[0, 0, 1, 1, 1, 0])),
        ("a key past the end", record(&[0, 0, 0, 20, 1, 0])),
        ("a value past the end", record(&[0, 0, 0, 1, 20, 0])),
        ("headers past the end", record(&[0, 0, 0, 1, 1, 20])),
        ("a negative count of headers", record(&[0, 0, 0, 1, 1, 1])),
        ("a header with a null key", record(&[0, 0, 0, 1, 1, 2, 1, 1])),
        ("bytes that belong to no field", record(&[0, 0, 0, 1, 1, 0, 0])),
        ("no fields", record(&[])),
        ("half of the fields", record(&[0, 0, 0])),
        ("a record that is longer than the batch", vec![40, 0, 0, 0, 1, 1, 0]),
        ("a record of negative length", vec![1, 0, 0, 0, 1, 1, 0]),
        ("a length without end", vec![0xff; 12]),
        ("bytes behind the last record", [record(&[0, 0, 0, 1, 1, 0]), vec![0]].concat()),
        ("nothing", Vec::new()),
    ] {
        assert_eq!(one_record(&body), ErrorCode::InvalidRecord, "{name}");
        let header = BatchHeader::parse(&batch(&["x"])).expect("header");
        let mut read = records(&seal(header, &body)).expect("started");
        assert!(name.contains("offset") || read.any(|record| record.is_err()), "{name}");
        for (codec, framing) in CODECS.into_iter().skip(1) {
            let mut header = BatchHeader::parse(&batch(&["x"])).expect("header");
            header.attributes = codec as i16;
            let compressed = seal(header, &compress_bytes(&body, codec, framing));
            assert_eq!(code(judge(&compressed)), ErrorCode::InvalidRecord, "{name}, {codec:?} {framing:?}");
        }
    }
}

#[test]
fn a_compacted_topic_wants_keys() {
    let mut builder = BatchBuilder::new();
    for key in [Some(&b"key"[..]), None, Some(b""), None] {
        builder.push(NewRecord { timestamp: NOW.0, key, value: Some(b"value"), headers: &[] });
    }
    let without = builder.build();
    assert_eq!(code(judge(&without)), ErrorCode::None);
    let error = validate(&without, &Rules { compacted: true, ..rules() }, NOW).expect_err("refused");
    assert_eq!(error.code(), ErrorCode::InvalidRecord);
    let blamed: Vec<i32> = error.record_errors().iter().map(|record| record.batch_index).collect();
    assert_eq!(blamed, [1, 3]);
    assert_eq!(error.record_errors()[0].message, "Compacted topic cannot accept message without key");
}

#[test]
fn timestamps_must_be_near() {
    let rules = Rules { timestamp_before_max_ms: 1000, timestamp_after_max_ms: 10, ..rules() };
    let judge = |offsets: &[i64]| {
        let records: Vec<_> = offsets.iter().map(|offset| (NOW.0 + offset, "x")).collect();
        validate(&timed_batch(&records), &rules, NOW)
    };
    assert!(judge(&[-1000, 0, 10]).is_ok());
    let error = judge(&[0, -1001, 5, 11]).expect_err("refused");
    assert_eq!(error.code(), ErrorCode::InvalidTimestamp);
    let blamed: Vec<i32> = error.record_errors().iter().map(|record| record.batch_index).collect();
    assert_eq!(blamed, [1, 3]);
    // No timestamp at all is always allowed.
    assert!(validate(&timed_batch(&[(-1, "x")]), &rules, NOW).is_ok());
    let append_time = Rules { timestamp_type: TimestampType::LogAppendTime, ..rules.clone() };
    assert!(validate(&timed_batch(&[(0, "x")]), &append_time, NOW).is_ok());
    for (at, now) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MAX, -1)] {
        assert!(validate(&timed_batch(&[(at, "x")]), &rules, WallMillis(now)).is_err(), "nothing wraps");
    }
}

#[test]
fn a_timestamp_that_overflows_is_refused() {
    // A delta of one millisecond.
    let mut header = BatchHeader::parse(&batch(&["x"])).expect("header");
    (header.base_timestamp, header.max_timestamp) = (i64::MAX, i64::MAX);
    let batch = seal(header, &record(&[0, 2, 0, 1, 1, 0]));
    let everything = Rules { timestamp_after_max_ms: i64::MAX, ..rules() };
    assert_eq!(code(validate(&batch, &everything, NOW)), ErrorCode::InvalidRecord);
}

#[test]
fn clients_do_not_know_the_time_of_the_append() {
    assert_eq!(edited(|header| header.attributes = 8), ErrorCode::InvalidTimestamp);
}

#[test]
fn a_maximum_timestamp_that_lies_is_corrected() {
    for lie in [0, NOW.0 - 1, NOW.0 + 1, i64::MAX] {
        let valid = judge(&edit(&good(), |header| header.max_timestamp = lie)).expect("valid");
        assert_eq!(valid.header().to_bytes()[..], good()[..61], "as if it had not lied");
    }
}

#[test]
fn sizes() {
    let size = good().len();
    let with = |max_message_bytes| validate(&good(), &Rules { max_message_bytes, ..rules() }, NOW);
    assert!(with(size).is_ok());
    assert_eq!(with(size - 1).expect_err("refused"), BatchError::TooLarge { size, max: size - 1 });
}

#[test]
fn coordinators_may_write_control_batches() {
    let mut builder = BatchBuilder::new().producer(9, 1, -1).transactional().control();
    let (key, value) = ([0, 0, 0, 1], [0, 0, 0, 0, 0, 5]);
    builder.push(NewRecord { timestamp: NOW.0, key: Some(&key), value: Some(&value), headers: &[] });
    let control = builder.build();
    assert_eq!(code(judge(&control)), ErrorCode::InvalidRecord);
    let rules = LogConfig::default().rules(Origin::Coordinator);
    assert!(validate(&control, &rules, NOW).is_ok());
}
