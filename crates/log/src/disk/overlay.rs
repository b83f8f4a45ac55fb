//! A disk that is only read: what is changed on it is changed in memory, so that a stopped data directory can be opened,
//! and recovered, without leaving a trace.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::map::MappedFile;
use super::{DirEntry, Disk, DiskFile, OpenFile, RealDisk, SMALL_FILE_BYTES_MAX};

/// The machine's disk with changes on top that nobody else sees and that are gone when this is dropped. They are held in
/// memory: what recovery writes is small.
///
/// Directories are neither renamed nor removed; that is `Unsupported`.
#[derive(Debug, Clone, Default)]
pub struct OverlayDisk {
    changes: Arc<Mutex<Changes>>,
}

type Changes = BTreeMap<PathBuf, Change>;

#[derive(Debug, Clone)]
enum Change {
    Removed,
    Directory,
    File(Arc<Content>),
}

/// The first bytes of a file on disk, and what was written behind them.
#[derive(Debug)]
struct Content {
    base: Option<MappedFile>,
    parts: Mutex<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    /// Bytes of the base that count.
    kept: u64,
    tail: Vec<u8>,
    /// Where the file is found from the next change on; nothing once it is there.
    unlisted: Option<PathBuf>,
}

/// An open file.
#[derive(Debug)]
struct OverlayFile {
    content: Arc<Content>,
    changes: Arc<Mutex<Changes>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Neither lock guards a state that a panic could leave half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OverlayDisk {
    /// The content of a file.
    fn content(&self, path: &Path, capacity: u64) -> io::Result<Arc<Content>> {
        match lock(&self.changes).get(path) {
            Some(Change::File(content)) => return Ok(Arc::clone(content)),
            Some(Change::Removed) => return Err(io::ErrorKind::NotFound.into()),
            Some(Change::Directory) => return Err(io::ErrorKind::IsADirectory.into()),
            None => {}
        }
        let base = MappedFile::new(File::open(path)?, capacity)?;
        let parts = Parts { kept: base.length()?, tail: Vec::new(), unlisted: Some(path.to_owned()) };
        Ok(Arc::new(Content { base: Some(base), parts: Mutex::new(parts) }))
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> Arc<Content> {
        let parts = Parts { tail: bytes.to_vec(), ..Parts::default() };
        let content = Arc::new(Content { base: None, parts: Mutex::new(parts) });
        lock(&self.changes).insert(path.to_owned(), Change::File(Arc::clone(&content)));
        content
    }
}

impl Disk for OverlayDisk {
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>> {
        let content = match self.content(path, open.capacity) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && open.create => self.put(path, &[]),
            content => content?,
        };
        Ok(Arc::new(OverlayFile { content, changes: Arc::clone(&self.changes) }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if !self.exists(path)? {
            lock(&self.changes).insert(path.to_owned(), Change::Directory);
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries: BTreeMap<String, DirEntry> = match RealDisk.list(path) {
            Ok(entries) => entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.exists(path)? => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        for (changed, change) in lock(&self.changes).iter().filter(|(name, _)| name.parent() == Some(path)) {
            let Some(name) = changed.file_name().and_then(|name| name.to_str()) else { continue };
            let entry = |is_dir, length| DirEntry { name: name.to_owned(), is_dir, length };
            match change {
                Change::Removed => entries.remove(name),
                Change::Directory => entries.insert(name.to_owned(), entry(true, 0)),
                Change::File(content) => entries.insert(name.to_owned(), entry(false, content.length())),
            };
        }
        Ok(entries.into_values().collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if !matches!(lock(&self.changes).get(from), Some(Change::File(_))) && from.is_dir() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let content = self.content(from, 0)?;
        lock(&content.parts).unlisted = None;
        let mut changes = lock(&self.changes);
        changes.insert(from.to_owned(), Change::Removed);
        changes.insert(to.to_owned(), Change::File(content));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.content(path, 0)?;
        lock(&self.changes).insert(path.to_owned(), Change::Removed);
        Ok(())
    }

    fn remove_dir_all(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match lock(&self.changes).get(path) {
            Some(Change::Removed) => Ok(false),
            Some(_) => Ok(true),
            None => RealDisk.exists(path),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let content = self.content(path, 0)?;
        let length = content.length();
        if length > SMALL_FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = content.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.put(path, bytes);
        Ok(())
    }
}

impl Content {
    fn length(&self) -> u64 {
        let parts = lock(&self.parts);
        parts.kept.saturating_add(parts.tail.len() as u64)
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let parts = lock(&self.parts);
        let mut read = 0;
        if let Some(base) = self.base.as_ref().filter(|_| position < parts.kept) {
            let room = usize::try_from(parts.kept.saturating_sub(position)).unwrap_or(usize::MAX);
            let wanted = room.min(into.len());
            read = base.read_at(position, into.get_mut(..wanted).unwrap_or_default())?;
            if read < wanted {
                return Ok(read);
            }
        }
        let behind = position.saturating_add(read as u64).saturating_sub(parts.kept);
        let there = usize::try_from(behind).ok().and_then(|at| parts.tail.get(at..)).unwrap_or_default();
        let rest = into.get_mut(read..).unwrap_or_default();
        for (to, from) in rest.iter_mut().zip(there) {
            *to = *from;
        }
        Ok(read.saturating_add(rest.len().min(there.len())))
    }
}

impl Parts {
    /// Cuts to `length`, or fills up to it with zeros.
    fn resize(&mut self, length: u64) -> io::Result<()> {
        self.kept = self.kept.min(length);
        let tail =
            usize::try_from(length.saturating_sub(self.kept)).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.tail.resize(tail, 0);
        Ok(())
    }
}

impl OverlayFile {
    fn change(&self, act: impl FnOnce(&mut Parts) -> io::Result<()>) -> io::Result<()> {
        let mut parts = lock(&self.content.parts);
        act(&mut parts)?;
        let unlisted = parts.unlisted.take();
        drop(parts);
        if let Some(path) = unlisted {
            lock(&self.changes).insert(path, Change::File(Arc::clone(&self.content)));
        }
        Ok(())
    }
}

impl DiskFile for OverlayFile {
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.change(|content| {
            // Bytes behind the position are what a failed write left; a gap before it reads as zeros.
            content.resize(position)?;
            parts.iter().for_each(|part| content.tail.extend_from_slice(part));
            Ok(())
        })
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        self.content.read_at(position, into)
    }

    fn slice(&self, position: u64, length: usize) -> io::Result<Bytes> {
        let end = position.checked_add(length as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if let Some(base) = self.content.base.as_ref().filter(|_| end <= lock(&self.content.parts).kept) {
            return base.slice(position, length);
        }
        if end > self.content.length() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; length];
        let read = self.content.read_at(position, &mut bytes)?;
        if read < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes.into()) }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.content.length())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.change(|content| content.resize(length))
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn unmap(&self) {
        if let Some(base) = &self.content.base {
            base.unmap();
        }
    }
}
