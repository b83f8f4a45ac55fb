//! Bringing the producers up to the end of the log (`UnifiedLog.rebuildProducerState`).

use std::collections::BTreeMap;
use std::io;

use ottla_model::{Offset, ProducerId};

use super::aborted::drop_stale;
use super::{Files, Loaded, read_small};
use crate::batch::{BatchHeader, HEADER_BYTES, records};
use crate::config::LogConfig;
use crate::error::{LogError, ReadError};
use crate::index::AbortedTransaction;
use crate::log::Open;
use crate::names::{Kind, file_name};
use crate::producers::{EndMarker, Producers};
use crate::segment::{Place, Scan, Scanned, Segment};

/// Loads the newest good snapshot and applies the batches after it. Snapshots that are of no use any more are
/// removed: those past the end, and those that are neither the newest nor at the beginning of a segment.
pub(super) fn load(
    place: &Place,
    config: &LogConfig,
    open: Open,
    files: &Files,
    loaded: &mut Loaded,
) -> Result<(), LogError> {
    let mut from = loaded.start_offset;
    for &offset in files.snapshots.iter().rev() {
        let name = file_name(offset, Kind::Snapshot);
        let range = loaded.start_offset..=loaded.end_offset;
        if range.contains(&offset) {
            if loaded.snapshot_offset.is_some() {
                if loaded.segments.iter().any(|segment| segment.base_offset() == offset) {
                    continue;
                }
            } else if let Some(producers) = read(place, &name)? {
                loaded.producers = producers;
                drop_stale(&loaded.segments, offset, &mut loaded.producers)?;
                loaded.snapshot_offset = Some(offset);
                from = offset;
                continue;
            }
        }
        place.remove(&name)?;
    }
    loaded.report.producer_snapshot = loaded.snapshot_offset;
    if loaded.snapshot_offset.is_some() && loaded.producers.len() > 0 {
        refill(loaded, from)?;
    }
    loaded.producers.expire(open.now, config.producer_id_expiration_ms);
    let mut batches = 0;
    for segment in later(&loaded.segments, from) {
        batches += replay(segment, from, &mut loaded.producers, &mut |_| {})?;
    }
    loaded.report.producer_batches = batches;
    loaded.producers.expire(open.now, config.producer_id_expiration_ms);
    // What was found is down, or is about to be, so no marker waits for that.
    loaded.producers.forget_ended(loaded.end_offset);
    Ok(())
}

/// Offsets below a snapshot that are looked at for what it does not hold. What a producer may still send again lies near the
/// end of the log, since it has at most five batches in flight.
const REFILL_OFFSETS_MAX: Offset = 20_000;

/// Remembers the batches before the snapshot that a producer may send again: Kafka's snapshot holds only the newest batch of
/// each, and the others may be in flight over a roll and a crash.
fn refill(loaded: &mut Loaded, snapshot: Offset) -> Result<(), LogError> {
    let from = snapshot.saturating_sub(REFILL_OFFSETS_MAX).max(loaded.start_offset);
    let mut older: BTreeMap<ProducerId, Vec<BatchHeader>> = BTreeMap::new();
    for segment in later(&loaded.segments, from) {
        let first = match segment.locate(from) {
            Ok(Some(first)) => first,
            // What is damaged there is told to those who read it; producers are remembered as far as can be.
            Ok(None) | Err(ReadError::Corrupt { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut scan = segment.scan(first.position, Scan::HEADERS_WINDOW_BYTES)?;
        while let Some(batch) = scan.next()?.filter(|batch| batch.header.base_offset < snapshot) {
            if batch.header.has_producer_id() && !batch.header.is_control() {
                older.entry(batch.header.producer_id).or_default().push(batch.header);
            }
        }
    }
    loaded.producers.refill(&older);
    Ok(())
}

/// The producers in a snapshot; `None` when it is damaged, or was removed with its segment.
pub(super) fn read(place: &Place, name: &str) -> io::Result<Option<Producers>> {
    Ok(read_small(place, name)?.and_then(|bytes| Producers::from_snapshot(&bytes)))
}

/// The segments that may hold batches at or after `from`.
pub(super) fn later(segments: &[Segment], from: Offset) -> &[Segment] {
    let count = segments.partition_point(|segment| segment.base_offset() <= from);
    segments.get(count.saturating_sub(1)..).unwrap_or_default()
}

/// Takes note of the batches of a segment from `from` on, and tells which transactions they abort. Returns how many
/// there are.
pub(super) fn replay(
    segment: &Segment,
    from: Offset,
    producers: &mut Producers,
    aborted: &mut dyn FnMut(AbortedTransaction),
) -> Result<u64, ReadError> {
    let mut count = 0;
    let Some(first) = segment.locate(from)? else { return Ok(count) };
    let mut scan = segment.scan(first.position, Scan::HEADERS_WINDOW_BYTES)?;
    while let Some(batch) = scan.next()? {
        let marker = if batch.header.is_control() { end_marker(segment, &batch)? } else { None };
        if let Some(ended) = producers.update(&batch.header, marker) {
            aborted(ended);
        }
        count += 1;
    }
    Ok(count)
}

/// What a control batch says. One without records is what compaction left of a marker. One whose CRC is wrong ends
/// nothing: it could say that records are committed which are not.
fn end_marker(segment: &Segment, batch: &Scanned) -> io::Result<Option<EndMarker>> {
    let size = usize::try_from(batch.size).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let bytes = segment.file()?.slice(batch.position, size)?;
    let has_good_crc =
        batch.header.computed_crc(bytes.get(HEADER_BYTES..).unwrap_or_default()) == batch.header.crc;
    if !has_good_crc {
        return Ok(None);
    }
    let first = records(&bytes).ok().and_then(|mut records| records.next());
    Ok(first.and_then(Result::ok).and_then(|record| EndMarker::parse(&record)))
}
