//! Putting compacted segments in the place of those that they were made from (`LocalLog.replaceSegments`).
//!
//! Three steps, each of which is down before the next begins: `.cleaned` becomes `.swap`, the last segment first;
//! the old files become `.deleted`; `.swap` becomes the name of a segment. A crash in the first step leaves a
//! `.cleaned`, which tells recovery to undo it; after that only `.swap`s are there, and it goes on from where the
//! work ended.

use std::io;
use std::sync::Arc;

use ottla_model::Offset;

use super::deleted::DeletedFiles;
use super::{Log, State};
use crate::clean::{CleanStats, Cleaned, CleanedSegment};
use crate::error::{LogError, is_transient};
use crate::names::{CLEANED_SUFFIX, Kind, SWAP_SUFFIX, file_name};
use crate::segment::{Place, Segment};

/// What a compaction has done.
#[derive(Debug)]
pub struct CleanReport {
    /// Where the next one begins: what the checkpoint of the cleaner is to say.
    pub cleaned_to: Offset,
    /// Segments that were replaced.
    pub segments_replaced: usize,
    /// Segments that took their place.
    pub segments_made: usize,
    /// Compacted segments that were not wanted any more, because those that they were made from are gone.
    pub segments_discarded: usize,
    /// Bytes of the segments that were replaced.
    pub bytes_before: u64,
    /// Bytes of those that took their place.
    pub bytes_after: u64,
    /// What was read and kept.
    pub stats: CleanStats,
    /// The old files.
    pub deleted: DeletedFiles,
}

impl Log {
    /// Takes the outcome of a [`crate::CleanPlan::run`]: renames, and nothing else. Slices of old segments that
    /// readers hold stay good. A segment that retention has taken away meanwhile does not come back.
    ///
    /// # Errors [`LogError::Offline`] when the log was closed meanwhile. [`LogError::Storage`] when a file could
    /// not be renamed: the log is as it was, or it is offline, and complete again when it is opened.
    pub fn finish_clean(&mut self, cleaned: Cleaned) -> Result<CleanReport, LogError> {
        if let Err(error) = self.check_open() {
            // What cannot be removed now is when the log is opened the next time.
            let _ = cleaned.discard();
            return Err(error);
        }
        let (wanted, unwanted) = cleaned.segments.into_iter().partition(|made| self.position(made).is_some());
        let mut report = CleanReport {
            cleaned_to: cleaned.cleaned_to,
            segments_replaced: 0,
            segments_made: 0,
            segments_discarded: Vec::len(&unwanted),
            bytes_before: 0,
            bytes_after: 0,
            stats: cleaned.stats,
            deleted: DeletedFiles::new(&self.place),
        };
        let part = |segments| Cleaned { place: Arc::clone(&self.place), segments, ..cleaned };
        part(unwanted).discard()?;
        let wanted: Vec<CleanedSegment> = wanted;
        if let Err(error) = announce(&self.place, &wanted) {
            // Nothing was replaced yet. A `.swap` that stays would be taken for the truth the next time.
            if part(wanted).discard_swaps().is_err() {
                self.state = State::Offline;
            }
            return Err(self.note(error).into());
        }
        if let Err(error) = set_aside(&wanted, &mut report.deleted) {
            // On a full disk it is as if nothing had been done. Until the first `.swap` is gone, all of them are there, so a
            // crash in between leads to the compacted log.
            let is_undone = is_transient(&error)
                && report.deleted.restore().is_ok()
                && part(wanted).discard_swaps().is_ok();
            if !is_undone {
                self.state = State::Offline;
            }
            return Err(self.note(error).into());
        }
        if let Err(error) = take_places(&self.place, &wanted) {
            // Half of the names have changed; opening the log changes the rest.
            self.state = State::Offline;
            return Err(error.into());
        }
        for made in &wanted {
            self.replace_segment(made, &mut report);
        }
        self.names_unsynced = true;
        self.tombstones_until = report.stats.tombstones_until;
        Ok(report)
    }

    /// Where the segments are that it was made from; `None` when one of them is gone.
    fn position(&self, made: &CleanedSegment) -> Option<usize> {
        let first = self.segments.iter().position(|segment| segment.base_offset() == made.base_offset)?;
        let old = self.segments.get(first..first.checked_add(made.sources.len())?)?;
        let same = |(segment, source): (&Segment, &(Offset, u64))| {
            (segment.base_offset(), segment.size()) == *source
        };
        old.iter().zip(&made.sources).all(same).then_some(first)
    }

    fn replace_segment(&mut self, made: &CleanedSegment, report: &mut CleanReport) {
        let Some(first) = self.position(made) else { return };
        let last = first.saturating_add(made.sources.len());
        let capacity = self.config.segment_bytes_bounded();
        let created =
            self.segments.get(last.saturating_sub(1)).map_or_else(Default::default, Segment::created);
        let mut new = Segment::new(Arc::clone(&self.place), made.base_offset, made.size, capacity, created);
        new.set_replaced(self.segment_end(last.saturating_sub(1)), made.counts.clone());
        let old: Vec<Segment> = self.segments.splice(first..last, [new]).collect();
        report.segments_replaced = report.segments_replaced.saturating_add(old.len());
        report.segments_made = report.segments_made.saturating_add(1);
        report.bytes_before = old.iter().map(Segment::size).fold(report.bytes_before, u64::saturating_add);
        report.bytes_after = report.bytes_after.saturating_add(made.size);
    }
}

impl Cleaned {
    /// Removes the files of a swap that was not finished, those first that recovery would believe.
    fn discard_swaps(self) -> io::Result<()> {
        for made in &self.segments {
            for kind in Kind::OF_SEGMENT {
                self.place.remove(&format!("{}{SWAP_SUFFIX}", file_name(made.base_offset, kind)))?;
            }
        }
        self.place.disk.sync_dir(&self.place.dir)?;
        self.discard().map_err(io::Error::other)
    }
}

fn rename(place: &Place, made: &CleanedSegment, from: &str, to: &str) -> io::Result<()> {
    made.kinds.iter().try_for_each(|&kind| {
        let name = file_name(made.base_offset, kind);
        place.disk.rename(&place.path(&format!("{name}{from}")), &place.path(&format!("{name}{to}")))
    })
}

/// The first step. Once it is down, recovery goes on with the others.
fn announce(place: &Place, segments: &[CleanedSegment]) -> io::Result<()> {
    if segments.is_empty() {
        return Ok(());
    }
    segments.iter().rev().try_for_each(|made| rename(place, made, CLEANED_SUFFIX, SWAP_SUFFIX))?;
    place.disk.sync_dir(&place.dir)
}

/// The second step.
fn set_aside(segments: &[CleanedSegment], deleted: &mut DeletedFiles) -> io::Result<()> {
    for made in segments {
        for &(base_offset, _) in &made.sources {
            Kind::OF_SEGMENT.into_iter().try_for_each(|kind| deleted.add(base_offset, kind))?;
            // The producers at the beginning of a segment are of use for as long as there is one.
            if base_offset != made.base_offset {
                deleted.add(base_offset, Kind::Snapshot)?;
            }
        }
    }
    Ok(())
}

/// The third step, once the second is down.
fn take_places(place: &Place, segments: &[CleanedSegment]) -> io::Result<()> {
    if segments.is_empty() {
        return Ok(());
    }
    place.disk.sync_dir(&place.dir)?;
    segments.iter().try_for_each(|made| rename(place, made, SWAP_SUFFIX, ""))
}
