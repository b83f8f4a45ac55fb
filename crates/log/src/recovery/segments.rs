//! Which segments are good, and up to where.

use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use super::epochs::EpochsFound;
use super::{Files, Lengths, RecoveryReport};
use crate::config::LogConfig;
use crate::epochs::Epochs;
use crate::log::{Open, quarantined};
use crate::segment::{Bad, Checked, Damage, Indexes, Judge, Place, Scan, Segment, Verdict};

/// Bytes of an entry of each index file.
const OFFSET_ENTRY_BYTES: u64 = 8;
const TIME_ENTRY_BYTES: u64 = 12;

/// The recovery of one log's segments.
pub(super) struct Recovery<'a> {
    place: &'a Arc<Place>,
    config: &'a LogConfig,
    open: Open,
    /// What lies before it was on disk once: bad bytes there are kept, those behind it are cut.
    durable_end: Offset,
    /// End of the log so far.
    pub(super) end_offset: Offset,
    /// True when batches were judged, so that what was kept has to be synced.
    pub(super) judged: bool,
}

/// How far a segment is good.
struct Judged {
    indexes: Indexes,
    epochs: Epochs,
    damage: Vec<Damage>,
    end_offset: Offset,
    size: u64,
    /// Position from which on the CRC of batches was looked at.
    checked_from: Checked,
    batches: u64,
}

impl<'a> Recovery<'a> {
    pub(super) fn new(place: &'a Arc<Place>, config: &'a LogConfig, open: Open) -> Self {
        Self { place, config, open, durable_end: open.recovery_point, end_offset: 0, judged: false }
    }

    /// The good segments. Those after the first bad bytes behind the recovery point are removed.
    pub(super) fn recover(
        &mut self,
        files: &Files,
        epochs: &mut Epochs,
        report: &mut RecoveryReport,
    ) -> io::Result<Vec<Segment>> {
        let first_unclean = self.first_unclean(files);
        let mut segments = Vec::new();
        for (&base_offset, &length) in &files.logs {
            if self.leaves_a_hole(base_offset, first_unclean, segments.is_empty()) {
                self.remove_from(base_offset, files, report)?;
                break;
            }
            let next = next_base(files, base_offset);
            let trusted_before = match first_unclean {
                Some(first) if base_offset >= first => Some(self.open.recovery_point),
                _ if next.is_none() => self.distrust_torn_end(base_offset, length, files, report)?,
                _ => None,
            };
            let mut segment = match trusted_before {
                Some(offset) => self.recover_segment(base_offset, files, offset, epochs, report)?,
                None => self.trusted_segment(base_offset, length, files, report)?,
            };
            let cut = segment.size() < length;
            if next.is_some() && !cut {
                segment.seal()?;
            }
            report.quarantined.extend(quarantined(&segment));
            segments.push(segment);
            if cut {
                break;
            }
        }
        let is_short = !segments.is_empty() && self.end_offset < self.durable_end;
        report.lost_synced_bytes = is_short || !report.quarantined.is_empty();
        Ok(segments)
    }

    /// Finds the end of a log that was closed cleanly. When its last segment does not end with a whole batch,
    /// or not where the producers were remembered, the mark of the clean stop is not believed, and nothing of
    /// that segment is trusted.
    fn distrust_torn_end(
        &mut self,
        base_offset: Offset,
        length: u64,
        files: &Files,
        report: &mut RecoveryReport,
    ) -> io::Result<Option<Offset>> {
        // Closing a log writes a snapshot of its producers, whose name is the end of the log.
        let remembered = files.snapshots.last().copied();
        match self.segment(base_offset, length).end_offset()? {
            Some(end_offset) if remembered.is_none_or(|remembered| remembered == end_offset) => {
                self.end_offset = end_offset;
                Ok(None)
            }
            _ => {
                report.not_clean = true;
                self.durable_end = self.durable_end.max(remembered.unwrap_or(0));
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
        let next = next_base(files, base_offset);
        let judged = match self.judge(&segment, next, trusted_before, epochs)? {
            Some(judged) if judged.end_offset >= trusted_before => judged,
            // Something before the recovery point is wrong, so nothing in this file is believed.
            _ => self.judge(&segment, next, Offset::MIN, epochs)?.ok_or(io::ErrorKind::InvalidData)?,
        };
        if judged.size < length {
            self.remove_from(base_offset.saturating_add(1), files, report)?;
            // Nothing has been mapped yet: recovery reads into buffers.
            let file = segment.file()?;
            file.truncate(judged.size)?;
            file.sync()?;
            report.bytes_cut = report.bytes_cut.saturating_add(length.saturating_sub(judged.size));
        }
        report.batches_read = report.batches_read.saturating_add(judged.batches);
        report.indexes_rebuilt += 1;
        self.end_offset = judged.end_offset;
        *epochs = judged.epochs;
        let mut segment = self.segment(base_offset, judged.size);
        segment.set_indexes(judged.indexes);
        segment.set_judged(judged.end_offset, judged.checked_from);
        segment.set_damage(judged.damage);
        // What was on disk once, all of it and nothing else, needs no sync.
        let is_synced =
            judged.size == length && (self.open.synced || judged.end_offset <= self.open.recovery_point);
        if !is_synced {
            segment.mark_unsynced();
        }
        Ok(segment)
    }

    /// Judges a segment that ends at `next` at the latest, when there is one behind it. `None` when batches
    /// that were to be trusted cannot be.
    fn judge(
        &self,
        segment: &Segment,
        next: Option<Offset>,
        trusted_before: Offset,
        epochs: &Epochs,
    ) -> io::Result<Option<Judged>> {
        let interval_bytes = self.config.index_interval_bytes.into();
        let end = next.unwrap_or(Offset::MAX);
        let scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
        let judge = Judge::new(scan, end).trusting_before(trusted_before);
        // The last segment was the active one, which compaction never touches.
        let mut judge = if next.is_none() { judge.dense_from(self.durable_end) } else { judge };
        let mut found = EpochsFound::new(epochs.clone());
        let mut indexes = Indexes::new(segment.base_offset());
        let (mut damage, mut checked_from, mut batches) = (Vec::new(), None, 0);
        let mut last_trusted = None;
        loop {
            match judge.next()? {
                Verdict::Good(batch) => {
                    let header = &batch.header;
                    if judge.distrusts(header) {
                        checked_from
                            .get_or_insert(Checked { position: batch.position, offset: header.base_offset });
                        batches += 1;
                    } else {
                        last_trusted = Some(batch);
                    }
                    let timestamp = header.largest_timestamp();
                    indexes.add(batch.position, header.last_offset(), timestamp, interval_bytes);
                    // Before the recovery point the checkpoint is whole, since it was synced with the batches.
                    if header.base_offset >= self.durable_end {
                        found.add(header);
                    }
                }
                Verdict::End => break,
                Verdict::Bad(bad) if bad.offset >= self.durable_end => {
                    // What is about to be cut may be the end of the last batch that is to be kept.
                    match last_trusted.filter(|_| checked_from.is_none()) {
                        Some(last) if !segment.has_good_crc(&last)? => return Ok(None),
                        _ => break,
                    }
                }
                Verdict::Bad(_) if trusted_before > segment.base_offset() => return Ok(None),
                Verdict::Bad(bad) => {
                    let goes_on = self.quarantine(&mut judge, &bad, segment.size(), end, &mut damage)?;
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        let (size, end_offset) = match damage.last() {
            Some(last) if judge.place().0 <= last.positions.start => (last.positions.end, last.offsets.end),
            _ => judge.place(),
        };
        let checked_from = checked_from.unwrap_or(Checked { position: size, offset: end_offset });
        let epochs = found.finish();
        Ok(Some(Judged { indexes, epochs, damage, end_offset, size, checked_from, batches }))
    }

    /// Steps over bad bytes that were on disk once. False when nothing good follows them, or only what lies
    /// behind the recovery point and is cut.
    fn quarantine(
        &self,
        judge: &mut Judge<'_>,
        bad: &Bad,
        size: u64,
        end: Offset,
        damage: &mut Vec<Damage>,
    ) -> io::Result<bool> {
        let after = judge.resync(bad)?;
        let position = after.as_ref().map_or(size, |batch| batch.position);
        let limit = self.durable_end.min(end);
        let next = after.map(|batch| batch.header.base_offset).filter(|&next| next <= limit);
        let offsets = bad.offset..next.unwrap_or(limit).max(bad.offset);
        if next.is_none() {
            judge.go_back(bad);
        }
        damage.push(Damage { positions: bad.position..position, offsets });
        Ok(next.is_some())
    }

    /// A segment whose batches are believed. Its indexes are made again when a file is missing or cannot be
    /// right.
    fn trusted_segment(
        &self,
        base_offset: Offset,
        length: u64,
        files: &Files,
        report: &mut RecoveryReport,
    ) -> io::Result<Segment> {
        let mut segment = self.segment(base_offset, length);
        segment.set_end_offset(next_base(files, base_offset).unwrap_or(self.end_offset));
        let whole = |lengths: &Lengths, entry_bytes: u64| {
            lengths.get(&base_offset).is_some_and(|length| length.is_multiple_of(entry_bytes))
        };
        let offsets = whole(&files.offset_indexes, OFFSET_ENTRY_BYTES);
        // A segment that was sealed while its last batches were synced has indexes that were not.
        let unsynced = !self.open.clean && next_base(files, base_offset) == Some(self.open.recovery_point);
        if unsynced || !offsets || !whole(&files.time_indexes, TIME_ENTRY_BYTES) {
            segment.set_indexes(segment.scan_indexes(self.config.index_interval_bytes.into())?);
            report.indexes_rebuilt += 1;
        }
        Ok(segment)
    }
}

/// Base offset of the segment after that one.
fn next_base(files: &Files, base_offset: Offset) -> Option<Offset> {
    files.logs.range(base_offset.saturating_add(1)..).next().map(|(&next, _)| next)
}
