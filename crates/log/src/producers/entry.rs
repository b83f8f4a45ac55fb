//! One producer.

use ottla_model::{NONE, Offset, ProducerEpoch, ProducerId, WallMillis};

use super::marker::EndMarker;
use crate::batch::BatchHeader;
use crate::error::AppendError;

/// Batches that are remembered of each producer: a client has at most five requests in flight
/// (`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
pub(super) const BATCHES_MAX: usize = 5;
/// "No epoch": a producer that the log has not seen.
pub(super) const NO_EPOCH: ProducerEpoch = -1;
/// "No sequence number".
pub(super) const NO_SEQUENCE: i32 = -1;

/// One batch that is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchMetadata {
    pub(super) last_sequence: i32,
    pub(crate) last_offset: Offset,
    pub(super) offset_delta: i32,
    pub(crate) timestamp: i64,
}

impl BatchMetadata {
    fn of(header: &BatchHeader) -> Self {
        Self {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        }
    }

    /// Sequence number of the first record; sequences wrap from 2^31-1 to 0.
    pub(super) fn first_sequence(&self) -> i32 {
        let first = (i64::from(self.last_sequence) - i64::from(self.offset_delta)) & i64::from(i32::MAX);
        i32::try_from(first).unwrap_or(NO_SEQUENCE)
    }

    /// True when the sequence numbers of `next` go on where these end.
    fn is_before(&self, next: &Self) -> bool {
        let after = (i64::from(self.last_sequence) + 1) & i64::from(i32::MAX);
        self.offset_delta >= 0 && after == i64::from(next.first_sequence())
    }

    /// Offset of the first record.
    pub(crate) fn first_offset(&self) -> Offset {
        self.last_offset.saturating_sub(i64::from(self.offset_delta))
    }
}

/// What is remembered of one producer (`ProducerStateEntry`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    pub(super) epoch: ProducerEpoch,
    pub(super) coordinator_epoch: i32,
    pub(super) last_timestamp: i64,
    pub(super) transaction_first_offset: Option<Offset>,
    /// The oldest first.
    pub(super) batches: Vec<BatchMetadata>,
}

impl Default for ProducerEntry {
    fn default() -> Self {
        Self {
            epoch: NO_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NONE,
            transaction_first_offset: None,
            batches: Vec::new(),
        }
    }
}

impl ProducerEntry {
    /// The remembered batch that this one repeats.
    pub(super) fn duplicate_of(&self, header: &BatchHeader) -> Option<BatchMetadata> {
        let same = |batch: &&BatchMetadata| {
            batch.first_sequence() == header.base_sequence && batch.last_sequence == header.last_sequence()
        };
        self.batches.iter().find(same).filter(|_| header.producer_epoch == self.epoch).copied()
    }

    /// Refuses an epoch of a producer that a later incarnation has left behind.
    pub(super) fn check_epoch(
        &self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
    ) -> Result<(), AppendError> {
        if epoch >= self.epoch {
            return Ok(());
        }
        Err(AppendError::InvalidProducerEpoch { producer_id, epoch, current: self.epoch })
    }

    /// True when a transaction of that epoch is open (`UnifiedLog.hasOngoingTransaction`).
    pub(super) fn is_in_transaction(&self, epoch: ProducerEpoch) -> bool {
        self.transaction_first_offset.is_some() && self.epoch == epoch
    }

    /// Sequence number of the newest record, or -1.
    pub(super) fn last_sequence(&self) -> i32 {
        self.batches.last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// Last offset of the newest batch.
    pub(super) fn last_offset(&self) -> Option<Offset> {
        self.batches.last().map(|batch| batch.last_offset)
    }

    /// Remembers a batch. Returns its first offset when a transaction begins with it.
    pub(super) fn add_batch(&mut self, header: &BatchHeader) -> Option<Offset> {
        self.set_epoch(header.producer_epoch);
        self.last_timestamp = header.max_timestamp;
        self.push(BatchMetadata::of(header));
        let begins = header.is_transactional() && self.transaction_first_offset.is_none();
        if begins {
            self.transaction_first_offset = Some(header.base_offset);
        }
        begins.then_some(header.base_offset)
    }

    /// Remembers older batches too, as far as there is room. `older` is in the order of their offsets; those that are
    /// remembered already are passed over. One that does not lead up to the next is damaged, and ends it: a wrong memory
    /// would take a new batch for a repeated one.
    pub(super) fn prepend(&mut self, older: &[BatchHeader]) {
        let Some(mut next) = self.batches.first().copied() else { return };
        for header in older.iter().rev() {
            let batch = BatchMetadata::of(header);
            if batch.last_offset >= next.first_offset() {
                continue;
            }
            let leads_up = header.producer_epoch == self.epoch && batch.is_before(&next);
            if self.batches.len() == BATCHES_MAX || !leads_up {
                return;
            }
            self.batches.insert(0, batch);
            next = batch;
        }
    }

    pub(super) fn push(&mut self, batch: BatchMetadata) {
        if self.batches.len() == BATCHES_MAX {
            self.batches.remove(0);
        }
        self.batches.push(batch);
    }

    /// Ends the open transaction and returns its first offset.
    pub(super) fn end_transaction(&mut self, header: &BatchHeader, marker: EndMarker) -> Option<Offset> {
        self.set_epoch(header.producer_epoch);
        self.coordinator_epoch = marker.coordinator_epoch;
        self.last_timestamp = marker.timestamp;
        self.transaction_first_offset.take()
    }

    /// Takes the epoch of a marker that compaction has emptied.
    pub(super) fn raise_epoch(&mut self, header: &BatchHeader) {
        if header.producer_epoch > self.epoch {
            self.set_epoch(header.producer_epoch);
            self.last_timestamp = header.max_timestamp;
        }
    }

    fn set_epoch(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }

    pub(super) fn is_expired(&self, now: WallMillis, expiration_ms: i64) -> bool {
        let age = now.0.saturating_sub(self.last_timestamp);
        self.transaction_first_offset.is_none() && age >= expiration_ms
    }
}
