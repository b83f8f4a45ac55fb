//! Which segments are good, and up to where.

use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use super::{Files, Lengths, RecoveryReport};
use crate::config::LogConfig;
use crate::epochs::Epochs;
use crate::log::Open;
use crate::segment::{Indexes, Place, Scan, Segment};

/// Bytes of an entry of each index file.
const OFFSET_ENTRY_BYTES: u64 = 8;
const TIME_ENTRY_BYTES: u64 = 12;

/// The recovery of one log's segments.
pub(super) struct Recovery<'a> {
    place: &'a Arc<Place>,
    config: &'a LogConfig,
    open: Open,
    /// True when the checkpoint of epochs was lost, so that they have to be made from all batches.
    rebuild_epochs: bool,
    /// End of the log so far.
    pub(super) end_offset: Offset,
    /// True when batches were judged, so that what was kept has to be synced.
    pub(super) judged: bool,
}

/// How far a segment is good.
struct Judged {
    indexes: Indexes,
    end_offset: Offset,
    size: u64,
    batches: u64,
}

impl<'a> Recovery<'a> {
    pub(super) fn new(
        place: &'a Arc<Place>,
        config: &'a LogConfig,
        open: Open,
        rebuild_epochs: bool,
    ) -> Self {
        Self { place, config, open, rebuild_epochs, end_offset: 0, judged: false }
    }

    /// The good segments. Those after the first bad bytes are removed.
    pub(super) fn recover(
        &mut self,
        files: &Files,
        epochs: &mut Epochs,
        report: &mut RecoveryReport,
    ) -> io::Result<Vec<Segment>> {
        let first_unclean = self.first_unclean(files);
        let last = files.logs.keys().next_back().copied();
        let mut segments = Vec::new();
        for (&base_offset, &length) in &files.logs {
            if self.leaves_a_hole(base_offset, first_unclean, segments.is_empty()) {
                self.remove_from(base_offset, files, report)?;
                break;
            }
            let is_last = Some(base_offset) == last;
            let trusted_before = match first_unclean {
                Some(first) if base_offset >= first => Some(self.open.recovery_point),
                _ if is_last => self.distrust_torn_end(base_offset, length, report)?,
                _ => None,
            };
            let mut segment = match trusted_before {
                Some(offset) => self.recover_segment(base_offset, files, offset, epochs, report)?,
                None => self.trusted_segment(base_offset, length, files, epochs, report)?,
            };
            let cut = segment.size() < length;
            if !is_last && !cut {
                segment.seal()?;
            }
            segments.push(segment);
            if cut {
                break;
            }
        }
        report.lost_synced_bytes = last.is_some() && self.end_offset < self.open.recovery_point;
        Ok(segments)
    }

    /// Finds the end of a log that was closed cleanly. When its last segment does not end with a whole batch,
    /// the mark of the clean stop is not believed, and nothing of that segment is trusted.
    fn distrust_torn_end(
        &mut self,
        base_offset: Offset,
        length: u64,
        report: &mut RecoveryReport,
    ) -> io::Result<Option<Offset>> {
        match self.segment(base_offset, length).end_offset()? {
            Some(end_offset) => {
                self.end_offset = end_offset;
                Ok(None)
            }
            None => {
                report.not_clean = true;
                Ok(Some(Offset::MIN))
            }
        }
    }

    /// The segment that holds the recovery point, from which on nothing is trusted after a crash.
    fn first_unclean(&self, files: &Files) -> Option<Offset> {
        if self.open.clean {
            return None;
        }
        let before = files.logs.range(..=self.open.recovery_point).next_back();
        before.or_else(|| files.logs.first_key_value()).map(|(&base_offset, _)| base_offset)
    }

    /// True when a segment does not begin where the one before it ends, which only compaction may do. After a
    /// power loss the end of a segment may be missing while the next one is there.
    fn leaves_a_hole(&self, base_offset: Offset, first_unclean: Option<Offset>, is_first: bool) -> bool {
        let judged = first_unclean.is_some_and(|first| base_offset > first);
        !is_first
            && judged
            && (base_offset < self.end_offset || (base_offset > self.end_offset && !self.config.compacted))
    }

    /// Removes the segments from an offset on, the last one first and before anything else is cut, so that a
    /// crash in between leaves a log that is cut at the same place the next time.
    fn remove_from(&self, offset: Offset, files: &Files, report: &mut RecoveryReport) -> io::Result<()> {
        for (&base_offset, &length) in files.logs.range(offset..).rev() {
            self.segment(base_offset, 0).remove()?;
            report.segments_removed += 1;
            report.bytes_cut = report.bytes_cut.saturating_add(length);
        }
        self.place.disk.sync_dir(&self.place.dir)
    }

    fn segment(&self, base_offset: Offset, length: u64) -> Segment {
        let capacity = self.config.segment_bytes_bounded();
        Segment::new(Arc::clone(self.place), base_offset, length, capacity, self.open.now)
    }

    /// Judges a segment and cuts what is bad. Headers are believed before `trusted_before`, nothing from
    /// there on.
    fn recover_segment(
        &mut self,
        base_offset: Offset,
        files: &Files,
        trusted_before: Offset,
        epochs: &mut Epochs,
        report: &mut RecoveryReport,
    ) -> io::Result<Segment> {
        self.judged = true;
        let length = files.logs.get(&base_offset).copied().unwrap_or_default();
        let segment = self.segment(base_offset, length);
        let mut judged = self.judge(&segment, trusted_before, epochs)?;
        if judged.end_offset < trusted_before {
            // The recovery point lies behind all there is, so it says nothing about this file.
            judged = self.judge(&segment, Offset::MIN, epochs)?;
        }
        if judged.size < length {
            self.remove_from(base_offset.saturating_add(1), files, report)?;
            // Nothing has been mapped yet: recovery reads into buffers.
            segment.file()?.truncate(judged.size)?;
            report.bytes_cut = report.bytes_cut.saturating_add(length.saturating_sub(judged.size));
        }
        report.batches_read = report.batches_read.saturating_add(judged.batches);
        report.indexes_rebuilt += 1;
        self.end_offset = judged.end_offset;
        let mut segment = self.segment(base_offset, judged.size);
        segment.set_indexes(judged.indexes);
        segment.mark_unsynced();
        Ok(segment)
    }

    fn judge(&self, segment: &Segment, trusted_before: Offset, epochs: &mut Epochs) -> io::Result<Judged> {
        let interval_bytes = self.config.index_interval_bytes.into();
        let mut indexes = Indexes::new(segment.base_offset());
        let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
        let mut batches = 0;
        while let Some(batch) = scan.peek()? {
            let header = &batch.header;
            if header.base_offset >= trusted_before {
                scan.read_ahead(Scan::BATCHES_WINDOW_BYTES);
                if !scan.has_good_crc(&batch)? {
                    break;
                }
                batches += 1;
            }
            let last_offset = header.last_offset();
            indexes.add(batch.position, last_offset, header.max_timestamp, interval_bytes);
            epochs.assign_newer(header);
            scan.accept(&batch);
        }
        Ok(Judged { indexes, end_offset: scan.next_offset(), size: scan.position(), batches })
    }

    /// A segment whose batches are believed. Its indexes are made again when a file is missing or cannot be
    /// right, and the epochs when their checkpoint was lost.
    fn trusted_segment(
        &self,
        base_offset: Offset,
        length: u64,
        files: &Files,
        epochs: &mut Epochs,
        report: &mut RecoveryReport,
    ) -> io::Result<Segment> {
        let mut segment = self.segment(base_offset, length);
        let whole = |lengths: &Lengths, entry_bytes: u64| {
            lengths.get(&base_offset).is_some_and(|length| length.is_multiple_of(entry_bytes))
        };
        let offsets = whole(&files.offset_indexes, OFFSET_ENTRY_BYTES);
        if !offsets || !whole(&files.time_indexes, TIME_ENTRY_BYTES) {
            segment.set_indexes(segment.scan_indexes(self.config.index_interval_bytes.into())?);
            report.indexes_rebuilt += 1;
        }
        if self.rebuild_epochs {
            let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
            while let Some(batch) = scan.next()? {
                epochs.assign_newer(&batch.header);
            }
        }
        Ok(segment)
    }
}
