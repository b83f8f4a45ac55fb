//! Making transaction indexes from the batches, when their files are missing or damaged, or their segments are judged
//! after a crash.

use std::collections::BTreeMap;
use std::io;

use ottla_model::{Offset, ProducerId};

use super::producers::{later, read, replay};
use super::{Files, Loaded};
use crate::error::{LogError, ReadError};
use crate::index::{AbortedTransaction, TRANSACTION_ENTRY_BYTES, TransactionIndex};
use crate::names::{Kind, file_name};
use crate::producers::Producers;
use crate::segment::{Place, Scan, Segment};

/// Makes the transaction indexes that have no file, or one whose length cannot be right.
pub(super) fn restore(place: &Place, files: &Files, loaded: &mut Loaded) -> Result<(), LogError> {
    let mut wanted = Vec::new();
    for (number, segment) in loaded.segments.iter().enumerate() {
        let length = files.transaction_indexes.get(&segment.base_offset());
        let is_whole = |length: &u64| *length > 0 && length.is_multiple_of(TRANSACTION_ENTRY_BYTES as u64);
        if segment.distrusts_indexes() || !length.is_some_and(is_whole) {
            wanted.push(number);
        }
    }
    let found = aborted(place, &loaded.segments, &wanted)?;
    let last = loaded.segments.len().saturating_sub(1);
    for (number, found) in wanted.into_iter().zip(found) {
        let Some(segment) = loaded.segments.get_mut(number) else { continue };
        segment.set_aborted(TransactionIndex::new(found));
        if number < last {
            segment.seal()?;
        }
    }
    Ok(())
}

/// The transactions whose abort markers are in each of those segments, which are given by their places, in order.
pub(crate) fn aborted(
    place: &Place,
    segments: &[Segment],
    wanted: &[usize],
) -> Result<Vec<Vec<AbortedTransaction>>, ReadError> {
    let mut with_markers = Vec::new();
    for &number in wanted {
        match segments.get(number) {
            Some(segment) if has_markers(segment)? => with_markers.push(number),
            _ => {}
        }
    }
    let mut found: BTreeMap<usize, Vec<AbortedTransaction>> = BTreeMap::new();
    if let (Some(&first), Some(&last)) = (with_markers.first(), with_markers.last()) {
        let (begin, mut producers) = producers_before(place, segments, first)?;
        for (number, segment) in segments.iter().enumerate().take(last.saturating_add(1)).skip(begin) {
            let ended = found.entry(number).or_default();
            replay(segment, segment.base_offset(), &mut producers, &mut |aborted| ended.push(aborted))?;
        }
    }
    Ok(wanted.iter().map(|number| found.remove(number).unwrap_or_default()).collect())
}

fn has_markers(segment: &Segment) -> io::Result<bool> {
    let mut scan = segment.scan(0, Scan::HEADERS_WINDOW_BYTES)?;
    while let Some(batch) = scan.next()? {
        if batch.header.is_control() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The producers at the beginning of a segment, or of one before it from which they can be told.
fn producers_before(
    place: &Place,
    segments: &[Segment],
    number: usize,
) -> Result<(usize, Producers), ReadError> {
    for (before, segment) in segments.iter().enumerate().take(number.saturating_add(1)).rev() {
        let offset = segment.base_offset();
        if before > 0
            && let Some(mut producers) = read(place, &file_name(offset, Kind::Snapshot))?
        {
            drop_stale(segments, offset, &mut producers)?;
            return Ok((before, producers));
        }
    }
    Ok((0, Producers::default()))
}

/// Corrects what a snapshot at `offset` says of open transactions. Compaction may have taken their records away
/// since, and then their markers, so that they would stay open for ever.
pub(super) fn drop_stale(
    segments: &[Segment],
    offset: Offset,
    producers: &mut Producers,
) -> Result<(), ReadError> {
    let base_offset = segments.first().map_or(offset, Segment::base_offset);
    let open: Vec<(Offset, ProducerId)> = producers.open_transactions().collect();
    // Of those that began before the log does, the records may just have been deleted.
    for (first_offset, producer_id) in open.into_iter().filter(|(first, _)| *first >= base_offset) {
        let found = first_batch(segments, first_offset..offset, producer_id)?;
        if found != Some(first_offset) {
            producers.correct_transaction(first_offset, found);
        }
    }
    Ok(())
}

/// Where the first transactional batch of a producer is.
fn first_batch(
    segments: &[Segment],
    range: std::ops::Range<Offset>,
    producer_id: ProducerId,
) -> Result<Option<Offset>, ReadError> {
    for segment in later(segments, range.start) {
        // What is damaged may have been it.
        if segment.damage_at(range.start).is_some() {
            return Ok(Some(range.start));
        }
        let Some(first) = segment.locate(range.start)? else { continue };
        let mut scan = segment.scan(first.position, Scan::HEADERS_WINDOW_BYTES)?;
        while let Some(batch) = scan.next()?.filter(|batch| batch.header.base_offset < range.end) {
            let header = &batch.header;
            if header.producer_id == producer_id && header.is_transactional() && !header.is_control() {
                return Ok(Some(header.base_offset));
            }
        }
        if segment.base_offset() >= range.end {
            break;
        }
    }
    Ok(None)
}
