//! What can go wrong with a log, one enum for each kind of operation.

use std::io;

use ottla_model::{Offset, ProducerEpoch, ProducerId, TopicId};
use thiserror::Error;

use crate::batch::BatchError;

/// True for an error that says "it did not fit" and not "the disk is failing": nothing is lost, and the same
/// operation succeeds when there is room again. Every other error of a write or a sync closes the log for
/// good, because what the kernel holds of the file is no longer known.
#[must_use]
pub fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::WriteZero
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::OutOfMemory
    ) || is_out_of_descriptors(error)
}

/// True for an error that only opening a file gives: nothing was done to the file.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| OUT_OF_DESCRIPTORS.contains(&code))
}

/// `EMFILE` and `ENFILE`, which the standard library has no kinds for.
const OUT_OF_DESCRIPTORS: [i32; 2] =
    [rustix::io::Errno::MFILE.raw_os_error(), rustix::io::Errno::NFILE.raw_os_error()];

/// Why nothing was appended. The end of the log is where it was.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The batch itself; see there for the codes.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// OUT_OF_ORDER_SEQUENCE_NUMBER: not the sequence that comes next (`ProducerAppendInfo.checkSequence`).
    /// Like Kafka 4.3.1, a log answers this also for a duplicate that is older than the five batches it
    /// remembers.
    #[error("out of order sequence number for producer {producer_id}: {sequence} after {last_sequence}")]
    OutOfOrderSequence {
        /// Who wrote the batch.
        producer_id: ProducerId,
        /// Its first sequence number.
        sequence: i32,
        /// The last one that the log has, or -1.
        last_sequence: i32,
    },
    /// INVALID_PRODUCER_EPOCH: a later incarnation of the producer has written here.
    #[error(
        "epoch of producer {producer_id} is {epoch}, which is smaller than the last seen epoch {current}"
    )]
    InvalidProducerEpoch {
        /// Who wrote the batch.
        producer_id: ProducerId,
        /// Its epoch.
        epoch: ProducerEpoch,
        /// The epoch that the log has.
        current: ProducerEpoch,
    },
    /// INVALID_TXN_STATE: a transactional batch outside a transaction, or a plain one inside (KIP-890).
    #[error("the record was not part of an ongoing transaction of producer {producer_id}")]
    InvalidTransactionState {
        /// Who wrote the batch.
        producer_id: ProducerId,
    },
    /// KAFKA_STORAGE_ERROR: the disk did not take it. See [`is_transient`]; after any other error the log is
    /// closed.
    #[error("storage: {0}")]
    Storage(#[from] io::Error),
    /// KAFKA_STORAGE_ERROR: the log was closed, by its owner or by an earlier error.
    #[error("the log is closed")]
    Closed,
}

/// Why nothing was read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// OFFSET_OUT_OF_RANGE: before the start or after the end of the log.
    #[error("the offset is not within the range of the log")]
    OutOfRange,
    /// CORRUPT_MESSAGE: the bytes there are not a batch.
    #[error("corrupt batch in segment {segment} at position {position}")]
    Corrupt {
        /// Base offset of the segment.
        segment: Offset,
        /// Position in it, in bytes.
        position: u64,
    },
    /// KAFKA_STORAGE_ERROR: the disk did not give it.
    #[error("storage: {0}")]
    Storage(#[from] io::Error),
    /// KAFKA_STORAGE_ERROR: an earlier error closed the log, and what its pages hold may not be what is on
    /// disk.
    #[error("the log is closed")]
    Closed,
}

/// Why a log could not be opened, synced, closed or deleted.
#[derive(Debug, Error)]
pub enum LogError {
    /// The disk did not do it. See [`is_transient`]; after any other error the log is closed.
    #[error("storage: {0}")]
    Storage(#[from] io::Error),
    /// The directory belongs to another topic of the same name, which was deleted since (KIP-516).
    #[error("the directory holds topic id {found}")]
    OtherTopic {
        /// The id in `partition.metadata`.
        found: TopicId,
    },
    /// The log was closed by an earlier error.
    #[error("the log is offline")]
    Offline,
    /// The work was stopped by its caller, and what it had done was undone.
    #[error("stopped")]
    Stopped,
    /// OFFSET_OUT_OF_RANGE: the start of a log cannot lie after its end.
    #[error("offset {offset} is after the end {end} of the log")]
    OutOfRange {
        /// What was asked for.
        offset: Offset,
        /// Offset after the last.
        end: Offset,
    },
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Storage(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl From<ReadError> for LogError {
    fn from(error: ReadError) -> Self {
        Self::Storage(error.into())
    }
}
