//! Reads the batches of a sealed segment for compaction: with buffered reads and not through a map, so that a
//! disk that cannot read is an error, and that what is hot for consumers stays so.

use bytes::{Bytes, BytesMut};
use ottla_model::Offset;

use super::{Progress, Source};
use crate::batch::{BatchHeader, HEADER_BYTES};
use crate::error::{LogError, ReadError};
use crate::segment::is_sane;

/// One whole batch whose CRC is right.
#[derive(Debug, Clone)]
pub(super) struct RawBatch {
    pub(super) header: BatchHeader,
    pub(super) bytes: Bytes,
}

impl RawBatch {
    /// What follows the header.
    pub(super) fn body(&self) -> Bytes {
        self.bytes.slice(HEADER_BYTES.min(self.bytes.len())..)
    }
}

/// Steps through one segment.
pub(super) struct BatchReader<'a> {
    source: &'a Source,
    /// Where the next batch begins.
    position: u64,
    /// Bytes that were read from there on.
    chunk: Bytes,
    chunk_bytes: usize,
    /// Smallest base offset that the next batch may have.
    next_offset: Offset,
}

impl<'a> BatchReader<'a> {
    pub(super) fn new(source: &'a Source, chunk_bytes: usize) -> Self {
        let chunk_bytes = chunk_bytes.max(HEADER_BYTES);
        Self { source, position: 0, chunk: Bytes::new(), chunk_bytes, next_offset: source.base_offset }
    }

    /// True when there is no batch any more.
    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.source.size
    }

    /// The next batch.
    pub(super) fn next(&mut self, progress: &mut Progress<'_>) -> Result<Option<RawBatch>, LogError> {
        if self.is_at_end() {
            return Ok(None);
        }
        self.fill(HEADER_BYTES, progress)?;
        let room = self.source.size.saturating_sub(self.position);
        let header = BatchHeader::parse(&self.chunk)
            .filter(|header| is_sane(header, self.source.base_offset, room))
            .filter(|header| header.base_offset >= self.next_offset)
            .ok_or_else(|| self.corrupt())?;
        let size = header.size_in_bytes().unwrap_or_default();
        self.fill(size, progress)?;
        if self.chunk.len() < size {
            return Err(self.corrupt());
        }
        let batch = RawBatch { header, bytes: self.chunk.split_to(size) };
        if header.computed_crc(&batch.body()) != header.crc {
            return Err(self.corrupt());
        }
        self.position = self.position.saturating_add(size as u64);
        self.next_offset = header.last_offset().saturating_add(1);
        Ok(Some(batch))
    }

    /// Has at least `count` bytes ready, unless the segment ends before.
    fn fill(&mut self, count: usize, progress: &mut Progress<'_>) -> Result<(), LogError> {
        if self.chunk.len() >= count {
            return Ok(());
        }
        // The old bytes go before the new ones come.
        self.chunk = Bytes::new();
        let room = usize::try_from(self.source.size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let mut buffer = BytesMut::zeroed(self.chunk_bytes.max(count).min(room));
        let read = self.source.file.read_at(self.position, &mut buffer)?;
        buffer.truncate(read);
        self.chunk = buffer.freeze();
        progress.add(read as u64)
    }

    fn corrupt(&self) -> LogError {
        ReadError::Corrupt { segment: self.source.base_offset, position: self.position }.into()
    }
}
