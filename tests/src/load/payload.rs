//! Turns values into the bytes of records and back. All bytes follow from the value, so that reading them back proves
//! that none was changed.

use bytes::{Buf, BufMut};

use super::random::Random;
use super::varint;
use crate::history::{UNREADABLE, Value};

/// Most bytes after the value's name in most records, and in a few.
const FILLER_BYTES_MAX: u64 = 120;
const LARGE_FILLER_BYTES_MAX: u64 = 3000;
/// Once in so many values the filler is large.
const LARGE_ONCE_IN: u64 = 64;
/// Once in so many values there is a header.
const HEADER_ONCE_IN: u64 = 8;
const HEADER_KEY: &[u8] = b"number";

/// A record in a batch, as it is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) time_delta: i64,
    pub(super) offset_delta: i64,
    pub(super) key: Option<u32>,
    pub(super) value: Value,
}

impl Record {
    /// Appends the record, with its length in front.
    pub(super) fn write(&self, into: &mut Vec<u8>) {
        let mut body = vec![0];
        varint::write(self.time_delta, &mut body);
        varint::write(self.offset_delta, &mut body);
        match self.key {
            Some(key) => write_bytes(&key.to_be_bytes(), &mut body),
            None => varint::write(-1, &mut body),
        }
        write_bytes(&value_bytes(self.value), &mut body);
        if has_header(self.value) {
            varint::write(1, &mut body);
            write_bytes(HEADER_KEY, &mut body);
            write_bytes(&self.value.number.to_be_bytes(), &mut body);
        } else {
            varint::write(0, &mut body);
        }
        write_bytes(&body, into);
    }

    /// Reads the next record. Its value is [`UNREADABLE`] when its bytes are not exactly those of a value. None when it
    /// is no record at all.
    pub(super) fn read(from: &mut &[u8]) -> Option<Self> {
        let mut body = read_bytes(from)??;
        body.try_get_u8().ok()?;
        let time_delta = varint::read(&mut body)?;
        let offset_delta = varint::read(&mut body)?;
        let key = read_bytes(&mut body)?;
        let key_is_good = key.is_none_or(|key| key.len() == 4);
        let key = key.and_then(|mut key| key.try_get_u32().ok());
        let mut named = read_bytes(&mut body)??;
        let bytes = named;
        let (producer, number) = (named.try_get_u32().ok(), named.try_get_u64().ok());
        let value = producer.zip(number).map(|(producer, number)| Value { producer, number });
        let header_is_good = |value: &Value| header_is_good(*value, body) == Some(true);
        let value =
            value.filter(|value| key_is_good && value_bytes(*value) == bytes && header_is_good(value));
        Some(Self { time_delta, offset_delta, key, value: value.unwrap_or(UNREADABLE) })
    }
}

fn has_header(value: Value) -> bool {
    value.number.is_multiple_of(HEADER_ONCE_IN)
}

fn header_is_good(value: Value, mut headers: &[u8]) -> Option<bool> {
    let count = varint::read(&mut headers)?;
    if count != i64::from(has_header(value)) {
        return Some(false);
    }
    if count == 0 {
        return Some(headers.is_empty());
    }
    let (key, number) = (read_bytes(&mut headers)??, read_bytes(&mut headers)??);
    Some(key == HEADER_KEY && number == value.number.to_be_bytes() && headers.is_empty())
}

/// The value's name and then bytes that follow from it, half of which compress well.
fn value_bytes(value: Value) -> Vec<u8> {
    let mut random = Random::part(value.number, u64::from(value.producer));
    let max = if random.once_in(LARGE_ONCE_IN) { LARGE_FILLER_BYTES_MAX } else { FILLER_BYTES_MAX };
    let length = random.index(usize::try_from(max).unwrap_or_default());
    let mut bytes = Vec::with_capacity(length + 12);
    bytes.put_u32(value.producer);
    bytes.put_u64(value.number);
    while bytes.len() < length + 12 {
        let word = random.any().to_be_bytes();
        bytes.extend_from_slice(&word);
        bytes.extend_from_slice(b"an event");
    }
    bytes.truncate(length + 12);
    bytes
}

fn write_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    varint::write(i64::try_from(bytes.len()).unwrap_or(i64::MAX), into);
    into.extend_from_slice(bytes);
}

/// Bytes with their length in front; the inner `None` is null, the outer one says that there are too few.
#[expect(clippy::option_option, reason = "a null is something else than too few bytes")]
fn read_bytes<'a>(from: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = varint::read(from)?;
    if length == -1 {
        return Some(None);
    }
    let length = usize::try_from(length).ok()?;
    let (bytes, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_round_trips_and_every_changed_byte_is_noticed() {
        for (number, key) in [(8, None), (9, Some(7)), (640, Some(0))] {
            let record =
                Record { time_delta: -5, offset_delta: 3, key, value: Value { producer: 2, number } };
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            assert_eq!(Record::read(&mut bytes.as_slice()), Some(record));
            for place in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[place] ^= 0x10;
                let read = Record::read(&mut changed.as_slice());
                // The attributes of a record have no meaning yet.
                assert!(read != Some(record) || place <= 2, "byte {place} of {}", bytes.len());
            }
        }
    }
}
