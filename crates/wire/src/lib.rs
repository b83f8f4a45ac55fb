//! The Kafka wire protocol as Ottla speaks it: frames, headers, a check of every request against Kafka's own
//! schemas, the messages that `kafka-protocol` lacks or that are hot, and a small blocking client.
//!
//! A request goes through four steps: [`FrameReader::next`] cuts it from the stream, [`parse_header`] reads who
//! asks for what, [`check_request`] walks the whole body by the schema, and only then [`decode`] (or a module of
//! [`message`]) builds values from it.
//!
//! **Invariant**: this crate opens no log and knows no group. Nothing but [`client`] touches a socket.
//!
//! **Invariant**: whatever arrives, memory stays under [`DECODED_BYTES_FREE`] plus
//! [`DECODED_BYTES_PER_BYTE`] times the bytes that arrived.

mod decode;
mod encode;
mod frame;
mod header;
mod malformed;
mod reader;
mod rope;
mod schema;
mod throttle;
mod writer;

pub mod client;
pub mod fuzz;
pub mod message;

pub use decode::decode;
pub use encode::{Unencodable, encode_response_frame, response_frame, unsupported_api_versions};
pub use frame::{FrameError, FrameReader};
pub use header::{HeaderError, RequestHeader, parse_header, response_header_version};
pub use malformed::{Malformed, Reason};
pub use message::{
    describe_log_dirs, fetch, list_offsets, offset_commit, offset_fetch, private, produce, write_txn_markers,
};
pub use rope::Rope;
pub use schema::{
    DECODED_BYTES_FREE, DECODED_BYTES_PER_BYTE, Decoded, PRIVATE_KEY_MIN, api_keys, api_name, check_request,
    check_response, flexible_from, private_keys, response_errors, versions,
};

pub use throttle::set_throttle_time;

pub use kafka_protocol::protocol::StrBytes;

/// Key of the ApiVersions API, which is the only one that is answered at versions that do not exist.
pub const API_VERSIONS: i16 = 18;
