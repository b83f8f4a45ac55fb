//! Which segments are good, and up to where.

use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use super::{Files, RecoveryReport};
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

/// How a segment is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Not at all: its files are as they should be.
    Whole,
    /// Headers before that offset, whole batches from there on.
    Before(Offset),
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
        let mut cut = false;
        for (&base_offset, &length) in &files.logs {
            let is_last = Some(base_offset) == last;
            if cut || self.leaves_a_hole(base_offset, first_unclean, segments.is_empty()) {
                cut = true;
                self.segment(base_offset, 0).remove()?;
                report.segments_removed += 1;
                report.bytes_cut = report.bytes_cut.saturating_add(length);
                continue;
            }
            let mut segment = self.segment(base_offset, length);
            let mut trust = match first_unclean {
                Some(first) if base_offset >= first => Trust::Before(self.open.recovery_point),
                _ => Trust::Whole,
            };
            if trust == Trust::Whole && is_last {
                match segment.end_offset()? {
                    Some(end_offset) => self.end_offset = end_offset,
                    None => {
                        report.not_clean = true;
                        trust = Trust::Before(Offset::MIN);
                    }
                }
            }
            match trust {
                Trust::Before(offset) => {
                    let (judged, bytes) =
                        self.recover_segment(base_offset, length, offset, epochs, report)?;
                    segment = judged;
                    cut = bytes > 0;
                }
                Trust::Whole => self.check_indexes(&mut segment, files, epochs, report)?,
            }
            if !is_last && !cut {
                segment.seal()?;
            }
            segments.push(segment);
        }
        if last.is_some() && self.end_offset < self.open.recovery_point {
            report.lost_synced_bytes = true;
        }
        Ok(segments)
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

    fn segment(&self, base_offset: Offset, length: u64) -> Segment {
        let capacity = self.config.segment_bytes_bounded();
        Segment::new(Arc::clone(self.place), base_offset, length, capacity, self.open.now)
    }

    /// Judges a segment and cuts what is bad. Returns how many bytes that was.
    fn recover_segment(
        &mut self,
        base_offset: Offset,
        length: u64,
        trusted_before: Offset,
        epochs: &mut Epochs,
        report: &mut RecoveryReport,
    ) -> io::Result<(Segment, u64)> {
        self.judged = true;
        let file = self.segment(base_offset, length);
        let mut judged = self.judge(&file, trusted_before, epochs)?;
        if judged.end_offset < trusted_before {
            // The recovery point lies behind all there is, so it says nothing about this file.
            judged = self.judge(&file, Offset::MIN, epochs)?;
        }
        let bytes = length.saturating_sub(judged.size);
        if bytes > 0 {
            // Nothing has been mapped yet: recovery reads into buffers.
            file.file()?.truncate(judged.size)?;
        }
        report.batches_read = report.batches_read.saturating_add(judged.batches);
        report.bytes_cut = report.bytes_cut.saturating_add(bytes);
        report.indexes_rebuilt += 1;
        self.end_offset = judged.end_offset;
        let mut segment = self.segment(base_offset, judged.size);
        segment.set_indexes(judged.indexes);
        segment.mark_unsynced();
        Ok((segment, bytes))
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
            if header.partition_leader_epoch > epochs.latest() {
                epochs.assign(header.partition_leader_epoch, header.base_offset);
            }
            scan.accept(&batch);
        }
        Ok(Judged { indexes, end_offset: scan.next_offset(), size: scan.position(), batches })
    }

    /// Makes the indexes of a trusted segment again when a file is missing or cannot be right, and the epochs
    /// when the checkpoint was lost.
    fn check_indexes(
        &self,
        segment: &mut Segment,
        files: &Files,
        epochs: &mut Epochs,
        report: &mut RecoveryReport,
    ) -> io::Result<()> {
        let base_offset = segment.base_offset();
        let whole = |lengths: &super::Lengths, entry: u64| {
            lengths.get(&base_offset).is_some_and(|length| length.is_multiple_of(entry))
        };
        let good =
            whole(&files.offset_indexes, OFFSET_ENTRY_BYTES) && whole(&files.time_indexes, TIME_ENTRY_BYTES);
        if !good {
            segment.set_indexes(segment.scan_indexes(self.config.index_interval_bytes.into())?);
            report.indexes_rebuilt += 1;
        }
        if self.rebuild_epochs {
            let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
            while let Some(batch) = scan.next()? {
                if batch.header.partition_leader_epoch > epochs.latest() {
                    epochs.assign(batch.header.partition_leader_epoch, batch.header.base_offset);
                }
            }
        }
        Ok(())
    }
}
