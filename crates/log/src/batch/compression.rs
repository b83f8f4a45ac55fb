//! Decoders of the four codecs, as one stream whose memory and total size are bounded.
//!
//! What a decoder holds at once: gzip 32 KiB, LZ4 two blocks of at most 4 MiB (8 MiB in the legacy format),
//! Zstandard its window, and Snappy one block, which cannot be larger than 22 times its compressed form.
//! Nothing is allocated because a length in the data says so before the data that fill it have been seen.

use std::io::{self, Read};

use bytes::buf::Reader;
use bytes::{Buf, Bytes};

use super::header::Compression;
use super::snappy::SnappyDecoder;
use super::walk::Malformed;

/// Most bytes that the records of one batch may decompress to. Java clients count them in 32 bits, so none of
/// them could write or read more.
pub const DECOMPRESSED_BYTES_MAX: u64 = i32::MAX as u64;
/// Largest Zstandard window, as a power of two: zstd's own limit for decoders that were not told otherwise,
/// which Kafka's are not. A producer at level 22 asks for it whatever it sends, so a smaller one would refuse
/// stock clients.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// Decompressed bytes that are looked at together.
const BUFFER_BYTES: usize = 16 * 1024;
/// By how much the buffer of one record grows at a time, so that a length which lies costs no memory.
const RECORD_GROWTH_BYTES: usize = 64 * 1024;

enum Decoder {
    Gzip(flate2::bufread::MultiGzDecoder<Reader<Bytes>>),
    Snappy(SnappyDecoder),
    Lz4(Box<lz4_flex::frame::FrameDecoder<Reader<Bytes>>>),
    Zstd(zstd::stream::read::Decoder<'static, Reader<Bytes>>),
}

/// The decompressed records of one batch.
pub(super) struct Decompressed {
    decoder: Decoder,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes that may still come.
    left: u64,
}

impl Decompressed {
    /// Starts to decompress. `None` for [`Compression::None`], whose records are read where they are.
    pub(super) fn new(compression: Compression, body: Bytes) -> Result<Option<Self>, Malformed> {
        let decoder = match compression {
            Compression::None => return Ok(None),
            Compression::Gzip => Decoder::Gzip(flate2::bufread::MultiGzDecoder::new(body.reader())),
            Compression::Snappy => Decoder::Snappy(SnappyDecoder::new(body)),
            Compression::Lz4 => Decoder::Lz4(Box::new(lz4_flex::frame::FrameDecoder::new(body.reader()))),
            Compression::Zstd => {
                let broken = |_| Malformed("the Zstandard decoder could not be made");
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body.reader()).map_err(broken)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
                Decoder::Zstd(decoder)
            }
        };
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Ok(Some(Self { decoder, buffer, start: 0, end: 0, left: DECOMPRESSED_BYTES_MAX }))
    }

    /// Bytes that are ready; empty only at the end of the stream.
    fn ready(&mut self) -> Result<&[u8], Malformed> {
        if self.start == self.end {
            let count = match &mut self.decoder {
                Decoder::Gzip(decoder) => decoder.read(&mut self.buffer),
                Decoder::Snappy(decoder) => decoder.read(&mut self.buffer),
                Decoder::Lz4(decoder) => decoder.read(&mut self.buffer),
                Decoder::Zstd(decoder) => decoder.read(&mut self.buffer),
            };
            let count = count.map_err(|_| Malformed("the records do not decompress"))?;
            let too_many = Malformed("the records decompress to more bytes than any client could read");
            self.left = self.left.checked_sub(count as u64).ok_or(too_many)?;
            self.start = 0;
            self.end = count;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// The next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = self.ready()?.first().copied().ok_or(Malformed("the records end too early"))?;
        self.start += 1;
        Ok(byte)
    }

    /// Passes over bytes.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        let mut left = count;
        while left > 0 {
            let ready = self.ready()?.len();
            if ready == 0 {
                return Err(Malformed("the records end too early"));
            }
            let step = ready.min(left);
            self.start += step;
            left -= step;
        }
        Ok(())
    }

    /// Hands over the next `count` bytes, in pieces.
    pub(super) fn feed(
        &mut self,
        count: usize,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            let ready = self.ready().map_err(Malformed::into_io)?;
            let step = ready.len().min(left);
            if step == 0 {
                return Err(Malformed("the records end too early").into_io());
            }
            take(ready.get(..step).unwrap_or_default())?;
            self.start += step;
            left -= step;
        }
        Ok(())
    }

    /// The next `count` bytes, in memory of their own.
    pub(super) fn take(&mut self, count: usize) -> Result<Bytes, Malformed> {
        let mut taken = Vec::with_capacity(count.min(RECORD_GROWTH_BYTES));
        while taken.len() < count {
            let ready = self.ready()?;
            let step = ready.len().min(count - taken.len());
            if step == 0 {
                return Err(Malformed("the records end too early"));
            }
            taken.extend_from_slice(ready.get(..step).unwrap_or_default());
            self.start += step;
        }
        Ok(taken.into())
    }

    /// All that is left, which may be at most `bytes_max` bytes.
    pub(super) fn take_all(&mut self, bytes_max: usize) -> Result<Bytes, Malformed> {
        let mut taken = Vec::new();
        loop {
            let ready = self.ready()?;
            if ready.is_empty() {
                return Ok(taken.into());
            }
            if ready.len() > bytes_max.saturating_sub(taken.len()) {
                return Err(Malformed("it decompresses to more bytes than are taken"));
            }
            taken.extend_from_slice(ready);
            self.start = self.end;
        }
    }

    /// True when nothing is left.
    pub(super) fn is_at_end(&mut self) -> Result<bool, Malformed> {
        Ok(self.ready()?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_bounded() {
        let compressed = zstd::stream::encode_all(&vec![7; 100_000][..], 3).expect("compressed");
        let decompress = |left| {
            let mut stream =
                Decompressed::new(Compression::Zstd, compressed.clone().into()).expect("made").expect("one");
            stream.left = left;
            stream.take(100_000).and_then(|bytes| Ok(bytes.len() == 100_000 && stream.is_at_end()?))
        };
        assert_eq!(decompress(100_000), Ok(true));
        assert!(decompress(99_999).is_err());
    }

    #[test]
    fn a_window_of_the_highest_level_is_taken_and_a_larger_one_is_not() {
        let compress = |window_log| {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("encoder");
            encoder.window_log(window_log).expect("set");
            io::Write::write_all(&mut encoder, &[7; 1000]).expect("compressed");
            Bytes::from(encoder.finish().expect("compressed"))
        };
        let read = |window_log| {
            let mut stream =
                Decompressed::new(Compression::Zstd, compress(window_log)).expect("made").expect("one");
            stream.take(1000).is_ok()
        };
        assert!(read(ZSTD_WINDOW_LOG_MAX));
        assert!(!read(ZSTD_WINDOW_LOG_MAX + 1));
    }
}
