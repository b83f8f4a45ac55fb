//! Copies the batches of a partition, each after it was checked.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ottla_log::{BatchHeader, Disk, OpenFile, records};
use ottla_model::Offset;

use super::source::Folder;
use super::stage::segment_name;

/// Bytes of a batch up to its records.
const HEADER_BYTES: usize = 61;
/// Where the bytes of a batch begin that its CRC covers.
const CRC_COVERS_FROM_BYTES: usize = 21;
/// The message format of every batch that Kafka has written since 0.11.
const MAGIC: i8 = 2;
/// Bytes that are read together.
const READ_BYTES: usize = 256 * 1024;

/// What was copied.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    /// The offset that the next record will have.
    pub(super) end: Offset,
    /// Records, control records included.
    pub(super) records: u64,
    /// Bytes of batches.
    pub(super) bytes: u64,
    /// Bytes that were left out at the end.
    pub(super) bytes_cut: u64,
    /// True when offsets are missing in between.
    pub(super) has_gaps: bool,
}

/// Copies segments into a directory, where they are on disk when this returns.
///
/// The first bad bytes end the log where Kafka may have been interrupted; elsewhere they are an error.
pub(super) fn copy(
    disk: &dyn Disk,
    folder: &Folder,
    segments: &[Offset],
    into: &Path,
) -> Result<Copied, String> {
    let mut copied = Copied { end: segments.first().copied().unwrap_or(0), ..Copied::default() };
    let mut rest = segments.iter();
    while let Some(&base_offset) = rest.next() {
        let Some(bad) = copy_segment(disk, folder, base_offset, into, &mut copied)? else { continue };
        if copied.end < folder.trusted_end {
            return Err(bad.to_string());
        }
        copied.bytes_cut = copied.bytes_cut.saturating_add(bad.bytes);
        for &later in rest.by_ref() {
            let path = folder.path.join(segment_name(later));
            let length = std::fs::metadata(&path).map_err(|error| in_file(&path, &error))?.len();
            copied.bytes_cut = copied.bytes_cut.saturating_add(length);
        }
    }
    Ok(copied)
}

fn in_file(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Bytes that are no good batch.
#[derive(Debug)]
struct Bad {
    path: PathBuf,
    position: u64,
    /// How many there are, up to the end of the file.
    bytes: u64,
    why: String,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is damaged at byte {}: {}", self.path.display(), self.position, self.why)
    }
}

fn copy_segment(
    disk: &dyn Disk,
    folder: &Folder,
    base_offset: Offset,
    into: &Path,
    copied: &mut Copied,
) -> Result<Option<Bad>, String> {
    let name = segment_name(base_offset);
    let path = folder.path.join(&name);
    let wrong = |error: io::Error| in_file(&path, &error);
    let file = File::open(&path).map_err(wrong)?;
    let length = file.metadata().map_err(wrong)?.len();
    let bad = |position: u64, why: String| Bad {
        path: path.clone(),
        position,
        bytes: length.saturating_sub(position),
        why,
    };
    if base_offset < copied.end {
        return Ok(Some(bad(
            0,
            format!("it begins before offset {}, where the one before it ends", copied.end),
        )));
    }
    copied.has_gaps |= base_offset > copied.end;
    copied.end = base_offset;
    let target = disk.open(&into.join(&name), OpenFile { create: true, capacity: length }).map_err(wrong)?;
    let mut reader = BufReader::with_capacity(READ_BYTES, file.take(length));
    let mut position = 0;
    let mut found = None;
    while position < length {
        let left = length.saturating_sub(position);
        let batch = match read_batch(&mut reader, left).map_err(wrong)? {
            Ok(batch) => batch,
            Err(why) => {
                found = Some(bad(position, why));
                break;
            }
        };
        if let Err(why) = note(&batch, copied) {
            found = Some(bad(position, why));
            break;
        }
        target.write_at(position, &[&batch]).map_err(wrong)?;
        position = position.saturating_add(batch.len() as u64);
    }
    target.sync().map_err(wrong)?;
    copied.bytes = copied.bytes.saturating_add(position);
    Ok(found)
}

/// The next batch of a file that has `left` more bytes, or why there is none.
fn read_batch(reader: &mut impl Read, left: u64) -> io::Result<Result<Bytes, String>> {
    let mut batch = Vec::with_capacity(HEADER_BYTES);
    reader.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut batch)?;
    let Some(header) = BatchHeader::parse(&batch) else { return Ok(Err("a batch is not whole".to_owned())) };
    if (0..MAGIC).contains(&header.magic) && header.batch_length > 0 {
        let version = header.magic;
        return Ok(Err(format!("messages of format v{version}, which Ottla does not read")));
    }
    let size = header.size_in_bytes().filter(|_| header.magic == MAGIC);
    let Some(size) = size else { return Ok(Err("there is no batch".to_owned())) };
    let size = size as u64;
    if size > left {
        return Ok(Err("a batch is not whole".to_owned()));
    }
    reader.by_ref().take(size.saturating_sub(HEADER_BYTES as u64)).read_to_end(&mut batch)?;
    let covered = batch.get(CRC_COVERS_FROM_BYTES..).unwrap_or_default();
    if crc32c::crc32c(covered) != header.crc {
        return Ok(Err(format!("the batch at offset {} has another CRC than its bytes", header.base_offset)));
    }
    Ok(Ok(batch.into()))
}

/// Counts a batch, when it comes after all others and its records can be read.
fn note(batch: &Bytes, copied: &mut Copied) -> Result<(), String> {
    let header = BatchHeader::parse(batch).ok_or("a batch is not whole")?;
    let (first, last) = (header.base_offset, header.last_offset());
    if first < copied.end || last < first || last == Offset::MAX {
        return Err(format!("offsets {first} to {last} follow {}", copied.end));
    }
    let unreadable = |error| format!("the batch at offset {first} cannot be read: {error}");
    let mut count: u64 = 0;
    for record in records(batch).map_err(unreadable)? {
        record.map_err(unreadable)?;
        count = count.saturating_add(1);
    }
    copied.has_gaps |= first > copied.end || Offset::try_from(count) != Ok(last - first + 1);
    copied.records = copied.records.saturating_add(count);
    copied.end = last.saturating_add(1);
    Ok(())
}
