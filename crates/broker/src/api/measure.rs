//! Measuring a request: how long it takes, and which errors it is answered with.

use std::time::Instant;

use bytes::{Buf, Bytes};
use ottla_model::ErrorCode;
use ottla_wire::{response_errors, response_header_version};

use super::table::{APIS, Api, place};
use crate::metrics::Counters;

/// Bytes of an answer's frame in front of its body: length and correlation id.
const FRAME_HEADER_BYTES: usize = 8;

const FETCH: i16 = 1;

/// The longest answer that is searched for errors; longer ones bring records or lists and cost more than they tell.
const SEARCHED_BYTES_MAX: usize = 64 * 1024;

/// A request that is being answered.
pub(crate) struct Measure {
    api: Option<(usize, &'static Api)>,
    version: i16,
    begun: Instant,
}

impl Measure {
    /// Begins with a frame that has just arrived.
    pub(crate) fn begin(frame: &Bytes) -> Self {
        let mut bytes = frame.get(..4).unwrap_or_default();
        let key = bytes.try_get_i16().ok();
        let version = bytes.try_get_i16().unwrap_or_default();
        let api = key.and_then(place).and_then(|place| Some((place, APIS.get(place)?)));
        Self { api, version, begun: Instant::now() }
    }

    /// The answer is ready; `parts` are the pieces of its frame.
    pub(crate) fn answered(&self, counters: &Counters, parts: &[Bytes]) {
        let Some((place, api)) = self.api else { return };
        counters.answered(place, self.begun.elapsed());
        // A Fetch counts its own: its answer is in many pieces.
        if api.key == FETCH || !counters.tells_errors() {
            return;
        }
        let Some(frame) = parts.first().filter(|frame| frame.len() <= SEARCHED_BYTES_MAX) else { return };
        let flexible = response_header_version(api.key, self.version) >= 1;
        let body = frame.get(FRAME_HEADER_BYTES + usize::from(flexible)..).unwrap_or_default();
        for code in response_errors(api.key, self.version, body) {
            counters.refused(api.name, ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError));
        }
    }

    /// There is no answer: the connection is closed.
    pub(crate) fn closed(&self, counters: &Counters) {
        if let Some((_, api)) = self.api {
            counters.closed(api.name);
        }
    }
}
