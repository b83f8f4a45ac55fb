//! Steps through the batches of a segment's file, header by header.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use ottla_model::Offset;

use super::damage::Damage;
use crate::batch::{BatchHeader, HEADER_BYTES};
use crate::disk::DiskFile;

/// The error of a read that comes to the end of a file before the end of what is known to be in it. Bytes that are not
/// there are no bad bytes: nobody looks for good ones behind them.
pub(super) fn too_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than what was written to it")
}

/// The only format that a log holds.
const MAGIC: i8 = 2;

/// True for a header that may stand at that place of a segment, as far as that can be told without the
/// records.
pub(crate) fn is_sane(header: &BatchHeader, base_offset: Offset, room: u64) -> bool {
    let relative = header.last_offset().checked_sub(base_offset);
    header.magic == MAGIC
        && header.size_in_bytes().is_some_and(|size| size as u64 <= room)
        && header.base_offset >= base_offset
        && header.last_offset_delta >= 0
        && header.record_count >= 0
        && relative.is_some_and(|relative| relative <= i64::from(i32::MAX))
}

/// One batch of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanned {
    pub(crate) position: u64,
    pub(crate) size: u64,
    pub(crate) header: BatchHeader,
}

/// Reads headers one after the other through a buffer, and steps over damage that is known. It ends at the
/// first bytes that are no batch; [`Scan::position`] tells where that is.
pub(crate) struct Scan<'a> {
    file: &'a dyn DiskFile,
    base_offset: Offset,
    position: u64,
    end: u64,
    /// Smallest base offset that the next batch may have.
    next_offset: Offset,
    damage: Arc<[Damage]>,
    window: Vec<u8>,
    window_start: u64,
    window_bytes: usize,
}

impl<'a> Scan<'a> {
    /// Bytes that are read together when only headers matter.
    pub(crate) const HEADERS_WINDOW_BYTES: usize = 4 * 1024;
    /// Bytes that are read together when all of them matter.
    pub(crate) const BATCHES_WINDOW_BYTES: usize = 256 * 1024;

    /// Scans `range` of the segment that begins at `base_offset`.
    pub(crate) fn new(
        file: &'a dyn DiskFile,
        base_offset: Offset,
        range: Range<u64>,
        window_bytes: usize,
    ) -> Self {
        Self {
            file,
            base_offset,
            position: range.start,
            end: range.end,
            next_offset: base_offset,
            damage: Arc::default(),
            window: Vec::new(),
            window_start: 0,
            window_bytes,
        }
    }

    /// Steps over that damage.
    pub(crate) fn around(self, damage: Arc<[Damage]>) -> Self {
        Self { damage, ..self }
    }

    /// Reads that many bytes together from now on.
    pub(crate) fn read_ahead(&mut self, window_bytes: usize) {
        self.window_bytes = window_bytes;
    }

    /// Where the next batch would begin: the end of the last good one.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The offset after the last good batch.
    pub(crate) fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// The next batch, or `None` when what follows is no batch or the range ends.
    pub(crate) fn next(&mut self) -> io::Result<Option<Scanned>> {
        let Some(scanned) = self.peek()? else { return Ok(None) };
        self.accept(&scanned);
        Ok(Some(scanned))
    }

    /// The next batch, without stepping over it.
    pub(crate) fn peek(&mut self) -> io::Result<Option<Scanned>> {
        while let Some(damage) = self.damage.iter().find(|damage| damage.positions.start == self.position) {
            self.position = damage.positions.end;
            self.next_offset = self.next_offset.max(damage.offsets.end);
        }
        let batch = self.header_at(self.position)?;
        Ok(batch.filter(|batch| batch.header.base_offset >= self.next_offset))
    }

    /// The header at a position, when it may be one; its offsets may be any.
    pub(super) fn header_at(&mut self, position: u64) -> io::Result<Option<Scanned>> {
        let bytes = self.bytes(position, HEADER_BYTES)?;
        let Some(header) = BatchHeader::parse(bytes) else { return Ok(None) };
        let room = self.room(position);
        if !is_sane(&header, self.base_offset, room) {
            return Ok(None);
        }
        let size = header.size_in_bytes().unwrap_or_default() as u64;
        Ok(Some(Scanned { position, size, header }))
    }

    /// True when the range ends where the last good batch does.
    pub(crate) fn is_at_end(&self) -> bool {
        self.position >= self.end
    }

    /// Bytes from a position up to the end of the range.
    pub(super) fn room(&self, position: u64) -> u64 {
        self.end.saturating_sub(position)
    }

    /// Goes on at another place of the range.
    pub(super) fn skip_to(&mut self, position: u64, next_offset: Offset) {
        self.position = position;
        self.next_offset = next_offset;
    }

    /// Steps over a batch that [`Scan::peek`] gave.
    pub(crate) fn accept(&mut self, scanned: &Scanned) {
        self.position = scanned.position.saturating_add(scanned.size);
        self.next_offset = scanned.header.last_offset().saturating_add(1);
    }

    /// True when the CRC of the batch is that of its bytes.
    pub(crate) fn has_good_crc(&mut self, scanned: &Scanned) -> io::Result<bool> {
        let mut crc = scanned.header.computed_crc(&[]);
        let mut position = scanned.position.saturating_add(HEADER_BYTES as u64);
        let end = scanned.position.saturating_add(scanned.size);
        while position < end {
            let left = usize::try_from(end - position).unwrap_or(usize::MAX);
            let bytes = self.bytes(position, left.min(self.window_bytes))?;
            if bytes.is_empty() {
                return Ok(false);
            }
            crc = crc32c::crc32c_append(crc, bytes);
            position = position.saturating_add(bytes.len() as u64);
        }
        Ok(crc == scanned.header.crc)
    }

    /// The bytes at `position`, up to `count` of them; fewer only at the end of the range or file.
    fn bytes(&mut self, position: u64, count: usize) -> io::Result<&[u8]> {
        let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        let count = count.min(left);
        let inside = position.checked_sub(self.window_start).and_then(|start| usize::try_from(start).ok());
        let at = match inside.filter(|start| start.saturating_add(count) <= self.window.len()) {
            Some(start) => start,
            None => {
                self.window.resize(self.window_bytes.max(count).min(left), 0);
                let read = self.file.read_at(position, &mut self.window);
                // A window that could not be read must not be taken for one that was.
                self.window.truncate(*read.as_ref().unwrap_or(&0));
                read?;
                self.window_start = position;
                if self.window.len() < count {
                    return Err(too_short());
                }
                0
            }
        };
        let end = at.saturating_add(count).min(self.window.len());
        Ok(self.window.get(at..end).unwrap_or_default())
    }
}
