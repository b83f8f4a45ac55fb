//! A compaction that was decided on: what it reads, in which groups, and the run itself (`Cleaner.doClean`).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use ottla_model::{Offset, ProducerId, WallMillis};

use super::filter::Filter;
use super::key_map::KeyMap;
use super::read::{BatchReader, RawBatch};
use super::transactions::Transactions;
use super::write::SegmentWriter;
use super::{CleanLimits, CleanStats, Cleaned, CleanedSegment, Progress, remove_cleaned};
use crate::batch::RecordStream;
use crate::disk::DiskFile;
use crate::error::LogError;
use crate::index::AbortedTransaction;
use crate::names::{Kind, file_name};
use crate::producers::LastRecord;
use crate::segment::Place;

/// A sealed segment that is read. Its file is that of the log, which lives on when the segment is deleted.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) base_offset: Offset,
    /// The offset after the last one.
    pub(crate) end_offset: Offset,
    pub(crate) size: u64,
    pub(crate) file: Arc<dyn DiskFile>,
}

/// The settings of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanSettings {
    pub(crate) now: WallMillis,
    pub(crate) delete_retention_ms: i64,
    pub(crate) segment_bytes: u64,
    pub(crate) index_size_max_bytes: u64,
    pub(crate) index_interval_bytes: u64,
}

/// A compaction that was decided on; made by [`crate::Log::plan_clean`]. It owns what it needs, so that it runs
/// without the log. At most one of a log may be under way.
#[derive(Debug)]
pub struct CleanPlan {
    pub(crate) place: Arc<Place>,
    /// All that can be cleaned, from the beginning of the log on.
    pub(crate) sources: Vec<Source>,
    /// Where the dirty part begins.
    pub(crate) first_dirty: Offset,
    /// The newest batch of each producer.
    pub(crate) last_records: BTreeMap<ProducerId, LastRecord>,
    /// All aborted transactions that reach into it, in the order of their markers.
    pub(crate) aborted: Vec<AbortedTransaction>,
    pub(crate) settings: PlanSettings,
}

/// Lengths of the files in a directory.
type Lengths = BTreeMap<String, u64>;

impl CleanPlan {
    /// Where the dirty part begins.
    #[must_use]
    pub fn first_dirty_offset(&self) -> Offset {
        self.first_dirty
    }

    /// Where it ends at most: at the first offset that cannot be cleaned yet.
    #[must_use]
    pub fn end_offset(&self) -> Offset {
        self.sources.last().map_or(self.first_dirty, |source| source.end_offset)
    }

    /// Bytes that are to be read and written anew, which is the most that the run needs on the disk besides.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.size).fold(0, u64::saturating_add)
    }

    /// Reads the segments and writes what is to take their place. `throttle` is told the bytes that were read or
    /// written since it was last asked; it may take its time, and ends the run by returning false.
    ///
    /// # Errors [`LogError::Stopped`] when it did so, [`LogError::Storage`] when the disk failed or a batch is
    /// damaged. Nothing has changed then, and nothing is left of the run as far as the disk allows.
    pub fn run(
        &self,
        limits: &CleanLimits,
        throttle: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Cleaned, LogError> {
        let mut progress = Progress { throttle };
        let mut stats = CleanStats::default();
        let map = self.build_map(limits, &mut stats, &mut progress)?;
        let cleaned_to = map.latest().saturating_add(1).max(self.first_dirty);
        let mut segments = Vec::new();
        let result = self.write_all(&map, cleaned_to, limits, &mut stats, &mut segments, &mut progress);
        let cleaned = Cleaned { place: Arc::clone(&self.place), segments, cleaned_to, stats };
        match result {
            Ok(()) => Ok(cleaned),
            Err(error) => {
                // What cannot be removed now is when the log is opened the next time.
                let _ = cleaned.discard();
                Err(error)
            }
        }
    }

    /// The newest offsets of the keys in the dirty part (`Cleaner.buildOffsetMap`).
    fn build_map(
        &self,
        limits: &CleanLimits,
        stats: &mut CleanStats,
        progress: &mut Progress<'_>,
    ) -> Result<KeyMap, LogError> {
        let offsets = self.end_offset().saturating_sub(self.first_dirty);
        let mut map = KeyMap::new(limits, u64::try_from(offsets).unwrap_or_default());
        let mut dirty = self.sources.iter().filter(|source| source.end_offset > self.first_dirty).peekable();
        let from = dirty.peek().map_or(self.first_dirty, |first| first.base_offset);
        let mut transactions = Transactions::new(&self.aborted, from);
        for source in dirty {
            let mut reader = BatchReader::new(source, limits.io_buffer_bytes / 2);
            while let Some(batch) = reader.next(progress)? {
                stats.map_bytes_read = stats.map_bytes_read.saturating_add(batch.bytes.len() as u64);
                let counts = counts(&batch, &mut transactions);
                if batch.header.last_offset() < self.first_dirty {
                    continue;
                }
                if counts && !self.map_batch(&batch, &mut map)? {
                    stats.map_full = true;
                    stats.keys = map.len();
                    return Ok(map);
                }
                map.set_latest(batch.header.last_offset());
            }
            map.set_latest(source.end_offset.saturating_sub(1));
        }
        stats.keys = map.len();
        Ok(map)
    }

    /// False when the map is full before the batch ends.
    fn map_batch(&self, batch: &RawBatch, map: &mut KeyMap) -> io::Result<bool> {
        let header = &batch.header;
        let mut stream = RecordStream::new(header, &batch.body())?;
        let mut hasher = map.hasher();
        while let Some(record) = stream.glimpse(|piece| hasher.write(piece))? {
            let key = std::mem::replace(&mut hasher, map.hasher());
            let offset = header.base_offset.saturating_add(i64::from(record.offset_delta));
            if record.has_key && offset >= self.first_dirty && !map.put(key.finish(), offset) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write_all(
        &self,
        map: &KeyMap,
        cleaned_to: Offset,
        limits: &CleanLimits,
        stats: &mut CleanStats,
        segments: &mut Vec<CleanedSegment>,
        progress: &mut Progress<'_>,
    ) -> Result<(), LogError> {
        let lengths: Lengths =
            self.place.disk.list(&self.place.dir)?.into_iter().map(|file| (file.name, file.length)).collect();
        let mut filter = Filter {
            map,
            now: self.settings.now,
            delete_retention_ms: self.settings.delete_retention_ms,
            last_records: &self.last_records,
            transactions: Transactions::new(
                &self.aborted,
                self.sources.first().map_or(0, |first| first.base_offset),
            ),
            records_max: limits.io_buffer_bytes.saturating_mul(8),
            stats: *stats,
        };
        for group in self.groups(cleaned_to, &lengths) {
            let written = self.write_group(group, limits, &mut filter, progress);
            let base_offset = group.first().map_or(0, |first| first.base_offset);
            let unwanted = !matches!(written, Ok(Some(_)));
            let removed = if unwanted { remove_cleaned(&self.place, base_offset) } else { Ok(()) };
            segments.extend(written?);
            removed?;
        }
        *stats = filter.stats;
        // The new names are down before they are changed.
        if !segments.is_empty() {
            self.place.disk.sync_dir(&self.place.dir)?;
        }
        Ok(())
    }

    /// Neighbours that fit one segment together, so that what is left of many becomes few
    /// (`Cleaner.groupSegmentsBySize`).
    fn groups(&self, cleaned_to: Offset, lengths: &Lengths) -> Vec<&[Source]> {
        let count = self.sources.partition_point(|source| source.base_offset < cleaned_to);
        let mut rest = self.sources.get(..count).unwrap_or_default();
        let index = |source: &Source, kind| lengths.get(&file_name(source.base_offset, kind)).copied();
        let mut groups = Vec::new();
        while let Some(first) = rest.first() {
            let (mut bytes, mut offsets_bytes, mut times_bytes) = (0u64, 0u64, 0u64);
            let fits = |source: &&Source| {
                bytes = bytes.saturating_add(source.size);
                offsets_bytes = offsets_bytes.saturating_add(index(source, Kind::OffsetIndex).unwrap_or(0));
                times_bytes = times_bytes.saturating_add(index(source, Kind::TimeIndex).unwrap_or(0));
                let span = source.end_offset.saturating_sub(1).saturating_sub(first.base_offset);
                bytes <= self.settings.segment_bytes
                    && offsets_bytes.max(times_bytes) <= self.settings.index_size_max_bytes
                    && span <= i64::from(i32::MAX)
            };
            // A segment that alone is too large is a group too.
            let length = rest.iter().take_while(fits).count().max(1);
            let (group, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            groups.push(group);
            rest = after;
        }
        groups
    }

    /// Writes what stays of a group. `None` when that is one segment as it was.
    fn write_group(
        &self,
        group: &[Source],
        limits: &CleanLimits,
        filter: &mut Filter<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Option<CleanedSegment>, LogError> {
        let Some(first) = group.first() else { return Ok(None) };
        let interval_bytes = self.settings.index_interval_bytes;
        let buffer_bytes = limits.io_buffer_bytes / 2;
        let mut writer = SegmentWriter::create(&self.place, first.base_offset, interval_bytes, buffer_bytes)?;
        let last = group.iter().rposition(|source| source.size > 0);
        let mut changed = group.len() > 1;
        for (place, source) in group.iter().enumerate() {
            let mut reader = BatchReader::new(source, buffer_bytes);
            while let Some(batch) = reader.next(progress)? {
                let ends_segment = reader.is_at_end() && Some(place) == last;
                changed |= !filter.pass(&batch, ends_segment, &mut writer, progress)?;
            }
        }
        if !changed {
            return Ok(None);
        }
        writer.finish(group, progress).map(Some)
    }
}

/// True when the records of a batch are values of their keys: neither control records nor aborted.
fn counts(batch: &RawBatch, transactions: &mut Transactions) -> bool {
    if batch.header.is_control() {
        transactions.marker(batch);
        return false;
    }
    !transactions.is_aborted(&batch.header)
}
