//! Fuzz targets as plain functions, and what feeds them.
//!
//! The tests run them over the committed corpus and a bounded number of mutations; `fuzz/` at the top of the
//! repository runs them for longer under cargo-fuzz. A target panics when it finds something.

mod decode;
mod mutation;
mod sample;

use bytes::Bytes;

pub use decode::{decode_request, round_trip_request, round_trip_response};
pub use mutation::{SplitMix64, mutate};
pub use sample::{Fill, Length, LengthForm, Sample, request_arrays, sample_request, sample_response};

use crate::{FrameReader, Reason, check_request, parse_header};

/// The largest frame that [`fuzz_frame`] lets through; small, so that a fuzzer finds both sides of it.
const FUZZ_FRAME_BYTES_MAX: usize = 4096;

/// Feeds `data` to a [`FrameReader`] in pieces of a size that the first byte chooses, and compares the frames
/// with those that the rest of `data` holds.
pub fn fuzz_frame(data: &[u8]) {
    let Some((&size, stream)) = data.split_first() else { return };
    let mut reader = FrameReader::new(FUZZ_FRAME_BYTES_MAX);
    let mut frames = Vec::new();
    'stream: for piece in stream.chunks(usize::from(size) + 1) {
        reader.buffer_mut().extend_from_slice(piece);
        loop {
            match reader.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => break 'stream,
            }
        }
    }
    let mut rest = stream;
    for frame in frames {
        let Some((prefix, behind)) = rest.split_first_chunk::<4>() else {
            assert_eq!(frame, [].as_slice(), "a frame that never arrived");
            return;
        };
        assert_eq!(i32::from_be_bytes(*prefix), i32::try_from(frame.len()).unwrap_or(-1));
        assert!(frame.len() <= FUZZ_FRAME_BYTES_MAX, "a frame over the limit");
        assert!(behind.starts_with(&frame), "a frame that differs from what arrived");
        rest = behind.get(frame.len()..).unwrap_or_default();
    }
}

/// Takes `data` for a frame and does what the broker does with one: header, check, decode.
///
/// What passes the check must decode, with `kafka-protocol` and with the modules of this crate.
pub fn fuzz_request(data: &[u8]) {
    let mut body = Bytes::copy_from_slice(data);
    let Ok(header) = parse_header(&mut body) else { return };
    let (api_key, version) = (header.api_key, header.version);
    let checked = check_request(api_key, version, &body);
    let own = decode::decode_own(api_key, version, &body);
    match checked {
        Ok(_) => {
            if let Some(own) = own {
                assert_eq!(own, Ok(()), "{api_key} v{version} passed the check");
            }
            if let Some(decoded) = decode_request(api_key, version, body) {
                assert_eq!(decoded, Ok(()), "{api_key} v{version} passed the check");
            }
        }
        Err(malformed) => {
            // Whatever else is wrong, the text of the error is made in the log.
            let _ = malformed.to_string();
            if let Some(Ok(())) = own {
                // Only the limit on memory is stricter than the decoders of this crate.
                assert_eq!(malformed.reason(), Reason::Memory, "{api_key} v{version}: {malformed}");
            }
        }
    }
}
