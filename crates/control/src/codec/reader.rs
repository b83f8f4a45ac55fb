//! Reads Kafka's primitive types.

use ottla_model::TopicId;

/// Why bytes are not the message that they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("{needed} more bytes are needed where {left} are left")]
    Truncated {
        /// Bytes that the field takes.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A length or a count is negative where null is not allowed, or below -1.
    #[error("a length of {0}")]
    NegativeLength(i64),
    /// A count promises more elements than the bytes that are left can hold.
    #[error("{count} elements cannot be in the {left} bytes that are left")]
    CountTooLarge {
        /// Elements that were announced.
        count: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A variable-length integer has more bytes than its type allows.
    #[error("a variable-length integer is too long")]
    VarintTooLong,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// The message has a version that this release does not know.
    #[error("version {0} is unknown")]
    UnknownVersion(i16),
    /// A field holds a value that its meaning forbids.
    #[error("{0} is not allowed")]
    Illegal(&'static str),
}

/// Reads from the front of a slice. Every method either takes the whole field or changes nothing that matters: after
/// an error the reader is of no further use.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

macro_rules! integers {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`DecodeError::Truncated`].
        pub fn $name(&mut self) -> Result<$type, DecodeError> {
            self.array().map(<$type>::from_be_bytes)
        }
    )*};
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes that are left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// True when no bytes are left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the next `length` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let left = self.bytes.len();
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or(DecodeError::Truncated { needed: length, left })?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let left = self.bytes.len();
        let (taken, rest) =
            self.bytes.split_first_chunk::<N>().ok_or(DecodeError::Truncated { needed: N, left })?;
        self.bytes = rest;
        Ok(*taken)
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

    /// `bool`: any byte but 0 is true, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.u8()? != 0)
    }

    /// `uuid`.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn uuid(&mut self) -> Result<TopicId, DecodeError> {
        self.array().map(TopicId)
    }

    /// An unsigned variable-length integer of at most 32 bits (`ByteUtils.readUnsignedVarint`).
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] or [`DecodeError::VarintTooLong`].
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let long = self.unsigned_varlong_of(5)?;
        u32::try_from(long).map_err(|_| DecodeError::VarintTooLong)
    }

    /// A zigzag variable-length integer of at most 32 bits (`ByteUtils.readVarint`).
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] or [`DecodeError::VarintTooLong`].
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        let raw = self.unsigned_varint()?;
        Ok((raw >> 1).cast_signed() ^ (raw & 1).cast_signed().wrapping_neg())
    }

    /// A zigzag variable-length integer of at most 64 bits (`ByteUtils.readVarlong`).
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] or [`DecodeError::VarintTooLong`].
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let raw = self.unsigned_varlong_of(10)?;
        Ok((raw >> 1).cast_signed() ^ (raw & 1).cast_signed().wrapping_neg())
    }

    fn unsigned_varlong_of(&mut self, bytes_max: u32) -> Result<u64, DecodeError> {
        let mut value: u64 = 0;
        for place in 0..bytes_max {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << (7 * place);
            if shifted >> (7 * place) != bits {
                return Err(DecodeError::VarintTooLong);
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong)
    }

    /// `string`, old encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or of text.
    pub fn string(&mut self) -> Result<&'a str, DecodeError> {
        self.nullable_string()?.ok_or(DecodeError::NegativeLength(-1))
    }

    /// `string` that may be null, old encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or of text.
    pub fn nullable_string(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let length = self.i16()?;
        self.text(i64::from(length))
    }

    /// `string`, flexible encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or of text.
    pub fn compact_string(&mut self) -> Result<&'a str, DecodeError> {
        self.compact_nullable_string()?.ok_or(DecodeError::NegativeLength(-1))
    }

    /// `string` that may be null, flexible encoding. Like Kafka, longer text than the old encoding can hold is
    /// refused.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or of text.
    pub fn compact_nullable_string(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let length = i64::from(self.unsigned_varint()?) - 1;
        if length > i64::from(i16::MAX) {
            return Err(DecodeError::Illegal("text over 32767 bytes"));
        }
        self.text(length)
    }

    /// `bytes`, old encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        self.nullable_bytes()?.ok_or(DecodeError::NegativeLength(-1))
    }

    /// `bytes` that may be null, old encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length.
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let length = self.i32()?;
        self.block(i64::from(length))
    }

    /// `bytes`, flexible encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length.
    pub fn compact_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        self.compact_nullable_bytes()?.ok_or(DecodeError::NegativeLength(-1))
    }

    /// `bytes` that may be null, flexible encoding.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length.
    pub fn compact_nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let length = i64::from(self.unsigned_varint()?) - 1;
        self.block(length)
    }

    /// The count of an array, old encoding; `None` is a null array. `element_bytes_min` is the size of the smallest
    /// possible element: a count that cannot fit into the bytes that are left is refused, so that it is safe to
    /// reserve memory for it.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or count.
    pub fn nullable_count(&mut self, element_bytes_min: usize) -> Result<Option<usize>, DecodeError> {
        let count = self.i32()?;
        self.checked_count(i64::from(count), element_bytes_min)
    }

    /// The count of an array that is never null, old encoding; see [`Reader::nullable_count`].
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or count.
    pub fn count(&mut self, element_bytes_min: usize) -> Result<usize, DecodeError> {
        self.nullable_count(element_bytes_min)?.ok_or(DecodeError::NegativeLength(-1))
    }

    /// The count of an array, flexible encoding; see [`Reader::nullable_count`].
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or count.
    pub fn compact_nullable_count(&mut self, element_bytes_min: usize) -> Result<Option<usize>, DecodeError> {
        let count = i64::from(self.unsigned_varint()?) - 1;
        self.checked_count(count, element_bytes_min)
    }

    /// The count of an array that is never null, flexible encoding; see [`Reader::nullable_count`].
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length or count.
    pub fn compact_count(&mut self, element_bytes_min: usize) -> Result<usize, DecodeError> {
        self.compact_nullable_count(element_bytes_min)?.ok_or(DecodeError::NegativeLength(-1))
    }

    /// The tagged fields at the end of a flexible structure. `field` gets each tag and a reader of exactly that
    /// field's bytes; a tag that it does not know is passed over by reading nothing.
    ///
    /// # Errors
    /// Any [`DecodeError`], also those of `field`.
    pub fn tagged_fields(
        &mut self,
        mut field: impl FnMut(u32, &mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = self.unsigned_varint()?;
        for _ in 0..count {
            let tag = self.unsigned_varint()?;
            let length = self.unsigned_varint()?;
            let bytes = self.block(i64::from(length))?.unwrap_or_default();
            field(tag, &mut Self::new(bytes))?;
        }
        Ok(())
    }

    /// Passes over the tagged fields of a structure that has none of its own.
    ///
    /// # Errors
    /// Any [`DecodeError`] of a length.
    pub fn skip_tagged_fields(&mut self) -> Result<(), DecodeError> {
        self.tagged_fields(|_, _| Ok(()))
    }

    fn text(&mut self, length: i64) -> Result<Option<&'a str>, DecodeError> {
        let Some(bytes) = self.block(length)? else { return Ok(None) };
        std::str::from_utf8(bytes).map(Some).map_err(|_| DecodeError::NotUtf8)
    }

    fn block(&mut self, length: i64) -> Result<Option<&'a [u8]>, DecodeError> {
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| DecodeError::NegativeLength(length))?;
        self.take(length).map(Some)
    }

    fn checked_count(&mut self, count: i64, element_bytes_min: usize) -> Result<Option<usize>, DecodeError> {
        if count == -1 {
            return Ok(None);
        }
        let count = usize::try_from(count).map_err(|_| DecodeError::NegativeLength(count))?;
        let left = self.bytes.len();
        if count.saturating_mul(element_bytes_min.max(1)) > left {
            return Err(DecodeError::CountTooLarge { count, left });
        }
        Ok(Some(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_as_kafka_writes_them() {
        // Written by ByteUtils.writeUnsignedVarint and writeVarlong.
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f], u32::MAX),
        ] {
            assert_eq!(Reader::new(bytes).unsigned_varint(), Ok(value));
        }
        assert_eq!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]).unsigned_varint(),
            Err(DecodeError::VarintTooLong)
        );
        assert_eq!(Reader::new(&[0x80; 11]).varlong(), Err(DecodeError::VarintTooLong));
        assert_eq!(Reader::new(&[0x01]).varint(), Ok(-1));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).varint(), Ok(i32::MIN));
        let lowest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Reader::new(&lowest).varlong(), Ok(i64::MIN));
    }

    #[test]
    fn lengths_that_lie_are_refused_before_anything_is_reserved() {
        assert_eq!(
            Reader::new(&[0x7f, 0xff]).string(),
            Err(DecodeError::Truncated { needed: 32767, left: 0 })
        );
        assert_eq!(Reader::new(&[0xff, 0xfe]).nullable_string(), Err(DecodeError::NegativeLength(-2)));
        assert_eq!(Reader::new(&[0xff, 0xff]).string(), Err(DecodeError::NegativeLength(-1)));
        assert_eq!(Reader::new(&[0xff, 0xff]).nullable_string(), Ok(None));
        assert_eq!(
            Reader::new(&[0x7f, 0xff, 0xff, 0xff, 0]).count(4),
            Err(DecodeError::CountTooLarge { count: 0x7fff_ffff, left: 1 })
        );
        assert_eq!(Reader::new(&[0]).compact_nullable_count(1), Ok(None));
        assert_eq!(Reader::new(&[0]).compact_count(1), Err(DecodeError::NegativeLength(-1)));
    }

    #[test]
    fn unknown_tagged_fields_are_passed_over() {
        let mut reader = Reader::new(&[2, 0, 2, 0xaa, 0xbb, 9, 1, 0xcc, 0x2a]);
        let mut seen = Vec::new();
        let fields = reader.tagged_fields(|tag, field| {
            seen.push((tag, field.rest().to_vec()));
            Ok(())
        });
        assert_eq!(fields, Ok(()));
        assert_eq!(seen, [(0, vec![0xaa, 0xbb]), (9, vec![0xcc])]);
        assert_eq!(reader.i8(), Ok(0x2a));
    }
}
