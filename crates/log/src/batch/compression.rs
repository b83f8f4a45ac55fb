//! Decoders of the four codecs, as one stream whose memory and total size are bounded.
//!
//! What a decoder holds at once: gzip 32 KiB, LZ4 two blocks of at most 4 MiB (8 MiB in the legacy format), Zstandard
//! its window, and Snappy one block, which cannot be larger than 22 times its compressed form. Nothing is allocated
//! because a length in the data says so before the data that fill it have been seen.

use std::io::Read;

use bytes::buf::Reader;
use bytes::{Buf, Bytes};

use super::header::Compression;
use super::snappy::SnappyDecoder;
use super::walk::Malformed;

/// Most bytes that the records of one batch may decompress to. Java clients count them in 32 bits, so none of them
/// could write or read more.
pub const DECOMPRESSED_BYTES_MAX: u64 = i32::MAX as u64;
/// Largest Zstandard window, as a power of two: zstd's own limit for decoders that were not told otherwise, which
/// Kafka's are not. A producer at level 22 asks for it whatever it sends, so a smaller one would refuse stock clients.
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
    total: u64,
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
        Ok(Some(Self { decoder, buffer, start: 0, end: 0, total: 0 }))
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
            self.total = self.total.saturating_add(count as u64);
            if self.total > DECOMPRESSED_BYTES_MAX {
                return Err(Malformed("the records decompress to more than 2147483647 bytes"));
            }
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

    /// True when nothing is left.
    pub(super) fn is_at_end(&mut self) -> Result<bool, Malformed> {
        Ok(self.ready()?.is_empty())
    }
}
