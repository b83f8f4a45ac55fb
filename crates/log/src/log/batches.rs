//! Reading a log batch by batch, for machines that are rebuilt from it.

use bytes::Bytes;
use ottla_model::Offset;

use super::{Log, ReadLimit};
use crate::batch::BatchHeader;
use crate::error::ReadError;

/// Bytes that are read together.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Iterates over the batches of a log; made by [`Log::batches`]. It ends after the first error.
#[derive(Debug)]
pub struct Batches<'a> {
    log: &'a Log,
    next: Offset,
    chunk: Bytes,
    failed: bool,
}

impl Log {
    /// The batches from the one that holds `from` on, up to the end of the log.
    #[must_use]
    pub fn batches(&self, from: Offset) -> Batches<'_> {
        Batches { log: self, next: from, chunk: Bytes::new(), failed: false }
    }
}

impl Batches<'_> {
    fn step(&mut self) -> Result<Option<Bytes>, ReadError> {
        let mut position = 0;
        let mut segment = 0;
        if self.chunk.is_empty() {
            let limit = ReadLimit { max_bytes: CHUNK_BYTES, at_least_one: true, upper: Offset::MAX };
            let read = self.log.read(self.next, limit)?;
            self.next = read.next;
            self.chunk = read.bytes;
            (segment, position) = (read.segment, read.position);
        }
        if self.chunk.is_empty() {
            return Ok(None);
        }
        let size = BatchHeader::parse(&self.chunk).and_then(|header| header.size_in_bytes());
        match size.filter(|&size| size <= self.chunk.len()) {
            Some(size) => Ok(Some(self.chunk.split_to(size))),
            None => Err(ReadError::Corrupt { segment, position }),
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Bytes, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step().transpose();
        self.failed = !matches!(step, Some(Ok(_)));
        step
    }
}
