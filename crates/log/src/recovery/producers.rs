//! Bringing the producers up to the end of the log (`UnifiedLog.rebuildProducerState`).

use std::io;

use ottla_model::Offset;

use super::{Files, Loaded};
use crate::batch::records;
use crate::config::LogConfig;
use crate::error::LogError;
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
                loaded.snapshot_offset = Some(offset);
                from = offset;
                continue;
            }
        }
        place.remove(&name)?;
    }
    loaded.report.producer_snapshot = loaded.snapshot_offset;
    loaded.producers.expire(open.now, config.producer_id_expiration_ms);
    let mut batches = 0;
    for segment in later(&loaded.segments, from) {
        batches += replay(segment, from, &mut loaded.producers)?;
    }
    loaded.report.producer_batches = batches;
    loaded.producers.expire(open.now, config.producer_id_expiration_ms);
    Ok(())
}

/// The producers in a snapshot; `None` when it is damaged, or was removed with its segment.
fn read(place: &Place, name: &str) -> io::Result<Option<Producers>> {
    match place.disk.read(&place.path(name)) {
        Ok(bytes) => Ok(Producers::from_snapshot(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The segments that may hold batches at or after `from`.
fn later(segments: &[Segment], from: Offset) -> &[Segment] {
    let count = segments.partition_point(|segment| segment.base_offset() <= from);
    segments.get(count.saturating_sub(1)..).unwrap_or_default()
}

fn replay(segment: &Segment, from: Offset, producers: &mut Producers) -> Result<u64, LogError> {
    let mut count = 0;
    let Some(first) = segment.locate(from)? else { return Ok(count) };
    let mut scan = segment.scan(first.position, Scan::HEADERS_WINDOW_BYTES)?;
    while let Some(batch) = scan.next()? {
        let marker = if batch.header.is_control() { end_marker(segment, &batch)? } else { None };
        producers.update(&batch.header, marker);
        count += 1;
    }
    Ok(count)
}

/// What a control batch says. One without records is what compaction left of a marker.
fn end_marker(segment: &Segment, batch: &Scanned) -> io::Result<Option<EndMarker>> {
    let size = usize::try_from(batch.size).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let bytes = segment.file()?.slice(batch.position, size)?;
    let first = records(&bytes).ok().and_then(|mut records| records.next());
    Ok(first.and_then(Result::ok).and_then(|record| EndMarker::parse(&record)))
}
