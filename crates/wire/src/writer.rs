//! Writes the primitive types of the protocol.

use bytes::{BufMut, BytesMut};
use ottla_model::{ErrorCode, TopicId};

use crate::Unencodable;
use crate::reader::STRING_BYTES_MAX;

/// Appends to a buffer. The first value that cannot be written is remembered and reported by
/// [`Writer::finish`], so that encoders read as plain lists of fields.
pub(crate) struct Writer<'a> {
    buffer: &'a mut BytesMut,
    flexible: bool,
    failed: Option<Unencodable>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(buffer: &'a mut BytesMut, flexible: bool) -> Self {
        Self { buffer, flexible, failed: None }
    }

    pub(crate) fn finish(self) -> Result<(), Unencodable> {
        self.failed.map_or(Ok(()), Err)
    }

    /// Remembers that the message cannot be written.
    pub(crate) fn fail(&mut self, why: Unencodable) {
        self.failed.get_or_insert(why);
    }

    pub(crate) fn position(&self) -> usize {
        self.buffer.len()
    }

    pub(crate) fn int8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    pub(crate) fn int16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    pub(crate) fn int32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    pub(crate) fn int64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.buffer.put_u8(u8::from(value));
    }

    pub(crate) fn error(&mut self, value: ErrorCode) {
        self.buffer.put_i16(value.code());
    }

    pub(crate) fn topic_id(&mut self, value: TopicId) {
        self.buffer.put_slice(&value.0);
    }

    /// The name of a topic, or its id in the versions that have ids instead.
    pub(crate) fn topic(&mut self, by_id: bool, name: Option<&str>, id: TopicId) {
        match name {
            _ if by_id => self.topic_id(id),
            Some(name) => self.string(name),
            None => self.fail(Unencodable::Field),
        }
    }

    pub(crate) fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    /// What was encoded before.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.buffer.put_slice(bytes);
    }

    /// The length in front of an array or of bytes.
    pub(crate) fn length(&mut self, length: Option<usize>) {
        let Ok(length) = length.map(i32::try_from).transpose() else {
            return self.fail(Unencodable::TooLong);
        };
        if self.flexible {
            self.varint(length.map_or(0, |length| length.unsigned_abs() + 1));
        } else {
            self.int32(length.unwrap_or(-1));
        }
    }

    pub(crate) fn nullable_string(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            if self.flexible {
                self.varint(0);
            } else {
                self.int16(-1);
            }
            return;
        };
        match i16::try_from(text.len()) {
            Ok(length) if text.len() <= STRING_BYTES_MAX => {
                if self.flexible {
                    self.varint(u32::from(length.unsigned_abs()) + 1);
                } else {
                    self.int16(length);
                }
                self.buffer.put_slice(text.as_bytes());
            }
            _ => self.fail(Unencodable::TooLong),
        }
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.nullable_string(Some(text));
    }

    pub(crate) fn nullable_bytes(&mut self, bytes: Option<&[u8]>) {
        self.length(bytes.map(<[u8]>::len));
        self.buffer.put_slice(bytes.unwrap_or_default());
    }

    /// An array: its length, then each element.
    pub(crate) fn elements<T>(&mut self, elements: &[T], mut element: impl FnMut(&mut Self, &T)) {
        self.length(Some(elements.len()));
        for value in elements {
            element(self, value);
        }
    }

    /// As [`Writer::elements`], for an array that may be null.
    pub(crate) fn nullable_elements<T>(
        &mut self,
        elements: Option<&[T]>,
        element: impl FnMut(&mut Self, &T),
    ) {
        match elements {
            Some(elements) => self.elements(elements, element),
            None => self.length(None),
        }
    }

    /// The end of a struct that has no tagged field to write; nothing in versions without them.
    pub(crate) fn no_tagged_fields(&mut self) {
        self.tagged_field_count(0);
    }

    /// The number of the tagged fields that follow.
    pub(crate) fn tagged_field_count(&mut self, count: u32) {
        if self.flexible {
            self.varint(count);
        }
    }

    /// One tagged field: tag, length in bytes, content.
    pub(crate) fn tagged_field(&mut self, tag: u32, content: impl FnOnce(&mut Writer<'_>)) {
        let mut buffer = BytesMut::new();
        let mut inner = Writer::new(&mut buffer, self.flexible);
        content(&mut inner);
        if let Err(why) = inner.finish() {
            self.fail(why);
        }
        match u32::try_from(buffer.len()) {
            Ok(length) => {
                self.varint(tag);
                self.varint(length);
                self.buffer.put_slice(&buffer);
            }
            Err(_) => self.fail(Unencodable::TooLong),
        }
    }
}
