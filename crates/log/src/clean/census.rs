//! Counting what a log holds: keys and tombstones, for people who ask.

use bytes::{Bytes, BytesMut};
use ottla_model::{Offset, WallMillis};

use super::key_map::KeyMap;
use super::read::BatchReader;
use super::{CleanLimits, Progress, Source};
use crate::batch::{BatchHeader, HEADER_BYTES, RecordStream};
use crate::error::{LogError, ReadError};
use crate::segment::{Scan, Scanned};

/// Segments that are to be counted; made by [`crate::Log::census`]. It owns what it needs, so that it is counted without
/// the log, which may be appended to and compacted meanwhile.
#[derive(Debug)]
pub struct Census {
    pub(crate) sources: Vec<Source>,
    /// Where the compacted part ends.
    pub(crate) cleaned_to: Offset,
}

/// What the compacted part of a log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanedCount {
    /// Keys. Each has one record here, which may be a tombstone.
    pub keys: u64,
    /// True when there are records of transactions. Keys may be counted more than once then: what was compacted before
    /// compaction knew which of them were aborted has several records of a key.
    pub has_transactions: bool,
    /// Tombstones.
    pub tombstones: u64,
    /// When the first of them may go, and the last: at the first compaction after that.
    pub tombstones_may_go: Option<(WallMillis, WallMillis)>,
}

/// What a whole log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCount {
    /// Records, without the markers of transactions.
    pub records: u64,
    /// Tombstones among them.
    pub tombstones: u64,
    /// Different keys, or as many as fitted the map.
    pub keys: u64,
    /// True when there are more keys than that.
    pub keys_incomplete: bool,
}

impl Census {
    /// Counts the compacted part. It reads headers, and the records of the batches that have tombstones. `go_on` is told
    /// how many bytes were read since it was last asked, and ends the count by returning false.
    ///
    /// # Errors
    /// [`LogError::Stopped`] when it did so, [`LogError::Storage`] when the disk failed or a batch is damaged.
    pub fn count_cleaned(&self, go_on: &mut dyn FnMut(u64) -> bool) -> Result<CleanedCount, LogError> {
        let mut progress = Progress { throttle: go_on };
        let mut count = CleanedCount::default();
        for source in self.sources.iter().filter(|source| source.base_offset < self.cleaned_to) {
            let window_bytes = Scan::HEADERS_WINDOW_BYTES;
            let mut scan = Scan::new(source.file.as_ref(), source.base_offset, 0..source.size, window_bytes);
            while let Some(batch) = scan.next()? {
                // The part may end inside of a segment, or even of a batch, when the map of keys was full there.
                if batch.header.base_offset >= self.cleaned_to {
                    return Ok(count);
                }
                progress.add(HEADER_BYTES as u64)?;
                if !batch.header.is_control() {
                    count.add(source, &batch, self.cleaned_to, &mut progress)?;
                }
            }
            if !scan.is_at_end() {
                return Err(corrupt(source, scan.position()));
            }
        }
        Ok(count)
    }

    /// Reads all records and counts them. `limits` bounds the map of keys, and `go_on` is as in
    /// [`Census::count_cleaned`].
    ///
    /// # Errors
    /// As there.
    pub fn count_all(
        &self,
        limits: &CleanLimits,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<RecordCount, LogError> {
        let mut progress = Progress { throttle: go_on };
        let mut count = RecordCount::default();
        let ends = self.sources.first().zip(self.sources.last());
        let offsets = ends.map_or(0, |(first, last)| last.end_offset.saturating_sub(first.base_offset));
        let mut map = KeyMap::new(limits, u64::try_from(offsets).unwrap_or_default());
        for source in &self.sources {
            let mut reader = BatchReader::new(source, limits.io_buffer_bytes);
            while let Some(batch) = reader.next(&mut progress)? {
                if !batch.header.is_control() {
                    count.add(&batch.header, &batch.body(), &mut map)?;
                }
            }
        }
        count.keys = map.len() as u64;
        Ok(count)
    }
}

impl CleanedCount {
    fn add(
        &mut self,
        source: &Source,
        batch: &Scanned,
        cleaned_to: Offset,
        progress: &mut Progress<'_>,
    ) -> Result<(), LogError> {
        let header = &batch.header;
        self.has_transactions |= header.is_transactional();
        let is_whole = header.last_offset() < cleaned_to;
        if is_whole && !header.has_delete_horizon() {
            self.keys = self.keys.saturating_add(u64::try_from(header.record_count).unwrap_or(0));
            return Ok(());
        }
        let mut stream = RecordStream::new(header, &body_of(source, batch, progress)?)?;
        let at = WallMillis(header.base_timestamp);
        while let Some(record) = stream.glimpse(|_| {})? {
            let offset = header.base_offset.saturating_add(i64::from(record.offset_delta));
            if offset >= cleaned_to {
                break;
            }
            self.keys += 1;
            if !record.has_key || record.has_value {
                continue;
            }
            self.tombstones += 1;
            // In the batch in which the part ends they have no time yet.
            if header.has_delete_horizon() {
                let (first, last) = self.tombstones_may_go.unwrap_or((at, at));
                self.tombstones_may_go = Some((first.min(at), last.max(at)));
            }
        }
        Ok(())
    }
}

impl RecordCount {
    fn add(&mut self, header: &BatchHeader, body: &Bytes, map: &mut KeyMap) -> Result<(), LogError> {
        self.records = self.records.saturating_add(u64::try_from(header.record_count).unwrap_or(0));
        let mut stream = RecordStream::new(header, body)?;
        let mut hasher = map.hasher();
        while let Some(record) = stream.glimpse(|piece| hasher.write(piece))? {
            let key = std::mem::replace(&mut hasher, map.hasher());
            self.tombstones += u64::from(record.has_key && !record.has_value);
            // Whether the key is there matters, not where.
            self.keys_incomplete |= record.has_key && !map.put(key.finish(), 0);
        }
        Ok(())
    }
}

/// What follows the header of a batch, when its CRC is right.
fn body_of(source: &Source, batch: &Scanned, progress: &mut Progress<'_>) -> Result<Bytes, LogError> {
    let start = batch.position.saturating_add(HEADER_BYTES as u64);
    let length = batch.size.saturating_sub(HEADER_BYTES as u64);
    let mut body = BytesMut::zeroed(usize::try_from(length).unwrap_or_default());
    let read = source.file.read_at(start, &mut body)?;
    progress.add(read as u64)?;
    if read < body.len() || batch.header.computed_crc(&body) != batch.header.crc {
        return Err(corrupt(source, batch.position));
    }
    Ok(body.freeze())
}

fn corrupt(source: &Source, position: u64) -> LogError {
    ReadError::Corrupt { segment: source.base_offset, position }.into()
}
