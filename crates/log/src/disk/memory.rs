//! A disk that is not there.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;

use super::{DirEntry, Disk, DiskFile, OpenFile, SMALL_FILE_BYTES_MAX, Space, Volume};

/// A disk in memory, for `--memory` and for tests. It forgets everything when it is dropped; a log that is
/// opened again on the same one finds what it left.
#[derive(Default)]
pub struct MemoryDisk {
    nodes: Mutex<BTreeMap<PathBuf, Node>>,
}

#[derive(Clone)]
enum Node {
    Directory,
    File(Arc<MemoryFile>),
}

/// A file in memory. It lives as long as anyone has it open, as on a real disk.
#[derive(Default)]
struct MemoryFile {
    bytes: RwLock<Vec<u8>>,
}

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDisk").field("names", &self.nodes().len()).finish()
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFile").finish_non_exhaustive()
    }
}

impl MemoryDisk {
    fn nodes(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &Path, create: bool) -> io::Result<Arc<MemoryFile>> {
        let mut nodes = self.nodes();
        match nodes.get(path) {
            Some(Node::File(file)) => return Ok(Arc::clone(file)),
            Some(Node::Directory) => return Err(io::ErrorKind::IsADirectory.into()),
            None if !create => return Err(io::ErrorKind::NotFound.into()),
            None => {}
        }
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
            && !matches!(nodes.get(parent), Some(Node::Directory))
        {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = Arc::new(MemoryFile::default());
        nodes.insert(path.to_owned(), Node::File(Arc::clone(&file)));
        Ok(file)
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(path, open.create)?)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut nodes = self.nodes();
        for directory in path.ancestors().filter(|directory| !directory.as_os_str().is_empty()) {
            match nodes.get(directory) {
                Some(Node::Directory) => break,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => nodes.insert(directory.to_owned(), Node::Directory),
            };
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let nodes = self.nodes();
        if !matches!(nodes.get(path), Some(Node::Directory)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let under = nodes.range(path.to_owned()..).take_while(|(name, _)| name.starts_with(path));
        let children = under.filter(|(name, _)| name.parent() == Some(path));
        children
            .map(|(name, node)| {
                let name = name.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
                Ok(match node {
                    Node::Directory => DirEntry { name, is_dir: true, length: 0 },
                    Node::File(file) => DirEntry { name, is_dir: false, length: file.length()? },
                })
            })
            .collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut nodes = self.nodes();
        if !nodes.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let moved: Vec<PathBuf> = nodes.keys().filter(|name| name.starts_with(from)).cloned().collect();
        for old in moved {
            let (Ok(rest), Some(node)) = (old.strip_prefix(from), nodes.remove(&old)) else { continue };
            let new = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            nodes.insert(new, node);
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut nodes = self.nodes();
        match nodes.get(path) {
            Some(Node::File(_)) => nodes.remove(path),
            Some(Node::Directory) => return Err(io::ErrorKind::IsADirectory.into()),
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut nodes = self.nodes();
        if !matches!(nodes.get(path), Some(Node::Directory)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        nodes.retain(|name, _| !name.starts_with(path));
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.nodes().contains_key(path))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.file(path, false)?;
        let length = file.length()?;
        if length > SMALL_FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(file.slice(0, usize::try_from(length).unwrap_or(usize::MAX))?.into())
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // A reader that has the old file open keeps the old bytes, as after a rename.
        let file = MemoryFile { bytes: RwLock::new(bytes.to_vec()) };
        self.file(path, true)?;
        self.nodes().insert(path.to_owned(), Node::File(Arc::new(file)));
        Ok(())
    }

    fn volume(&self, _directory: &Path) -> io::Result<Arc<dyn Volume>> {
        Ok(Arc::new(Memory))
    }
}

/// There is nothing to sync.
#[derive(Debug)]
pub(super) struct Memory;

impl Volume for Memory {
    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }

    fn space(&self) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

impl MemoryFile {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        act(&mut self.bytes.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn look<T>(&self, act: impl FnOnce(&[u8]) -> T) -> T {
        act(&self.bytes.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn start(position: u64) -> io::Result<usize> {
    usize::try_from(position).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

impl DiskFile for MemoryFile {
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        let position = start(position)?;
        self.with(|bytes| {
            // Bytes behind the position are what a failed write left; a gap before it reads as zeros.
            bytes.resize(position, 0);
            for part in parts {
                bytes.extend_from_slice(part);
            }
        });
        Ok(())
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let position = start(position)?;
        Ok(self.look(|bytes| {
            let there = bytes.get(position..).unwrap_or_default();
            let count = there.len().min(into.len());
            if let (Some(from), Some(to)) = (there.get(..count), into.get_mut(..count)) {
                to.copy_from_slice(from);
            }
            count
        }))
    }

    fn slice(&self, position: u64, length: usize) -> io::Result<Bytes> {
        let position = start(position)?;
        let end = position.checked_add(length).ok_or(io::ErrorKind::InvalidInput)?;
        self.look(|bytes| bytes.get(position..end).map(Bytes::copy_from_slice))
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.look(<[u8]>::len) as u64)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let length = start(length)?;
        self.with(|bytes| bytes.resize(length, 0));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn unmap(&self) {}
}
