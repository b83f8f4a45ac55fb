//! Deciding what of a log is compacted (`LogCleanerManager.cleanableOffsets`, `LogToClean`).

use std::io;
use std::sync::Arc;

use ottla_model::{NONE, Offset, WallMillis};

use super::{Log, State};
use crate::clean::{Census, CleanBlocked, CleanBound, CleanPlan, CleanStatus, PlanSettings, Source};
use crate::error::{LogError, ReadError};
use crate::segment::{Scan, Segment};

impl Log {
    /// What a compaction would do now, and what keeps it from being done. `upper` is the high watermark;
    /// `cleaned_to` is where the last one ended (`cleaner-offset-checkpoint`), or the start of the log.
    ///
    /// It reads no batches. Segments whose timestamps cannot be read count as too young.
    #[must_use]
    pub fn clean_status(&self, now: WallMillis, upper: Offset, cleaned_to: Offset) -> CleanStatus {
        let valid = (self.start_offset..=self.end_offset).contains(&cleaned_to);
        let first_dirty = if valid { cleaned_to } else { self.start_offset };
        let dirty_from = self.segment_of(first_dirty);
        let (bound, limit) = self.clean_bound(now, upper, dirty_from);
        // Whole segments only.
        let sealed = self.segments.len().saturating_sub(1);
        let ends = self.segments.iter().skip(1).map(Segment::base_offset);
        let cleanable = ends.take_while(|&end| end <= limit).count().min(sealed);
        let bytes = |from: usize, to: usize| {
            let part = self.segments.get(from..to.max(from)).unwrap_or_default();
            part.iter().map(Segment::size).fold(0, u64::saturating_add)
        };
        let clean_count = self.segments.partition_point(|segment| segment.base_offset() < first_dirty);
        let clean_bytes = bytes(0, clean_count);
        let dirty_bytes = bytes(dirty_from, cleanable);
        let total = clean_bytes.saturating_add(dirty_bytes);
        let dirty_ratio = if total == 0 { 0.0 } else { dirty_bytes as f64 / total as f64 };
        let forced_from = self.forced_from(dirty_from).filter(|_| dirty_bytes > 0);
        let forced = forced_from.is_some_and(|from| from < now);
        let mut status = CleanStatus {
            first_dirty_offset: first_dirty,
            checkpoint_invalid: !valid,
            first_uncleanable_offset: self
                .segments
                .get(cleanable)
                .map_or(self.end_offset, Segment::base_offset),
            bound,
            clean_bytes,
            dirty_bytes,
            uncleanable_bytes: bytes(cleanable.max(clean_count), self.segments.len()),
            dirty_ratio,
            forced_from,
            forced,
            tombstones_until: self.tombstones_until,
            blocked: None,
        };
        status.blocked = self.clean_blocked(&status);
        status
    }

    fn clean_blocked(&self, status: &CleanStatus) -> Option<CleanBlocked> {
        if self.state != State::Open {
            Some(CleanBlocked::Offline)
        } else if !self.config.compacted {
            Some(CleanBlocked::Policy)
        } else if status.dirty_bytes == 0 {
            Some(CleanBlocked::Bound(status.bound))
        } else if !status.forced && status.dirty_ratio <= self.config.min_cleanable_dirty_ratio {
            Some(CleanBlocked::DirtyRatio)
        } else {
            None
        }
    }

    /// Place of the segment that holds `offset`.
    fn segment_of(&self, offset: Offset) -> usize {
        self.segments.partition_point(|segment| segment.base_offset() <= offset).saturating_sub(1)
    }

    /// The first offset that cannot be compacted, and why.
    fn clean_bound(&self, now: WallMillis, upper: Offset, dirty_from: usize) -> (CleanBound, Offset) {
        let active = self.segments.last().map_or(self.end_offset, Segment::base_offset);
        let mut bound = (CleanBound::ActiveSegment, active);
        let mut lower = |reason, offset| {
            if offset < bound.1 {
                bound = (reason, offset);
            }
        };
        lower(CleanBound::HighWatermark, upper);
        if let Some(first_offset) = self.producers.first_unstable_offset(upper) {
            lower(CleanBound::OpenTransaction { first_offset }, first_offset);
        }
        if let Some((young, offset)) = self.young_bound(now, dirty_from) {
            lower(young, offset);
        }
        // What is left of a damaged segment would look like a gap that is meant.
        if let Some(damaged) = self.segments.iter().find(|segment| !segment.damage().is_empty()) {
            lower(CleanBound::Unreadable, damaged.base_offset());
        }
        bound
    }

    /// Where the part begins that is too young for compaction (`min.compaction.lag.ms`).
    fn young_bound(&self, now: WallMillis, dirty_from: usize) -> Option<(CleanBound, Offset)> {
        let lag = self.config.min_compaction_lag_ms;
        if lag <= 0 {
            return None;
        }
        let segments = self.sealed_from(dirty_from);
        let mut bytes_from_here = segments.iter().map(Segment::size).fold(0, u64::saturating_add);
        for segment in segments {
            let is_too_much = bytes_from_here > self.config.min_compaction_lag_bytes_max;
            bytes_from_here = bytes_from_here.saturating_sub(segment.size());
            let young = match age_timestamp(segment) {
                Ok(timestamp) if is_too_much || timestamp <= now.0.saturating_sub(lag) => continue,
                Ok(timestamp) => {
                    CleanBound::MinCompactionLag { until: WallMillis(timestamp.saturating_add(lag)) }
                }
                Err(_) => CleanBound::Unreadable,
            };
            return Some((young, segment.base_offset()));
        }
        None
    }

    fn sealed_from(&self, place: usize) -> &[Segment] {
        let sealed = self.segments.split_last().map_or(&[][..], |(_, sealed)| sealed);
        sealed.get(place..).unwrap_or_default()
    }

    /// When the oldest dirty segment will have waited for `max.compaction.lag.ms`
    /// (`LogCleanerManager.maxCompactionDelay`).
    fn forced_from(&self, dirty_from: usize) -> Option<WallMillis> {
        let lag = self.config.max_compaction_lag_ms;
        if lag == i64::MAX {
            return None;
        }
        let first = |segment: &Segment| segment.first_timestamp().ok().filter(|&timestamp| timestamp > 0);
        let earliest = self.sealed_from(dirty_from).iter().filter_map(first).min()?;
        Some(WallMillis(earliest.saturating_add(lag.max(0))))
    }

    /// Plans a compaction, when there is one to be done: [`CleanStatus::blocked`] says why there is none. The
    /// arguments are those of [`Log::clean_status`].
    ///
    /// # Errors [`LogError::Storage`] when a segment cannot be opened.
    pub fn plan_clean(
        &self,
        now: WallMillis,
        upper: Offset,
        cleaned_to: Offset,
    ) -> Result<Option<CleanPlan>, LogError> {
        let status = self.clean_status(now, upper, cleaned_to);
        if status.blocked.is_some() {
            return Ok(None);
        }
        let settings = PlanSettings {
            now,
            delete_retention_ms: self.config.delete_retention_ms,
            segment_bytes: self.config.segment_bytes_bounded(),
            index_size_max_bytes: self.config.index_size_max_bytes.into(),
            index_interval_bytes: self.config.index_interval_bytes.into(),
        };
        Ok(Some(CleanPlan {
            place: Arc::clone(&self.place),
            sources: self.sources_before(status.first_uncleanable_offset)?,
            first_dirty: status.first_dirty_offset,
            last_records: self.producers.last_records(),
            aborted: self.aborted_transactions(self.first_base_offset(), status.first_uncleanable_offset)?,
            settings,
        }))
    }

    fn first_base_offset(&self) -> Offset {
        self.segments.first().map_or(self.start_offset, Segment::base_offset)
    }

    /// The segments that begin before an offset, as somebody reads them who does not hold the log.
    fn sources_before(&self, offset: Offset) -> io::Result<Vec<Source>> {
        let count = self.segments.partition_point(|segment| segment.base_offset() < offset);
        let sources = self.segments.iter().take(count).enumerate().map(|(place, segment)| {
            Ok(Source {
                base_offset: segment.base_offset(),
                end_offset: self.segment_end(place),
                size: segment.size(),
                file: Arc::clone(segment.file()?),
            })
        });
        sources.collect()
    }

    /// Takes the segments that begin before `upper` to be counted. `cleaned_to` is where the compacted part ends
    /// ([`CleanStatus::first_dirty_offset`]).
    ///
    /// # Errors
    /// [`LogError::Offline`], or [`LogError::Storage`] when a segment cannot be opened.
    pub fn census(&self, upper: Offset, cleaned_to: Offset) -> Result<Census, LogError> {
        self.check_open()?;
        Ok(Census { sources: self.sources_before(upper)?, cleaned_to })
    }

    /// When the first tombstone may go, from the headers of all batches. `None` when no tombstone waits: a run
    /// that meets one gives it its time.
    ///
    /// # Errors
    /// What is wrong with the disk.
    pub fn tombstones_until(&self) -> Result<Option<WallMillis>, ReadError> {
        self.check_readable()?;
        let mut earliest: Option<WallMillis> = None;
        for segment in &self.segments {
            let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
            while let Some(batch) = scan.next()? {
                if batch.header.has_delete_horizon() && batch.header.record_count > 0 {
                    let until = WallMillis(batch.header.base_timestamp);
                    earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
                }
            }
        }
        Ok(earliest)
    }
}

/// The timestamp that tells the age of a segment: the largest of its records, else that of the batches that
/// compaction has emptied, else when it was made (`LogSegment.largestTimestamp`, which takes the time at which
/// the file was changed).
pub(super) fn age_timestamp(segment: &Segment) -> io::Result<i64> {
    let largest = segment.largest()?.timestamp;
    if largest != NONE {
        return Ok(largest);
    }
    let mut of_headers = NONE;
    let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
    while let Some(batch) = scan.next()? {
        of_headers = of_headers.max(batch.header.max_timestamp);
    }
    Ok(if of_headers == NONE { segment.created().0 } else { of_headers })
}
