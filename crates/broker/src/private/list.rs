//! A list whose size in a document is bounded.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// Bytes of JSON that one list may take; what does not fit is left out, and the list says so.
const LIST_BYTES_MAX: usize = 3 << 20;

/// The first entries of a list, and how many there are besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The first entries, as many as fit.
    pub entries: Vec<T>,
    /// How many more there are.
    pub left_out: u64,
}

/// A list that is being made.
#[derive(Debug)]
pub(crate) struct ListBuilder<T> {
    list: List<T>,
    /// Of the entries, as JSON.
    bytes: usize,
}

impl<T: Serialize> ListBuilder<T> {
    /// Begins with nothing.
    pub(crate) fn new() -> Self {
        Self { list: List { entries: Vec::new(), left_out: 0 }, bytes: 0 }
    }

    /// True when no further entry is taken. Whoever finds entries costly to make asks before.
    pub(crate) fn is_full(&self) -> bool {
        self.list.left_out > 0
    }

    /// Counts an entry without having it.
    pub(crate) fn leave_out(&mut self) {
        self.list.left_out = self.list.left_out.saturating_add(1);
    }

    /// The list.
    pub(crate) fn finish(self) -> List<T> {
        self.list
    }

    /// Adds an entry, or counts it when the list is full.
    pub(crate) fn push(&mut self, entry: T) {
        self.push_within(entry, LIST_BYTES_MAX);
    }

    fn push_within(&mut self, entry: T, bytes_max: usize) {
        let mut counted = Counted { writer: io::sink(), left: bytes_max.saturating_sub(self.bytes) };
        if self.is_full() || serde_json::to_writer(&mut counted, &entry).is_err() {
            return self.leave_out();
        }
        // One byte for the comma.
        self.bytes = bytes_max.saturating_sub(counted.left).saturating_add(1);
        self.list.entries.push(entry);
    }
}

/// Writes so many bytes, and fails at the next one.
pub(crate) struct Counted<W> {
    /// Where they go.
    pub(crate) writer: W,
    /// How many more may.
    pub(crate) left: usize,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.writer.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_list_never_takes_more_than_its_bound_and_says_what_is_missing() {
        for bytes_max in 0..60 {
            let mut list = ListBuilder::new();
            for _ in 0..10 {
                list.push_within("four", bytes_max);
            }
            let list = list.finish();
            let text = serde_json::to_string(&list.entries).unwrap();
            assert!(text.len() <= bytes_max + "[]".len(), "{text}");
            assert_eq!(list.entries.len() + usize::try_from(list.left_out).unwrap(), 10);
            assert_eq!(list.entries.len(), (bytes_max + 1) / r#""four","#.len());
        }
    }

    #[test]
    fn nothing_follows_what_was_left_out() {
        let mut list = ListBuilder::new();
        list.push_within("a long one".to_owned(), 8);
        list.push_within("s".to_owned(), 8);
        let list = list.finish();
        assert_eq!((list.entries.len(), list.left_out), (0, 2));
    }
}
