//! Reads the records of a batch piece by piece, so that neither a long key nor a batch that decompresses to
//! gigabytes costs memory: what compaction needs to decide and to copy.

use std::io;

use bytes::Bytes;

use super::compression::Decompressed;
use super::header::BatchHeader;
use super::varint::{read_varint, read_varlong, write_varint, write_varlong};
use super::walk::{Malformed, TOO_LONG};

const BAD_STRUCTURE: Malformed = Malformed("found invalid record structure");

/// What decides whether a record stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glimpse {
    /// Offset, less the batch's base offset.
    pub(crate) offset_delta: i32,
    /// Timestamp, less the batch's base timestamp.
    pub(crate) timestamp_delta: i64,
    /// False for a null key.
    pub(crate) has_key: bool,
    /// False for a null value: a tombstone.
    pub(crate) has_value: bool,
}

/// The records of one batch, one after the other. Bytes behind the last one are not looked at: the batch was
/// validated when it was appended.
pub(crate) struct RecordStream {
    source: Source,
    left: i32,
}

enum Source {
    Plain { body: Bytes, at: usize },
    Compressed(Box<Decompressed>),
}

impl RecordStream {
    /// Starts at the first record. `body` is what follows the header.
    pub(crate) fn new(header: &BatchHeader, body: &Bytes) -> io::Result<Self> {
        let compression =
            header.compression().ok_or_else(|| Malformed("unknown compression type").into_io())?;
        let source = match Decompressed::new(compression, body.clone()).map_err(Malformed::into_io)? {
            Some(decompressed) => Source::Compressed(Box::new(decompressed)),
            None => Source::Plain { body: body.clone(), at: 0 },
        };
        Ok(Self { source, left: header.record_count })
    }

    /// Looks at the next record. The bytes of its key go to `key`, in pieces.
    pub(crate) fn glimpse(&mut self, mut key: impl FnMut(&[u8])) -> io::Result<Option<Glimpse>> {
        let Some(mut record) = self.next()? else { return Ok(None) };
        record.byte()?; // Attributes, of which v2 has none.
        let timestamp_delta = record.varlong()?;
        let offset_delta = record.varint()?;
        let key_length = usize::try_from(record.varint()?).ok();
        record.feed(key_length.unwrap_or(0), &mut |piece| {
            key(piece);
            Ok(())
        })?;
        let has_value = record.varint()? >= 0;
        record.skip_rest()?;
        Ok(Some(Glimpse { offset_delta, timestamp_delta, has_key: key_length.is_some(), has_value }))
    }

    /// Passes over the next record.
    pub(crate) fn skip(&mut self) -> io::Result<()> {
        self.next()?.map_or(Ok(()), |mut record| record.skip_rest())
    }

    /// Copies the next record with its timestamp delta changed by `shift`; everything else keeps its bytes.
    pub(crate) fn copy(&mut self, shift: i64, into: &mut impl io::Write) -> io::Result<()> {
        let Some(mut record) = self.next()? else { return Ok(()) };
        let attributes = record.byte()?;
        let mut front = vec![attributes];
        write_varlong(record.varlong()?.wrapping_add(shift), &mut front);
        let length = i32::try_from(front.len().saturating_add(record.left));
        let mut prefix = Vec::new();
        write_varint(length.map_err(|_| TOO_LONG.into_io())?, &mut prefix);
        into.write_all(&prefix)?;
        into.write_all(&front)?;
        let left = record.left;
        record.feed(left, &mut |piece| into.write_all(piece))
    }

    fn next(&mut self) -> io::Result<Option<OneRecord<'_>>> {
        if self.left <= 0 {
            return Ok(None);
        }
        self.left -= 1;
        let length = read_varint(|| self.source.byte().ok()).and_then(|length| usize::try_from(length).ok());
        let left = length.ok_or_else(|| BAD_STRUCTURE.into_io())?;
        Ok(Some(OneRecord { source: &mut self.source, left }))
    }
}

impl Source {
    fn byte(&mut self) -> Result<u8, Malformed> {
        match self {
            Self::Plain { body, at } => {
                let byte = body.get(*at).copied().ok_or(TOO_LONG)?;
                *at += 1;
                Ok(byte)
            }
            Self::Compressed(stream) => stream.byte(),
        }
    }

    fn feed(&mut self, count: usize, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Plain { body, at } => {
                let end = at.saturating_add(count);
                let piece = body.get(*at..end).ok_or_else(|| TOO_LONG.into_io())?;
                *at = end;
                take(piece)
            }
            Self::Compressed(stream) => stream.feed(count, take),
        }
    }
}

/// What is left of one record; reading past its length is an error.
struct OneRecord<'a> {
    source: &'a mut Source,
    left: usize,
}

impl OneRecord<'_> {
    fn byte(&mut self) -> io::Result<u8> {
        self.take(1)?;
        self.source.byte().map_err(Malformed::into_io)
    }

    fn take(&mut self, count: usize) -> io::Result<()> {
        self.left = self.left.checked_sub(count).ok_or_else(|| BAD_STRUCTURE.into_io())?;
        Ok(())
    }

    fn varint(&mut self) -> io::Result<i32> {
        read_varint(|| self.byte().ok()).ok_or_else(|| BAD_STRUCTURE.into_io())
    }

    fn varlong(&mut self) -> io::Result<i64> {
        read_varlong(|| self.byte().ok()).ok_or_else(|| BAD_STRUCTURE.into_io())
    }

    fn feed(&mut self, count: usize, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.take(count)?;
        self.source.feed(count, take)
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        let left = self.left;
        self.feed(left, &mut |_| Ok(()))
    }
}
