//! Walks the records of a batch without copying them: their lengths must add up, and their offsets and
//! timestamps are told. Keys, values and headers are only stepped over.

use bytes::Bytes;
use thiserror::Error;

use super::compression::Decompressed;
use super::header::BatchHeader;
use super::varint::{read_varint, read_varlong};

/// What is wrong with the records of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(super) &'static str);

impl Malformed {
    /// As an error of reading what a disk holds.
    pub(super) fn into_io(self) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::InvalidData, self)
    }
}

/// What a walk tells of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Offset, less the batch's base offset.
    pub(crate) offset_delta: i32,
    /// Timestamp, less the batch's base timestamp.
    pub(crate) timestamp_delta: i64,
    /// False for a null key.
    pub(crate) has_key: bool,
}

/// A walk over the records of one batch. It ends after the first error.
pub(crate) struct Walk {
    records: Records,
    left: i32,
}

enum Records {
    Plain { body: Bytes, at: usize },
    Compressed(Decompressed),
}

impl Walk {
    /// Starts at the first record. `body` is what follows the header.
    pub(crate) fn new(header: &BatchHeader, body: &Bytes) -> Result<Self, Malformed> {
        if header.record_count < 0 {
            return Err(Malformed("found invalid record count in magic v2 batch"));
        }
        let compression = header.compression().ok_or(Malformed("unknown compression type"))?;
        let records = match Decompressed::new(compression, body.clone())? {
            Some(decompressed) => Records::Compressed(decompressed),
            None => Records::Plain { body: body.clone(), at: 0 },
        };
        Ok(Self { records, left: header.record_count })
    }

    fn step(&mut self) -> Result<Walked, Malformed> {
        match &mut self.records {
            Records::Plain { body, at } => {
                let mut rest = Slice(body.get(*at..).unwrap_or_default());
                let length = record_length(&mut rest)?;
                let (record, after) = rest.0.split_at_checked(length).ok_or(TOO_LONG)?;
                let walked = walk_record(&mut Slice(record))?;
                *at = body.len() - after.len();
                Ok(walked)
            }
            Records::Compressed(decompressed) => {
                let length = record_length(&mut Bounded { decompressed, left: usize::MAX })?;
                walk_record(&mut Bounded { decompressed, left: length })
            }
        }
    }

    fn is_at_end(&mut self) -> Result<bool, Malformed> {
        match &mut self.records {
            Records::Plain { body, at } => Ok(*at == body.len()),
            Records::Compressed(decompressed) => decompressed.is_at_end(),
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Walked, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let mut walked = self.step();
        if walked.is_ok() && self.left == 0 {
            walked = self.is_at_end().and_then(|end| if end { walked } else { Err(BYTES_LEFT) });
        }
        if walked.is_err() {
            self.left = 0;
        }
        Some(walked)
    }
}

pub(super) const TOO_LONG: Malformed = Malformed("a record is longer than what is left of the batch");
pub(super) const BYTES_LEFT: Malformed =
    Malformed("incorrect declared batch size, records still remaining in file");
const BAD_STRUCTURE: Malformed = Malformed("found invalid record structure");

/// Bytes of one record.
trait Source {
    fn byte(&mut self) -> Result<u8, Malformed>;
    fn skip(&mut self, count: usize) -> Result<(), Malformed>;
    fn left(&self) -> usize;
}

struct Slice<'a>(&'a [u8]);

impl Source for Slice<'_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (&byte, rest) = self.0.split_first().ok_or(BAD_STRUCTURE)?;
        self.0 = rest;
        Ok(byte)
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.0 = self.0.get(count..).ok_or(BAD_STRUCTURE)?;
        Ok(())
    }

    fn left(&self) -> usize {
        self.0.len()
    }
}

/// One record of a stream; reading past its length is an error.
struct Bounded<'a> {
    decompressed: &'a mut Decompressed,
    left: usize,
}

impl Source for Bounded<'_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Malformed> {
        self.left = self.left.checked_sub(1).ok_or(BAD_STRUCTURE)?;
        self.decompressed.byte()
    }

    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.left = self.left.checked_sub(count).ok_or(BAD_STRUCTURE)?;
        self.decompressed.skip(count)
    }

    fn left(&self) -> usize {
        self.left
    }
}

#[inline]
fn varint(source: &mut impl Source) -> Result<i32, Malformed> {
    read_varint(|| source.byte().ok()).ok_or(BAD_STRUCTURE)
}

fn record_length(source: &mut impl Source) -> Result<usize, Malformed> {
    usize::try_from(varint(source)?).map_err(|_| Malformed("found a record of negative length"))
}

/// Steps over a byte string; false for a null one. Kafka takes every negative length for null.
#[inline]
fn skip_nullable(source: &mut impl Source) -> Result<bool, Malformed> {
    match usize::try_from(varint(source)?) {
        Ok(length) => source.skip(length).map(|()| true),
        Err(_) => Ok(false),
    }
}

fn walk_record(source: &mut impl Source) -> Result<Walked, Malformed> {
    source.byte()?; // Attributes, of which v2 has none.
    let timestamp_delta = read_varlong(|| source.byte().ok()).ok_or(BAD_STRUCTURE)?;
    let offset_delta = varint(source)?;
    let has_key = skip_nullable(source)?;
    skip_nullable(source)?;
    let headers = usize::try_from(varint(source)?)
        .ok()
        .filter(|&count| count <= source.left())
        .ok_or(Malformed("found invalid number of record headers"))?;
    for _ in 0..headers {
        if !skip_nullable(source)? {
            return Err(Malformed("invalid negative header key size"));
        }
        skip_nullable(source)?;
    }
    if source.left() != 0 {
        return Err(Malformed("a record is longer than its fields"));
    }
    Ok(Walked { offset_delta, timestamp_delta, has_key })
}
