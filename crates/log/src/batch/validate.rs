//! Judges what a client or a coordinator wants to append, as `ProduceRequest.validateRecords`,
//! `UnifiedLog.analyzeAndValidateRecords` and `LogValidator` do one after the other in Apache Kafka 4.3.1.
//!
//! Three things are stricter than Kafka, since time lookup, retention and dense offsets rest on them: offsets
//! of records must count up by one (Kafka stores any in an uncompressed batch and rewrites a compressed one),
//! a client's batch that claims the time of an append is refused on every topic, and timestamps that overflow
//! are refused.

use bytes::{Buf, Bytes};
use ottla_model::{LeaderEpoch, NONE, Offset, WallMillis};

use super::error::{BatchError, RECORD_ERRORS_MAX, RecordError};
use super::header::{BatchHeader, HEADER_BYTES, LOG_OVERHEAD_BYTES, TimestampType};
use super::walk::{Walk, Walked};

/// Smallest length that any format has had (`LegacyRecord.RECORD_OVERHEAD_V0`).
const BATCH_LENGTH_MIN: i32 = 14;
/// Bytes up to and with the magic, which tells the format.
const MAGIC_BYTES: usize = 17;
const MAGIC: i8 = 2;

/// Who appends (`AppendOrigin`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A Produce request: everything is checked.
    Client,
    /// The broker's own coordinators: control batches are allowed, and sequences are not looked at.
    Coordinator,
}

/// What a topic asks of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Largest batch, in bytes (`max.message.bytes`).
    pub max_message_bytes: usize,
    /// True when every record must have a key (`cleanup.policy` holds `compact`).
    pub compacted: bool,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// How far a timestamp may lie in the past, in milliseconds (`message.timestamp.before.max.ms`).
    pub timestamp_before_max_ms: i64,
    /// How far a timestamp may lie in the future, in milliseconds (`message.timestamp.after.max.ms`).
    pub timestamp_after_max_ms: i64,
    /// Who appends.
    pub origin: Origin,
}

/// A batch that may be appended. Its body is the caller's, uncopied.
#[derive(Debug, Clone)]
pub struct ValidBatch {
    header: BatchHeader,
    body: Bytes,
}

impl ValidBatch {
    /// A batch of a header and a body that belong together.
    pub(super) fn from_parts(header: BatchHeader, body: Bytes) -> Self {
        Self { header, body }
    }

    /// The header, with the maximum timestamp, timestamp type and CRC that will be stored.
    #[must_use]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// What follows the header.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Bytes of the whole batch.
    #[must_use]
    pub fn size_in_bytes(&self) -> usize {
        HEADER_BYTES.saturating_add(self.body.len())
    }

    /// Gives the batch its place. Both fields lie outside the CRC.
    #[must_use]
    pub fn stamp(mut self, base_offset: Offset, leader_epoch: LeaderEpoch) -> Self {
        self.header.base_offset = base_offset;
        self.header.partition_leader_epoch = leader_epoch;
        self
    }
}

/// Judges all the records that a request has for one partition.
///
/// # Errors
/// The first thing that Kafka would find wrong.
pub fn validate(bytes: &Bytes, rules: &Rules, now: WallMillis) -> Result<ValidBatch, BatchError> {
    let (mut header, body) = only_batch(bytes)?;
    check_size_and_crc(&header, &body, rules)?;
    if header.compression().is_none() {
        return Err(BatchError::UnsupportedCompression(header.attributes));
    }
    check_header(&header, rules)?;
    let max_timestamp = check_records(&header, &body, rules, now)?;
    let stored = match rules.timestamp_type {
        TimestampType::CreateTime => max_timestamp,
        TimestampType::LogAppendTime => now.0,
    };
    if header.timestamp_type() != rules.timestamp_type || header.max_timestamp != stored {
        header.set_timestamp_type(rules.timestamp_type);
        header.max_timestamp = stored;
        header.crc = header.computed_crc(&body);
    }
    Ok(ValidBatch { header, body })
}

/// The one batch that there must be. Bytes behind it that are too few for another one are dropped, as
/// `UnifiedLog.trimInvalidBytes` drops them.
fn only_batch(bytes: &Bytes) -> Result<(BatchHeader, Bytes), BatchError> {
    let Some(size) = batch_size(bytes)? else {
        return Err(BatchError::Invalid(
            "produce requests must have at least one record batch per partition".into(),
        ));
    };
    let corrupt =
        || BatchError::Corrupt(format!("the size {size} is smaller than a header of {HEADER_BYTES} bytes"));
    let batch = bytes.slice(..size);
    let magic = batch.get(MAGIC_BYTES - 1).map(|&byte| i8::from_be_bytes([byte]));
    if magic != Some(MAGIC) {
        let message = "produce requests are only allowed to contain record batches with magic version 2";
        return Err(BatchError::Invalid(message.into()));
    }
    if batch_size(&bytes.slice(size..))?.is_some() {
        let message = "produce requests are only allowed to contain exactly one record batch per partition";
        return Err(BatchError::Invalid(message.into()));
    }
    let header = BatchHeader::parse(&batch).ok_or_else(corrupt)?;
    Ok((header, batch.slice(HEADER_BYTES..)))
}

/// Bytes of the batch at the front, `None` when it is not whole (`ByteBufferLogInputStream.nextBatchSize`).
fn batch_size(bytes: &Bytes) -> Result<Option<usize>, BatchError> {
    if bytes.len() < LOG_OVERHEAD_BYTES {
        return Ok(None);
    }
    let length = bytes.get(8..).and_then(|mut rest| rest.try_get_i32().ok()).unwrap_or(-1);
    if length < BATCH_LENGTH_MIN {
        let message =
            format!("record size {length} is less than the minimum record overhead ({BATCH_LENGTH_MIN})");
        return Err(BatchError::Corrupt(message));
    }
    let Some(&magic) = bytes.get(MAGIC_BYTES - 1) else { return Ok(None) };
    if !(0..=MAGIC).contains(&i8::from_be_bytes([magic])) {
        return Err(BatchError::Corrupt(format!("invalid magic found in record: {magic}")));
    }
    let size = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(LOG_OVERHEAD_BYTES);
    Ok((size <= bytes.len()).then_some(size))
}

/// `UnifiedLog.analyzeAndValidateRecords`.
fn check_size_and_crc(header: &BatchHeader, body: &Bytes, rules: &Rules) -> Result<(), BatchError> {
    if rules.origin == Origin::Client && header.base_offset != 0 {
        let message =
            format!("the baseOffset of the record batch should be 0, but it is {}", header.base_offset);
        return Err(BatchError::Invalid(message));
    }
    let size = HEADER_BYTES.saturating_add(body.len());
    if size > rules.max_message_bytes {
        return Err(BatchError::TooLarge { size, max: rules.max_message_bytes });
    }
    if header.computed_crc(body) != header.crc {
        return Err(BatchError::Corrupt(format!("record is corrupt (stored crc = {})", header.crc)));
    }
    Ok(())
}

/// `LogValidator.validateBatch`.
fn check_header(header: &BatchHeader, rules: &Rules) -> Result<(), BatchError> {
    let count = header.record_count;
    let reason = if header.last_offset_delta < 0 {
        format!("batch has an invalid offset range: [{}, {}]", header.base_offset, header.last_offset())
    } else if count <= 0 {
        format!("invalid reported count for record batch: {count}")
    } else if i64::from(header.last_offset_delta) + 1 != i64::from(count) {
        let (first, last) = (header.base_offset, header.last_offset());
        format!("inconsistent batch offset range [{first}, {last}] and count of records {count}")
    } else if rules.origin == Origin::Coordinator {
        return Ok(());
    } else if header.is_control() {
        "clients are not allowed to write control records".into()
    } else if header.has_producer_id() && header.base_sequence < 0 {
        let (sequence, producer) = (header.base_sequence, header.producer_id);
        format!("invalid sequence number {sequence} in record batch with producerId {producer}")
    } else {
        return Ok(());
    };
    Err(BatchError::Invalid(reason))
}

/// Walks the records (`LogValidator.validateRecord`) and returns their largest timestamp.
fn check_records(
    header: &BatchHeader,
    body: &Bytes,
    rules: &Rules,
    now: WallMillis,
) -> Result<i64, BatchError> {
    let mut max_timestamp = NONE;
    let mut found = Found::default();
    for (index, walked) in (0..).zip(Walk::new(header, body)?) {
        let walked = walked?;
        if walked.offset_delta != index {
            let message = format!("offset delta {} of record {index} is out of order", walked.offset_delta);
            return Err(BatchError::Invalid(message));
        }
        let timestamp = header.base_timestamp.checked_add(walked.timestamp_delta);
        let timestamp = timestamp.ok_or_else(|| BatchError::Invalid("a timestamp overflows".into()))?;
        max_timestamp = max_timestamp.max(timestamp);
        check_record(header, &walked, index, timestamp, rules, now, &mut found);
    }
    found.into_result().map(|()| max_timestamp)
}

/// What is wrong with single records.
#[derive(Default)]
struct Found {
    errors: Vec<RecordError>,
    timestamps: bool,
}

impl Found {
    fn add(&mut self, batch_index: i32, message: impl FnOnce() -> String) {
        if self.errors.len() < RECORD_ERRORS_MAX {
            self.errors.push(RecordError { batch_index, message: message() });
        }
    }

    /// `LogValidator.processRecordErrors`: one bad timestamp makes it INVALID_TIMESTAMP for all.
    fn into_result(self) -> Result<(), BatchError> {
        match (self.errors.is_empty(), self.timestamps) {
            (true, _) => Ok(()),
            (false, true) => Err(BatchError::InvalidTimestamps(self.errors)),
            (false, false) => Err(BatchError::InvalidRecords(self.errors)),
        }
    }
}

fn check_record(
    header: &BatchHeader,
    walked: &Walked,
    index: i32,
    timestamp: i64,
    rules: &Rules,
    now: WallMillis,
    found: &mut Found,
) {
    if rules.compacted && !walked.has_key {
        found.add(index, || "Compacted topic cannot accept message without key".into());
    } else if header.timestamp_type() == TimestampType::LogAppendTime {
        found.timestamps = true;
        found.add(index, || {
            "Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime."
                .into()
        });
    } else if rules.timestamp_type == TimestampType::CreateTime
        && timestamp != NONE
        && is_out_of_range(timestamp, rules, now)
    {
        found.timestamps = true;
        found.add(index, || {
            let earliest = now.0.saturating_sub(rules.timestamp_before_max_ms);
            let latest = now.0.saturating_add(rules.timestamp_after_max_ms);
            let range = format!("The timestamp should be within [{earliest}, {latest}]");
            format!("Timestamp {timestamp} of message with offset {index} is out of range. {range}")
        });
    }
}

/// `LogValidator.recordHasInvalidTimestamp`.
fn is_out_of_range(timestamp: i64, rules: &Rules, now: WallMillis) -> bool {
    let age = now.0.saturating_sub(timestamp);
    age > rules.timestamp_before_max_ms || age.saturating_neg() > rules.timestamp_after_max_ms
}
