//! Finishes or undoes the replacement of segments that a crash has interrupted
//! (`LogLoader.removeTempFilesAndCollectSwapFiles` and what follows it).
//!
//! While there is a `.cleaned`, nothing had been replaced from its offset on, and the `.swap`s there go.
//! Otherwise a `.swap` is whole, and takes the place of all segments that it reaches over. Kafka takes the reach
//! of all `.swap`s together; here each has its own, so that segments between them that have their names already
//! are left alone, in whatever order the disk has made the names durable.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use ottla_model::Offset;

use crate::disk::{DirEntry, OpenFile};
use crate::names::{CLEANED_SUFFIX, Kind, Name, SWAP_SUFFIX, file_name, parse};
use crate::segment::{Place, Scan};

/// What a crash has left.
#[derive(Debug, Default)]
struct Leftovers {
    cleaned: BTreeSet<(Offset, Kind)>,
    swaps: BTreeSet<(Offset, Kind)>,
    files: BTreeSet<(Offset, Kind)>,
}

impl Leftovers {
    fn of(entries: &[DirEntry]) -> Self {
        let mut found = Self::default();
        for entry in entries.iter().filter(|entry| !entry.is_dir) {
            match parse(&entry.name) {
                Name::Cleaned(offset, kind) => found.cleaned.insert((offset, kind)),
                Name::Swap(offset, kind) => found.swaps.insert((offset, kind)),
                Name::File(offset, kind) => found.files.insert((offset, kind)),
                Name::Leftover | Name::Other => false,
            };
        }
        found
    }
}

/// Brings the directory to the state before a replacement or after it, and says what is in it then. It is given
/// what is in it now.
pub(super) fn recover(place: &Place, entries: Vec<DirEntry>) -> io::Result<Vec<DirEntry>> {
    let mut found = Leftovers::of(&entries);
    if found.cleaned.is_empty() && found.swaps.is_empty() {
        return Ok(entries);
    }
    undo(place, &mut found)?;
    finish(place, &mut found)?;
    place.disk.list(&place.dir)
}

/// Removes what was not whole yet. The `.swap`s are the first to go, and that is down before the `.cleaned` that
/// tells that they are not to be believed.
fn undo(place: &Place, found: &mut Leftovers) -> io::Result<()> {
    let Some(&(first, _)) = found.cleaned.first() else { return Ok(()) };
    let undone: Vec<_> = found.swaps.iter().filter(|&&(offset, _)| offset >= first).copied().collect();
    for swap in undone {
        remove_swap(place, found, swap)?;
    }
    place.disk.sync_dir(&place.dir)?;
    for &(offset, kind) in &found.cleaned {
        place.remove(&format!("{}{CLEANED_SUFFIX}", file_name(offset, kind)))?;
    }
    Ok(())
}

fn remove_swap(place: &Place, found: &mut Leftovers, swap: (Offset, Kind)) -> io::Result<()> {
    found.swaps.remove(&swap);
    place.remove(&format!("{}{SWAP_SUFFIX}", file_name(swap.0, swap.1)))
}

/// Gives the rest their names, when what they replace is gone.
fn finish(place: &Place, found: &mut Leftovers) -> io::Result<()> {
    let offsets: BTreeSet<Offset> = found.swaps.iter().map(|(offset, _)| *offset).collect();
    for offset in offsets {
        let reach = if found.swaps.contains(&(offset, Kind::Log)) { reach(place, offset)? } else { None };
        let replaced = |&(old, kind): &(Offset, Kind)| match &reach {
            // The producers at the beginning of the segment are those of the new one, too.
            Some(reach) => reach.contains(&old) && !(kind == Kind::Snapshot && old == offset),
            None => false,
        };
        for &(old, kind) in found.files.iter().filter(|file| replaced(file)) {
            place.remove(&file_name(old, kind))?;
        }
        if reach.is_none() {
            drop_odd(place, found, offset)?;
        }
    }
    place.disk.sync_dir(&place.dir)?;
    // Batches come before indexes: an index whose segment has its name is only renamed the next time.
    for &(offset, kind) in &found.swaps {
        let name = file_name(offset, kind);
        place.disk.rename(&place.path(&format!("{name}{SWAP_SUFFIX}")), &place.path(&name))?;
    }
    place.disk.sync_dir(&place.dir)
}

/// Without a whole segment of batches, what is there takes only names that are free: those of a segment that has
/// its name already. A damaged one gives way to the segment that it was to replace, if that is still there.
fn drop_odd(place: &Place, found: &mut Leftovers, offset: Offset) -> io::Result<()> {
    let odd = |&(at, kind): &(Offset, Kind)| at == offset && found.files.contains(&(at, kind));
    let dropped: Vec<_> = found.swaps.iter().copied().filter(odd).collect();
    dropped.into_iter().try_for_each(|swap| remove_swap(place, found, swap))
}

/// The offsets that a segment reaches over; `None` when it does not end with a whole batch.
fn reach(place: &Place, base_offset: Offset) -> io::Result<Option<Range<Offset>>> {
    let path = place.path(&format!("{}{SWAP_SUFFIX}", file_name(base_offset, Kind::Log)));
    let file = place.disk.open(&path, OpenFile { create: false, capacity: 0 })?;
    let length = file.length()?;
    let mut scan = Scan::new(file.as_ref(), base_offset, 0..length, Scan::HEADERS_WINDOW_BYTES);
    while scan.next()?.is_some() {}
    // Even one without batches takes the place of the segment that has its name.
    let end = scan.next_offset().max(base_offset.saturating_add(1));
    Ok((scan.position() == length).then_some(base_offset..end))
}
