//! Compresses records again, when compaction has removed some of a batch or the topic asks for another codec, framed as
//! Kafka's Java clients read it.

use std::io::{self, Write};

use super::header::Compression;
use super::snappy::SnappyEncoder;

/// What `compression.zstd.level` is when nobody sets it.
const ZSTD_LEVEL: i32 = 3;

/// A stream that compresses into memory.
pub(crate) enum Compressor {
    Plain(Vec<u8>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Snappy(SnappyEncoder),
    Lz4(Box<lz4_flex::frame::FrameEncoder<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Compressor {
    /// Compresses behind what `into` holds already, at the codec's default level.
    pub(crate) fn new(compression: Compression, into: Vec<u8>) -> io::Result<Self> {
        Self::with_level(compression, None, into)
    }

    /// The same at a level of gzip or Zstandard. The other codecs have one level here.
    pub(crate) fn with_level(
        compression: Compression,
        level: Option<i32>,
        into: Vec<u8>,
    ) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(into),
            Compression::Gzip => {
                let level = level.and_then(|level| u32::try_from(level).ok());
                let level = level.map_or_else(flate2::Compression::default, flate2::Compression::new);
                Self::Gzip(flate2::write::GzEncoder::new(into, level))
            }
            Compression::Snappy => Self::Snappy(SnappyEncoder::new(into)),
            Compression::Lz4 => {
                // Java's reader takes independent blocks only.
                let info = lz4_flex::frame::FrameInfo::new()
                    .block_mode(lz4_flex::frame::BlockMode::Independent)
                    .block_size(lz4_flex::frame::BlockSize::Max64KB);
                Self::Lz4(Box::new(lz4_flex::frame::FrameEncoder::with_frame_info(info, into)))
            }
            Compression::Zstd => {
                Self::Zstd(zstd::stream::write::Encoder::new(into, level.unwrap_or(ZSTD_LEVEL))?)
            }
        })
    }

    /// Ends the stream.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(into) => Ok(into),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Snappy(encoder) => encoder.finish(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(into) => into.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Snappy(encoder) => encoder.write(bytes),
            Self::Lz4(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::compression::Decompressed;

    #[test]
    fn what_is_compressed_decompresses_to_the_same_bytes() {
        let bytes: Vec<u8> = (0..200_000u32).flat_map(|number| (number % 1000).to_be_bytes()).collect();
        for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
            let mut compressor = Compressor::new(codec, vec![1, 2, 3]).expect("made");
            for piece in bytes.chunks(777) {
                compressor.write_all(piece).expect("compressed");
            }
            let compressed = compressor.finish().expect("finished");
            assert_eq!(compressed[..3], [1, 2, 3]);
            assert!(compressed.len() < bytes.len() / 2, "{codec:?} has {}", compressed.len());
            let body = compressed[3..].to_vec().into();
            let mut stream = Decompressed::new(codec, body).expect("started").expect("compressed");
            assert_eq!(stream.take(bytes.len()).expect("all"), bytes, "{codec:?}");
            assert_eq!(stream.is_at_end(), Ok(true));
        }
    }
}
