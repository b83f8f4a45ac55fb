//! Reads the primitive types of the protocol from a body.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use ottla_model::{ErrorCode, TopicId};

use crate::{Malformed, Reason};

/// Longest string that Kafka reads or writes, in bytes, in both encodings.
pub(crate) const STRING_BYTES_MAX: usize = i16::MAX as usize;

/// A position in a body. Strings and bytes come out as slices of the body, never as copies.
///
/// Every read is checked against the bytes left, so that a decoder built on it needs no other check.
pub(crate) struct Reader<'a> {
    body: &'a Bytes,
    position: usize,
    flexible: bool,
}

impl<'a> Reader<'a> {
    /// At the first byte of `body`; `flexible` is true for versions with compact lengths (KIP-482).
    pub(crate) fn new(body: &'a Bytes, flexible: bool) -> Self {
        Self { body, position: 0, flexible }
    }

    /// Reads all of `body` as what `message` reads; bytes behind that are refused.
    pub(crate) fn read<T>(
        body: &'a Bytes,
        flexible: bool,
        message: impl FnOnce(&mut Self) -> Result<T, Reason>,
    ) -> Result<T, Malformed> {
        let mut reader = Self::new(body, flexible);
        match message(&mut reader) {
            Ok(value) if reader.left() == 0 => Ok(value),
            Ok(_) => Err(Malformed::new(Reason::Trailing, reader.position)),
            Err(reason) => Err(Malformed::new(reason, reader.position)),
        }
    }

    /// Number of bytes that were read.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// From here on lengths are compact.
    pub(crate) fn set_flexible(&mut self) {
        self.flexible = true;
    }

    pub(crate) fn left(&self) -> usize {
        self.body.len().saturating_sub(self.position)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let rest = self.body.get(self.position..).unwrap_or_default();
        let Some((head, _)) = rest.split_first_chunk::<N>() else {
            return Err(Reason::Truncated);
        };
        self.position += N;
        Ok(*head)
    }

    pub(crate) fn int8(&mut self) -> Result<i8, Reason> {
        self.array().map(i8::from_be_bytes)
    }

    pub(crate) fn int16(&mut self) -> Result<i16, Reason> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn int32(&mut self) -> Result<i32, Reason> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn int64(&mut self) -> Result<i64, Reason> {
        self.array().map(i64::from_be_bytes)
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, Reason> {
        Ok(self.int8()? != 0)
    }

    pub(crate) fn topic_id(&mut self) -> Result<TopicId, Reason> {
        self.array().map(TopicId)
    }

    pub(crate) fn error(&mut self) -> Result<ErrorCode, Reason> {
        Ok(ErrorCode::from_code(self.int16()?).unwrap_or(ErrorCode::UnknownServerError))
    }

    /// The name of a topic, or its id in the versions that have ids instead.
    pub(crate) fn topic(&mut self, by_id: bool) -> Result<(Option<StrBytes>, TopicId), Reason> {
        if by_id { Ok((None, self.topic_id()?)) } else { Ok((Some(self.string()?), TopicId::ZERO)) }
    }

    /// An unsigned varint of at most 32 bits.
    pub(crate) fn varint(&mut self) -> Result<u32, Reason> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            if shift == 28 && byte > 0x0f {
                return Err(Reason::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    fn length(&self, length: i64) -> Result<Option<usize>, Reason> {
        match length {
            -1 => Ok(None),
            // A length is at most 2^31 - 1, so that no sum of a few of them overflows.
            0..=0x7fff_ffff => Ok(usize::try_from(length).ok()),
            _ => Err(Reason::Length),
        }
    }

    fn length32(&mut self) -> Result<Option<usize>, Reason> {
        let length = if self.flexible { i64::from(self.varint()?) - 1 } else { i64::from(self.int32()?) };
        self.length(length)
    }

    fn take(&mut self, count: usize) -> Result<Bytes, Reason> {
        if count > self.left() {
            return Err(Reason::Truncated);
        }
        let taken = self.body.slice(self.position..self.position + count);
        self.position += count;
        Ok(taken)
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<StrBytes>, Reason> {
        let length = if self.flexible { i64::from(self.varint()?) - 1 } else { i64::from(self.int16()?) };
        let Some(length) = self.length(length)? else { return Ok(None) };
        if length > STRING_BYTES_MAX {
            return Err(Reason::StringTooLong);
        }
        let bytes = self.take(length)?;
        StrBytes::from_utf8(bytes).map(Some).map_err(|_| Reason::NotUtf8)
    }

    pub(crate) fn string(&mut self) -> Result<StrBytes, Reason> {
        match self.nullable_string()? {
            Some(text) => Ok(text),
            None => Err(Reason::Null),
        }
    }

    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<Bytes>, Reason> {
        match self.length32()? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// An array whose elements take at least `element_bytes_min` bytes each, so that its length can be believed
    /// before memory is taken for it.
    pub(crate) fn nullable_elements<T>(
        &mut self,
        element_bytes_min: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, Reason>,
    ) -> Result<Option<Vec<T>>, Reason> {
        let Some(count) = self.length32()? else { return Ok(None) };
        if count.saturating_mul(element_bytes_min.max(1)) > self.left() {
            return Err(Reason::Elements);
        }
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    /// As [`Reader::nullable_elements`], for an array that may not be null.
    pub(crate) fn elements<T>(
        &mut self,
        element_bytes_min: usize,
        element: impl FnMut(&mut Self) -> Result<T, Reason>,
    ) -> Result<Vec<T>, Reason> {
        match self.nullable_elements(element_bytes_min, element)? {
            Some(elements) => Ok(elements),
            None => Err(Reason::Null),
        }
    }

    /// The tagged fields at the end of a struct; nothing in versions without them. `field` reads the content of
    /// the tags that it knows and says so; others are skipped.
    pub(crate) fn tagged_fields(
        &mut self,
        mut field: impl FnMut(u32, &mut Self) -> Result<bool, Reason>,
    ) -> Result<(), Reason> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let length = self.varint()? as usize;
            if length > self.left() {
                return Err(Reason::Truncated);
            }
            let end = self.position + length;
            if !field(tag, self)? {
                self.position = end;
            }
            if self.position != end {
                return Err(Reason::TagLength);
            }
        }
        Ok(())
    }

    pub(crate) fn skip_tagged_fields(&mut self) -> Result<(), Reason> {
        self.tagged_fields(|_, _| Ok(false))
    }
}
