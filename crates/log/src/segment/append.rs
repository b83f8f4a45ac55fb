//! Adding a batch to a segment.

use std::io;
use std::sync::Arc;

use ottla_model::WallMillis;

use super::Segment;
use crate::batch::{BatchHeader, ValidBatch};
use crate::config::LogConfig;
use crate::index::TimestampOffset;

/// When a segment is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    segment_bytes: u64,
    segment_ms: i64,
    index_size_max_bytes: u64,
}

impl Limits {
    /// What the settings say, for a segment that may get so many milliseconds old.
    pub(crate) fn new(config: &LogConfig, segment_ms: i64) -> Self {
        Self {
            segment_bytes: config.segment_bytes_bounded(),
            segment_ms,
            index_size_max_bytes: config.index_size_max_bytes.into(),
        }
    }
}

impl Segment {
    /// True when the batch must go to a new segment (`LogSegment.shouldRoll`). An empty segment takes any
    /// batch.
    pub(crate) fn should_roll(
        &self,
        batch: &ValidBatch,
        limits: Limits,
        now: WallMillis,
    ) -> io::Result<bool> {
        if self.size == 0 {
            return Ok(false);
        }
        let header = batch.header();
        // The limit may have been raised since the segment was made, but its map covers no more.
        let full =
            self.size.saturating_add(batch.size_in_bytes() as u64) > limits.segment_bytes.min(self.capacity);
        let far = header.last_offset().saturating_sub(self.base_offset) > i64::from(i32::MAX);
        Ok(full
            || far
            || self.ends_damaged()
            || self.waited_ms(header.max_timestamp, now)? > limits.segment_ms
            || self.offsets()?.is_full(limits.index_size_max_bytes)
            || self.times()?.is_full(limits.index_size_max_bytes))
    }

    /// Maximum timestamp of the first batch, or -1 (`LogSegment.getFirstBatchTimestamp`).
    pub(crate) fn first_timestamp(&self) -> io::Result<i64> {
        if let Some(first) = self.first_timestamp.get() {
            return Ok(*first);
        }
        let batch = self.header_at(0)?;
        let timestamp = batch.map_or(ottla_model::NONE, |batch| batch.header.max_timestamp);
        Ok(*self.first_timestamp.get_or_init(|| timestamp))
    }

    /// True when the segment has waited for longer than `segment.ms` without being full. Both clocks must say so:
    /// old timestamps that are being written now would end a segment at every look.
    pub(crate) fn is_due(&self, segment_ms: i64, now: WallMillis) -> io::Result<bool> {
        let age = now.0.saturating_sub(self.created.0);
        Ok(self.size > 0 && age > segment_ms && self.waited_ms(now.0, now)? > segment_ms)
    }

    /// How old the segment is at that timestamp (`LogSegment.timeWaitedForRoll`).
    fn waited_ms(&self, timestamp: i64, now: WallMillis) -> io::Result<i64> {
        let first = self.first_timestamp()?;
        Ok(if first >= 0 { timestamp.saturating_sub(first) } else { now.0.saturating_sub(self.created.0) })
    }

    /// Writes a batch behind the last one. After an error the segment is what it was.
    pub(crate) fn append(&mut self, batch: &ValidBatch, index_interval_bytes: u64) -> io::Result<()> {
        // Everything that could fail comes before the batch is there.
        let file = Arc::clone(self.file()?);
        self.offsets()?;
        self.times()?;
        self.largest()?;
        if let Err(error) = file.write_at(self.size, &[&batch.header().to_bytes(), batch.body()]) {
            // Nobody reads behind the end, and the next write replaces what is there. It must be gone before
            // the file is closed, though, since its length is then the end.
            self.has_torn_tail = file.truncate(self.size).is_err();
            return Err(error);
        }
        self.add_to_indexes(batch.header(), index_interval_bytes);
        self.counted.add(batch.header(), self.size, batch.size_in_bytes() as u64);
        if self.size == 0 {
            self.first_timestamp = batch.header().max_timestamp.into();
        }
        self.size = self.size.saturating_add(batch.size_in_bytes() as u64);
        self.end_offset = batch.header().last_offset().saturating_add(1);
        self.is_sealed = false;
        Ok(())
    }

    fn add_to_indexes(&mut self, header: &BatchHeader, interval_bytes: u64) {
        let (Some(offsets), Some(times), Some(largest)) =
            (self.offsets.get_mut(), self.times.get_mut(), self.largest.get_mut())
        else {
            return;
        };
        let last_offset = header.last_offset();
        if header.max_timestamp > largest.timestamp {
            *largest = TimestampOffset { timestamp: header.max_timestamp, offset: last_offset };
        }
        self.indexes_unwritten = true;
        let last_position = offsets.last().map_or(0, |last| last.position);
        if self.size.saturating_sub(last_position) > interval_bytes {
            offsets.push(last_offset, self.size);
            times.push(*largest);
        }
    }
}
