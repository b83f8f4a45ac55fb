//! The one file of Ottla that may use `unsafe`: reading a file through a memory map.
//!
//! # Why this is sound
//!
//! A `&[u8]` promises that its bytes exist and do not change while it lives. [`MappedFile`] is the only way
//! to a mapped byte and keeps that promise by itself, whatever its callers do:
//!
//! - **The bytes exist.** A slice lies below `written`, the length that the file had when it was opened or
//!   that a finished write gave it. A page of a map raises SIGBUS only when it lies past the end of its file,
//!   so the map may cover the file's whole future capacity while slices stay inside the present file.
//!   [`MappedFile::truncate`] refuses to cut below `exposed`, the end of the furthest slice that was handed
//!   out.
//! - **The bytes do not change.** [`MappedFile::write_at`] refuses to write below `written`, and slices end
//!   there, so no byte is ever both readable and writable. `written` moves only after a write has finished,
//!   by a release store that the acquire load in [`MappedFile::slice`] pairs with. One lock serialises
//!   writers.
//! - **The memory stays mapped.** Each slice owns an `Arc` of its map. The map is made once, at the first
//!   slice, covers the capacity of the file, and is never remapped or moved. Dropping the file, unmapping it
//!   or removing it from its directory leaves the slices as they are; the last one unmaps.
//! - **No reference is made to other bytes.** The map is memmap2's raw one: a pointer, never a `&[u8]` over
//!   the whole mapping, whose end is not backed by the file yet.
//! - **Writes and the map agree.** Linux keeps one page cache for a file; `pwritev` writes the pages that a
//!   shared map shows.
//!
//! # What it rests on
//!
//! Another process that changes the file is outside the reach of this one: the broker locks its data directory.
//! Within the process, a log opens each of its files once.
//!
//! A page of a map that is not in memory and that the disk cannot read is a SIGBUS in place of an error. So
//! [`MappedFile::slice`] has the kernel read all pages first that it says are not there, which tells of an error, and
//! [`MappedFile::read_at`] goes around the map. What is left is a page that memory gives up after that and that
//! cannot be read a second time, and callers who say that the bytes are in memory.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::io::Errno;
use rustix::param::page_size;

/// Parts that one `pwritev` takes; more are written by several.
const PARTS_MAX: usize = 4;

/// How many files of logs this process holds open. The limit that they come close to is the process's as well.
static OPEN_FILES: AtomicU64 = AtomicU64::new(0);

/// How many files of logs this process holds open on the machine's disk.
#[must_use]
pub fn open_files() -> u64 {
    OPEN_FILES.load(Ordering::Relaxed)
}

/// Pages that the kernel is asked about at once: 2 MiB.
const RESIDENT_PAGES: usize = 512;

/// The bit of a page that is in memory.
const RESIDENT: u8 = 1;

/// Bytes that are read together to bring pages into memory where the kernel cannot be asked to.
const TOUCH_BYTES: usize = 64 * 1024;

/// An append-only file whose written part can be read through a map.
#[derive(Debug)]
pub(super) struct MappedFile {
    file: File,
    _counted: Counted,
    capacity: u64,
    /// Bytes from the start that are complete and will not change.
    written: AtomicU64,
    /// Held while the file is written or cut.
    writer: Mutex<()>,
    reader: Mutex<Reader>,
}

/// An open file that counts among [`open_files`].
#[derive(Debug)]
struct Counted;

impl Counted {
    fn new() -> Self {
        OPEN_FILES.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        OPEN_FILES.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Reader {
    map: Option<Arc<MmapRaw>>,
    /// End of the furthest slice that was handed out.
    exposed: u64,
}

/// A part of a map that owns the map.
struct MapSlice {
    map: Arc<MmapRaw>,
    start: usize,
    length: usize,
}

impl AsRef<[u8]> for MapSlice {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `MappedFile::slice`, the only maker of this type, checked that the range lies inside the
        // map and inside the file. The module's documentation says why the bytes stay there and stay the same
        // for as long as `self.map` lives, which is at least as long as the borrow that is returned.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.start), self.length) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Neither lock guards a state that a panic could leave half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MappedFile {
    /// Takes a file that is open for reading and writing. `capacity` is the most bytes it will ever have.
    pub(super) fn new(file: File, capacity: u64) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self {
            file,
            _counted: Counted::new(),
            capacity: capacity.max(length),
            written: AtomicU64::new(length),
            writer: Mutex::new(()),
            reader: Mutex::new(Reader::default()),
        })
    }

    /// Writes behind the written part; see [`super::DiskFile::write_at`].
    pub(super) fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        let _writer = lock(&self.writer);
        if position < self.written.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "bytes that were written do not change"));
        }
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if position.saturating_add(length as u64) > self.capacity {
            // No map would ever cover those bytes: the caller's capacity was wrong.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "write past the capacity of the file"));
        }
        let mut end = position;
        for some in parts.chunks(PARTS_MAX) {
            end = self.write_all(end, some)?;
        }
        self.written.store(end, Ordering::Release);
        Ok(())
    }

    fn write_all(&self, position: u64, parts: &[&[u8]]) -> io::Result<u64> {
        let mut storage = [IoSlice::new(&[]); PARTS_MAX];
        for (place, part) in storage.iter_mut().zip(parts) {
            *place = IoSlice::new(part);
        }
        let mut position = position;
        let mut left: usize = parts.iter().map(|part| part.len()).sum();
        let mut slices = &mut storage[..];
        while left > 0 {
            match rustix::io::pwritev(&self.file, slices, position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    IoSlice::advance_slices(&mut slices, count);
                    position = position.saturating_add(count as u64);
                    left = left.saturating_sub(count);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(position)
    }

    /// Reads without making a map; one that is there is used. See [`super::DiskFile::read_resident`].
    pub(super) fn read_resident(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        if let Some(slice) = self.peek(position, into.len()) {
            into.copy_from_slice(slice.as_ref());
            return Ok(into.len());
        }
        self.read_at(position, into)
    }

    /// Reads around the map.
    pub(super) fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, position.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// The range through the map, when there is one and the range is written. The caller drops it before the
    /// file can be cut, so it does not count as exposed: `read_resident` holds the lock for as long as it needs it.
    fn peek(&self, position: u64, length: usize) -> Option<PeekedSlice<'_>> {
        let reader = lock(&self.reader);
        let map = Arc::clone(reader.map.as_ref()?);
        let start = self.range(&map, position, length).ok()?;
        Some(PeekedSlice { slice: MapSlice { map, start, length }, _reader: reader })
    }

    /// The bytes of the range, without copying them; see [`super::DiskFile::slice`].
    pub(super) fn slice(&self, position: u64, length: usize) -> io::Result<Bytes> {
        let slice = self.expose(position, length)?;
        self.populate(position, &slice)?;
        Ok(if length == 0 { Bytes::new() } else { Bytes::from_owner(slice) })
    }

    /// The same without waiting for the disk; see [`super::DiskFile::slice_resident`].
    pub(super) fn slice_resident(&self, position: u64, length: usize) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        Ok(Bytes::from_owner(self.expose(position, length)?))
    }

    /// Hands the range out.
    fn expose(&self, position: u64, length: usize) -> io::Result<MapSlice> {
        let mut reader = lock(&self.reader);
        let map = match &reader.map {
            Some(map) => Arc::clone(map),
            None => {
                let made = Arc::new(self.map()?);
                reader.map = Some(Arc::clone(&made));
                made
            }
        };
        let start = self.range(&map, position, length)?;
        reader.exposed = reader.exposed.max(position.saturating_add(length as u64));
        drop(reader);
        Ok(MapSlice { map, start, length })
    }

    /// Has the kernel read the pages of a slice, so that none of them is an error when it is looked at.
    fn populate(&self, position: u64, slice: &MapSlice) -> io::Result<()> {
        // Of a file that somebody has cut, pages behind its end may still be in memory, and are an error all the same.
        if is_resident(slice) && self.length()? >= position.saturating_add(slice.length as u64) {
            return Ok(());
        }
        let Err(error) = slice.map.advise_range(Advice::PopulateRead, slice.start, slice.length) else {
            return Ok(());
        };
        match Errno::from_io_error(&error) {
            // A kernel before Linux 5.14.
            Some(Errno::INVAL) => self.touch(position, slice.length),
            // Where looking at a page would have raised SIGBUS.
            Some(Errno::FAULT | Errno::HWPOISON) => Err(Errno::IO.into()),
            _ => Err(error),
        }
    }

    /// Reads a range for nothing but that its pages are in memory then.
    fn touch(&self, position: u64, length: usize) -> io::Result<()> {
        let mut buffer = vec![0; TOUCH_BYTES.min(length)];
        let end = position.saturating_add(length as u64);
        let mut at = position;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            match self.read_at(at, buffer.get_mut(..wanted).unwrap_or_default())? {
                // The file is shorter than what was written to it.
                0 => return Err(Errno::IO.into()),
                count => at = at.saturating_add(count as u64),
            }
        }
        Ok(())
    }

    fn map(&self) -> io::Result<MmapRaw> {
        let length = usize::try_from(self.capacity).map_err(|_| io::ErrorKind::FileTooLarge)?;
        MmapOptions::new().len(length.max(1)).map_raw_read_only(&self.file)
    }

    /// Where the range begins in the map, when all of it is written and mapped.
    fn range(&self, map: &MmapRaw, position: u64, length: usize) -> io::Result<usize> {
        let end = position.checked_add(length as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.written.load(Ordering::Acquire) || end > map.len() as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        usize::try_from(position).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// Length of the file, including what a failed write may have left behind the written part.
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Cuts the file; see [`super::DiskFile::truncate`].
    pub(super) fn truncate(&self, length: u64) -> io::Result<()> {
        let _writer = lock(&self.writer);
        let reader = lock(&self.reader);
        if length < reader.exposed {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "bytes that were handed out are not cut",
            ));
        }
        // Lowered first: from here on nobody gets a slice of what is about to go.
        self.written.fetch_min(length, Ordering::AcqRel);
        self.file.set_len(length)
    }

    /// `fdatasync`.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Forgets the map; slices keep it alive.
    pub(super) fn unmap(&self) {
        lock(&self.reader).map = None;
    }
}

/// True when the kernel says that all pages of a slice are in memory. It tells that by looking at bits, where to populate
/// pages takes hold of each, which was a sixth of what a fetch costs.
fn is_resident(slice: &MapSlice) -> bool {
    let page_bytes = page_size();
    let mut told = [0_u8; RESIDENT_PAGES];
    let mut start = slice.start - slice.start % page_bytes;
    let end = slice.start.saturating_add(slice.length);
    while start < end {
        let length = (end - start).min(page_bytes.saturating_mul(RESIDENT_PAGES));
        // SAFETY: the range begins at a page and lies inside the map, as `MappedFile::expose` has checked for the slice, and
        // the slice keeps the map. The kernel writes one byte for each page of it, and `told` has as many. It looks at no
        // byte of the pages themselves.
        let failed =
            unsafe { libc::mincore(slice.map.as_mut_ptr().add(start).cast(), length, told.as_mut_ptr()) }
                != 0;
        let mut pages = told.iter().take(length.div_ceil(page_bytes));
        if failed || pages.any(|page| page & RESIDENT == 0) {
            return false;
        }
        start = start.saturating_add(length);
    }
    true
}

/// A slice that lives only while the reader's lock is held.
struct PeekedSlice<'a> {
    slice: MapSlice,
    _reader: MutexGuard<'a, Reader>,
}

impl AsRef<[u8]> for PeekedSlice<'_> {
    fn as_ref(&self) -> &[u8] {
        self.slice.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(capacity: u64) -> MappedFile {
        MappedFile::new(tempfile::tempfile().expect("temporary file"), capacity).expect("opened")
    }

    #[test]
    fn slices_outlive_the_file_and_see_later_writes_of_others_only() {
        let file = file(1 << 20);
        file.write_at(0, &[b"hello ", b"world"]).expect("written");
        let slice = file.slice(6, 5).expect("slice");
        file.write_at(11, &[&[b'x'; 100_000]]).expect("written");
        assert_eq!(file.slice(11, 100_000).expect("slice"), vec![b'x'; 100_000]);
        file.unmap();
        assert_eq!(file.slice(0, 5).expect("mapped again"), &b"hello"[..]);
        drop(file);
        assert_eq!(slice, &b"world"[..]);
    }

    #[test]
    fn bytes_that_the_disk_cannot_give_are_an_error_and_not_a_signal() {
        let file = file(1 << 20);
        file.write_at(0, &[&[b'x'; 100_000]]).expect("written");
        let _mapped = file.slice(0, 100_000).expect("slice");
        // Somebody else cuts the file: a look at its pages behind the end raises SIGBUS from now on.
        file.file.set_len(5000).expect("cut");
        assert_eq!(file.slice(0, 4096).expect("there"), vec![b'x'; 4096]);
        for (position, length) in [(50_000, 10), (4000, 90_000), (0, 100_000)] {
            let error = file.slice(position, length).expect_err("gone");
            assert_eq!(error.raw_os_error(), Some(Errno::IO.raw_os_error()), "{position}");
            // Where the kernel cannot be asked to populate, it is the same.
            let error = file.touch(position, length).expect_err("gone");
            assert_eq!(error.raw_os_error(), Some(Errno::IO.raw_os_error()), "{position}");
        }
        assert_eq!(file.read_at(50_000, &mut [0; 10]).expect("read around the map"), 0);
        file.touch(0, 5000).expect("there");
    }

    #[test]
    fn written_bytes_are_neither_written_again_nor_cut_under_a_slice() {
        let file = file(64);
        file.write_at(0, &[b"0123456789"]).expect("written");
        assert!(file.write_at(9, &[b"x"]).is_err());
        let slice = file.slice(0, 4).expect("slice");
        assert!(file.truncate(3).is_err());
        file.truncate(4).expect("cut");
        assert!(file.slice(0, 5).is_err());
        file.write_at(4, &[b"abc"]).expect("written");
        assert_eq!(file.slice(0, 7).expect("slice"), &b"0123abc"[..]);
        assert_eq!(slice, &b"0123"[..]);
    }

    #[test]
    fn nothing_past_the_end_is_ever_a_slice() {
        let file = file(1 << 16);
        assert!(file.slice(0, 1).is_err());
        file.write_at(0, &[b"ab"]).expect("written");
        assert!(file.slice(1, 2).is_err());
        assert!(file.slice(u64::MAX, 2).is_err());
        assert!(file.write_at(2, &[&[0; 1 << 16]]).is_err(), "past the capacity");
        assert!(file.slice(0, 3).is_err());
    }

    #[test]
    fn reads_stop_at_the_end_of_the_file() {
        let file = file(64);
        file.write_at(0, &[b"0123456789"]).expect("written");
        let mut into = [0; 8];
        assert_eq!(file.read_at(6, &mut into).expect("read"), 4);
        let _mapped = file.slice(0, 1).expect("slice");
        assert_eq!(file.read_at(2, &mut into).expect("read"), 8);
        assert_eq!(&into, b"23456789");
        assert_eq!(file.read_at(10, &mut into).expect("read"), 0);
    }
}
