//! What is told of producers to those who ask for them.

use std::collections::BTreeMap;

use ottla_model::{Offset, ProducerEpoch, ProducerId, WallMillis};

use super::guards::FirstBatch;
use super::{Guard, Producers};
use crate::error::AppendError;

/// What a log knows of a producer (`DescribeProducersResponse.ProducerState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveProducer {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its newest epoch.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of its newest record in that epoch, or -1.
    pub last_sequence: i32,
    /// Timestamp of what it wrote last, in milliseconds.
    pub last_timestamp: i64,
    /// Epoch of the coordinator that ended its last transaction, or -1.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins.
    pub transaction_first_offset: Option<Offset>,
}

/// The newest batch of a producer, which compaction leaves (`LastRecord`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastRecord {
    /// Last offset of its newest batch of records; `None` when its epoch has only a marker.
    pub(crate) last_offset: Option<Offset>,
    pub(crate) epoch: ProducerEpoch,
}

impl Producers {
    /// All producers, in the order of their ids.
    pub(crate) fn active(&self) -> impl Iterator<Item = ActiveProducer> {
        self.entries.iter().map(|(producer_id, entry)| ActiveProducer {
            producer_id: *producer_id,
            producer_epoch: entry.epoch,
            last_sequence: entry.last_sequence(),
            last_timestamp: entry.last_timestamp,
            coordinator_epoch: entry.coordinator_epoch,
            transaction_first_offset: entry.transaction_first_offset,
        })
    }

    /// The newest batch of each producer (`UnifiedLog.lastRecordsOfActiveProducers`).
    pub(crate) fn last_records(&self) -> BTreeMap<ProducerId, LastRecord> {
        let last = |entry: &super::ProducerEntry| LastRecord {
            last_offset: entry.last_offset(),
            epoch: entry.epoch,
        };
        self.entries.iter().map(|(producer_id, entry)| (*producer_id, last(entry))).collect()
    }

    /// `UnifiedLog.maybeStartTransactionVerification`.
    pub(crate) fn begin_verification(
        &mut self,
        first: FirstBatch,
        now: WallMillis,
    ) -> Result<Option<Guard>, AppendError> {
        if let Some(entry) = self.entries.get(&first.producer_id) {
            entry.check_epoch(first.producer_id, first.producer_epoch)?;
            if entry.is_in_transaction(first.producer_epoch) {
                return Ok(None);
            }
        }
        Ok(Some(self.guards.begin(first, now)))
    }
}
