//! Whole requests from a connection, and answers with their ids.

use std::io::Read;
use std::net::TcpStream;

const LENGTH_BYTES: usize = 4;
const CORRELATION_BYTES: usize = 4;
/// Where it is in a request: behind its length, the API's key and its version.
const REQUEST_CORRELATION: usize = 8;
/// Where it is in an answer: behind its length.
const RESPONSE_CORRELATION: usize = 4;

/// Frames of any length, read into one buffer.
#[derive(Debug)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

impl Frames {
    pub(super) fn new(buffer_bytes: usize) -> Self {
        Self { buffer: vec![0; buffer_bytes], from: 0, to: 0 }
    }

    /// The next frame; `None` when the connection was closed.
    pub(super) fn next(&mut self, stream: &mut TcpStream) -> std::io::Result<Option<&[u8]>> {
        loop {
            let bytes = self.buffer.get(self.from..self.to).unwrap_or_default();
            let length = bytes.first_chunk().map(|length| u32::from_be_bytes(*length) as usize);
            let whole = length.unwrap_or_default().saturating_add(LENGTH_BYTES);
            if length.is_some() && bytes.len() >= whole {
                let start = self.from;
                self.from = start.saturating_add(whole);
                return Ok(self.buffer.get(start..self.from));
            }
            self.make_room(whole);
            let room = self.buffer.get_mut(self.to..).unwrap_or_default();
            match stream.read(room)? {
                0 => return Ok(None),
                count => self.to = self.to.saturating_add(count),
            }
        }
    }

    /// Moves what is there to the front when the whole frame would not fit behind it.
    fn make_room(&mut self, whole: usize) {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.from.saturating_add(whole) > self.buffer.len() {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to.saturating_sub(self.from));
        }
        if whole > self.buffer.len() {
            self.buffer.resize(whole, 0);
        }
    }
}

/// Makes an answer that of a request.
pub(super) fn address(answer: &mut [u8], request: &[u8]) {
    let id = request.get(REQUEST_CORRELATION..REQUEST_CORRELATION.saturating_add(CORRELATION_BYTES));
    let place = answer.get_mut(RESPONSE_CORRELATION..RESPONSE_CORRELATION.saturating_add(CORRELATION_BYTES));
    if let (Some(place), Some(id)) = (place, id) {
        place.copy_from_slice(id);
    }
}
