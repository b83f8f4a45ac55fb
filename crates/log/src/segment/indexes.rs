//! Loading, rebuilding and writing the indexes of a segment.

use std::io;

use bytes::Bytes;
use ottla_model::{NONE, Offset};

use super::{Scan, Scanned, Segment};
use crate::disk::OpenFile;
use crate::error::ReadError;
use crate::index::{OffsetIndex, TimeIndex, TimestampOffset};
use crate::names::{Kind, file_name};

/// Bytes between two entries of an index that is rebuilt because its file was damaged under a running log.
const REBUILT_INTERVAL_BYTES: u64 = 4096;
/// Most bytes at the end of a segment whose CRC is checked to find its largest timestamp. Of more than that,
/// which only timestamps that do not rise lead to, the headers are believed.
const CHECKED_TAIL_BYTES_MAX: u64 = 4 * 1024 * 1024;

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

    pub(super) fn load_file(&self, kind: Kind) -> io::Result<Option<Bytes>> {
        let file = match self.place.disk.open(&self.path(kind), OpenFile { create: false, capacity: 0 }) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.length()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        file.slice(0, length).map(Some)
    }

    /// The largest timestamp of the segment (`LogSegment.readMaxTimestampAndOffsetSoFar`).
    ///
    /// Kafka takes the last entry of the time index for it. That entry is missing when the file was cut
    /// between two entries, which nothing else tells, so the batches after the entry before it are looked at
    /// too: they are few, unless the timestamps stopped rising.
    pub(crate) fn largest(&self) -> io::Result<TimestampOffset> {
        if let Some(largest) = self.largest.get() {
            return Ok(*largest);
        }
        let largest = self.around_damage(|| self.find_largest())?;
        Ok(*self.largest.get_or_init(|| largest))
    }

    pub(super) fn find_largest(&self) -> Result<TimestampOffset, ReadError> {
        let known = match self.times()?.before_last() {
            Some(entry) => self.agreeing(entry)?.map(|batch| (batch.position, entry)),
            None => None,
        };
        let none = TimestampOffset { timestamp: NONE, offset: self.base_offset };
        let (position, mut largest) = known.unwrap_or((0, none));
        let is_short = self.size.saturating_sub(position) <= CHECKED_TAIL_BYTES_MAX;
        let mut scan = self.scan(position, Scan::HEADERS_WINDOW_BYTES)?;
        while let Some(batch) = scan.next()? {
            if is_short && self.is_unchecked(batch.position) && !scan.has_good_crc(&batch)? {
                return Err(self.corrupt_at(batch.position));
            }
            let timestamp = batch.header.largest_timestamp();
            if timestamp > largest.timestamp {
                largest = TimestampOffset { timestamp, offset: batch.header.last_offset() };
            }
        }
        self.expect_end(&scan)?;
        Ok(largest)
    }

    /// The batch that an entry of the time index names, when the two agree.
    pub(super) fn agreeing(&self, entry: TimestampOffset) -> Result<Option<Scanned>, ReadError> {
        let batch = self.batch_ending_at(entry.offset)?;
        Ok(batch.filter(|batch| batch.header.largest_timestamp() == entry.timestamp))
    }

    /// An error unless the scan came to the end of the segment.
    fn expect_end(&self, scan: &Scan<'_>) -> Result<(), ReadError> {
        if scan.is_at_end() { Ok(()) } else { Err(self.corrupt_at(scan.position())) }
    }

    /// Makes the indexes from the headers of the batches.
    pub(crate) fn scan_indexes(&self, interval_bytes: u64) -> io::Result<Indexes> {
        let indexes = self.around_damage(|| {
            let mut indexes = Indexes::new(self.base_offset);
            let mut scan = self.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
            while let Some(batch) = scan.next()? {
                let header = &batch.header;
                indexes.add(batch.position, header.last_offset(), header.largest_timestamp(), interval_bytes);
            }
            self.expect_end(&scan)?;
            Ok(indexes)
        })?;
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
        let scan = Scan::new(self.file()?.as_ref(), self.base_offset, from..self.size, window_bytes);
        Ok(scan.around(self.damage()))
    }

    /// Ends the time index with the largest timestamp and writes the files
    /// (`LogSegment.onBecomeInactiveSegment`). What a failed write left behind the last batch is cut. May be
    /// called again after an error.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        if self.has_torn_tail {
            self.file()?.truncate(self.size)?;
            self.has_torn_tail = false;
        }
        self.is_sealed = true;
        self.seal_aborted()?;
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

    /// Names of the index files, when they were written since the segment was last synced to its end.
    pub(crate) fn unsynced_indexes(&self) -> Vec<String> {
        if !self.indexes_unsynced {
            return Vec::new();
        }
        let kinds = [Kind::OffsetIndex, Kind::TimeIndex, Kind::TransactionIndex];
        // The last one may be missing: one that was damaged is made again when the log is opened.
        let is_there = |kind: &Kind| {
            *kind != Kind::TransactionIndex || self.place.disk.exists(&self.path(*kind)).unwrap_or(true)
        };
        kinds.into_iter().filter(is_there).map(|kind| file_name(self.base_offset, kind)).collect()
    }

    /// Notes that the index files survive a power loss.
    pub(crate) fn mark_indexes_synced(&mut self) {
        self.indexes_unsynced = false;
    }
}
