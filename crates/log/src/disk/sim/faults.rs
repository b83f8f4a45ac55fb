//! Which operations fail, and how.

use std::io;

/// What is done to a [`super::SimDisk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A file that is there is opened, or asked for its length, or whether it is there.
    Open,
    /// Bytes are read.
    Read,
    /// A directory is listed.
    List,
    /// A file is made.
    Create,
    /// A directory is made.
    MakeDirectory,
    /// Bytes are written.
    Write,
    /// A file is cut.
    Truncate,
    /// A name is changed.
    Rename,
    /// A name is removed.
    Remove,
    /// The bytes of a file are made to survive a power loss.
    Sync,
    /// The names in a directory are.
    SyncDirectory,
    /// Everything is.
    SyncAll,
}

/// Operations that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Those that change a disk and those that sync it. At each of them a crash may leave another disk.
    Any,
    /// Those that change what a process sees.
    Change,
    /// [`Operation::Sync`], [`Operation::SyncDirectory`] and [`Operation::SyncAll`].
    Sync,
    /// The others.
    Read,
}

impl Class {
    pub(super) const ALL: [Self; 4] = [Self::Any, Self::Change, Self::Sync, Self::Read];

    pub(super) fn holds(self, operation: Operation) -> bool {
        let is_read = matches!(operation, Operation::Open | Operation::Read | Operation::List);
        let is_sync = matches!(operation, Operation::Sync | Operation::SyncDirectory | Operation::SyncAll);
        match self {
            Self::Any => !is_read,
            Self::Change => !is_read && !is_sync,
            Self::Sync => is_sync,
            Self::Read => is_read,
        }
    }
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// ENOSPC, and nothing is written.
    Full,
    /// ENOSPC after a part of the bytes was written.
    ShortWrite,
    /// EIO. A part of the bytes may have been written, a part of what was to be synced may have been.
    Failing,
    /// The machine stops: a part of the bytes may have been written, and every later operation fails.
    Off,
}

impl Fault {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Full | Self::ShortWrite => rustix::io::Errno::NOSPC.into(),
            Self::Failing => rustix::io::Errno::IO.into(),
            Self::Off => io::Error::other("the machine is off"),
        }
    }
}

/// Makes the operations of a class with the numbers `from`, `from + 1`, up to `count` of them, fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Which operations are counted.
    pub class: Class,
    /// Number of the first one that fails; the first of all has number 0.
    pub from: u64,
    /// How many fail.
    pub count: u64,
    /// How they fail.
    pub fault: Fault,
}

impl Rule {
    /// The operation with that number fails, and no other.
    #[must_use]
    pub fn once(class: Class, number: u64, fault: Fault) -> Self {
        Self { class, from: number, count: 1, fault }
    }

    /// All operations from that number on fail.
    #[must_use]
    pub fn from(class: Class, number: u64, fault: Fault) -> Self {
        Self { class, from: number, count: u64::MAX, fault }
    }

    pub(super) fn hits(&self, class: Class, number: u64) -> bool {
        self.class == class && number.checked_sub(self.from).is_some_and(|after| after < self.count)
    }
}
