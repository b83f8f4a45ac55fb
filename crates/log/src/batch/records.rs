//! The records of a batch, whole.

use bytes::{Buf, Bytes};

use super::compression::Decompressed;
use super::error::BatchError;
use super::header::{BatchHeader, HEADER_BYTES, TimestampType};
use super::varint::{read_varint, read_varlong};
use super::walk::{BYTES_LEFT, Malformed, TOO_LONG};
use ottla_model::Offset;

/// One record (`DefaultRecord`). Its bytes share the batch's memory unless that is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is in the partition.
    pub offset: Offset,
    /// Its timestamp in milliseconds; the batch's when that has the time of the append.
    pub timestamp: i64,
    /// The key, or `None` for null.
    pub key: Option<Bytes>,
    /// The value, or `None` for null: a tombstone.
    pub value: Option<Bytes>,
    /// Headers in their order; keys may repeat.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// Iterates over the records of a batch, decompressing when needed. It ends after the first error.
pub struct Records {
    header: BatchHeader,
    source: Source,
    left: i32,
}

enum Source {
    Plain(Bytes),
    Compressed(Box<Decompressed>),
}

/// The records of one batch, which is whole: header and body. The CRC is not checked here.
///
/// # Errors [`BatchError::Corrupt`] when there is no whole batch, [`BatchError::Invalid`] when its records
/// cannot be read.
pub fn records(batch: &Bytes) -> Result<Records, BatchError> {
    let header = BatchHeader::parse(batch).ok_or_else(|| BatchError::Corrupt("no whole header".into()))?;
    let size = header.size_in_bytes().filter(|&size| size <= batch.len());
    let size = size.ok_or_else(|| BatchError::Corrupt("no whole batch".into()))?;
    let body = batch.slice(HEADER_BYTES..size);
    let compression = header.compression().ok_or(BatchError::UnsupportedCompression(header.attributes))?;
    if header.record_count < 0 {
        return Err(BatchError::Invalid("found invalid record count in magic v2 batch".into()));
    }
    let source = match Decompressed::new(compression, body.clone())? {
        Some(decompressed) => Source::Compressed(Box::new(decompressed)),
        None => Source::Plain(body),
    };
    Ok(Records { header, source, left: header.record_count })
}

impl From<Malformed> for BatchError {
    fn from(malformed: Malformed) -> Self {
        Self::Invalid(malformed.to_string())
    }
}

impl Records {
    /// The bytes of the next record, without its length.
    fn body(&mut self) -> Result<Bytes, Malformed> {
        let length = match &mut self.source {
            Source::Plain(rest) => read_varint(|| rest.try_get_u8().ok()),
            Source::Compressed(stream) => read_varint(|| stream.byte().ok()),
        };
        let length = length.and_then(|length| usize::try_from(length).ok()).ok_or(TOO_LONG)?;
        match &mut self.source {
            Source::Plain(rest) if length <= rest.len() => Ok(rest.split_to(length)),
            Source::Plain(_) => Err(TOO_LONG),
            Source::Compressed(stream) => stream.take(length),
        }
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let mut body = self.body()?;
        parse(&mut body, &self.header)
            .filter(|_| body.is_empty())
            .ok_or(Malformed("found invalid record structure"))
    }

    fn is_at_end(&mut self) -> Result<bool, Malformed> {
        match &mut self.source {
            Source::Plain(rest) => Ok(rest.is_empty()),
            Source::Compressed(stream) => stream.is_at_end(),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let mut record = self.record();
        if record.is_ok() && self.left == 0 {
            record = self.is_at_end().and_then(|end| if end { record } else { Err(BYTES_LEFT) });
        }
        if record.is_err() {
            self.left = 0;
        }
        Some(record.map_err(BatchError::from))
    }
}

fn parse(body: &mut Bytes, header: &BatchHeader) -> Option<Record> {
    body.try_get_u8().ok()?; // Attributes, of which v2 has none.
    let timestamp_delta = read_varlong(|| body.try_get_u8().ok())?;
    let offset_delta = read_varint(|| body.try_get_u8().ok())?;
    let key = nullable(body)?;
    let value = nullable(body)?;
    let count = usize::try_from(read_varint(|| body.try_get_u8().ok())?).ok()?;
    // Each takes two bytes at least, so that the bytes bound how many there can be.
    let mut headers = Vec::with_capacity(count.min(body.len() / 2));
    for _ in 0..count {
        headers.push((nullable(body)??, nullable(body)?));
    }
    let timestamp = match header.timestamp_type() {
        TimestampType::LogAppendTime => header.max_timestamp,
        // It wraps as it does in every Java client.
        TimestampType::CreateTime => header.base_timestamp.wrapping_add(timestamp_delta),
    };
    let offset = header.base_offset.saturating_add(i64::from(offset_delta));
    Some(Record { offset, timestamp, key, value, headers })
}

/// A byte string with its length in front; the inner `None` is null.
#[expect(clippy::option_option, reason = "the outer one says that there are too few bytes")]
fn nullable(body: &mut Bytes) -> Option<Option<Bytes>> {
    match usize::try_from(read_varint(|| body.try_get_u8().ok())?) {
        Ok(length) if length <= body.len() => Some(Some(body.split_to(length))),
        Ok(_) => None,
        Err(_) => Some(None),
    }
}
