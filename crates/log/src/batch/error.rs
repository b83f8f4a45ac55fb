//! Why a batch is refused.

use ottla_model::ErrorCode;
use thiserror::Error;

/// A record that is to blame, as a Produce response names it (KIP-467).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Place of the record in its batch, counted from 0.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}

/// Most records that one refusal names. Kafka names all; a batch holds up to 2^31-1.
pub const RECORD_ERRORS_MAX: usize = 100;

/// Why a Produce's records are refused. Each variant tells the code that Apache Kafka 4.3.1 answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BatchError {
    /// CORRUPT_MESSAGE: a length, magic or CRC that no batch can have (`ByteBufferLogInputStream`,
    /// `DefaultRecordBatch.ensureValid`).
    #[error("the record batch is corrupt: {0}")]
    Corrupt(String),
    /// INVALID_RECORD: a sound batch whose content is not allowed or contradicts itself (`LogValidator`).
    /// Also a body that does not decompress, for which Kafka answers UNKNOWN_SERVER_ERROR.
    #[error("{0}")]
    Invalid(String),
    /// INVALID_RECORD, naming records: a missing key on a compacted topic (`LogValidator.validateKey`).
    #[error("one or more records have been rejected due to {} record errors", .0.len())]
    InvalidRecords(Vec<RecordError>),
    /// INVALID_TIMESTAMP, naming records (`LogValidator.validateTimestamp`).
    #[error("one or more records have been rejected due to invalid timestamp")]
    InvalidTimestamps(Vec<RecordError>),
    /// MESSAGE_TOO_LARGE: larger than `max.message.bytes`.
    #[error("the record batch size is {size} bytes which exceeds the maximum configured value of {max}")]
    TooLarge {
        /// Bytes of the batch.
        size: usize,
        /// Most that the topic takes.
        max: usize,
    },
    /// RECORD_LIST_TOO_LARGE: larger than a whole segment (`segment.bytes`).
    #[error("message batch size is {size} bytes, which exceeds the maximum configured segment size of {max}")]
    LargerThanSegment {
        /// Bytes of the batch.
        size: usize,
        /// Most that a segment of the topic holds.
        max: u64,
    },
    /// UNSUPPORTED_COMPRESSION_TYPE: a codec number that stands for none. Kafka answers UNKNOWN_SERVER_ERROR.
    #[error("compression type {0} is not known")]
    UnsupportedCompression(i16),
}

impl BatchError {
    /// The code that a Produce is answered with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Corrupt(_) => ErrorCode::CorruptMessage,
            Self::Invalid(_) | Self::InvalidRecords(_) => ErrorCode::InvalidRecord,
            Self::InvalidTimestamps(_) => ErrorCode::InvalidTimestamp,
            Self::TooLarge { .. } => ErrorCode::MessageTooLarge,
            Self::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
            Self::UnsupportedCompression(_) => ErrorCode::UnsupportedCompressionType,
        }
    }

    /// The records that are to blame, where single ones are.
    #[must_use]
    pub fn record_errors(&self) -> &[RecordError] {
        match self {
            Self::InvalidRecords(errors) | Self::InvalidTimestamps(errors) => errors,
            _ => &[],
        }
    }
}
