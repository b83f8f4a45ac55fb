//! The value of a regular expression of a consumer group.

use bytes::Bytes;

use super::{read_array, value_reader, value_writer, write_array};
use crate::codec::{DecodeError, EncodeError};

/// `ConsumerGroupRegularExpressionValue`: the topics that an expression matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupRegularExpressionValue<'a> {
    /// Names of the topics. Kafka writes them sorted.
    pub topics: Vec<&'a str>,
    /// Version of the metadata that it was matched against.
    pub version: i64,
    /// When it was matched, in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
}

impl<'a> ConsumerGroupRegularExpressionValue<'a> {
    /// Reads a value. Bytes after it are passed over, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are malformed or the version is unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = value_reader(bytes)?;
        let value = Self {
            topics: read_array(&mut reader, 1, |reader| reader.compact_string())?,
            version: reader.i64()?,
            timestamp_ms: reader.i64()?,
        };
        reader.skip_tagged_fields()?;
        Ok(value)
    }

    /// Writes the value.
    ///
    /// # Errors
    /// [`EncodeError`] when a text is longer than 32767 bytes.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = value_writer();
        write_array(&mut writer, &self.topics, |writer, topic| writer.compact_string(topic));
        writer.i64(self.version);
        writer.i64(self.timestamp_ms);
        writer.no_tagged_fields();
        writer.finish()
    }
}
