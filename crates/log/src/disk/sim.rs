//! A disk that fails on purpose: the twin on which the log is tested.
//!
//! [`SimDisk`] keeps two pictures of everything. One is what a process sees, the other is what would be there
//! after a power loss: file bytes move to it by [`DiskFile::sync`], names by [`Disk::sync_dir`], both by
//! [`Volume::sync_all`], and nothing moves to it in any other way. What lies between the two is a list of changes, from which
//! [`SimDisk::crash`] makes the disks that a power loss could leave ([`Loss`]), and [`SimDisk::kill`] the one
//! that a killed process leaves.
//!
//! Every operation has a number ([`SimDisk::count`]), and a [`Rule`] makes any of them fail. So a test
//! first counts the operations of a script and then runs the script once for each of them. Nothing depends
//! on time or on addresses: a seed always gives the same bytes.
//!
//! It is stricter than a file system has to be. The name of a new file is lost with a power loss although
//! the file was synced, until its directory was synced too. After a failed sync, what was not written
//! is in nobody's list any more, as Linux does it: a second sync succeeds without it.
//!
//! It is part of the crate, without a feature, so that the tests and fuzz targets of the broker have it too.

mod crash;
mod faults;
mod machine;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{DirEntry, Disk, DiskFile, OpenFile, SMALL_FILE_BYTES_MAX, Space, Volume};

pub use crash::Loss;
pub use faults::{Class, Fault, Operation, Rule};
use machine::{Machine, length_of};

/// Bytes that a disk writes as a whole: what is not synced is lost or kept in such blocks ([`Loss::Blocks`]).
pub const SIM_BLOCK_BYTES: usize = 4096;

/// Suffix of a file that is about to replace another one, as the real disk names it.
const TEMPORARY_SUFFIX: &str = ".tmp";

/// A disk in memory that can fail, be killed and lose its power. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    machine: Arc<Mutex<Machine>>,
}

/// An open file. Like the real one it keeps callers from changing bytes that were written or handed out.
struct SimFile {
    machine: Arc<Mutex<Machine>>,
    inode: u64,
    capacity: u64,
    written: AtomicU64,
    exposed: AtomicU64,
}

fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDisk").field("changes", &self.count(Class::Any)).finish_non_exhaustive()
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFile").field("inode", &self.inode).finish_non_exhaustive()
    }
}

impl SimDisk {
    /// A disk with one empty directory, which survives a power loss. `seed` decides how much of a write is
    /// done when it fails.
    #[must_use]
    pub fn new(directory: &Path, seed: u64) -> Self {
        Self { machine: Arc::new(Mutex::new(Machine::new(directory, seed))) }
    }

    /// Replaces the rules by which operations fail, and counts operations from 0 again.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        lock(&self.machine).set_rules(rules);
    }

    /// Operations of that class since the disk was made or [`SimDisk::set_rules`] was last called, those that
    /// failed included. It is the number of the next one.
    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        lock(&self.machine).count(class)
    }

    /// True once [`Fault::Off`] has stopped the machine.
    #[must_use]
    pub fn is_off(&self) -> bool {
        lock(&self.machine).is_off()
    }

    /// The disk that a power loss leaves now, without rules. `seed` makes the choices that `loss` leaves open.
    #[must_use]
    pub fn crash(&self, loss: Loss, seed: u64) -> Self {
        let after = crash::after(&lock(&self.machine), loss, seed);
        Self { machine: Arc::new(Mutex::new(after)) }
    }

    /// The disk that a killed process leaves (`kill -9`), without rules: everything that was written is there.
    /// What was not synced is still not, so a later [`SimDisk::crash`] may lose it.
    #[must_use]
    pub fn kill(&self) -> Self {
        Self { machine: Arc::new(Mutex::new(lock(&self.machine).restarted())) }
    }

    /// Flips one bit of a file, in both pictures. Bit 0 is the lowest of the first byte.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, `UnexpectedEof` when it is shorter.
    pub fn flip_bit(&self, path: &Path, bit: u64) -> io::Result<()> {
        let mut machine = lock(&self.machine);
        let inode = machine.file_at(path)?;
        machine.flip_bit(inode, bit)
    }

    fn file(&self, machine: &Machine, inode: u64, capacity: u64) -> io::Result<SimFile> {
        let length = length_of(machine.bytes(inode)?);
        Ok(SimFile {
            machine: Arc::clone(&self.machine),
            inode,
            capacity: capacity.max(length),
            written: AtomicU64::new(length),
            exposed: AtomicU64::new(0),
        })
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, open: OpenFile) -> io::Result<Arc<dyn DiskFile>> {
        let mut machine = lock(&self.machine);
        let inode = match machine.file_at(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && open.create => machine.create(path)?,
            found => {
                machine.begin(Operation::Open)?;
                found?
            }
        };
        Ok(Arc::new(self.file(&machine, inode, open.capacity)?))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        lock(&self.machine).create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        lock(&self.machine).list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        lock(&self.machine).rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        lock(&self.machine).remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        lock(&self.machine).remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        lock(&self.machine).sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut machine = lock(&self.machine);
        machine.begin(Operation::Open)?;
        Ok(machine.find(path).is_ok())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut machine = lock(&self.machine);
        machine.begin(Operation::Read)?;
        let inode = machine.file_at(path)?;
        let bytes = machine.bytes(inode)?;
        if length_of(bytes) > SMALL_FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.to_vec())
    }

    /// As the real disk does it, step by step, so that a crash may come between any two of them.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(TEMPORARY_SUFFIX);
        let temporary = Path::new(&name);
        let mut machine = lock(&self.machine);
        let inode = match machine.file_at(temporary) {
            Ok(inode) => {
                machine.truncate(inode, 0)?;
                inode
            }
            Err(_) => machine.create(temporary)?,
        };
        machine.write(inode, 0, bytes)?;
        machine.sync(inode)?;
        machine.rename(temporary, path)?;
        path.parent().map_or(Ok(()), |parent| machine.sync_dir(parent))
    }

    fn volume(&self, directory: &Path) -> io::Result<Arc<dyn Volume>> {
        let mut machine = lock(&self.machine);
        machine.begin(Operation::Open)?;
        machine.find(directory)?;
        Ok(Arc::new(self.clone()))
    }
}

impl Volume for SimDisk {
    fn sync_all(&self) -> io::Result<()> {
        lock(&self.machine).sync_all()
    }

    fn space(&self) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

impl DiskFile for SimFile {
    fn write_at(&self, position: u64, parts: &[&[u8]]) -> io::Result<()> {
        let bytes = parts.concat();
        let end = position.saturating_add(length_of(&bytes));
        if position < self.written.load(Ordering::Relaxed) || end > self.capacity {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a write below or past what may be written",
            ));
        }
        lock(&self.machine).write(self.inode, position, &bytes)?;
        self.written.store(end, Ordering::Relaxed);
        Ok(())
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut machine = lock(&self.machine);
        machine.begin(Operation::Read)?;
        let bytes = machine.bytes(self.inode)?;
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let there = bytes.get(start..).unwrap_or_default();
        let count = there.len().min(into.len());
        if let (Some(from), Some(to)) = (there.get(..count), into.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn slice(&self, position: u64, length: usize) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let mut machine = lock(&self.machine);
        machine.begin(Operation::Read)?;
        let end = position.checked_add(length as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.written.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let range =
            usize::try_from(position).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
        let bytes = machine.bytes(self.inode)?.get(range).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.exposed.fetch_max(end, Ordering::Relaxed);
        Ok(Bytes::copy_from_slice(bytes))
    }

    fn length(&self) -> io::Result<u64> {
        let mut machine = lock(&self.machine);
        machine.begin(Operation::Open)?;
        Ok(length_of(machine.bytes(self.inode)?))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        if length < self.exposed.load(Ordering::Relaxed) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "bytes that were handed out are not cut",
            ));
        }
        lock(&self.machine).truncate(self.inode, length)?;
        self.written.fetch_min(length, Ordering::Relaxed);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        lock(&self.machine).sync(self.inode)
    }

    fn unmap(&self) {}
}

#[cfg(test)]
mod tests;
