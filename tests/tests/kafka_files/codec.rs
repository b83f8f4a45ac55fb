//! The codecs as Kafka's Java client writes them, and snappy also without a frame, as some others do.

use std::io::{Read, Write};

use bytes::Bytes;
use kafka_protocol::records::Compression;

/// How the Java client frames snappy (`SnappyOutputStream`): magic, version, compatible version, then blocks.
const SNAPPY_MAGIC: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
const SNAPPY_BLOCK_BYTES: usize = 1024;

/// A codec, and whether its frame is left away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) compression: Compression,
    pub(crate) raw: bool,
}

impl Codec {
    pub(crate) const fn framed(compression: Compression) -> Self {
        Self { compression, raw: false }
    }

    pub(crate) fn compress(self, bytes: &[u8]) -> Vec<u8> {
        match self.compression {
            Compression::None => bytes.to_vec(),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Snappy if self.raw => snap::raw::Encoder::new().compress_vec(bytes).unwrap(),
            Compression::Snappy => {
                let mut framed = SNAPPY_MAGIC.to_vec();
                for chunk in bytes.chunks(SNAPPY_BLOCK_BYTES) {
                    let block = snap::raw::Encoder::new().compress_vec(chunk).unwrap();
                    framed.extend_from_slice(&u32::try_from(block.len()).unwrap().to_be_bytes());
                    framed.extend_from_slice(&block);
                }
                framed
            }
            Compression::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zstd => zstd::stream::encode_all(bytes, 3).unwrap(),
        }
    }
}

/// The bytes that were compressed, in whatever frame.
pub(crate) fn decompress(compression: Compression, bytes: &[u8]) -> Bytes {
    let mut all = Vec::new();
    match compression {
        Compression::None => all.extend_from_slice(bytes),
        Compression::Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut all).unwrap()),
        Compression::Snappy => match bytes.strip_prefix(&SNAPPY_MAGIC) {
            None => all = snap::raw::Decoder::new().decompress_vec(bytes).unwrap(),
            Some(mut rest) => {
                while let Some((length, blocks)) = rest.split_first_chunk::<4>() {
                    let (block, after) = blocks.split_at(u32::from_be_bytes(*length) as usize);
                    all.extend(snap::raw::Decoder::new().decompress_vec(block).unwrap());
                    rest = after;
                }
            }
        },
        Compression::Lz4 => drop(lz4_flex::frame::FrameDecoder::new(bytes).read_to_end(&mut all).unwrap()),
        Compression::Zstd => all = zstd::stream::decode_all(bytes).unwrap(),
    }
    all.into()
}
