//! Compresses a client's batch again where the topic asks for another codec (`LogValidator`, `compression.type`).

use std::io;

use super::compressor::Compressor;
use super::error::BatchError;
use super::header::{Compression, LOG_OVERHEAD_BYTES};
use super::stream::RecordStream;
use super::validate::ValidBatch;

/// The codec that a topic stores, whatever its producers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetCompression {
    /// The codec.
    pub codec: Compression,
    /// Its level, of gzip and Zstandard; `None` for the codec's default (`compression.gzip.level`,
    /// `compression.zstd.level`).
    pub level: Option<i32>,
}

impl ValidBatch {
    /// The same records in the codec of the topic. A batch that has it already stays as it is, at whatever level.
    ///
    /// # Errors
    /// [`BatchError::Invalid`] when the result is too large for a batch.
    pub(crate) fn compressed_as(self, target: TargetCompression) -> Result<Self, BatchError> {
        if self.header().compression() == Some(target.codec) || self.header().is_control() {
            return Ok(self);
        }
        let broken = |error: io::Error| BatchError::Invalid(format!("cannot be compressed again: {error}"));
        let body = self.records_as(target).map_err(broken)?;
        let mut header = *self.header();
        header.set_compression(target.codec);
        let length =
            super::header::HEADER_BYTES.saturating_sub(LOG_OVERHEAD_BYTES).saturating_add(body.len());
        header.batch_length =
            i32::try_from(length).map_err(|_| broken(io::ErrorKind::FileTooLarge.into()))?;
        header.crc = header.computed_crc(&body);
        Ok(Self::from_parts(header, body.into()))
    }

    fn records_as(&self, target: TargetCompression) -> io::Result<Vec<u8>> {
        let mut compressor = Compressor::with_level(target.codec, target.level, Vec::new())?;
        let mut stream = RecordStream::new(self.header(), self.body())?;
        for _ in 0..self.header().record_count {
            stream.copy(0, &mut compressor)?;
        }
        compressor.finish()
    }
}

#[cfg(test)]
mod tests {
    use ottla_model::WallMillis;

    use super::*;
    use crate::batch::{BatchBuilder, HEADER_BYTES, NewRecord, Origin, records, validate};
    use crate::config::LogConfig;

    const CODECS: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    fn batch() -> ValidBatch {
        let mut builder = BatchBuilder::new();
        for number in 0..1000i64 {
            let value = vec![7u8; usize::try_from(number % 50).expect("small")];
            let key = number.to_be_bytes();
            builder.push(NewRecord {
                timestamp: 1000 - number,
                key: Some(&key),
                value: Some(&value),
                headers: &[],
            });
        }
        let rules = LogConfig::default().rules(Origin::Client);
        validate(&builder.build(), &rules, WallMillis(1000)).expect("valid")
    }

    fn bytes(batch: &ValidBatch) -> bytes::Bytes {
        [&batch.header().to_bytes()[..], batch.body()].concat().into()
    }

    #[test]
    fn records_are_the_same_in_every_codec() {
        let plain = bytes(&batch());
        let told = |bytes: &bytes::Bytes| {
            let records = records(bytes).expect("a batch");
            records.map(|record| format!("{:?}", record.expect("a record"))).collect::<Vec<_>>()
        };
        for from in CODECS {
            let first =
                batch().compressed_as(TargetCompression { codec: from, level: None }).expect("compressed");
            for codec in CODECS {
                for level in [None, Some(1)] {
                    let second =
                        first.clone().compressed_as(TargetCompression { codec, level }).expect("compressed");
                    assert_eq!(second.header().compression(), Some(codec));
                    let second = bytes(&second);
                    assert_eq!(told(&second), told(&plain), "{from:?} to {codec:?}");
                    let rules = LogConfig::default().rules(Origin::Client);
                    let valid = validate(&second, &rules, WallMillis(1000)).expect("valid");
                    assert_eq!(valid.size_in_bytes(), HEADER_BYTES + valid.body().len());
                }
            }
        }
    }

    #[test]
    fn a_level_is_gone_by() {
        let size = |codec, level| {
            let target = TargetCompression { codec, level: Some(level) };
            batch().compressed_as(target).expect("compressed").size_in_bytes()
        };
        assert!(size(Compression::Gzip, 1) > size(Compression::Gzip, 9));
        assert!(size(Compression::Zstd, -50) > size(Compression::Zstd, 19));
    }
}
