//! What a process sees, what survives a power loss, and the changes in between.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path};

use super::faults::{Class, Fault, Operation, Rule};
use crate::disk::DirEntry;

/// A generator of numbers, the same on every machine (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `last`.
    pub(super) fn up_to(&mut self, last: usize) -> usize {
        let numbers = (last as u64).saturating_add(1);
        usize::try_from(self.next().checked_rem(numbers).unwrap_or(0)).unwrap_or(0)
    }

    pub(super) fn flip(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

/// A change of a file's bytes that is not synced.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { position: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    pub(super) fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { position, bytes } => {
                let end = position.saturating_add(bytes.len());
                if to.len() < end {
                    to.resize(end, 0);
                }
                if let Some(place) = to.get_mut(*position..end) {
                    place.copy_from_slice(bytes);
                }
            }
            Self::Truncate(length) => to.resize(*length, 0),
        }
    }
}

/// A change of a directory's names that is not synced.
#[derive(Debug, Clone)]
pub(super) enum NameChange {
    Link(String, u64),
    Unlink(String),
    Rename(String, String),
}

impl NameChange {
    pub(super) fn apply(&self, to: &mut BTreeMap<String, u64>) {
        match self {
            Self::Link(name, inode) => {
                to.insert(name.clone(), *inode);
            }
            Self::Unlink(name) => {
                to.remove(name);
            }
            Self::Rename(from, name) => {
                if let Some(inode) = to.remove(from) {
                    to.insert(name.clone(), inode);
                }
            }
        }
    }
}

/// The bytes of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<Change>,
}

impl Contents {
    /// What was changed becomes durable; of a sync that fails, only some of it.
    fn settle(&mut self, fault: Option<Fault>, random: &mut Seeded) {
        for change in std::mem::take(&mut self.pending) {
            // After a failed sync the kernel holds clean pages that may not be on disk, and forgets about it.
            if fault.is_none() || random.flip() {
                change.apply(&mut self.durable);
            }
        }
    }
}

/// The names in a directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) live: BTreeMap<String, u64>,
    pub(super) durable: BTreeMap<String, u64>,
    pub(super) pending: Vec<NameChange>,
}

impl Names {
    /// What was changed becomes durable.
    fn settle(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable);
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Inode {
    Directory(Names),
    File(Contents),
}

/// Number of the topmost directory.
pub(super) const ROOT: u64 = 0;

/// A whole disk.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// A file without a name stays for those who have it open.
    pub(super) inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    counts: [u64; Class::ALL.len()],
    rules: Vec<Rule>,
    is_off: bool,
    random: Seeded,
}

pub(super) fn length_of(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}

fn index(position: u64) -> io::Result<usize> {
    usize::try_from(position).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn names(path: &Path) -> impl Iterator<Item = &str> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}

fn last_name(path: &Path) -> io::Result<String> {
    let name = path.file_name().and_then(OsStr::to_str).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(name.to_owned())
}

impl Machine {
    pub(super) fn new(directory: &Path, seed: u64) -> Self {
        let mut machine = Self::of(BTreeMap::from([(ROOT, Inode::Directory(Names::default()))]), 1, seed);
        // It cannot fail: there is nothing yet that could be in the way.
        let _ = machine.create_dir_all(directory);
        for inode in machine.inodes.values_mut() {
            if let Inode::Directory(names) = inode {
                names.durable = names.live.clone();
                names.pending.clear();
            }
        }
        machine.restarted()
    }

    pub(super) fn of(inodes: BTreeMap<u64, Inode>, next_inode: u64, seed: u64) -> Self {
        let counts = [0; Class::ALL.len()];
        Self { inodes, next_inode, counts, rules: Vec::new(), is_off: false, random: Seeded(seed) }
    }

    /// The same disk under a process that has just begun.
    pub(super) fn restarted(&self) -> Self {
        Self::of(self.inodes.clone(), self.next_inode, self.random.0)
    }

    pub(super) fn next_inode(&self) -> u64 {
        self.next_inode
    }

    pub(super) fn set_rules(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
        self.counts = [0; Class::ALL.len()];
    }

    pub(super) fn count(&self, class: Class) -> u64 {
        Class::ALL.iter().zip(self.counts).find(|(one, _)| **one == class).map_or(0, |(_, count)| count)
    }

    pub(super) fn is_off(&self) -> bool {
        self.is_off
    }

    /// Counts an operation and tells how it fails.
    fn fault(&mut self, operation: Operation) -> Option<Fault> {
        if self.is_off {
            return Some(Fault::Off);
        }
        let mut fault = None;
        for (class, count) in Class::ALL.into_iter().zip(&mut self.counts) {
            if class.holds(operation) {
                let number = *count;
                *count = number.saturating_add(1);
                let hit = self.rules.iter().find(|rule| rule.hits(class, number));
                fault = fault.or(hit.map(|rule| rule.fault));
            }
        }
        self.is_off = fault == Some(Fault::Off);
        fault
    }

    /// Counts an operation that is done as a whole or not at all.
    pub(super) fn begin(&mut self, operation: Operation) -> io::Result<()> {
        self.fault(operation).map_or(Ok(()), |fault| Err(fault.error()))
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<u64> {
        let mut inode = ROOT;
        for name in names(path) {
            inode = *self.names(inode)?.live.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(inode)
    }

    fn names(&self, inode: u64) -> io::Result<&Names> {
        match self.inodes.get(&inode) {
            Some(Inode::Directory(names)) => Ok(names),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn names_mut(&mut self, inode: u64) -> io::Result<&mut Names> {
        match self.inodes.get_mut(&inode) {
            Some(Inode::Directory(names)) => Ok(names),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn contents_mut(&mut self, inode: u64) -> io::Result<&mut Contents> {
        match self.inodes.get_mut(&inode) {
            Some(Inode::File(contents)) => Ok(contents),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn file_at(&self, path: &Path) -> io::Result<u64> {
        let inode = self.find(path)?;
        self.bytes(inode).map(|_| inode)
    }

    /// What a process sees of a file.
    pub(super) fn bytes(&self, inode: u64) -> io::Result<&[u8]> {
        match self.inodes.get(&inode) {
            Some(Inode::File(contents)) => Ok(&contents.live),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn change_name(&mut self, directory: u64, change: NameChange) -> io::Result<()> {
        let names = self.names_mut(directory)?;
        change.apply(&mut names.live);
        names.pending.push(change);
        Ok(())
    }

    fn parent(&self, path: &Path) -> io::Result<u64> {
        self.find(path.parent().ok_or(io::ErrorKind::InvalidInput)?)
    }

    fn add(&mut self, directory: u64, name: &str, inode: Inode) -> io::Result<u64> {
        let number = self.next_inode;
        self.next_inode = number.saturating_add(1);
        self.inodes.insert(number, inode);
        self.change_name(directory, NameChange::Link(name.to_owned(), number))?;
        Ok(number)
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        self.begin(Operation::Create)?;
        let directory = self.parent(path)?;
        self.add(directory, &last_name(path)?, Inode::File(Contents::default()))
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut inode = ROOT;
        for name in names(path) {
            inode = match self.names(inode)?.live.get(name) {
                Some(&inode) => inode,
                None => {
                    self.begin(Operation::MakeDirectory)?;
                    self.add(inode, name, Inode::Directory(Names::default()))?
                }
            };
        }
        self.names(inode).map(|_| ())
    }

    pub(super) fn list(&mut self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.begin(Operation::List)?;
        let names = self.names(self.find(path)?)?;
        let entry = |(name, inode): (&String, &u64)| {
            let (is_dir, length) = match self.inodes.get(inode) {
                Some(Inode::File(contents)) => (false, length_of(&contents.live)),
                _ => (true, 0),
            };
            DirEntry { name: name.clone(), is_dir, length }
        };
        Ok(names.live.iter().map(entry).collect())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(Operation::Rename)?;
        self.find(from)?;
        let directory = self.parent(from)?;
        if self.parent(to)? != directory {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a name moves within its directory only"));
        }
        self.change_name(directory, NameChange::Rename(last_name(from)?, last_name(to)?))
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Remove)?;
        self.file_at(path)?;
        let directory = self.parent(path)?;
        self.change_name(directory, NameChange::Unlink(last_name(path)?))
    }

    /// Name by name, as a file system does it, so that a crash may leave some.
    pub(super) fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let inode = self.find(path)?;
        let children: Vec<(String, u64)> =
            self.names(inode)?.live.iter().map(|(name, inode)| (name.clone(), *inode)).collect();
        for (name, child) in children {
            let child_path = path.join(name);
            match self.inodes.get(&child) {
                Some(Inode::Directory(_)) => self.remove_dir_all(&child_path)?,
                _ => self.remove_file(&child_path)?,
            }
        }
        self.begin(Operation::Remove)?;
        let directory = self.parent(path)?;
        self.change_name(directory, NameChange::Unlink(last_name(path)?))
    }

    pub(super) fn write(&mut self, inode: u64, position: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.fault(Operation::Write);
        let written = match fault {
            None => bytes.len(),
            Some(Fault::Full) => 0,
            Some(Fault::ShortWrite) => bytes.len() / 2,
            Some(Fault::Failing | Fault::Off) => self.random.up_to(bytes.len()),
        };
        if written > 0 {
            let bytes = bytes.get(..written).unwrap_or_default().to_vec();
            self.change(inode, Change::Write { position: index(position)?, bytes })?;
        }
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    pub(super) fn truncate(&mut self, inode: u64, length: u64) -> io::Result<()> {
        self.begin(Operation::Truncate)?;
        self.change(inode, Change::Truncate(index(length)?))
    }

    fn change(&mut self, inode: u64, change: Change) -> io::Result<()> {
        let contents = self.contents_mut(inode)?;
        change.apply(&mut contents.live);
        contents.pending.push(change);
        Ok(())
    }

    pub(super) fn sync(&mut self, inode: u64) -> io::Result<()> {
        let fault = self.fault(Operation::Sync);
        if fault == Some(Fault::Off) {
            return Err(Fault::Off.error());
        }
        let mut random = self.random.clone();
        self.contents_mut(inode)?.settle(fault, &mut random);
        self.random = random;
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    /// Every file and every directory. When it fails, some of them as if it had not.
    pub(super) fn sync_all(&mut self) -> io::Result<()> {
        let fault = self.fault(Operation::SyncAll);
        if fault == Some(Fault::Off) {
            return Err(Fault::Off.error());
        }
        let mut random = self.random.clone();
        for inode in self.inodes.values_mut() {
            match inode {
                Inode::File(contents) => contents.settle(fault, &mut random),
                Inode::Directory(names) if fault.is_none() || random.flip() => names.settle(),
                Inode::Directory(_) => {}
            }
        }
        self.random = random;
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.begin(Operation::SyncDirectory)?;
        let inode = self.find(path)?;
        self.names_mut(inode)?.settle();
        Ok(())
    }

    pub(super) fn flip_bit(&mut self, inode: u64, bit: u64) -> io::Result<()> {
        let at = index(bit / 8)?;
        let contents = self.contents_mut(inode)?;
        let byte = contents.live.get_mut(at).ok_or(io::ErrorKind::UnexpectedEof)?;
        *byte ^= 1 << (bit % 8);
        if let Some(byte) = contents.durable.get_mut(at) {
            *byte ^= 1 << (bit % 8);
        }
        Ok(())
    }
}
