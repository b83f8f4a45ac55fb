//! Fetch (API 1), versions 4 to 18.

mod request;
mod response;

pub use request::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic, decode_request};
pub use response::{
    AbortedTransaction, EpochEndOffset, FetchPartitionResponse, FetchResponse, FetchTopicResponse,
    encode_response, encode_response_frame,
};

/// The API key of Fetch.
pub const KEY: i16 = 1;
/// Oldest version.
pub const VERSION_MIN: i16 = 4;
/// Newest version.
pub const VERSION_MAX: i16 = 18;

const FLEXIBLE_FROM: i16 = 12;
const TOPIC_ID_FROM: i16 = 13;
