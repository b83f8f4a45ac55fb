//! One partition's log: segments, indexes, recovery, leader epochs and producer windows, in Apache Kafka's
//! files.
//!
//! **Invariants**
//! - This crate knows no sockets, no requests, no async and no coordinators; time is an argument.
//! - All that it does to a disk goes through [`Disk`].
//! - Bytes below the end of a log never change, and what is read is a slice of them.
//! - Nothing is appended that [`batch::validate`] would not let through, so that what is stored can be
//!   trusted: counts, offsets and the maximum timestamp are true.
//! - Arithmetic on numbers from the wire or a disk is checked or saturates, and nothing panics because of
//!   them.

pub mod batch;
pub mod disk;
pub mod fuzz;

mod clean;
mod config;
mod epochs;
mod error;
mod index;
mod log;
mod metadata;
mod names;
mod producers;
mod recovery;
mod segment;

pub use batch::{
    BatchBuilder, BatchError, BatchHeader, Compression, NewRecord, Origin, Record, RecordError, Rules,
    TargetCompression, TimestampType, ValidBatch, records, validate,
};
pub use clean::{
    Census, CleanBlocked, CleanBound, CleanLimits, CleanPlan, CleanStats, CleanStatus, Cleaned, CleanedCount,
    RecordCount,
};
pub use config::LogConfig;
pub use disk::{
    DirEntry, Disk, DiskFile, MemoryDisk, OpenFile, OverlayDisk, RealDisk, SimDisk, Space, Volume, open_files,
};
pub use error::{AppendError, LogError, ReadError, is_transient};
pub use index::AbortedTransaction;
pub use log::{
    Append, Appended, Batches, CleanReport, Closed, Cold, CountedSegment, DeletedFiles, ExpiredSegment,
    Flush, Identity, Isolation, Log, NextRecord, Open, Quarantined, Read, ReadLimit, RetentionReason,
    RetentionReport, SegmentOutline, TimedOffset, UncountedSegment, Unread, UnreadBatches, UnreadLook, Warm,
};
pub use producers::{ActiveProducer, EndMarker, FirstBatch, Guard, Outcome};
pub use recovery::RecoveryReport;
