//! The table of schemas against `kafka-protocol`, which was generated from the same schemas by other people.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)] // A test.

use bytes::Bytes;
use ottla_wire::fuzz::{
    Fill, Sample, SplitMix64, fuzz_request, mutate, request_arrays, round_trip_request, round_trip_response,
    sample_request, sample_response,
};
use ottla_wire::{
    Reason, api_keys, api_name, check_request, check_response, flexible_from, private_keys, versions,
};

/// Bodies that between them have every field, with and without content.
fn fills() -> [Fill<'static>; 4] {
    let full = Fill {
        elements: 2,
        text: "text",
        byte: 1,
        nulls: false,
        known_tags: true,
        unknown_tags: 0,
        ..Fill::default()
    };
    [
        Fill::default(),
        Fill { nulls: false, ..Fill::default() },
        full.clone(),
        Fill { elements: 1, unknown_tags: 7, ..full },
    ]
}

fn every_version() -> impl Iterator<Item = (i16, i16)> {
    api_keys()
        .chain(private_keys())
        .flat_map(|key| versions(key).expect("listed").map(move |version| (key, version)))
}

fn frame(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(api_key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0xff, 0xff]);
    if version >= flexible_from(api_key).expect("listed") {
        frame.push(0);
    }
    frame.extend(body);
    frame
}

#[test]
fn the_table_is_that_of_kafka_4_3_1() {
    assert_eq!(api_keys().count(), 77);
    assert_eq!(api_keys().last(), Some(92));
    for (key, name, range) in [
        (0, "Produce", 3..=13),
        (1, "Fetch", 4..=18),
        (2, "ListOffsets", 1..=11),
        (8, "OffsetCommit", 2..=10),
        (9, "OffsetFetch", 1..=10),
        (18, "ApiVersions", 0..=4),
        (92, "DeleteShareGroupOffsets", 0..=0),
    ] {
        assert_eq!(api_name(key), Some(name));
        assert_eq!(versions(key), Some(range));
    }
    // Deep enough for every path in an error: nothing nests without end.
    let depth =
        every_version().flat_map(|(key, version)| request_arrays(key, version)).map(|path| path.len());
    assert_eq!(depth.max(), Some(4));
    for (key, version) in [(4, 0), (93, 0), (-1, 0), (0, 2), (0, 14), (0, -1), (i16::MAX, i16::MAX)] {
        let malformed = check_request(key, version, &[]).expect_err("no schema");
        assert_eq!(malformed.reason(), Reason::NoSchema, "{key} v{version}");
    }
}

#[test]
fn valid_bodies_pass_and_kafka_protocol_reads_every_byte_of_them() {
    let (mut requests, mut responses) = (0, 0);
    for (key, version) in every_version() {
        for fill in fills() {
            let Sample { bytes, .. } = sample_request(key, version, &fill).expect("a request");
            let outcome = check_request(key, version, &bytes);
            assert!(outcome.is_ok(), "request {key} v{version}: {outcome:?} {bytes:02x?}");
            if let Some(again) = round_trip_request(key, version, Bytes::from(bytes.clone())) {
                assert_eq!(again.as_deref(), Ok(&bytes[..]), "request {key} v{version}");
                requests += 1;
            }
            let Sample { bytes, .. } = sample_response(key, version, &fill).expect("a response");
            let outcome = check_response(key, version, &bytes);
            assert!(outcome.is_ok(), "response {key} v{version}: {outcome:?} {bytes:02x?}");
            if let Some(again) = round_trip_response(key, version, Bytes::from(bytes.clone())) {
                assert_eq!(again.as_deref(), Ok(&bytes[..]), "response {key} v{version}");
                responses += 1;
            }
        }
    }
    // What kafka-protocol lacks is known; should it lack more one day, this test would be empty talk.
    assert!(requests > 900 && responses > 900, "{requests} {responses}");
}

#[test]
fn errors_tell_what_is_wrong_and_where() {
    for (key, version, body, reason, text) in [
        (
            3,
            0,
            &[0, 0, 0, 1, 0, 5, b'a'][..],
            Reason::Truncated,
            "ends inside a field at byte 6 in Topics.Name",
        ),
        (
            3,
            0,
            &[0x7f, 0xff, 0xff, 0xff],
            Reason::Elements,
            "more elements announced than bytes left at byte 4 in Topics",
        ),
        (3, 0, &[0xff, 0xff, 0xff, 0xff], Reason::Null, "null is not allowed at byte 4 in Topics"),
        (3, 1, &[0xff, 0xff, 0xff, 0xfe], Reason::Length, "impossible length at byte 4 in Topics"),
        (3, 0, &[0, 0, 0, 1, 0, 1, 0xff], Reason::NotUtf8, "string is not UTF-8 at byte 7 in Topics.Name"),
        (3, 0, &[0, 0, 0, 0, 9], Reason::Trailing, "bytes left behind the last field at byte 4"),
        (3, 9, &[0, 0, 0, 0, 0, 9], Reason::Trailing, "bytes left behind the last field at byte 5"),
        (3, 9, &[0, 0, 0, 0, 1, 5, 2, 9], Reason::Truncated, "ends inside a field at byte 7"),
        (3, 9, &[0xff, 0xff, 0xff, 0xff, 0x1f], Reason::Varint, "varint too long at byte 5 in Topics"),
        (
            75,
            0,
            &[1, 0, 0, 0, 1, 7],
            Reason::StructMarker,
            "bad marker of a nullable struct at byte 6 in Cursor",
        ),
        (60, 0, &[0, 1, 5], Reason::Truncated, "ends inside a field at byte 3"),
    ] {
        let malformed = check_request(key, version, body).expect_err(text);
        assert_eq!((malformed.reason(), malformed.to_string().as_str()), (reason, text));
    }
    // Kafka neither writes nor reads strings of more than 32,767 bytes, in either encoding.
    let long = [&[2, 0x81, 0x80, 2][..], &[b'a'; 0x8000], &[0, 0]].concat();
    let malformed = check_request(75, 0, &long).expect_err("too long");
    assert_eq!(malformed.to_string(), "string too long at byte 4 in Topics.Name");
    // The replica state is tagged field 1 of Fetch, of 13 bytes, and comes with version 15.
    let with_tag = |version, tag: &[u8]| {
        let mut body = sample_request(1, version, &Fill::default()).expect("Fetch").bytes;
        assert_eq!(body.pop(), Some(0));
        body.extend(tag);
        check_request(1, version, &body).map_err(|malformed| malformed.to_string())
    };
    let state = [1, 1, 13, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 9, 0];
    let mut longer = state;
    longer[2] = 14;
    assert!(with_tag(15, &state).is_ok());
    assert_eq!(with_tag(14, &state).unwrap_err(), "tagged field of another version at byte 31");
    let text = "length of a tagged field does not fit its content at byte 40";
    assert_eq!(with_tag(15, &[&longer[..], &[0]].concat()).unwrap_err(), text);
}

#[test]
fn every_cut_of_a_valid_body_is_refused() {
    for (key, version) in every_version() {
        for fill in fills() {
            let Sample { bytes, .. } = sample_request(key, version, &fill).expect("a request");
            for end in 0..bytes.len() {
                assert!(check_request(key, version, &bytes[..end]).is_err(), "{key} v{version} cut at {end}");
            }
            let mut longer = bytes;
            longer.push(0);
            let malformed = check_request(key, version, &longer).expect_err("a byte too many");
            assert_eq!(malformed.reason(), Reason::Trailing, "{key} v{version}");
        }
    }
}

#[test]
fn lengths_that_lie_are_refused_or_harmless() {
    let lies =
        [i64::from(i32::MIN), -3, -2, -1, 0, 1, 3, 5, 127, 128, 0x7fff, 0x8000, 0x7fff_ffff, 0xffff_fffe];
    let mut refused = 0;
    for (key, version) in every_version() {
        for fill in fills() {
            let sample = sample_request(key, version, &fill).expect("a request");
            for length in &sample.lengths {
                for lie in lies {
                    let body = sample.with_length(length, lie);
                    refused += usize::from(check_request(key, version, &body).is_err());
                    // Decodes whatever has passed.
                    fuzz_request(&frame(key, version, &body));
                }
            }
        }
    }
    assert!(refused > 100_000, "{refused}");
}

#[test]
fn mutated_bodies_decode_when_they_pass() {
    const SEED: u64 = 0x0771a;
    let mut random = SplitMix64(SEED);
    let mut passed = 0;
    println!("seed {SEED:#x}");
    for (key, version) in every_version() {
        for fill in fills() {
            let valid = sample_request(key, version, &fill).expect("a request").bytes;
            for _ in 0..200 {
                let mut body = valid.clone();
                mutate(&mut random, &mut body);
                passed += usize::from(check_request(key, version, &body).is_ok());
                fuzz_request(&frame(key, version, &body));
            }
        }
    }
    assert!(passed > 1000, "{passed}");
}
