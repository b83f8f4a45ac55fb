//! Schemas of the private APIs, which only `ottla` commands use. Written by hand, in the form of the generated ones.

use super::text::{Message, message};

/// What every private API answers. The document is JSON; on the wire it is a compact nullable string, but one that may be
/// longer than 32,767 bytes.
const ANSWER: &str = "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Document:bytes?";

const fn request(key: i16, name: &'static str, fields: &'static str) -> Message {
    message(key, name, 0..=0, 0, fields)
}

const fn answer(key: i16, name: &'static str) -> Message {
    message(key, name, 0..=0, 0, ANSWER)
}

pub(super) const PRIVATE_REQUESTS: [Message; 1] = [request(0x5000, "InspectCompaction", "Topics:[string]?")];

pub(super) const PRIVATE_RESPONSES: [Message; 1] = [answer(0x5000, "InspectCompaction")];
