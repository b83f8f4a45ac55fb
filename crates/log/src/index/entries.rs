//! Entries of `SIZE` bytes: growing in memory while their segment is written, a slice of their file
//! afterwards.

use bytes::Bytes;

/// The entries of one index.
#[derive(Debug, Clone)]
pub(super) enum Entries<const SIZE: usize> {
    /// Of a segment that is written; the file gets them when the segment is sealed.
    Growing(Vec<u8>),
    /// Of a segment that is not.
    Sealed(Bytes),
}

impl<const SIZE: usize> Entries<SIZE> {
    pub(super) fn new() -> Self {
        Self::Growing(Vec::new())
    }

    /// The entries of a file; `None` when its length is not a multiple of theirs.
    pub(super) fn load(bytes: Bytes) -> Option<Self> {
        bytes.len().is_multiple_of(SIZE).then_some(Self::Sealed(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Growing(bytes) => bytes,
            Self::Sealed(bytes) => bytes,
        }
    }

    pub(super) fn all(&self) -> &[[u8; SIZE]] {
        self.as_bytes().as_chunks().0
    }

    pub(super) fn push(&mut self, entry: [u8; SIZE]) {
        if let Self::Sealed(bytes) = self {
            *self = Self::Growing(bytes.to_vec());
        }
        if let Self::Growing(bytes) = self {
            bytes.extend_from_slice(&entry);
        }
    }
}
