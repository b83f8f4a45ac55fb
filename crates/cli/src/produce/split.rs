//! Cuts a stream of bytes into pieces at a delimiter.

use bytes::{Bytes, BytesMut};

/// Longest piece, in bytes: what Kafka's brokers take in a request unless they are told otherwise.
pub(super) const PIECE_BYTES_MAX: usize = 100 * 1024 * 1024;

/// Cuts what it is fed.
#[derive(Debug)]
pub(super) struct Splitter {
    delimiter: super::options::Bytes,
    buffer: BytesMut,
    /// No delimiter begins before here.
    searched: usize,
}

impl Splitter {
    /// Cuts at this delimiter, which is not empty.
    pub(super) fn new(delimiter: super::options::Bytes) -> Self {
        Self { delimiter, buffer: BytesMut::new(), searched: 0 }
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// A sentence, when a piece gets too long.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.buffer.len().saturating_add(bytes.len()) > PIECE_BYTES_MAX {
            return Err(format!(
                "a record is longer than {PIECE_BYTES_MAX} bytes; is the delimiter right (-D)?"
            ));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole piece, without its delimiter.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(found) = find(rest, &self.delimiter) else {
            // The delimiter's beginning may be there already.
            self.searched = (self.buffer.len() + 1).saturating_sub(self.delimiter.len()).max(self.searched);
            return None;
        };
        let piece = self.buffer.split_to(self.searched + found);
        let _ = self.buffer.split_to(self.delimiter.len());
        self.searched = 0;
        Some(piece.freeze())
    }

    /// What stands behind the last delimiter, if anything does.
    pub(super) fn rest(self) -> Option<Bytes> {
        (!self.buffer.is_empty()).then(|| self.buffer.freeze())
    }
}

/// Where `needle`, which is not empty, begins in `bytes`.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(rest) = bytes.get(from..) {
        let at = from + rest.iter().position(|&byte| byte == first)?;
        if bytes.get(at..).is_some_and(|rest| rest.starts_with(needle)) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the bytes arrive, the pieces are the same.
    #[test]
    fn pieces_do_not_depend_on_how_bytes_arrive() {
        let text = b"one\r\ntwo\n\r\n\r\nthree\r";
        for step in 1..=text.len() {
            let mut splitter = Splitter::new((*b"\r\n").into());
            let mut pieces = Vec::new();
            for bytes in text.chunks(step) {
                splitter.feed(bytes).unwrap();
                pieces.extend(std::iter::from_fn(|| splitter.next()));
            }
            pieces.extend(splitter.rest());
            assert_eq!(pieces, [&b"one"[..], b"two\n", b"", b"three\r"], "{step}");
        }
    }

    #[test]
    fn nothing_stands_behind_a_last_delimiter() {
        let mut splitter = Splitter::new((*b"\n").into());
        splitter.feed(b"a\n").unwrap();
        assert_eq!(splitter.next().as_deref(), Some(&b"a"[..]));
        assert_eq!((splitter.next(), splitter.rest()), (None, None));
    }
}
