//! Text between the wire's type and the state machines'.

use std::sync::Arc;

use ottla_wire::StrBytes;

/// A copy, so that what is kept does not hold the request's frame in memory.
pub(super) fn copied(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// The same for text that may be missing.
pub(super) fn copied_option(text: Option<&StrBytes>) -> Option<Arc<str>> {
    text.map(|text| copied(text))
}

/// Text for an answer.
pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The same for text that may be missing.
pub(super) fn text_option(given: Option<&Arc<str>>) -> Option<StrBytes> {
    given.map(|given| text(given))
}
