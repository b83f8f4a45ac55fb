//! Everything that a log does to a disk, as one narrow trait.
//!
//! **Invariant**: no other module of this crate touches the file system. [`RealDisk`] is the machine's,
//! [`MemoryDisk`] keeps everything in memory, [`OverlayDisk`] reads the machine's and keeps changes in memory,
//! and [`SimDisk`] is the twin that fails, is killed and loses its power, since the calls here are the only ways
//! in which a log can change what is on a disk.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

mod map;
mod memory;
mod overlay;
mod real;
pub mod sim;

pub use map::open_files;
pub use memory::MemoryDisk;
pub use overlay::OverlayDisk;
pub use real::RealDisk;
pub use sim::SimDisk;

/// Largest file that [`Disk::read`] takes: checkpoints, metadata and producer snapshots are far smaller.
pub const SMALL_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How [`Disk::open`] opens a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFile {
    /// Make the file when it is not there; otherwise that is `NotFound`.
    pub create: bool,
    /// The most bytes that the file will ever have, so that one map can cover it for all its life. A file
    /// that is longer than this when it is opened is covered whole.
    pub capacity: u64,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// Name without the path. Names that are not UTF-8 are not listed: no log ever makes one.
    pub name: String,
    /// True for a directory.
    pub is_dir: bool,
    /// Bytes in the file, 0 for a directory.
    pub length: u64,
}

/// A disk, as a log sees it.
///
/// Errors are the operating system's. [`io::ErrorKind::StorageFull`] and its relatives mean that the bytes
/// did not fit and nothing is lost; see [`crate::is_transient`] for how a log tells them from a failing disk.
pub trait Disk: Send + Sync + Debug + 'static {
    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// What the operating system says; `NotFound` when it is not there and may not be made.
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes a directory and all above it; one that is there is left as it is.
    ///
    /// # Errors
    /// What the operating system says.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// What is in a directory, in no order.
    ///
    /// # Errors
    /// What the operating system says; `NotFound` when there is no such directory.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// Renames a file or directory, replacing a file that has the new name.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Maps and slices of it stay good until they are dropped.
    ///
    /// # Errors
    /// What the operating system says; `NotFound` when it is not there.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all that is in it.
    ///
    /// # Errors
    /// What the operating system says; `NotFound` when it is not there.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Makes names that were added to or removed from a directory survive a power loss.
    ///
    /// # Errors
    /// What the operating system says. Like a failed [`DiskFile::sync`], it must not be tried again.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// True when there is a file or directory of that name.
    ///
    /// # Errors
    /// What the operating system says.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Reads a whole small file.
    ///
    /// # Errors
    /// `FileTooLarge` beyond [`SMALL_FILE_BYTES_MAX`], else what the operating system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Replaces a small file as a whole: after a crash it holds the old bytes or the new ones, never a
    /// mixture, and when this returns the new ones are on disk.
    ///
    /// # Errors What the operating system says; the file then holds the old bytes or the new ones.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// The file system that a directory is on. It is to be kept: it tells of what could not be written since it
    /// was opened.
    ///
    /// # Errors
    /// What the operating system says.
    fn volume(&self, directory: &Path) -> io::Result<Arc<dyn Volume>>;
}

/// A file system.
pub trait Volume: Send + Sync + Debug {
    /// Makes everything that was written to the file system until now survive a power loss, bytes and names of
    /// all its files (`syncfs`). It costs as much as there is to write, however many files that is in.
    ///
    /// # Errors What the operating system says of any file, also of one that was written by somebody else since
    /// the last call. It tells nobody which file that was and tells it once, so after an error only a
    /// [`DiskFile::sync`] of each file can be believed.
    fn sync_all(&self) -> io::Result<()>;

    /// How large the file system is, and how much of it this process may still use; `None` where there is no such
    /// limit to tell.
    ///
    /// # Errors
    /// What the operating system says.
    fn space(&self) -> io::Result<Option<Space>>;
}

/// The room of a file system (`FileStore.getTotalSpace` and `getUsableSpace`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All of it, in bytes.
    pub total_bytes: u64,
    /// What is free for a process without privileges, in bytes.
    pub usable_bytes: u64,
}

/// An open file.
pub trait DiskFile: Send + Sync + Debug {
    /// Writes the parts one after the other at `position`. Short writes are continued.
    ///
    /// # Errors What the operating system says. Some of the bytes may have been written then; the caller
    /// leaves its end where it was, so that nobody reads them and the next write replaces them.
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()>;

    /// Reads up to `into.len()` bytes; fewer only at the end of the file. Never through a map.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize>;

    /// As [`DiskFile::read_at`], without a system call when there is a map. Only for bytes that are in memory,
    /// since they were written or checked a moment ago: where a map has lost a page and the disk cannot read it
    /// again, there is no error, but the end of the process.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_resident(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        self.read_at(position, into)
    }

    /// The bytes at `position`, on a real disk without copying them. It returns when they are in memory, so it may
    /// wait for the disk.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file is shorter, else what the operating system says.
    fn slice(&self, position: u64, length: usize) -> io::Result<Bytes>;

    /// As [`DiskFile::slice`], for bytes that are in memory, as for [`DiskFile::read_resident`]: it never waits.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file is shorter, else what the operating system says.
    fn slice_resident(&self, position: u64, length: usize) -> io::Result<Bytes> {
        self.slice(position, length)
    }

    /// Length of the file in bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn length(&self) -> io::Result<u64>;

    /// Cuts the file to `length`. Never below bytes that were handed out by [`DiskFile::slice`].
    ///
    /// # Errors
    /// What the operating system says.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes the bytes of the file survive a power loss (`fdatasync`).
    ///
    /// # Errors What the operating system says. It must not be tried again: the kernel may have dropped the
    /// bytes that it could not write, and a second attempt would succeed without them.
    fn sync(&self) -> io::Result<()>;

    /// Drops the map that [`DiskFile::slice`] made, when the file has gone cold. Slices that were handed out
    /// keep it alive for as long as they need it.
    fn unmap(&self);
}
