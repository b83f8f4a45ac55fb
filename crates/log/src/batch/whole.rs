//! Decompressing what is no batch, with the same decoders.

use bytes::Bytes;

use super::compression::Decompressed;
use super::error::BatchError;
use super::header::Compression;

/// Decompresses all of `body`, to at most `bytes_max` bytes. Without a codec it is `body` itself.
///
/// # Errors
/// [`BatchError::Invalid`] for what does not decompress, or to more.
pub fn decompress(compression: Compression, body: Bytes, bytes_max: usize) -> Result<Bytes, BatchError> {
    match Decompressed::new(compression, body.clone())? {
        Some(mut decompressed) => Ok(decompressed.take_all(bytes_max)?),
        None => Ok(body),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_taken_is_bounded() {
        let plain = vec![7; 100_000];
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&plain).expect("encoded");
        let body = Bytes::from(encoder.finish().expect("encoded"));
        assert_eq!(decompress(Compression::Gzip, body.clone(), plain.len()).expect("decompresses"), plain);
        assert!(decompress(Compression::Gzip, body.clone(), plain.len() - 1).is_err());
        assert!(decompress(Compression::Zstd, body.clone(), plain.len()).is_err());
        assert_eq!(decompress(Compression::None, body.clone(), 1).ok(), Some(body));
    }
}
