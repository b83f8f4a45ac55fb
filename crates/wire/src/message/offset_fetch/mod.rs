//! OffsetFetch (API 9), versions 1 to 10.
//!
//! Versions up to 7 ask for one group; their fields are folded into the list of groups that version 8 brought.

mod request;
mod response;

pub use request::{Request, RequestGroup, RequestTopic, decode_request, encode_request};
pub use response::{
    Response, ResponseGroup, ResponsePartition, ResponseTopic, decode_response, encode_response,
};

/// The API key of OffsetFetch.
pub const KEY: i16 = 9;
/// Oldest version.
pub const VERSION_MIN: i16 = 1;
/// Newest version.
pub const VERSION_MAX: i16 = 10;

const FLEXIBLE_FROM: i16 = 6;
const GROUPS_FROM: i16 = 8;
const TOPIC_ID_FROM: i16 = 10;
