//! The path of an append: judge, roll, write, remember.

use bytes::Bytes;
use ottla_model::{LeaderEpoch, NONE, Offset, WallMillis};

use super::{Log, State};
use crate::batch::{BatchError, Origin, TimestampType, ValidBatch, records, validate};
use crate::error::AppendError;
use crate::producers::{Claim, EndMarker, Guard, Verdict};

/// Who appends, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Append {
    /// The leader's epoch, stamped into the batch.
    pub leader_epoch: LeaderEpoch,
    /// Who appends.
    pub origin: Origin,
    /// The time.
    pub now: WallMillis,
    /// What [`Log::begin_verification`] gave for a batch that begins a transaction.
    pub guard: Option<Guard>,
    /// The version of transactions (`transaction.version`) that the producer speaks whose marker this is. From 2 on a
    /// marker must have an epoch of its own; nothing else looks at it.
    pub transaction_version: i16,
}

impl Append {
    /// An append outside of transactions.
    #[must_use]
    pub fn new(leader_epoch: LeaderEpoch, origin: Origin, now: WallMillis) -> Self {
        Self { leader_epoch, origin, now, guard: None, transaction_version: 0 }
    }
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record; of the first time when it was a duplicate.
    pub base_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The timestamp of all records when the topic has the time of the append, else -1. Of a duplicate, its
    /// largest timestamp, as Kafka answers it.
    pub log_append_time: i64,
    /// First offset of the log.
    pub log_start_offset: Offset,
    /// True when the batch was in the log already and nothing was written.
    pub duplicate: bool,
    /// End of the log after the append.
    pub next_offset: Offset,
}

impl Log {
    /// Appends the records of one partition of a Produce, which are one batch (`UnifiedLog.appendAsLeader`).
    /// The body is written where it lies.
    ///
    /// # Errors See [`AppendError`]. The log is then as it was; [`AppendError::Closed`] from then on when the
    /// disk failed in a way that is not [`crate::is_transient`].
    pub fn append(&mut self, records: Bytes, append: Append) -> Result<Appended, AppendError> {
        if self.state != State::Open {
            return Err(AppendError::Closed);
        }
        let rules = self.config.rules(append.origin);
        let batch = validate(&records, &rules, append.now)?;
        let batch = match self.config.compression {
            Some(target) if append.origin == Origin::Client => batch.compressed_as(target)?,
            _ => batch,
        };
        if batch.size_in_bytes() > rules.max_message_bytes {
            let (size, max) = (batch.size_in_bytes(), rules.max_message_bytes);
            return Err(BatchError::TooLarge { size, max }.into());
        }
        let size = batch.size_in_bytes();
        let max = self.config.segment_bytes_bounded();
        if size as u64 > max {
            return Err(BatchError::LargerThanSegment { size, max }.into());
        }
        let batch = batch.stamp(self.end_offset, append.leader_epoch);
        if batch.header().last_offset() == Offset::MAX {
            return Err(BatchError::Invalid("the log has no offsets left".into()).into());
        }
        let marker = end_marker(&records, &batch)?;
        let Append { origin, guard, transaction_version, .. } = append;
        match self.producers.check(batch.header(), marker, Claim { origin, guard, transaction_version })? {
            Verdict::Append => {}
            Verdict::Duplicate(duplicate) => {
                return Ok(Appended {
                    base_offset: duplicate.first_offset(),
                    last_offset: duplicate.last_offset,
                    log_append_time: duplicate.timestamp,
                    log_start_offset: self.start_offset,
                    duplicate: true,
                    next_offset: self.end_offset,
                });
            }
        }
        if marker.is_some() {
            self.load_aborted().map_err(std::io::Error::from)?;
        }
        self.write(&batch, append.now).map_err(|error| AppendError::Storage(self.note(error)))?;
        self.epochs.assign(append.leader_epoch, self.end_offset);
        if let Some(aborted) = self.producers.update(batch.header(), marker)
            && let Some(active) = self.segments.last_mut()
        {
            active.push_aborted(aborted);
        }
        self.end_offset = batch.header().last_offset().saturating_add(1);
        Ok(self.appended(&batch))
    }

    fn write(&mut self, batch: &ValidBatch, now: WallMillis) -> std::io::Result<()> {
        let index_interval_bytes = self.config.index_interval_bytes.into();
        self.segment_for(batch, now)?.append(batch, index_interval_bytes)
    }

    fn appended(&self, batch: &ValidBatch) -> Appended {
        let header = batch.header();
        Appended {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_append_time: match header.timestamp_type() {
                TimestampType::LogAppendTime => header.max_timestamp,
                TimestampType::CreateTime => NONE,
            },
            log_start_offset: self.start_offset,
            duplicate: false,
            next_offset: self.end_offset,
        }
    }
}

/// What a control batch says, when it ends a transaction.
fn end_marker(bytes: &Bytes, batch: &ValidBatch) -> Result<Option<EndMarker>, BatchError> {
    if !batch.header().is_control() {
        return Ok(None);
    }
    let record = records(bytes)?.next().transpose()?;
    let marker = record.as_ref().and_then(EndMarker::parse);
    let unknown = || BatchError::Invalid("a control batch has to end a transaction".into());
    marker.map(Some).ok_or_else(unknown)
}
