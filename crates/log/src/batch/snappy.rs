//! Snappy as Kafka's clients send it: blocks in the framing of xerial's `SnappyOutputStream` (Java, franz-go,
//! kafkajs) or one raw block (librdkafka, sarama).

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};

/// What xerial's framing begins with.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// Version and lowest compatible version, after the magic; Kafka's own reader accepts any.
const XERIAL_VERSIONS_BYTES: usize = 8;
/// Largest expansion of a Snappy block: a copy of 64 bytes takes 3. A block that claims more lies.
const EXPANSION_MAX: usize = 22;

/// Decompresses one block at a time.
pub(super) struct SnappyDecoder {
    input: Bytes,
    framed: bool,
    block: Vec<u8>,
    read: usize,
}

impl SnappyDecoder {
    pub(super) fn new(mut input: Bytes) -> Self {
        let framed = skip_header(&mut input);
        Self { input, framed, block: Vec::new(), read: 0 }
    }

    /// The next compressed block, or `None` at the end.
    fn next_block(&mut self) -> io::Result<Option<Bytes>> {
        if !self.framed {
            let all = std::mem::take(&mut self.input);
            return Ok((!all.is_empty()).then_some(all));
        }
        // Concatenated streams are read as one, as `SnappyInputStream` does.
        while skip_header(&mut self.input) {}
        if self.input.is_empty() {
            return Ok(None);
        }
        let length = self.input.try_get_i32().map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
        if length > self.input.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(self.input.split_to(length)))
    }

    fn decompress(&mut self, block: &[u8]) -> io::Result<()> {
        let length = snap::raw::decompress_len(block).map_err(io::Error::other)?;
        if length > block.len().saturating_mul(EXPANSION_MAX) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.block.resize(length, 0);
        self.read = 0;
        let count = snap::raw::Decoder::new().decompress(block, &mut self.block).map_err(io::Error::other)?;
        self.block.truncate(count);
        Ok(())
    }
}

fn skip_header(input: &mut Bytes) -> bool {
    let framed =
        input.starts_with(&XERIAL_MAGIC) && input.len() >= XERIAL_MAGIC.len() + XERIAL_VERSIONS_BYTES;
    if framed {
        input.advance(XERIAL_MAGIC.len() + XERIAL_VERSIONS_BYTES);
    }
    framed
}

impl Read for SnappyDecoder {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() {
            match self.next_block()? {
                Some(block) => self.decompress(&block)?,
                None => return Ok(0),
            }
        }
        let ready = self.block.get(self.read..).unwrap_or_default();
        let count = ready.len().min(into.len());
        if let (Some(from), Some(to)) = (ready.get(..count), into.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        Ok(count)
    }
}

/// Bytes of a block before it is compressed, as xerial's stream cuts them.
const BLOCK_BYTES: usize = 32 * 1024;
/// Version and lowest compatible version that xerial writes.
const XERIAL_VERSIONS: [u8; XERIAL_VERSIONS_BYTES] = [0, 0, 0, 1, 0, 0, 0, 1];

/// Compresses in xerial's framing.
pub(crate) struct SnappyEncoder {
    into: Vec<u8>,
    block: Vec<u8>,
}

impl SnappyEncoder {
    pub(super) fn new(mut into: Vec<u8>) -> Self {
        into.extend_from_slice(&XERIAL_MAGIC);
        into.extend_from_slice(&XERIAL_VERSIONS);
        Self { into, block: Vec::with_capacity(BLOCK_BYTES) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let compressed = snap::raw::Encoder::new().compress_vec(&self.block).map_err(io::Error::other)?;
        let length = i32::try_from(compressed.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        self.into.extend_from_slice(&length.to_be_bytes());
        self.into.extend_from_slice(&compressed);
        self.block.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.end_block()?;
        Ok(self.into)
    }
}

impl Write for SnappyEncoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if self.block.len() == BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).expect("compressed")
    }

    fn framed(blocks: &[&[u8]]) -> Vec<u8> {
        let mut out = XERIAL_MAGIC.to_vec();
        out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
        for block in blocks {
            let block = compressed(block);
            out.extend_from_slice(&i32::try_from(block.len()).expect("small").to_be_bytes());
            out.extend_from_slice(&block);
        }
        out
    }

    fn decompress(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        SnappyDecoder::new(bytes.into()).read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn raw_framed_and_concatenated() {
        let zeros = vec![0; 100_000];
        assert_eq!(decompress(compressed(&zeros)).expect("raw"), zeros);
        assert_eq!(decompress(framed(&[b"ab", b"", &zeros])).expect("framed").len(), 100_002);
        let twice = [framed(&[b"ab"]), framed(&[b"cd"])].concat();
        assert_eq!(decompress(twice).expect("concatenated"), b"abcd");
        assert_eq!(decompress(Vec::new()).expect("empty"), b"");
    }

    #[test]
    fn a_block_that_claims_four_gigabytes_is_refused_before_it_is_allocated() {
        let claim = vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
        assert!(decompress(claim.clone()).is_err());
        let mut in_frame = framed(&[]);
        in_frame.extend_from_slice(&6i32.to_be_bytes());
        in_frame.extend_from_slice(&claim);
        assert!(decompress(in_frame).is_err());
    }

    #[test]
    fn frames_that_are_cut_are_refused() {
        let whole = framed(&[b"some bytes that are worth compressing"]);
        for length in 17..whole.len() {
            assert!(decompress(whole[..length].to_vec()).is_err(), "cut at {length}");
        }
    }
}
