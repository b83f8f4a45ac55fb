//! What a log knows of transactions: where they are undecided, and which were aborted.

use ottla_model::{Offset, WallMillis};

use super::Log;
use crate::error::{AppendError, ReadError};
use crate::index::{AbortedTransaction, TransactionIndex};
use crate::producers::{ActiveProducer, FirstBatch, Guard};
use crate::recovery;
use crate::segment::Segment;

impl Log {
    /// The offset below which readers of committed data may read, when `high_watermark` is where everybody may: no
    /// transaction below it is open, nor has it ended with a marker that is not committed (`lastStableOffset`).
    #[must_use]
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        let unstable = self.producers.first_unstable_offset(high_watermark);
        unstable.map_or(high_watermark, |first| first.max(self.start_offset).min(high_watermark))
    }

    /// Hands out what the first batch of a transaction needs, before the coordinator is asked whether there is one.
    /// `None` when the transaction is open in this log already, so that its batches need nothing
    /// (`UnifiedLog.maybeStartTransactionVerification`, KIP-890).
    ///
    /// A guard is good until a batch or a marker of the producer is appended, or for `producer.id.expiration.ms`.
    ///
    /// # Errors [`AppendError::InvalidProducerEpoch`] when a later incarnation of the producer has written here.
    pub fn begin_verification(
        &mut self,
        first: FirstBatch,
        now: WallMillis,
    ) -> Result<Option<Guard>, AppendError> {
        self.producers.begin_verification(first, now)
    }

    /// The aborted transactions that reach into `from..upper`, in the order of their markers
    /// (`LocalLog.collectAbortedTransactions`): what a reader of committed data that is sent those offsets has to
    /// leave out.
    ///
    /// # Errors
    /// What is wrong with the disk.
    pub fn aborted_transactions(
        &self,
        from: Offset,
        upper: Offset,
    ) -> Result<Vec<AbortedTransaction>, ReadError> {
        let mut found = Vec::new();
        let first = self.segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        for (place, segment) in self.segments.iter().enumerate().skip(first) {
            if self.aborted_in(place, segment)?.collect(from, upper, &mut found) {
                break;
            }
        }
        Ok(found)
    }

    /// The transaction index of a segment, made from the batches when its file is damaged.
    fn aborted_in<'a>(
        &'a self,
        place: usize,
        segment: &'a Segment,
    ) -> Result<&'a TransactionIndex, ReadError> {
        if let Some(index) = segment.aborted()? {
            return Ok(index);
        }
        let mut found = recovery::aborted(&self.place, &self.segments, &[place])?;
        Ok(segment.remember_aborted(TransactionIndex::new(found.pop().unwrap_or_default())))
    }

    /// Has the transaction index of the active segment ready, which a marker is about to be added to.
    pub(super) fn load_aborted(&self) -> Result<(), ReadError> {
        let Some((active, before)) = self.segments.split_last() else { return Ok(()) };
        self.aborted_in(before.len(), active).map(drop)
    }

    /// All producers that the log remembers, in the order of their ids.
    #[must_use]
    pub fn active_producers(&self) -> Vec<ActiveProducer> {
        self.producers.active().collect()
    }
}
