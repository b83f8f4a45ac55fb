//! One segment: a file of batches and its indexes (`LogSegment`).
//!
//! A segment that nobody uses holds no descriptor and no index: files are opened and indexes loaded at the
//! first use, and [`Segment::cool`] lets them go again.

mod aborted;
mod append;
mod counting;
mod counts;
mod damage;
mod find;
mod find_time;
mod indexes;
mod judge;
mod scan;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, RwLock};

use ottla_model::{NONE, Offset, WallMillis};

use crate::disk::{Disk, DiskFile, OpenFile};
use crate::index::{OffsetIndex, TimeIndex, TimestampOffset, TransactionIndex};
use crate::names::{Kind, TEMPORARY_SUFFIX, file_name};

pub(crate) use append::Limits;
pub(crate) use counting::{CountedPart, Uncounted, records_before};
pub(crate) use counts::{Counts, Tally};
pub(crate) use damage::{Damage, good_bytes};
pub(crate) use find::Span;
pub(crate) use find_time::FoundRecord;
pub(crate) use indexes::Indexes;
pub(crate) use judge::{Bad, Judge, Verdict};
pub(crate) use scan::{Scan, Scanned, is_sane};

/// Where the files of a log are.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
}

impl Place {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Replaces a small file as a whole. It is not synced: after a power loss it may be empty or torn, but
    /// whoever has mapped the old one keeps it.
    pub(crate) fn write_small(&self, name: &str, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.write_temporary(name, bytes)?;
        self.take_temporary(name)?;
        Ok(file)
    }

    /// Writes what is to replace a small file, under another name. It is not synced.
    pub(crate) fn write_temporary(&self, name: &str, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let open = OpenFile { create: true, capacity: bytes.len() as u64 };
        let file = self.disk.open(&self.path(&format!("{name}{TEMPORARY_SUFFIX}")), open)?;
        // One that was made just now is empty. Ext4 writes files that were cut at once when they are closed, against programs
        // that never sync them, and that is a wait for the disk for each small file of a log.
        if file.length()? > 0 {
            file.truncate(0)?;
        }
        file.write_at(0, &[bytes])?;
        Ok(file)
    }

    /// Puts what was written under another name in the place of the small file.
    pub(crate) fn take_temporary(&self, name: &str) -> io::Result<()> {
        self.disk.rename(&self.path(&format!("{name}{TEMPORARY_SUFFIX}")), &self.path(name))
    }

    /// Removes a file that may be gone already.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match self.disk.remove_file(&self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Where in a segment a batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) position: u64,
    /// The first offset that can be there; the largest there is when that is not known.
    pub(crate) offset: Offset,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    place: Arc<Place>,
    base_offset: Offset,
    /// End of the last whole batch, in bytes. What a failed write left behind it is not part of the segment.
    size: u64,
    /// Bytes that a map covers.
    capacity: u64,
    log: OnceLock<Arc<dyn DiskFile>>,
    offsets: OnceLock<OffsetIndex>,
    times: OnceLock<TimeIndex>,
    aborted: OnceLock<TransactionIndex>,
    /// The largest timestamp, and the last offset of the first batch that has it.
    largest: OnceLock<TimestampOffset>,
    /// Maximum timestamp of the first batch, which `segment.ms` counts from; -1 when it has none.
    first_timestamp: OnceLock<i64>,
    created: WallMillis,
    /// How much of the file survives a power loss.
    synced: u64,
    /// True when the index files are not what is in memory.
    indexes_unwritten: bool,
    /// True when the file of aborted transactions is not what is in memory.
    aborted_unwritten: bool,
    /// True when the index files were written and not synced since.
    indexes_unsynced: bool,
    /// True when a failed write may have left bytes behind `size`.
    has_torn_tail: bool,
    /// The offset after the last batch; the largest there is when that is not known.
    end_offset: Offset,
    /// True when nothing more is appended.
    is_sealed: bool,
    /// From where on the bytes were checked by this process, by an append or by recovery, and are likely to be in
    /// memory.
    checked_from: Checked,
    /// Bad bytes that are known; `None` when there are none, as almost always.
    damage: RwLock<Option<Arc<[Damage]>>>,
    /// How many records it holds for readers.
    counted: counting::Counted,
}

impl Segment {
    /// A segment whose file there is, or will be at the first append.
    pub(crate) fn new(
        place: Arc<Place>,
        base_offset: Offset,
        size: u64,
        capacity: u64,
        created: WallMillis,
    ) -> Self {
        Self {
            place,
            base_offset,
            size,
            capacity: capacity.max(size),
            log: OnceLock::new(),
            offsets: OnceLock::new(),
            times: OnceLock::new(),
            aborted: OnceLock::new(),
            largest: OnceLock::new(),
            first_timestamp: OnceLock::new(),
            created,
            synced: size,
            indexes_unwritten: false,
            aborted_unwritten: false,
            indexes_unsynced: false,
            has_torn_tail: false,
            end_offset: Offset::MAX,
            is_sealed: false,
            checked_from: Checked { position: size, offset: Offset::MAX },
            damage: RwLock::default(),
            counted: counting::Counted::behind(size),
        }
    }

    /// Makes the file of a new segment. One that an interrupted roll left is emptied.
    pub(crate) fn create(
        place: Arc<Place>,
        base_offset: Offset,
        capacity: u64,
        now: WallMillis,
    ) -> io::Result<Self> {
        let segment = Self::new(place, base_offset, 0, capacity, now);
        let file = segment.open_file(true)?;
        if file.length()? > 0 {
            file.truncate(0)?;
        }
        let _ = segment.log.set(file);
        let _ = segment.offsets.set(OffsetIndex::new(base_offset));
        let _ = segment.times.set(TimeIndex::new(base_offset));
        let _ = segment.aborted.set(TransactionIndex::default());
        let _ = segment.largest.set(TimestampOffset { timestamp: NONE, offset: base_offset });
        let checked_from = Checked { position: 0, offset: base_offset };
        Ok(Self {
            indexes_unwritten: true,
            aborted_unwritten: true,
            end_offset: base_offset,
            checked_from,
            ..segment
        })
    }

    pub(crate) fn base_offset(&self) -> Offset {
        self.base_offset
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Notes where the batches of the segment end, and from where on they were checked.
    pub(crate) fn set_judged(&mut self, end_offset: Offset, checked_from: Checked) {
        self.end_offset = end_offset;
        self.checked_from = checked_from;
    }

    /// True when what its index files hold is not to be believed: it was judged by recovery, or they were made again.
    pub(crate) fn distrusts_indexes(&self) -> bool {
        self.size == 0 || self.synced < self.size || self.indexes_unwritten || self.indexes_unsynced
    }

    /// Notes the offset at which the segment, none of which is checked, ends.
    pub(crate) fn set_end_offset(&mut self, end_offset: Offset) {
        self.end_offset = end_offset;
        self.checked_from = Checked { position: self.size, offset: end_offset };
    }

    /// Notes that its files are those of a compacted segment, which ends at that offset and was counted.
    pub(crate) fn set_replaced(&mut self, end_offset: Offset, counts: Counts) {
        self.counted = counting::Counted::whole(counts);
        self.end_offset = end_offset;
        self.is_sealed = true;
    }

    /// When it was made, or opened the first time.
    pub(crate) fn created(&self) -> WallMillis {
        self.created
    }

    /// The file, opened at the first use.
    pub(crate) fn file(&self) -> io::Result<&Arc<dyn DiskFile>> {
        if let Some(file) = self.log.get() {
            return Ok(file);
        }
        // Two readers may open it at once; one of the two handles is dropped.
        let file = self.open_file(false)?;
        Ok(self.log.get_or_init(|| file))
    }

    fn open_file(&self, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let open = OpenFile { create, capacity: self.capacity };
        self.place.disk.open(&self.path(Kind::Log), open)
    }

    pub(crate) fn path(&self, kind: Kind) -> PathBuf {
        self.place.path(&file_name(self.base_offset, kind))
    }

    /// Bytes that a power loss could take, and the file that has them.
    pub(crate) fn unsynced(&self) -> io::Result<Option<(Arc<dyn DiskFile>, u64)>> {
        if self.synced >= self.size {
            return Ok(None);
        }
        Ok(Some((Arc::clone(self.file()?), self.size)))
    }

    /// How many bytes a power loss could take.
    pub(crate) fn unsynced_bytes(&self) -> u64 {
        self.size.saturating_sub(self.synced)
    }

    /// Notes that the first `size` bytes survive a power loss.
    pub(crate) fn mark_synced(&mut self, size: u64) {
        self.synced = self.synced.max(size);
    }

    /// Notes that nothing of the segment is known to survive a power loss.
    pub(crate) fn mark_unsynced(&mut self) {
        self.synced = 0;
    }

    /// Lets go of everything that can be had again, for a segment that was not used for long: its bytes may not be
    /// in memory any more, and count as not checked.
    pub(crate) fn cool(&mut self) {
        self.checked_from = Checked { position: self.size, offset: self.end_offset };
        self.release();
    }

    /// Lets go of everything that can be had again. Slices that were handed out live on.
    ///
    /// A file with unsynced bytes stays open: the kernel reports an error of writing them only to a
    /// descriptor that was open at the time.
    pub(crate) fn release(&mut self) {
        if self.synced >= self.size {
            self.log.take();
        } else if let Some(file) = self.log.get() {
            file.unmap();
        }
        if !self.indexes_unwritten {
            self.offsets.take();
            self.times.take();
        }
        self.cool_aborted();
    }

    /// True when its batches are not open.
    pub(crate) fn is_closed(&self) -> bool {
        self.log.get().is_none()
    }

    /// Removes the files, and the snapshot of producers at its beginning. Slices that were handed out live
    /// on.
    pub(crate) fn remove(self) -> io::Result<()> {
        let kinds = [Kind::Log, Kind::OffsetIndex, Kind::TimeIndex, Kind::TransactionIndex, Kind::Snapshot];
        kinds.into_iter().try_for_each(|kind| self.place.remove(&file_name(self.base_offset, kind)))
    }
}
