//! Writes Kafka's primitive types.

use bytes::{BufMut, Bytes, BytesMut};
use ottla_model::TopicId;

/// Why a message could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Text, bytes or an array are longer than their length field can say.
    #[error("{0} is more than the length field of its type can hold")]
    TooLong(usize),
}

/// Writes to the end of a buffer. A length that its field cannot hold is remembered and reported by
/// [`Writer::finish`], so that encoders read as a list of fields.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: BytesMut,
    error: Option<EncodeError>,
}

macro_rules! integers {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self, value: $type) {
            self.buffer.put_slice(&value.to_be_bytes());
        }
    )*};
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer that holds so many bytes before it takes more memory.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { buffer: BytesMut::with_capacity(bytes), error: None }
    }

    /// The bytes written.
    ///
    /// # Errors
    /// [`EncodeError`] when any field did not fit its type.
    pub fn finish(self) -> Result<Bytes, EncodeError> {
        match self.error {
            None => Ok(self.buffer.freeze()),
            Some(error) => Err(error),
        }
    }

    integers! {
        /// `int8`.
        i8: i8;
        /// One byte, unsigned.
        u8: u8;
        /// `int16`.
        i16: i16;
        /// `uint16`.
        u16: u16;
        /// `int32`.
        i32: i32;
        /// `uint32`.
        u32: u32;
        /// `int64`.
        i64: i64;
        /// `float64`.
        f64: f64;
    }

    /// `bool`.
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// `uuid`.
    pub fn uuid(&mut self, value: TopicId) {
        self.raw(&value.0);
    }

    /// Bytes without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.buffer.put_slice(bytes);
    }

    /// An unsigned variable-length integer (`ByteUtils.writeUnsignedVarint`).
    pub fn unsigned_varint(&mut self, value: u32) {
        self.unsigned_varlong(u64::from(value));
    }

    /// A zigzag variable-length integer (`ByteUtils.writeVarint`).
    pub fn varint(&mut self, value: i32) {
        self.unsigned_varint(((value << 1) ^ (value >> 31)).cast_unsigned());
    }

    /// A zigzag variable-length integer of 64 bits (`ByteUtils.writeVarlong`).
    pub fn varlong(&mut self, value: i64) {
        self.unsigned_varlong(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn unsigned_varlong(&mut self, mut value: u64) {
        while value >= 0x80 {
            // The lowest seven bits, and the mark that more follow.
            self.u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// `string`, old encoding.
    pub fn string(&mut self, text: &str) {
        self.nullable_string(Some(text));
    }

    /// `string` that may be null, old encoding.
    pub fn nullable_string(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.i16(-1) };
        match i16::try_from(text.len()) {
            Ok(length) => {
                self.i16(length);
                self.raw(text.as_bytes());
            }
            Err(_) => self.too_long(text.len()),
        }
    }

    /// `string`, flexible encoding.
    pub fn compact_string(&mut self, text: &str) {
        self.compact_nullable_string(Some(text));
    }

    /// `string` that may be null, flexible encoding. Like Kafka, longer text than the old encoding can hold is
    /// refused.
    pub fn compact_nullable_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) if i16::try_from(text.len()).is_err() => self.too_long(text.len()),
            _ => self.compact_nullable_bytes(text.map(str::as_bytes)),
        }
    }

    /// `bytes`, old encoding.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.nullable_bytes(Some(bytes));
    }

    /// `bytes` that may be null, old encoding.
    pub fn nullable_bytes(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else { return self.i32(-1) };
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// `bytes`, flexible encoding.
    pub fn compact_bytes(&mut self, bytes: &[u8]) {
        self.compact_nullable_bytes(Some(bytes));
    }

    /// `bytes` that may be null, flexible encoding.
    pub fn compact_nullable_bytes(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else { return self.unsigned_varint(0) };
        self.compact_count(bytes.len());
        self.raw(bytes);
    }

    /// The count of an array, old encoding. A null array is written with `i32(-1)`.
    pub fn count(&mut self, count: usize) {
        match i32::try_from(count) {
            Ok(count) => self.i32(count),
            Err(_) => self.too_long(count),
        }
    }

    /// The count of an array, flexible encoding. A null array is written with `unsigned_varint(0)`.
    pub fn compact_count(&mut self, count: usize) {
        match i32::try_from(count) {
            Ok(count) => self.unsigned_varint(count.unsigned_abs() + 1),
            Err(_) => self.too_long(count),
        }
    }

    /// The tagged fields at the end of a flexible structure, in the order of their tags.
    pub fn tagged_fields(&mut self, fields: &[(u32, &[u8])]) {
        self.unsigned_varint(u32::try_from(fields.len()).unwrap_or(u32::MAX));
        for (tag, bytes) in fields {
            self.unsigned_varint(*tag);
            match u32::try_from(bytes.len()) {
                Ok(length) => self.unsigned_varint(length),
                Err(_) => self.too_long(bytes.len()),
            }
            self.raw(bytes);
        }
    }

    /// No tagged fields.
    pub fn no_tagged_fields(&mut self) {
        self.unsigned_varint(0);
    }

    fn too_long(&mut self, length: usize) {
        self.error.get_or_insert(EncodeError::TooLong(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Reader;

    #[test]
    fn varints_read_back() {
        for value in [0, 1, -1, 63, -64, 64, 8191, i32::MAX, i32::MIN] {
            let mut writer = Writer::new();
            writer.varint(value);
            writer.varlong(i64::from(value));
            writer.varlong(i64::from(value) << 32);
            let bytes = writer.finish().unwrap();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.varlong(), Ok(i64::from(value)));
            assert_eq!(reader.varlong(), Ok(i64::from(value) << 32));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn text_that_is_too_long_is_an_error_at_the_end() {
        let long = "x".repeat(32768);
        for write in [Writer::string, Writer::compact_string] {
            let mut writer = Writer::new();
            write(&mut writer, &long);
            writer.i32(7);
            assert_eq!(writer.finish(), Err(EncodeError::TooLong(32768)));
        }
    }
}
