//! Frames and headers.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)] // A test.

use bytes::Bytes;
use kafka_protocol::messages::RequestHeader as TheirHeader;
use kafka_protocol::protocol::Decodable;
use ottla_wire::fuzz::{SplitMix64, fuzz_frame, mutate};
use ottla_wire::{
    FrameError, FrameReader, HeaderError, Reason, StrBytes, api_keys, flexible_from, parse_header,
    response_header_version,
};

fn frame(content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as i32).to_be_bytes().to_vec();
    bytes.extend(content);
    bytes
}

/// Feeds `stream` as a socket would: as much as the buffer has room for, at most `read_bytes` at a time.
/// Returns the frames and the largest capacity that the buffer ever had.
fn read_all(reader: &mut FrameReader, mut stream: &[u8], read_bytes: usize) -> (Vec<Bytes>, usize) {
    let (mut frames, mut capacity) = (Vec::new(), 0);
    while !stream.is_empty() {
        let buffer = reader.buffer_mut();
        capacity = capacity.max(buffer.capacity());
        let room = buffer.capacity() - buffer.len();
        assert!(room > 0, "a read into no room would look like the end of the stream");
        let (piece, rest) = stream.split_at(room.min(read_bytes).min(stream.len()));
        buffer.extend_from_slice(piece);
        stream = rest;
        while let Some(frame) = reader.next().expect("valid") {
            frames.push(frame);
        }
    }
    (frames, capacity)
}

#[test]
fn frames_come_out_as_they_went_in() {
    let contents: Vec<Vec<u8>> = [0, 1, 5, 8191, 8192, 100, 70_000, 3, 1 << 20, 1 << 20, 0]
        .map(|length| vec![length as u8; length])
        .into();
    let stream: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
    for read_bytes in [1, 3, 1000, 16_384, usize::MAX] {
        let mut reader = FrameReader::new(1 << 20);
        let (frames, _) = read_all(&mut reader, &stream, read_bytes);
        assert_eq!(frames, contents);
        assert!(reader.is_empty());
    }
}

#[test]
fn lengths_out_of_bounds_are_refused_at_once() {
    for (length, error) in [
        (-1, FrameError::Negative(-1)),
        (i32::MIN, FrameError::Negative(i32::MIN)),
        (1001, FrameError::TooLarge { frame_bytes: 1001, frame_bytes_max: 1000 }),
        (i32::MAX, FrameError::TooLarge { frame_bytes: 0x7fff_ffff, frame_bytes_max: 1000 }),
    ] {
        let mut reader = FrameReader::new(1000);
        reader.buffer_mut().extend_from_slice(&length.to_be_bytes());
        assert_eq!(reader.next(), Err(error));
        assert!(reader.buffer_mut().capacity() < 16 * 1024);
        assert_eq!(reader.next(), Err(error), "and stays refused");
    }
    let mut reader = FrameReader::new(1000);
    reader.buffer_mut().extend_from_slice(&frame(&[0; 1000]));
    assert_eq!(reader.next().map(|frame| frame.map(|frame| frame.len())), Ok(Some(1000)));
    assert_eq!(reader.next(), Ok(None));
}

#[test]
fn an_announced_length_takes_no_memory_before_its_bytes_arrive() {
    let mut reader = FrameReader::new(100 << 20);
    let announced = frame(&vec![0; 100 << 20]);
    reader.buffer_mut().extend_from_slice(&announced[..4]);
    assert_eq!(reader.next(), Ok(None));
    assert!(reader.buffer_mut().capacity() <= 128 * 1024);
    // Afterwards at most three times of what arrived is held: the buffer doubles.
    let mut arrived = 4;
    while arrived < 8 << 20 {
        let buffer = reader.buffer_mut();
        assert!(buffer.capacity() <= 128 * 1024 + 3 * arrived, "{} for {arrived}", buffer.capacity());
        let room = buffer.capacity() - buffer.len();
        buffer.extend_from_slice(&announced[arrived..arrived + room]);
        arrived += room;
        assert_eq!(reader.next(), Ok(None));
    }
}

#[test]
fn a_stream_of_large_frames_is_read_without_moving_bytes() {
    let large = frame(&vec![7; 1 << 20]);
    let mut reader = FrameReader::new(100 << 20);
    let _ = read_all(&mut reader, &large, usize::MAX);
    for _ in 0..10 {
        // The second read has the whole frame in sight and stays where it is.
        let buffer = reader.buffer_mut();
        let room = buffer.capacity() - buffer.len();
        buffer.extend_from_slice(&large[..room]);
        assert_eq!(reader.next(), Ok(None));
        let buffer = reader.buffer_mut();
        assert!(buffer.capacity() >= large.len());
        let start = buffer.as_ptr();
        buffer.extend_from_slice(&large[room..]);
        let frame = reader.next().expect("valid").expect("whole");
        assert_eq!(frame.as_ptr(), start.wrapping_add(4), "the frame is where it was read");
        drop(frame);
        assert!(reader.buffer_mut().capacity() <= 128 * 1024, "an idle connection holds no large buffer");
    }
}

#[test]
fn mutated_streams() {
    const SEED: u64 = 0x0771a;
    println!("seed {SEED:#x}");
    let mut random = SplitMix64(SEED);
    for _ in 0..20_000 {
        let mut data = vec![random.next_u64() as u8];
        for _ in 0..random.below(6) {
            data.extend(frame(&vec![1; random.below(5000)]));
        }
        mutate(&mut random, &mut data);
        fuzz_frame(&data);
    }
}

fn header_bytes(api_key: i16, version: i16, client_id: Option<&str>) -> Vec<u8> {
    let mut bytes = [api_key.to_be_bytes(), version.to_be_bytes()].concat();
    bytes.extend([0, 0, 0x12, 0x34]);
    match client_id {
        Some(text) => {
            bytes.extend((text.len() as i16).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        None => bytes.extend([0xff, 0xff]),
    }
    bytes
}

#[test]
fn headers_of_every_api() {
    for key in api_keys() {
        for version in 0..=20 {
            for client_id in [None, Some(""), Some("client")] {
                let mut bytes = header_bytes(key, version, client_id);
                if version >= flexible_from(key).expect("listed") {
                    // One unknown tagged field: tag 5, two bytes.
                    bytes.extend([1, 5, 2, 0xaa, 0xbb]);
                }
                bytes.extend(b"body");
                let mut frame = Bytes::from(bytes);
                let header = parse_header(&mut frame).expect("valid");
                assert_eq!((header.api_key, header.version, header.correlation_id), (key, version, 0x1234));
                assert_eq!(header.client_id.as_ref().map(StrBytes::as_str), client_id);
                assert_eq!(frame, b"body"[..]);
            }
        }
    }
}

#[test]
fn headers_that_cannot_be_read() {
    let reason = |bytes: &[u8]| match parse_header(&mut Bytes::copy_from_slice(bytes)) {
        Err(HeaderError::Malformed(malformed)) => malformed.reason(),
        other => panic!("{other:?}"),
    };
    let whole = header_bytes(9, 10, Some("client"));
    for end in 0..whole.len() {
        assert_eq!(reason(&whole[..end]), Reason::Truncated, "cut at {end}");
    }
    assert_eq!(reason(&whole), Reason::Truncated, "the tagged fields are missing");
    let mut negative = header_bytes(3, 0, None);
    negative[8..].copy_from_slice(&(-2i16).to_be_bytes());
    assert_eq!(reason(&negative), Reason::Length);
    let mut latin = header_bytes(3, 0, Some("x"));
    latin[10] = 0xe9;
    assert_eq!(reason(&latin), Reason::NotUtf8);
    let mut tags = header_bytes(3, 9, None);
    tags.extend([0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 1, 1]);
    assert_eq!(reason(&tags), Reason::Truncated);
    for key in [-1, 4, 93, i16::MAX] {
        let error = HeaderError::UnknownApi { api_key: key, version: 3, correlation_id: 0x1234 };
        assert_eq!(parse_header(&mut Bytes::from(header_bytes(key, 3, None))), Err(error));
    }
}

#[test]
fn mutated_headers_are_read_as_kafka_protocol_reads_them() {
    const SEED: u64 = 0x0771a;
    println!("seed {SEED:#x}");
    let mut random = SplitMix64(SEED);
    let mut read = 0;
    for _ in 0..100_000 {
        let mut bytes =
            header_bytes([0, 3, 18, 47][random.below(4)], random.below(14) as i16, Some("client"));
        bytes.extend([1, 5, 2, 0xaa, 0xbb, 1, 2, 3]);
        mutate(&mut random, &mut bytes);
        let mut ours = Bytes::from(bytes);
        let mut theirs = ours.clone();
        let Ok(header) = parse_header(&mut ours) else { continue };
        let flexible = flexible_from(header.api_key).is_some_and(|from| header.version >= from);
        let Ok(same) = TheirHeader::decode(&mut theirs, if flexible { 2 } else { 1 }) else {
            assert_eq!(header.api_key, 18, "{header:?}");
            continue;
        };
        assert_eq!(
            (header.api_key, header.version, header.correlation_id, header.client_id),
            (same.request_api_key, same.request_api_version, same.correlation_id, same.client_id)
        );
        assert_eq!(ours, theirs);
        read += 1;
    }
    assert!(read > 10_000, "{read}");
}

#[test]
fn api_versions_of_the_future_is_understood() {
    for version in [-1, 5, 9, i16::MAX, i16::MIN] {
        // A header of a form that does not exist yet.
        for rest in [&[][..], &[0x80, 0, 1, 2, 3], &[0, 0xff, 0xff]] {
            let mut bytes = header_bytes(18, version, None);
            bytes.truncate(8);
            bytes.extend(rest);
            let header = parse_header(&mut Bytes::from(bytes)).expect("understood");
            assert_eq!((header.version, header.correlation_id), (version, 0x1234));
        }
    }
    // At a version that exists the same is an error.
    assert!(parse_header(&mut Bytes::from(header_bytes(18, 4, None)[..8].to_vec())).is_err());
}

#[test]
fn response_headers() {
    for (key, version, header) in
        [(0, 8, 0), (0, 9, 1), (18, 0, 0), (18, 3, 0), (18, 4, 0), (17, 1, 0), (47, 0, 0)]
    {
        assert_eq!(response_header_version(key, version), header, "{key} v{version}");
    }
    for key in api_keys().filter(|&key| key != 18) {
        let flexible = flexible_from(key).expect("listed");
        if flexible < 100 {
            assert_eq!(response_header_version(key, flexible), 1);
            assert_eq!(response_header_version(key, flexible - 1), 0);
        }
    }
}
