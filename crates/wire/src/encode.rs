//! Encodes response frames.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::protocol::Encodable;
use ottla_model::ErrorCode;

use crate::{API_VERSIONS, response_header_version};

/// A message that has no encoding at the version that was asked for. Always a bug of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unencodable {
    /// A string of more than 32,767 bytes, or an array, bytes or a frame of 2 GiB.
    TooLong,
    /// The message has no such version.
    Version,
    /// A field is set, or unset, that the version cannot express.
    Field,
    /// `kafka-protocol` refused the message.
    Encoder,
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a value is too long to be written",
            Self::Version => "the message has no such version",
            Self::Field => "a field cannot be expressed at this version",
            Self::Encoder => "the message cannot be encoded",
        })
    }
}

impl std::error::Error for Unencodable {}

/// A whole response in one buffer: 4 bytes of length, the response header, the body of a `kafka-protocol` type.
///
/// # Errors
/// [`Unencodable`] when the message does not exist, or cannot be expressed, at `version`.
pub fn encode_response_frame<T: Encodable>(
    api_key: i16,
    version: i16,
    correlation_id: i32,
    response: &T,
) -> Result<Bytes, Unencodable> {
    let body_bytes = response.compute_size(version).map_err(|_| Unencodable::Encoder)?;
    response_frame(api_key, version, correlation_id, body_bytes, |buffer| {
        response.encode(buffer, version).map_err(|_| Unencodable::Encoder)
    })
}

/// As [`encode_response_frame`], for a body that `write` appends. `body_bytes` is a guess that saves growing.
///
/// # Errors
/// What `write` returns, and [`Unencodable::TooLong`] for a frame of 2 GiB.
pub fn response_frame(
    api_key: i16,
    version: i16,
    correlation_id: i32,
    body_bytes: usize,
    write: impl FnOnce(&mut BytesMut) -> Result<(), Unencodable>,
) -> Result<Bytes, Unencodable> {
    let mut buffer = BytesMut::with_capacity(body_bytes.saturating_add(RESPONSE_PREFIX_BYTES_MAX));
    begin_frame(&mut buffer, api_key, version, correlation_id);
    write(&mut buffer)?;
    let length = buffer.len();
    set_frame_length(&mut buffer, length)?;
    Ok(buffer.freeze())
}

/// Length, correlation id and an empty list of tagged fields.
pub(crate) const RESPONSE_PREFIX_BYTES_MAX: usize = 4 + 4 + 1;

/// Appends room for the length, and the response header.
pub(crate) fn begin_frame(buffer: &mut BytesMut, api_key: i16, version: i16, correlation_id: i32) {
    buffer.put_i32(0);
    buffer.put_i32(correlation_id);
    if response_header_version(api_key, version) >= 1 {
        buffer.put_u8(0);
    }
}

/// Writes the length of a frame of `frame_bytes`, these four bytes included, over its first four bytes.
pub(crate) fn set_frame_length(buffer: &mut BytesMut, frame_bytes: usize) -> Result<(), Unencodable> {
    let length = frame_bytes.saturating_sub(4);
    let length = i32::try_from(length).map_err(|_| Unencodable::TooLong)?;
    if let Some(prefix) = buffer.first_chunk_mut() {
        *prefix = length.to_be_bytes();
    }
    Ok(())
}

/// The answer to an ApiVersions request of a version that the broker does not know: version 0 of the response,
/// which every client can read, with UNSUPPORTED_VERSION and the versions of ApiVersions (not of all APIs) that
/// the client may use instead (KIP-511, `ApiVersionsRequest.getErrorResponse`).
///
/// # Errors
/// None in practice: the frame always has the same size.
pub fn unsupported_api_versions(correlation_id: i32, min: i16, max: i16) -> Result<Bytes, Unencodable> {
    let entry = ApiVersion::default().with_api_key(API_VERSIONS).with_min_version(min).with_max_version(max);
    let response = ApiVersionsResponse::default()
        .with_error_code(ErrorCode::UnsupportedVersion.code())
        .with_api_keys(vec![entry]);
    encode_response_frame(API_VERSIONS, 0, correlation_id, &response)
}
