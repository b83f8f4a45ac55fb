//! Answers on their way out.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Slices given to one system call; the kernel takes at most 1024.
const SLICES_PER_WRITE_MAX: usize = 64;

/// Bytes that wait to be written to one connection, in pieces that are not copied together: a Fetch answer is made of
/// small headers and slices of mapped segments.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    parts: VecDeque<Bytes>,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.bytes = self.bytes.saturating_add(part.len());
            self.parts.push_back(part);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How much waits.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes what the socket takes in one call, and tells how much that was; `None` when it takes nothing now.
    pub(super) fn try_write(&mut self, stream: &TcpStream) -> io::Result<Option<usize>> {
        let written = match self.parts.front() {
            // A plain write costs the kernel less than one of many pieces.
            Some(only) if self.parts.len() == 1 => stream.try_write(only),
            _ => stream.try_write_vectored(&self.slices()),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            written => self.advance_by(written?).map(Some),
        }
    }

    /// Writes what the socket takes in one call, and tells how much that was. May be dropped at its await without
    /// losing or repeating a byte.
    pub(super) async fn write_some(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        let written = stream.write_vectored(&self.slices()).await?;
        self.advance_by(written)
    }

    fn slices(&self) -> Vec<IoSlice<'_>> {
        self.parts.iter().take(SLICES_PER_WRITE_MAX).map(|part| IoSlice::new(part)).collect()
    }

    fn advance_by(&mut self, written: usize) -> io::Result<usize> {
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.advance(written);
        Ok(written)
    }

    fn advance(&mut self, mut written: usize) {
        self.bytes = self.bytes.saturating_sub(written);
        while let Some(front) = self.parts.front_mut() {
            if front.len() > written {
                front.advance(written);
                return;
            }
            written = written.saturating_sub(front.len());
            self.parts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_crosses_parts() {
        let mut outgoing = Outgoing::default();
        for part in ["abc", "", "de", "f"] {
            outgoing.push(Bytes::from_static(part.as_bytes()));
        }
        outgoing.advance(4);
        assert_eq!(outgoing.parts.iter().flatten().copied().collect::<Vec<u8>>(), b"ef");
        assert_eq!(outgoing.bytes(), 2);
        outgoing.advance(2);
        assert!(outgoing.is_empty());
    }
}
