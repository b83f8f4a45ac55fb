//! Decodes the messages that have no code of their own.

use bytes::Bytes;
use kafka_protocol::protocol::Decodable;

use crate::{Malformed, Reason};

/// Decodes a body that [`crate::check_request`] has accepted with the types of `kafka-protocol`.
///
/// # Errors
/// [`Malformed`] when that crate refuses the body or leaves bytes behind.
pub fn decode<T: Decodable>(version: i16, body: &mut Bytes) -> Result<T, Malformed> {
    let length = body.len();
    let position = |body: &Bytes| length.saturating_sub(body.len());
    let value = T::decode(body, version).map_err(|_| Malformed::new(Reason::Decoder, position(body)))?;
    if body.is_empty() { Ok(value) } else { Err(Malformed::new(Reason::Trailing, position(body))) }
}
