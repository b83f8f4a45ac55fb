//! Loading, rebuilding and writing the indexes of a segment.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::{NONE, Offset};

use super::{Scan, Segment};
use crate::disk::{DiskFile, OpenFile};
use crate::index::{OffsetIndex, TimeIndex, TimestampOffset};
use crate::names::{Kind, file_name};

/// Bytes between two entries of an index that is rebuilt because its file was damaged under a running log.
const REBUILT_INTERVAL_BYTES: u64 = 4096;

/// Both indexes of a segment and what they were made from.
#[derive(Debug)]
pub(crate) struct Indexes {
    pub(crate) offsets: OffsetIndex,
    pub(crate) times: TimeIndex,
    /// The largest timestamp so far.
    pub(crate) largest: TimestampOffset,
    last_position: u64,
}

impl Indexes {
    pub(crate) fn new(base_offset: Offset) -> Self {
        Self {
            offsets: OffsetIndex::new(base_offset),
            times: TimeIndex::new(base_offset),
            largest: TimestampOffset { timestamp: NONE, offset: base_offset },
            last_position: 0,
        }
    }

    /// Takes note of a batch, as `LogSegment.append` and `LogSegment.recover` do.
    pub(crate) fn add(
        &mut self,
        position: u64,
        last_offset: Offset,
        max_timestamp: i64,
        interval_bytes: u64,
    ) {
        if max_timestamp > self.largest.timestamp {
            self.largest = TimestampOffset { timestamp: max_timestamp, offset: last_offset };
        }
        if position.saturating_sub(self.last_position) > interval_bytes {
            self.offsets.push(last_offset, position);
            self.times.push(self.largest);
            self.last_position = position;
        }
    }
}

impl Segment {
    /// The offset index, loaded at the first use. One that cannot be right is rebuilt from the batches.
    pub(crate) fn offsets(&self) -> io::Result<&OffsetIndex> {
        if let Some(index) = self.offsets.get() {
            return Ok(index);
        }
        let bytes = self.load_file(Kind::OffsetIndex)?;
        let index = bytes.and_then(|bytes| OffsetIndex::load(self.base_offset, bytes, self.size));
        let index = match index {
            Some(index) => index,
            None => self.scan_indexes(REBUILT_INTERVAL_BYTES)?.offsets,
        };
        Ok(self.offsets.get_or_init(|| index))
    }

    /// The time index, loaded at the first use. One that cannot be right is rebuilt from the batches.
    pub(crate) fn times(&self) -> io::Result<&TimeIndex> {
        if let Some(index) = self.times.get() {
            return Ok(index);
        }
        let bytes = self.load_file(Kind::TimeIndex)?;
        let index = match bytes.and_then(|bytes| TimeIndex::load(self.base_offset, bytes)) {
            Some(index) => index,
            None => {
                // Its last entry tells the largest timestamp, as that of a sealed one.
                let mut indexes = self.scan_indexes(REBUILT_INTERVAL_BYTES)?;
                indexes.times.push(indexes.largest);
                indexes.times
            }
        };
        Ok(self.times.get_or_init(|| index))
    }

    fn load_file(&self, kind: Kind) -> io::Result<Option<Bytes>> {
        let file = match self.place.disk.open(&self.path(kind), OpenFile { create: false, capacity: 0 }) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.length()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        file.slice(0, length).map(Some)
    }

    /// The largest timestamp of the segment (`LogSegment.readMaxTimestampAndOffsetSoFar`): that of the last
    /// entry of the time index, when the batch that it names agrees, else the largest of all batches.
    pub(crate) fn largest(&self) -> io::Result<TimestampOffset> {
        if let Some(largest) = self.largest.get() {
            return Ok(*largest);
        }
        let last = self.times()?.last();
        let named = if last.timestamp == NONE { None } else { self.batch_ending_at(last.offset)? };
        let largest = match named {
            Some(batch) if batch.header.max_timestamp == last.timestamp => last,
            _ => self.scan_indexes(u64::MAX)?.largest,
        };
        Ok(*self.largest.get_or_init(|| largest))
    }

    /// Makes the indexes from the headers of the batches.
    pub(crate) fn scan_indexes(&self, interval_bytes: u64) -> io::Result<Indexes> {
        let mut indexes = Indexes::new(self.base_offset);
        let mut scan = self.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
        while let Some(batch) = scan.next()? {
            let header = &batch.header;
            indexes.add(batch.position, header.last_offset(), header.max_timestamp, interval_bytes);
        }
        Ok(indexes)
    }

    /// Takes indexes that were made from the batches; their files are written when the segment is sealed.
    pub(crate) fn set_indexes(&mut self, indexes: Indexes) {
        self.offsets = indexes.offsets.into();
        self.times = indexes.times.into();
        self.largest = indexes.largest.into();
        self.indexes_unwritten = true;
    }

    /// Steps through the segment from a position.
    pub(crate) fn scan(&self, from: u64, window_bytes: usize) -> io::Result<Scan<'_>> {
        Ok(Scan::new(self.file()?.as_ref(), self.base_offset, from..self.size, window_bytes))
    }

    /// Ends the time index with the largest timestamp and writes both files
    /// (`LogSegment.onBecomeInactiveSegment`). What a failed write left behind the last batch is cut. May be
    /// called again after an error.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        if self.has_torn_tail {
            self.file()?.truncate(self.size)?;
            self.has_torn_tail = false;
        }
        if !self.indexes_unwritten {
            return Ok(());
        }
        let largest = self.largest()?;
        self.offsets()?;
        self.times()?;
        if let Some(times) = self.times.get_mut() {
            times.push(largest);
        }
        let write =
            |kind, bytes: &[u8]| self.place.write_small(&file_name(self.base_offset, kind), bytes).map(drop);
        write(Kind::OffsetIndex, self.offsets()?.as_bytes())?;
        write(Kind::TimeIndex, self.times()?.as_bytes())?;
        self.indexes_unwritten = false;
        self.indexes_unsynced = true;
        // From here on they are slices of their files.
        self.offsets.take();
        self.times.take();
        Ok(())
    }

    /// The index files, when they were written since the segment was last synced to its end.
    pub(crate) fn unsynced_indexes(&self) -> io::Result<Vec<Arc<dyn DiskFile>>> {
        if !self.indexes_unsynced {
            return Ok(Vec::new());
        }
        let open = OpenFile { create: false, capacity: 0 };
        [Kind::OffsetIndex, Kind::TimeIndex]
            .map(|kind| self.place.disk.open(&self.path(kind), open))
            .into_iter()
            .collect()
    }

    /// Notes that the index files survive a power loss.
    pub(crate) fn mark_indexes_synced(&mut self) {
        self.indexes_unsynced = false;
    }
}
