//! The transaction index of a segment: loaded at the first use, written when the segment is sealed.

use std::io;

use super::Segment;
use crate::index::{AbortedTransaction, TransactionIndex};
use crate::names::{Kind, file_name};

impl Segment {
    /// The transaction index. `None` when its file is missing or damaged, and it has to be made from the batches.
    pub(crate) fn aborted(&self) -> io::Result<Option<&TransactionIndex>> {
        if let Some(index) = self.aborted.get() {
            return Ok(Some(index));
        }
        let loaded = self.load_file(Kind::TransactionIndex)?.and_then(|bytes| TransactionIndex::load(&bytes));
        Ok(loaded.map(|index| self.aborted.get_or_init(|| index)))
    }

    /// Takes an index that was made from the batches, for as long as it is in use.
    pub(crate) fn remember_aborted(&self, index: TransactionIndex) -> &TransactionIndex {
        self.aborted.get_or_init(|| index)
    }

    /// Takes an index that was made from the batches. Its file is written when the segment is sealed.
    pub(crate) fn set_aborted(&mut self, index: TransactionIndex) {
        self.aborted = index.into();
        self.aborted_unwritten = true;
    }

    /// Adds a transaction whose marker was appended. The index has been loaded before.
    pub(crate) fn push_aborted(&mut self, aborted: AbortedTransaction) {
        if let Some(index) = self.aborted.get_mut() {
            index.push(aborted);
            self.aborted_unwritten = true;
        }
    }

    /// Writes the file, if it is not what is in memory.
    pub(super) fn seal_aborted(&mut self) -> io::Result<()> {
        if self.aborted_unwritten
            && let Some(index) = self.aborted.get()
        {
            let name = file_name(self.base_offset, Kind::TransactionIndex);
            self.place.write_small(&name, &index.to_bytes())?;
            self.aborted_unwritten = false;
            self.indexes_unsynced = true;
        }
        Ok(())
    }

    /// Lets go of what can be read again. One without entries takes no memory, and is not looked for again.
    pub(super) fn cool_aborted(&mut self) {
        if !self.aborted_unwritten && self.aborted.get().is_some_and(|index| !index.is_empty()) {
            self.aborted.take();
        }
    }
}
