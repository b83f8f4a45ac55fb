//! Record batches of format v2 (`DefaultRecordBatch`, KIP-98): what clients send, what segments hold and what
//! consumers are sent are the same bytes.
//!
//! **Invariant**: nothing here copies a batch's body, and nothing trusts a length in one.

mod builder;
mod compression;
mod compressor;
mod error;
mod header;
mod recompress;
mod records;
mod snappy;
mod stream;
mod validate;
mod varint;
mod walk;
mod whole;

pub use builder::{BatchBuilder, NewRecord};
pub use compression::{DECOMPRESSED_BYTES_MAX, ZSTD_WINDOW_LOG_MAX};
pub(crate) use compressor::Compressor;
pub use error::{BatchError, RECORD_ERRORS_MAX, RecordError};
pub use header::{BatchHeader, Compression, HEADER_BYTES, LOG_OVERHEAD_BYTES, TimestampType};
pub use recompress::TargetCompression;
pub use records::{Record, Records, records};
pub(crate) use stream::RecordStream;
pub use validate::{Origin, Rules, ValidBatch, validate};
pub(crate) use walk::Walk;
pub use whole::decompress;
