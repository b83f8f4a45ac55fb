//! Writes the segment that is to take the place of others, as `.cleaned` files: batches, both indexes, and the
//! aborted transactions that it still has records of.

use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use super::{CleanedSegment, Progress, Source, remove_cleaned};
use crate::batch::BatchHeader;
use crate::disk::{DiskFile, OpenFile};
use crate::error::LogError;
use crate::index::{AbortedTransaction, TransactionIndex};
use crate::names::{CLEANED_SUFFIX, Kind, file_name};
use crate::segment::{Counts, Indexes, Place};

/// Largest segment that there can be: positions in an index have 31 bits.
const SEGMENT_BYTES_MAX: u64 = i32::MAX as u64;

/// A segment that is being written.
pub(super) struct SegmentWriter<'a> {
    place: &'a Place,
    base_offset: Offset,
    file: Arc<dyn DiskFile>,
    indexes: Indexes,
    counts: Counts,
    aborted: TransactionIndex,
    index_interval_bytes: u64,
    buffer: Vec<u8>,
    buffer_bytes: usize,
    /// Bytes that are in the file.
    flushed: u64,
}

impl<'a> SegmentWriter<'a> {
    /// Begins one. What an earlier run left of it is emptied.
    pub(super) fn create(
        place: &'a Place,
        base_offset: Offset,
        index_interval_bytes: u64,
        buffer_bytes: usize,
    ) -> io::Result<Self> {
        remove_cleaned(place, base_offset)?;
        let path = place.path(&format!("{}{CLEANED_SUFFIX}", file_name(base_offset, Kind::Log)));
        let file = place.disk.open(&path, OpenFile { create: true, capacity: SEGMENT_BYTES_MAX })?;
        Ok(Self {
            place,
            base_offset,
            file,
            indexes: Indexes::new(base_offset),
            counts: Counts::default(),
            aborted: TransactionIndex::default(),
            index_interval_bytes,
            buffer: Vec::new(),
            buffer_bytes,
            flushed: 0,
        })
    }

    fn size(&self) -> u64 {
        self.flushed.saturating_add(self.buffer.len() as u64)
    }

    /// Adds a batch: its header, and all of its bytes.
    pub(super) fn append(
        &mut self,
        header: &BatchHeader,
        bytes: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), LogError> {
        let position = self.size();
        if position.saturating_add(bytes.len() as u64) > SEGMENT_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        if self.buffer.len().saturating_add(bytes.len()) > self.buffer_bytes {
            self.flush(progress)?;
        }
        if bytes.len() >= self.buffer_bytes {
            self.write(bytes, progress)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.counts.add(header, position, bytes.len() as u64);
        self.indexes.add(
            position,
            header.last_offset(),
            header.largest_timestamp(),
            self.index_interval_bytes,
        );
        Ok(())
    }

    /// Adds an aborted transaction whose marker is in the segment.
    pub(super) fn push_aborted(&mut self, aborted: AbortedTransaction) {
        self.aborted.push(aborted);
    }

    fn flush(&mut self, progress: &mut Progress<'_>) -> Result<(), LogError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = if buffer.is_empty() { Ok(()) } else { self.write(&buffer, progress) };
        buffer.clear();
        self.buffer = buffer;
        result
    }

    fn write(&mut self, bytes: &[u8], progress: &mut Progress<'_>) -> Result<(), LogError> {
        self.file.write_at(self.flushed, &[bytes])?;
        self.flushed = self.flushed.saturating_add(bytes.len() as u64);
        progress.add(bytes.len() as u64)
    }

    /// Writes the rest and syncs all of it: from here on a crash may make this the only copy.
    pub(super) fn finish(
        mut self,
        group: &[Source],
        progress: &mut Progress<'_>,
    ) -> Result<CleanedSegment, LogError> {
        self.flush(progress)?;
        self.file.sync()?;
        let Indexes { offsets, mut times, largest, .. } = self.indexes;
        times.push(largest);
        let aborted = self.aborted.to_bytes();
        let small = [
            (Kind::OffsetIndex, offsets.as_bytes()),
            (Kind::TimeIndex, times.as_bytes()),
            (Kind::TransactionIndex, &aborted),
        ];
        for (kind, bytes) in small {
            let name = format!("{}{CLEANED_SUFFIX}", file_name(self.base_offset, kind));
            self.place.write_small(&name, bytes)?.sync()?;
        }
        Ok(CleanedSegment {
            base_offset: self.base_offset,
            size: self.flushed,
            sources: group.iter().map(|source| (source.base_offset, source.size)).collect(),
            kinds: Kind::OF_SEGMENT.to_vec(),
            counts: self.counts,
        })
    }
}
