//! Records as text: delimiters with escapes, and JSON lines.

mod base64;
mod escapes;
mod json;

pub(crate) use escapes::unescape;
pub(crate) use json::JsonRecord;

/// A header: its name, and its value, which may be null.
pub(crate) type Header = (bytes::Bytes, Option<bytes::Bytes>);
