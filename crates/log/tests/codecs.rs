//! Batches of all four codecs come back as they went in, and bombs do not go off.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod support;

use bytes::Bytes;
use ottla_log::{
    BatchBuilder, BatchHeader, Compression, LogConfig, NewRecord, Origin, Record, records, validate,
};
use support::*;

fn read(batch: &Bytes) -> Vec<Record> {
    records(batch).expect("records").map(|record| record.expect("record")).collect()
}

#[test]
fn keys_values_headers_and_times_come_back() {
    let mut random = Seeded(5);
    for round in 0..40 {
        let mut builder = BatchBuilder::new();
        for _ in 0..random.between(1, 60) {
            let bits = random.between(1, 14);
            let size = random.below(1 << bits) as usize;
            let (key, value) = (random.bytes(size % 50), random.bytes(size));
            let headers = [(&b"h"[..], Some(&b"v"[..])), (b"h", None), (b"", Some(b""))];
            builder.push(NewRecord {
                timestamp: NOW.0 + random.below(1000) as i64 - 500,
                key: (random.below(3) > 0).then_some(&key),
                value: (random.below(3) > 0).then_some(&value),
                headers: &headers[..random.below(4) as usize],
            });
        }
        let plain = builder.build();
        let expected = read(&plain);
        assert_eq!(expected.len(), builder.record_count() as usize);
        for (codec, framing) in CODECS {
            let compressed = compress(&plain, codec, framing);
            let rules =
                LogConfig { max_message_bytes: usize::MAX, ..LogConfig::default() }.rules(Origin::Client);
            let valid = validate(&compressed, &rules, NOW).expect("valid");
            assert_eq!(valid.header().to_bytes()[..], compressed[..HEADER_BYTES], "{codec:?} {framing:?}");
            assert_eq!(read(&compressed), expected, "{codec:?} {framing:?}, round {round}");
        }
    }
}

#[test]
fn compressed_batches_that_are_cut_or_garbled_are_refused() {
    let values: Vec<String> = (0..50).map(|number| format!("some text, {number}")).collect();
    let plain = batch(&values.iter().map(String::as_str).collect::<Vec<_>>());
    let rules = LogConfig::default().rules(Origin::Client);
    for (codec, framing) in CODECS.into_iter().skip(1) {
        let whole = compress(&plain, codec, framing);
        let header = BatchHeader::parse(&whole).expect("header");
        let body = &whole[HEADER_BYTES..];
        // The last bytes of gzip and LZ4 are checksums, those of Zstandard may be an empty block.
        for length in 0..body.len().saturating_sub(12) {
            let cut = seal(header, &body[..length]);
            assert!(validate(&cut, &rules, NOW).is_err(), "{codec:?} {framing:?} cut at {length}");
        }
    }
}

#[test]
fn an_lz4_frame_may_have_many_blocks() {
    let value = "z".repeat(1_000_000);
    let plain = batch(&[&value, &value]);
    let compressed = compress(&plain, Compression::Lz4, Framing::Default);
    assert_eq!(read(&compressed), read(&plain));
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    // Gigabytes of zeros are records of length 0, which is no record: the walk ends at the first one.
    let zeros = vec![0; 8 * 1024 * 1024];
    for (codec, framing) in CODECS.into_iter().skip(1) {
        let mut header = BatchHeader::parse(&batch(&["x"])).expect("header");
        header.attributes = codec as i16;
        (header.record_count, header.last_offset_delta) = (i32::MAX, i32::MAX - 1);
        let bomb = seal(header, &compress_bytes(&zeros, codec, framing));
        let rules = LogConfig { max_message_bytes: usize::MAX, ..LogConfig::default() }.rules(Origin::Client);
        assert!(validate(&bomb, &rules, NOW).is_err(), "{codec:?} {framing:?}");
    }
}

#[test]
fn a_record_that_claims_gigabytes_costs_what_is_there() {
    // A length of 2^31-1, then a few bytes.
    let claim = [0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 1, 1];
    for (codec, framing) in CODECS {
        let mut header = BatchHeader::parse(&batch(&["x"])).expect("header");
        header.attributes = codec as i16;
        let liar = seal(header, &compress_bytes(&claim, codec, framing));
        assert!(validate(&liar, &LogConfig::default().rules(Origin::Client), NOW).is_err());
        assert!(records(&liar).expect("started").next().expect("one").is_err());
    }
}
