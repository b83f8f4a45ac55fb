//! A response in pieces, so that records of a mapped segment reach the socket without a copy.

use bytes::{Bytes, BytesMut};

/// Bytes to send, in order: what was written here, with foreign slices between.
///
/// What is written goes to one buffer, whatever the number of slices; [`Rope::into_parts`] cuts it.
#[derive(Debug, Default)]
pub struct Rope {
    written: BytesMut,
    /// Foreign slices, each with the position in `written` that it stands before.
    slices: Vec<(usize, Bytes)>,
    slice_bytes: usize,
}

impl Rope {
    /// An empty rope.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The buffer for what is written at the end of the rope. Truncating it below an earlier
    /// [`Rope::push`] moves that slice to the end.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.written
    }

    /// Appends a slice without copying it.
    pub fn push(&mut self, slice: Bytes) {
        self.insert(self.written.len(), slice);
    }

    /// Puts a slice before byte `position` of what was written, behind all earlier slices.
    pub(crate) fn insert(&mut self, position: usize, slice: Bytes) {
        if !slice.is_empty() {
            self.slice_bytes = self.slice_bytes.saturating_add(slice.len());
            self.slices.push((position, slice));
        }
    }

    /// Number of bytes in all pieces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.written.len().saturating_add(self.slice_bytes)
    }

    /// True when there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces in order; none is empty.
    #[must_use]
    pub fn into_parts(self) -> Vec<Bytes> {
        let mut written = self.written.freeze();
        let mut cut = 0usize;
        let mut parts = Vec::with_capacity(self.slices.len().saturating_mul(2).saturating_add(1));
        for (position, slice) in self.slices {
            let count = position.saturating_sub(cut).min(written.len());
            if count > 0 {
                parts.push(written.split_to(count));
                cut = cut.saturating_add(count);
            }
            parts.push(slice);
        }
        if !written.is_empty() {
            parts.push(written);
        }
        parts
    }
}
