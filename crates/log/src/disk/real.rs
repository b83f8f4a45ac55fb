//! The machine's disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::map::MappedFile;
use super::{DirEntry, Disk, DiskFile, OpenFile, SMALL_FILE_BYTES_MAX, Space, Volume};

/// Suffix of a file that is about to replace another one, as `CheckpointFile` names it.
const TEMPORARY_SUFFIX: &str = ".tmp";

/// The file system of the machine. Files are appended to with `pwritev` and read through memory maps.
#[derive(Debug, Default, Clone, Copy)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>> {
        let file =
            OpenOptions::new().read(true).write(true).create(open.create).truncate(false).open(path)?;
        Ok(Arc::new(MappedFile::new(file, open.capacity)?))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Removed since the directory was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let is_dir = metadata.is_dir();
            entries.push(DirEntry { name, is_dir, length: if is_dir { 0 } else { metadata.len() } });
        }
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        fs::exists(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file of the largest size from one that is too long.
        File::open(path)?.take(SMALL_FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > SMALL_FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = with_suffix(path, TEMPORARY_SUFFIX);
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&temporary, path)?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    fn volume(&self, directory: &Path) -> io::Result<Arc<dyn Volume>> {
        Ok(Arc::new(MountedVolume { directory: File::open(directory)? }))
    }
}

/// The file system that an open directory is on.
#[derive(Debug)]
struct MountedVolume {
    /// Linux (5.8 and later) reports an error of writing to each descriptor once, when that was open at the time.
    directory: File,
}

impl Volume for MountedVolume {
    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.directory)?)
    }

    fn space(&self) -> io::Result<Option<Space>> {
        let told = rustix::fs::fstatvfs(&self.directory)?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
        Ok(Some(Space { total_bytes: bytes(told.f_blocks), usable_bytes: bytes(told.f_bavail) }))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl DiskFile for MappedFile {
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        Self::write_at(self, position, parts)
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        Self::read_at(self, position, into)
    }

    fn read_resident(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        Self::read_resident(self, position, into)
    }

    fn slice(&self, position: u64, length: usize) -> io::Result<Bytes> {
        Self::slice(self, position, length)
    }

    fn slice_resident(&self, position: u64, length: usize) -> io::Result<Bytes> {
        Self::slice_resident(self, position, length)
    }

    fn length(&self) -> io::Result<u64> {
        Self::length(self)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        Self::truncate(self, length)
    }

    fn sync(&self) -> io::Result<()> {
        Self::sync(self)
    }

    fn unmap(&self) {
        Self::unmap(self);
    }
}
