//! The codecs of batches, in both directions.

use std::io::{Read, Write};

use bytes::Buf;

use super::random::Random;

/// A codec, with Kafka's number of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

/// Plain batches are the most.
const MIX: [Codec; 8] =
    [Codec::None, Codec::None, Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd, Codec::None];

const ZSTD_LEVEL: i32 = 1;

const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_VERSIONS_BYTES: usize = 8;

/// Bounds what a batch that is read decompresses to.
const DECOMPRESSED_BYTES_MAX: u64 = 16 << 20;

impl Codec {
    pub(super) fn any(random: &mut Random) -> Self {
        random.pick(&MIX).copied().unwrap_or(Self::None)
    }

    pub(super) fn of(attributes: i16) -> Option<Self> {
        Some(match attributes & 7 {
            0 => Self::None,
            1 => Self::Gzip,
            2 => Self::Snappy,
            3 => Self::Lz4,
            4 => Self::Zstd,
            _ => return None,
        })
    }

    pub(super) fn compress(self, body: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::None => Some(body),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&body).ok()?;
                encoder.finish().ok()
            }
            Self::Snappy => snap::raw::Encoder::new().compress_vec(&body).ok(),
            Self::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(&body).ok()?;
                encoder.finish().ok()
            }
            Self::Zstd => zstd::stream::encode_all(body.as_slice(), ZSTD_LEVEL).ok(),
        }
    }

    pub(super) fn decompress(self, body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::None => Some(body.to_vec()),
            Self::Gzip => read_all(flate2::read::GzDecoder::new(body)),
            Self::Snappy => match body.strip_prefix(&XERIAL_MAGIC) {
                Some(framed) => decompress_xerial(framed),
                None => snap::raw::Decoder::new().decompress_vec(body).ok(),
            },
            Self::Lz4 => read_all(lz4_flex::frame::FrameDecoder::new(body)),
            Self::Zstd => read_all(zstd::stream::read::Decoder::new(body).ok()?),
        }
    }
}

/// Snappy as the Java client frames it, and so a compactor that writes batches anew may: two versions, then blocks, each
/// with its length in front.
fn decompress_xerial(framed: &[u8]) -> Option<Vec<u8>> {
    let mut rest = framed.get(XERIAL_VERSIONS_BYTES..)?;
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        let length = usize::try_from(rest.try_get_i32().ok()?).ok()?;
        let (block, after) = rest.split_at_checked(length)?;
        bytes.append(&mut snap::raw::Decoder::new().decompress_vec(block).ok()?);
        rest = after;
    }
    Some(bytes)
}

fn read_all(decoder: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.take(DECOMPRESSED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snappy_is_read_raw_and_in_the_framing_of_java() {
        let compress = |bytes: &[u8]| Codec::Snappy.compress(bytes.to_vec()).unwrap();
        assert_eq!(Codec::Snappy.decompress(&compress(b"one block")).unwrap(), b"one block");
        let mut framed = XERIAL_MAGIC.to_vec();
        framed.extend([0, 0, 0, 1, 0, 0, 0, 1]);
        for block in [compress(b"two "), compress(b"blocks")] {
            framed.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
            framed.extend(block);
        }
        assert_eq!(Codec::Snappy.decompress(&framed).unwrap(), b"two blocks");
        assert_eq!(Codec::Snappy.decompress(&framed[..framed.len() - 1]), None);
    }
}
