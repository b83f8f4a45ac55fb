//! Errors of the log in Kafka's codes.

use ottla_log::{AppendError, BatchError, LogError, ReadError};
use ottla_model::ErrorCode;

/// The code that a producer is told.
pub(crate) fn of_append(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Batch(batch) => of_batch(batch),
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::InvalidTransactionState { .. } => ErrorCode::InvalidTxnState,
        AppendError::TransactionCoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        AppendError::Storage(_) | AppendError::Closed => ErrorCode::KafkaStorageError,
    }
}

fn of_batch(error: &BatchError) -> ErrorCode {
    match error {
        BatchError::Corrupt(_) => ErrorCode::CorruptMessage,
        BatchError::Invalid(_) | BatchError::InvalidRecords(_) => ErrorCode::InvalidRecord,
        BatchError::InvalidTimestamps(_) => ErrorCode::InvalidTimestamp,
        BatchError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        BatchError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
        BatchError::UnsupportedCompression(_) => ErrorCode::UnsupportedCompressionType,
    }
}

/// The code that a reader is told.
pub(crate) fn of_read(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange => ErrorCode::OffsetOutOfRange,
        ReadError::Corrupt { .. } => ErrorCode::CorruptMessage,
        ReadError::Storage(_) | ReadError::Closed => ErrorCode::KafkaStorageError,
    }
}

/// The code that somebody who changes a log is told.
pub(crate) fn of_log(error: &LogError) -> ErrorCode {
    match error {
        LogError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        LogError::Storage(_) | LogError::OtherTopic { .. } | LogError::Offline | LogError::Stopped => {
            ErrorCode::KafkaStorageError
        }
    }
}
