//! The parts that frames are built from and read by, in Kafka's compact encodings.

use bytes::BufMut;
use ottla_tests::problem::Problem;

/// Where the correlation id is in a request's frame: behind its length, the API's key and its version.
pub(super) const REQUEST_CORRELATION: usize = 8;
/// Where it is in a response's frame: behind its length.
pub(super) const RESPONSE_CORRELATION: usize = 4;
/// The length in front of every frame.
pub(super) const LENGTH_BYTES: usize = 4;

/// How the load calls itself.
const CLIENT_ID: &str = "bench";

/// Begins a request's frame: a length to be filled in, and a header of version 2.
pub(super) fn begin_request(frame: &mut Vec<u8>, api_key: i16, version: i16) {
    frame.put_u32(0);
    frame.put_i16(api_key);
    frame.put_i16(version);
    frame.put_i32(0);
    frame.put_i16(i16::try_from(CLIENT_ID.len()).unwrap_or_default());
    frame.put_slice(CLIENT_ID.as_bytes());
    frame.put_u8(0);
}

/// Fills in the length of a frame that is complete.
pub(super) fn end_frame(frame: &mut [u8]) -> Result<(), Problem> {
    let length = u32::try_from(frame.len().saturating_sub(LENGTH_BYTES));
    let length = length.map_err(|_| Problem::new("a frame is too long"))?;
    put(frame, 0, &length.to_be_bytes())
}

/// Writes over a place in a frame.
pub(super) fn put(frame: &mut [u8], place: usize, bytes: &[u8]) -> Result<(), Problem> {
    let end = place.saturating_add(bytes.len());
    let place = frame.get_mut(place..end).ok_or_else(|| Problem::new("a frame is too short"))?;
    place.copy_from_slice(bytes);
    Ok(())
}

/// An unsigned varint.
pub(super) fn put_varint(into: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        into.put_u8(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    into.put_u8(u8::try_from(value).unwrap_or_default());
}

/// A length or count as the compact encodings have it.
pub(super) fn put_count(into: &mut Vec<u8>, count: usize) {
    put_varint(into, count.saturating_add(1));
}

/// A compact string.
pub(super) fn put_string(into: &mut Vec<u8>, text: &str) {
    put_count(into, text.len());
    into.put_slice(text.as_bytes());
}

/// Reads the parts of an answer as far as it has arrived: each is `None` while a byte of it is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn read(&self) -> usize {
        self.at
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.skip(N)?.try_into().ok()
    }

    pub(super) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn varint(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for place in 0..5_u32 {
            let [byte] = self.array()?;
            value |= usize::from(byte & 0x7f).checked_shl(place.saturating_mul(7))?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        // Longer ones are no length of anything here; the sum of the parts will be found wrong.
        Some(value)
    }

    /// A length or count of the compact encodings; null counts as 0.
    pub(super) fn count(&mut self) -> Option<usize> {
        self.varint().map(|count| count.saturating_sub(1))
    }

    /// Skips tagged fields.
    pub(super) fn tags(&mut self) -> Option<()> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = self.varint()?;
            self.skip(length)?;
        }
        Some(())
    }
}
