//! The disks that a power loss could leave.

use std::collections::BTreeMap;

use super::SIM_BLOCK_BYTES;
use super::machine::{Change, Contents, Inode, Machine, Names, Seeded};

/// What a power loss does to what was not synced. The names of a directory become durable in the order in which
/// they were changed, as on every file system with a journal; nothing else has an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All of it is lost: bytes and names.
    Dropped,
    /// None of it is.
    Kept,
    /// Of each file the first changes are there, the last of them up to some byte.
    Torn,
    /// Each block of each file ([`SIM_BLOCK_BYTES`]) is the old one or the new one, and the length of the
    /// file is that of any moment, so that blocks of zeros or of older bytes appear.
    Blocks,
    /// Each file is the old one or the new one, whatever was written first.
    Reordered,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Dropped, Self::Kept, Self::Torn, Self::Blocks, Self::Reordered];
}

/// The disk after a power loss. Everything on it is durable.
pub(super) fn after(machine: &Machine, loss: Loss, seed: u64) -> Machine {
    let mut random = Seeded(seed);
    let left = |(number, inode): (&u64, &Inode)| {
        let inode = match inode {
            Inode::Directory(names) => {
                let names = names_after(names, loss, &mut random);
                Inode::Directory(Names { live: names.clone(), durable: names, pending: Vec::new() })
            }
            Inode::File(contents) => {
                let bytes = bytes_after(contents, loss, &mut random);
                Inode::File(Contents { live: bytes.clone(), durable: bytes, pending: Vec::new() })
            }
        };
        (*number, inode)
    };
    let inodes = machine.inodes.iter().map(left).collect();
    Machine::of(inodes, machine.next_inode(), seed)
}

fn names_after(names: &Names, loss: Loss, random: &mut Seeded) -> BTreeMap<String, u64> {
    let mut left = names.durable.clone();
    let kept = match loss {
        Loss::Dropped => 0,
        Loss::Kept => names.pending.len(),
        Loss::Torn | Loss::Blocks | Loss::Reordered => random.up_to(names.pending.len()),
    };
    names.pending.iter().take(kept).for_each(|change| change.apply(&mut left));
    left
}

fn bytes_after(contents: &Contents, loss: Loss, random: &mut Seeded) -> Vec<u8> {
    let mut left = contents.durable.clone();
    let all = |left: &mut Vec<u8>| contents.pending.iter().for_each(|change| change.apply(left));
    match loss {
        Loss::Dropped => {}
        Loss::Kept => all(&mut left),
        Loss::Reordered => {
            if random.flip() {
                all(&mut left);
            }
        }
        Loss::Torn => torn(contents, &mut left, random),
        Loss::Blocks => blocks(contents, &mut left, random),
    }
    left
}

fn torn(contents: &Contents, left: &mut Vec<u8>, random: &mut Seeded) {
    let whole = random.up_to(contents.pending.len());
    for change in contents.pending.iter().take(whole) {
        change.apply(left);
    }
    if let Some(Change::Write { position, bytes }) = contents.pending.get(whole) {
        let kept = random.up_to(bytes.len());
        let bytes = bytes.get(..kept).unwrap_or_default().to_vec();
        Change::Write { position: *position, bytes }.apply(left);
    }
}

fn blocks(contents: &Contents, left: &mut Vec<u8>, random: &mut Seeded) {
    let mut new = left.clone();
    let mut lengths = vec![left.len()];
    for change in &contents.pending {
        change.apply(&mut new);
        lengths.push(new.len());
    }
    let length = lengths.get(random.up_to(lengths.len().saturating_sub(1))).copied().unwrap_or_default();
    left.resize(length, 0);
    for (old, new) in left.chunks_mut(SIM_BLOCK_BYTES).zip(new.chunks(SIM_BLOCK_BYTES)) {
        let count = old.len().min(new.len());
        if random.flip()
            && let (Some(to), Some(from)) = (old.get_mut(..count), new.get(..count))
        {
            to.copy_from_slice(from);
        }
    }
}
