//! What decoding takes, counted by the allocator.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // A test.

use bytes::Bytes;
use ottla_wire::fuzz::{Fill, decode_request, request_arrays, sample_request};
use ottla_wire::{
    DECODED_BYTES_FREE, DECODED_BYTES_PER_BYTE, FrameReader, Reason, api_keys, check_request, fetch,
    list_offsets, offset_commit, offset_fetch, private_keys, produce, versions, write_txn_markers,
};

/// The most memory that `work` holds at a time, in bytes.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let mut value = None;
    let counted = allocation_counter::measure(|| value = Some(work()));
    (value.expect("measured"), usize::try_from(counted.bytes_max).expect("fits"))
}

#[test]
fn an_idle_connection_gives_the_memory_of_a_large_frame_back() {
    const CONTENT_BYTES: usize = 1 << 20;
    let mut stream = (CONTENT_BYTES as i32).to_be_bytes().to_vec();
    stream.resize(4 + CONTENT_BYTES, 7);
    let mut reader = FrameReader::new(CONTENT_BYTES);
    let held = allocation_counter::measure(|| {
        reader.buffer_mut().extend_from_slice(&stream);
        let frame = reader.next().expect("valid").expect("whole");
        assert_eq!(frame.len(), CONTENT_BYTES);
    });
    assert!(held.bytes_max > CONTENT_BYTES as u64);
    assert!(held.bytes_current < 1024, "{} bytes are held", held.bytes_current);
}

fn every_version() -> impl Iterator<Item = (i16, i16)> {
    api_keys()
        .chain(private_keys())
        .flat_map(|key| versions(key).expect("listed").map(move |version| (key, version)))
}

/// Decodes a request with `kafka-protocol`, when it can, and returns the most memory that this took.
fn peak_of_decoding(key: i16, version: i16, body: &[u8]) -> usize {
    let body = Bytes::copy_from_slice(body);
    let (_, peak) = peak_of(|| decode_request(key, version, body));
    peak
}

#[test]
fn the_cost_bounds_what_decoding_takes() {
    let (mut bodies, mut costs, mut peaks) = (0, 0, 0);
    for (key, version) in every_version() {
        for path in request_arrays(key, version) {
            for (text, unknown_tags) in [("", 0), ("ab", 0), ("", 1), ("", 12)] {
                // Sorted insertion leaves the tree of unknown tagged fields half empty, which is the worst case.
                let many = Some((&path[..], 200));
                let fill = Fill { elements: 1, many, text, unknown_tags, ..Fill::default() };
                let body = sample_request(key, version, &fill).expect("a request").bytes;
                let Ok(decoded) = check_request(key, version, &body) else { continue };
                let peak = peak_of_decoding(key, version, &body);
                let place = format!("{key} v{version} {path:?} {text:?} {unknown_tags}");
                assert!(peak <= decoded.cost_bytes, "{place}: {peak} > {}", decoded.cost_bytes);
                if peak > 0 {
                    bodies += 1;
                    costs += decoded.cost_bytes;
                    peaks += peak;
                }
            }
        }
    }
    // The cost is an estimate, not a guess.
    assert!(bodies > 1000 && costs < peaks * 3 / 2, "{bodies} bodies: {costs} for {peaks}");
}

#[test]
fn stock_requests_of_any_size_pass() {
    for (key, version) in every_version() {
        for path in request_arrays(key, version) {
            let body = |text, count| {
                let fill = Fill { elements: 1, many: Some((&path, count)), text, ..Fill::default() };
                sample_request(key, version, &fill).expect("a request").bytes
            };
            // One thousand elements pass whatever they are named; with longer names, any number.
            assert!(check_request(key, version, &body("1", 1_000)).is_ok(), "{key} v{version} {path:?}");
            let body = body("five5", 1_000);
            let decoded = check_request(key, version, &body).expect("one thousand");
            let top = 1024;
            assert!(
                decoded.cost_bytes <= top + DECODED_BYTES_PER_BYTE * body.len(),
                "{key} v{version} {path:?}"
            );
        }
    }
}

#[test]
fn requests_that_would_take_too_much_are_refused() {
    // Empty topic names: two bytes on the wire, 72 in memory.
    let many = Some((&["Topics"][..], 10_000));
    let body = sample_request(3, 0, &Fill { many, ..Fill::default() }).expect("Metadata").bytes;
    let malformed = check_request(3, 0, &body).expect_err("too costly");
    assert_eq!(malformed.reason(), Reason::Memory);
    assert_eq!(malformed.to_string(), "would take too much memory at byte 4 in Topics");
    // Unknown tagged fields: three bytes on the wire, a map in memory.
    let fill = Fill { many, text: "five5", unknown_tags: 1, ..Fill::default() };
    let body = sample_request(3, 9, &fill).expect("Metadata").bytes;
    assert_eq!(check_request(3, 9, &body).expect_err("too costly").reason(), Reason::Memory);
}

#[test]
fn lengths_that_lie_take_no_memory() {
    let lies = [-2, -1, 0, 1, 100, 0x7fff, 0x1_0000, 0x7fff_fffe, 0x7fff_ffff, 0xffff_fffe];
    let full = Fill { elements: 2, text: "text", byte: 1, nulls: false, known_tags: true, ..Fill::default() };
    let (mut passed, mut refused) = (0, 0);
    for (key, version) in every_version() {
        let sample = sample_request(key, version, &full).expect("a request");
        for length in &sample.lengths {
            for lie in lies {
                let body = sample.with_length(length, lie);
                let (outcome, peak) = peak_of(|| check_request(key, version, &body).is_ok());
                assert_eq!(peak, 0, "the walk itself takes nothing");
                if outcome {
                    let peak = peak_of_decoding(key, version, &body);
                    let limit = DECODED_BYTES_FREE + DECODED_BYTES_PER_BYTE * body.len();
                    assert!(peak <= limit, "{key} v{version} {length:?} {lie}: {peak}");
                    passed += 1;
                } else {
                    refused += 1;
                }
                // The decoders of this crate hold their own, checked or not.
                let body = Bytes::from(body);
                let (_, peak) = peak_of(|| decode_own(key, version, &body));
                assert!(peak <= 40 * body.len(), "{key} v{version} {length:?} {lie}: {peak}");
            }
        }
    }
    assert!(passed > 500 && refused > 20_000, "{passed} {refused}");
}

fn decode_own(key: i16, version: i16, body: &Bytes) -> bool {
    match key {
        produce::KEY => produce::decode_request(version, body).is_ok(),
        fetch::KEY => fetch::decode_request(version, body).is_ok(),
        list_offsets::KEY => list_offsets::decode_request(version, body).is_ok(),
        offset_commit::KEY => offset_commit::decode_request(version, body).is_ok(),
        offset_fetch::KEY => offset_fetch::decode_request(version, body).is_ok(),
        write_txn_markers::KEY => write_txn_markers::decode_request(version, body).is_ok(),
        _ => false,
    }
}
