//! The part of a cold read that takes long, without the log: waiting for the disk, and computing CRCs.
//!
//! It is planned with the log, done without it on a thread that may block, and its outcome is given to
//! [`Log::read_warm`], which plans again: the log may have changed meanwhile. It takes what was made warm if that
//! is still what it reads, and otherwise does the work itself.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use ottla_model::Offset;

use super::{Log, ReadLimit};
use crate::disk::DiskFile;
use crate::error::ReadError;
use crate::segment::{Span, good_bytes};

/// What a cold read has to wait for.
#[derive(Debug)]
#[must_use = "`warm` does the work"]
pub struct Cold {
    file: Arc<dyn DiskFile>,
    position: u64,
    length: usize,
}

/// Bytes that are in memory, and how many of them are good.
#[derive(Debug)]
pub struct Warm {
    file: Arc<dyn DiskFile>,
    position: u64,
    bytes: Bytes,
    good_bytes: usize,
}

impl Log {
    /// What a read of the same arguments has to wait for; `None` when there is nothing to read. It reads headers
    /// and, at the first use of a segment, its index.
    ///
    /// # Errors As [`Log::read`].
    pub fn plan_cold(&self, from: Offset, limit: ReadLimit) -> Result<Option<Cold>, ReadError> {
        let upper = self.readable_up_to(from, limit)?;
        for (place, segment) in self.segments.iter().enumerate().skip(self.first_segment(from)) {
            if from >= upper {
                break;
            }
            match self.locate_span(place, segment, from, ReadLimit { upper, ..limit }) {
                Ok(None) => {}
                Ok(Some((_, Some(Span { position, length, .. })))) => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    return Ok(Some(Cold { file: Arc::clone(segment.file()?), position, length }));
                }
                // The read itself tells what is wrong.
                Ok(Some((_, None))) | Err(ReadError::Corrupt { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

impl Cold {
    /// Waits until the bytes are in memory and computes their CRCs.
    ///
    /// # Errors
    /// What the disk says.
    pub fn warm(self) -> io::Result<Warm> {
        let bytes = self.file.slice(self.position, self.length)?;
        let good_bytes = good_bytes(&bytes);
        Ok(Warm { file: self.file, position: self.position, bytes, good_bytes })
    }
}

impl Warm {
    /// True for bytes at that place of that file.
    pub(super) fn is_of(&self, file: &Arc<dyn DiskFile>, position: u64) -> bool {
        Arc::ptr_eq(&self.file, file) && self.position == position
    }

    /// The first bytes, if there are so many.
    pub(super) fn first(&self, length: usize) -> Option<Bytes> {
        (length <= self.bytes.len()).then(|| self.bytes.slice(..length))
    }

    /// How many bytes, from the first on, are batches whose CRC is right.
    pub(super) fn good_bytes(&self) -> usize {
        self.good_bytes
    }
}
