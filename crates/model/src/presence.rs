//! Who was seen lately, as an argument.

use std::time::Duration;

/// When and in which request a client was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The name of the API that it asked, such as `Fetch`.
    pub api: &'static str,
    /// How long ago.
    pub ago: Duration,
}

/// What the broker knows of its clients besides what they ask of a state machine. Clients are told apart by client id
/// and address only, so that several on one machine may be taken for each other.
pub trait Presence {
    /// When a client was seen last, on any of its connections; `None` when it was not, or not lately.
    fn last_seen(&self, client_id: &str, client_host: &str) -> Option<Seen>;
}

/// Nobody is ever seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Presence for Unseen {
    fn last_seen(&self, _client_id: &str, _client_host: &str) -> Option<Seen> {
        None
    }
}
