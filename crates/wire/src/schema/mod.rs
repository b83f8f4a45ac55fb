//! Checks bodies against the schemas of Kafka 4.3.1 before anything is built from them.
//!
//! `kafka-protocol` believes the wire: it reserves memory for as many elements as an array announces, so that
//! eight bytes of Metadata ask for gigabytes and end the process. Here every length is compared with the bytes
//! that are left, and what decoding would take is added up and held against what arrived.
//!
//! # How much memory a request may take
//!
//! [`DECODED_BYTES_FREE`] plus [`DECODED_BYTES_PER_BYTE`] times its bytes. A decoded struct is larger than its
//! encoding: a topic of a Metadata request is at least 2 bytes on the wire and 72 in memory. The factor is the
//! smallest with which every request of a stock client passes, however large:
//!
//! - Without any name, the worst element is a filter of a DeleteAcls request: 128 bytes for 8 (factor 16).
//! - With names of five letters, it is a group of an OffsetFetch request that asks for all topics: 120 bytes for
//!   8 (factor 15).
//! - Only elements with shorter names come out higher, up to a factor of 30 for one letter. The free part covers
//!   a thousand of them, which is more than there are different names.
//! - Tagged fields that are not known here cost most, since `kafka-protocol` gives a struct that has one a map:
//!   432 bytes. A newer client may send one in each of 150 small structs, or in every partition of a Fetch.
//!
//! `tests/memory.rs` asserts both for every array of every request.
//!
//! # Where Kafka and `kafka-protocol` read different things
//!
//! The check refuses what they disagree about, so that neither an error nor a wrong value comes of it:
//!
//! - A marker of a nullable struct: null below 0 for Kafka, null unless 1 for `kafka-protocol`.
//! - Null in a version that does not allow it yet: an error for Kafka, null for `kafka-protocol`.
//! - A tagged field of another version: skipped by Kafka, an error for `kafka-protocol`. Neither compares the
//!   length of a known tagged field with its content.
//! - A compact string of more than 32,767 bytes: an error for Kafka only. A string that is not UTF-8: an error
//!   for `kafka-protocol` only, Kafka puts replacement characters.

mod private;
mod requests;
mod responses;
mod shape;
mod text;
mod walk;

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::{Malformed, Reason};
use private::{PRIVATE_REQUESTS, PRIVATE_RESPONSES};
use requests::REQUESTS;
use responses::RESPONSES;
use text::Message;

pub(crate) use shape::{Element, Kind, Shape, Step, Tag};

/// Memory that decoding any message may take, in bytes.
pub const DECODED_BYTES_FREE: usize = 64 * 1024;

/// Memory that decoding may take on top, in bytes for each byte of the body.
pub const DECODED_BYTES_PER_BYTE: usize = 16;

/// The first key of the private APIs (see [`crate::message::private`]); Kafka's own are far below.
pub const PRIVATE_KEY_MIN: i16 = 0x5000;

/// What [`check_request`] found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// Memory that the decoded message takes, in bytes; a little more than the truth. Strings, bytes and records
    /// are slices of the frame and count only their handles.
    pub cost_bytes: usize,
}

/// Walks the whole body of a request by its schema: every length against the bytes left, nulls, UTF-8, tagged
/// fields, bytes behind the end, and the memory that decoding will take.
///
/// A body that passes makes no decoder of this crate or of `kafka-protocol` panic or allocate beyond the cost.
/// Stricter than Kafka in what no client sends: varints beyond 32 bits, markers of nullable structs other than 1
/// and -1, and tagged fields of other versions, where Kafka and `kafka-protocol` would read different things.
///
/// # Errors
/// [`Malformed`] with the first thing that is wrong; [`Reason::NoSchema`] for an API or version that neither
/// Kafka 4.3.1 has nor is private.
pub fn check_request(api_key: i16, version: i16, body: &[u8]) -> Result<Decoded, Malformed> {
    check(request_table(api_key), api_key, version, body)
}

/// As [`check_request`], for the body of a response; for clients.
///
/// # Errors
/// As [`check_request`].
pub fn check_response(api_key: i16, version: i16, body: &[u8]) -> Result<Decoded, Malformed> {
    check(response_table(api_key), api_key, version, body)
}

/// The error codes in the body of a response that are not 0, of all its topics, partitions and groups; for counting
/// them. Nothing for an API or a version that is not known.
#[must_use]
pub fn response_errors(api_key: i16, version: i16, body: &[u8]) -> Vec<i16> {
    let found = response_table(api_key).shape(api_key, version);
    found.map_or(Vec::new(), |(message, shape)| walk::errors(shape, version >= message.flexible_from, body))
}

/// True when the body of a response begins with the throttle time.
pub(crate) fn begins_with_throttle_time(api_key: i16, version: i16) -> bool {
    let message = response_table(api_key).message(api_key);
    let from = message.and_then(|(_, message)| message.throttle_time_from());
    from.is_some_and(|from| version >= from) && has_version(api_key, version)
}

/// First flexible version of an API (KIP-482), `i16::MAX` when it has none; `None` for an unknown API.
#[must_use]
pub fn flexible_from(api_key: i16) -> Option<i16> {
    request_table(api_key).message(api_key).map(|(_, message)| message.flexible_from)
}

/// The name of an API, such as `Produce`.
#[must_use]
pub fn api_name(api_key: i16) -> Option<&'static str> {
    request_table(api_key).message(api_key).map(|(_, message)| message.name)
}

/// The versions of an API that have a schema, those included that are unstable in Kafka 4.3.1.
#[must_use]
pub fn versions(api_key: i16) -> Option<RangeInclusive<i16>> {
    request_table(api_key).message(api_key).map(|(_, message)| message.versions.clone())
}

/// The keys of all APIs that the listener of an Apache Kafka broker answers, in order.
pub fn api_keys() -> impl Iterator<Item = i16> {
    REQUEST_TABLE.messages.iter().map(|message| message.key)
}

/// The keys of the private APIs, in order.
pub fn private_keys() -> impl Iterator<Item = i16> {
    PRIVATE_REQUEST_TABLE.messages.iter().map(|message| message.key)
}

/// The shape of a request and whether the version is flexible.
pub(crate) fn request_shape(api_key: i16, version: i16) -> Option<(bool, &'static Shape)> {
    let (message, shape) = request_table(api_key).shape(api_key, version)?;
    Some((version >= message.flexible_from, shape))
}

/// The shape of a response and whether the version is flexible.
pub(crate) fn response_shape(api_key: i16, version: i16) -> Option<(bool, &'static Shape)> {
    let (message, shape) = response_table(api_key).shape(api_key, version)?;
    Some((version >= message.flexible_from, shape))
}

pub(crate) fn has_version(api_key: i16, version: i16) -> bool {
    versions(api_key).is_some_and(|versions| versions.contains(&version))
}

/// The messages of one direction, in the order of their keys, and the shapes that were needed so far: a client
/// uses one version of an API, so most are never made.
struct Table {
    messages: &'static [Message],
    /// For each message the place in `shapes` of its oldest version.
    first_shapes: &'static [usize],
    shapes: &'static [OnceLock<Option<Box<Shape>>>],
}

static REQUEST_MESSAGES: [Message; REQUESTS.len()] = REQUESTS;
static REQUEST_SHAPES: [OnceLock<Option<Box<Shape>>>; shape_count(&REQUESTS)] =
    [const { OnceLock::new() }; shape_count(&REQUESTS)];
static REQUEST_TABLE: Table =
    Table { messages: &REQUEST_MESSAGES, first_shapes: &first_shapes(&REQUESTS), shapes: &REQUEST_SHAPES };

static RESPONSE_MESSAGES: [Message; RESPONSES.len()] = RESPONSES;
static RESPONSE_SHAPES: [OnceLock<Option<Box<Shape>>>; shape_count(&RESPONSES)] =
    [const { OnceLock::new() }; shape_count(&RESPONSES)];
static RESPONSE_TABLE: Table =
    Table { messages: &RESPONSE_MESSAGES, first_shapes: &first_shapes(&RESPONSES), shapes: &RESPONSE_SHAPES };

static PRIVATE_REQUEST_MESSAGES: [Message; PRIVATE_REQUESTS.len()] = PRIVATE_REQUESTS;
static PRIVATE_REQUEST_SHAPES: [OnceLock<Option<Box<Shape>>>; shape_count(&PRIVATE_REQUESTS)] =
    [const { OnceLock::new() }; shape_count(&PRIVATE_REQUESTS)];
static PRIVATE_REQUEST_TABLE: Table = Table {
    messages: &PRIVATE_REQUEST_MESSAGES,
    first_shapes: &first_shapes(&PRIVATE_REQUESTS),
    shapes: &PRIVATE_REQUEST_SHAPES,
};

static PRIVATE_RESPONSE_MESSAGES: [Message; PRIVATE_RESPONSES.len()] = PRIVATE_RESPONSES;
static PRIVATE_RESPONSE_SHAPES: [OnceLock<Option<Box<Shape>>>; shape_count(&PRIVATE_RESPONSES)] =
    [const { OnceLock::new() }; shape_count(&PRIVATE_RESPONSES)];
static PRIVATE_RESPONSE_TABLE: Table = Table {
    messages: &PRIVATE_RESPONSE_MESSAGES,
    first_shapes: &first_shapes(&PRIVATE_RESPONSES),
    shapes: &PRIVATE_RESPONSE_SHAPES,
};

fn request_table(api_key: i16) -> &'static Table {
    if api_key < PRIVATE_KEY_MIN { &REQUEST_TABLE } else { &PRIVATE_REQUEST_TABLE }
}

fn response_table(api_key: i16) -> &'static Table {
    if api_key < PRIVATE_KEY_MIN { &RESPONSE_TABLE } else { &PRIVATE_RESPONSE_TABLE }
}

#[expect(clippy::indexing_slicing, reason = "a place out of bounds is an error of the compiler here")]
const fn shape_count(messages: &[Message]) -> usize {
    let mut count = 0;
    let mut place = 0;
    while place < messages.len() {
        count += messages[place].version_count();
        place += 1;
    }
    count
}

#[expect(clippy::indexing_slicing, reason = "a place out of bounds is an error of the compiler here")]
const fn first_shapes<const N: usize>(messages: &[Message; N]) -> [usize; N] {
    let mut first = [0; N];
    let mut place = 1;
    while place < N {
        first[place] = first[place - 1] + messages[place - 1].version_count();
        place += 1;
    }
    first
}

impl Table {
    fn message(&self, api_key: i16) -> Option<(usize, &'static Message)> {
        let place = self.messages.binary_search_by_key(&api_key, |message| message.key).ok()?;
        Some((place, self.messages.get(place)?))
    }

    fn shape(&self, api_key: i16, version: i16) -> Option<(&'static Message, &'static Shape)> {
        let (place, message) = self.message(api_key)?;
        if !message.versions.contains(&version) {
            return None;
        }
        let offset = usize::try_from(version - message.versions.start()).ok()?;
        let shape = self.shapes.get(self.first_shapes.get(place)? + offset)?;
        let shape = shape.get_or_init(|| message.shape(version).map(Box::new)).as_deref()?;
        Some((message, shape))
    }
}

fn check(table: &'static Table, api_key: i16, version: i16, body: &[u8]) -> Result<Decoded, Malformed> {
    let Some((message, shape)) = table.shape(api_key, version) else {
        return Err(Malformed::new(Reason::NoSchema, 0));
    };
    let cost_bytes = walk::walk(shape, version >= message.flexible_from, body)?;
    Ok(Decoded { cost_bytes })
}
