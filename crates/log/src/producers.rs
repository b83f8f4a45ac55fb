//! What the log remembers of idempotent producers (`ProducerStateManager`, KIP-98), so that a batch that is
//! sent twice is stored once and a gap is noticed.

mod active;
mod check;
mod ended;
mod entry;
mod guards;
mod marker;
mod snapshot;

use std::collections::BTreeMap;

use ottla_model::{Offset, ProducerId, WallMillis};

use crate::batch::BatchHeader;
use crate::index::AbortedTransaction;

pub use active::ActiveProducer;
pub(crate) use active::LastRecord;
pub(crate) use check::{Claim, Verdict};
use ended::Ended;
use entry::ProducerEntry;
use guards::Guards;
pub use guards::{FirstBatch, Guard};
pub use marker::{EndMarker, Outcome};

/// The producers of one log. Ordered by id, so that the same appends make the same snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    entries: BTreeMap<ProducerId, ProducerEntry>,
    /// Open transactions by their first offset.
    transactions: BTreeMap<Offset, ProducerId>,
    /// Transactions that have ended.
    ended: Ended,
    /// Transactions that are about to begin.
    guards: Guards,
}

impl Producers {
    /// Takes note of a batch that is in the log. `marker` is what a control batch says. Returns the transaction that it
    /// aborts.
    pub(crate) fn update(
        &mut self,
        header: &BatchHeader,
        marker: Option<EndMarker>,
    ) -> Option<AbortedTransaction> {
        if !header.has_producer_id() {
            return None;
        }
        if header.is_transactional() {
            self.guards.end(header);
        }
        let entry = self.entries.entry(header.producer_id).or_default();
        if !header.is_control() {
            if let Some(first_offset) = entry.add_batch(header) {
                self.transactions.insert(first_offset, header.producer_id);
            }
            return None;
        }
        let Some(marker) = marker else {
            // Compaction leaves a marker without its record for nothing but its epoch.
            entry.raise_epoch(header);
            return None;
        };
        let first_offset = entry.end_transaction(header, marker)?;
        self.transactions.remove(&first_offset);
        let last_offset = header.base_offset;
        self.ended.push(first_offset, last_offset);
        let next = self.transactions.first_key_value();
        (marker.outcome == Outcome::Abort).then_some(AbortedTransaction {
            producer_id: header.producer_id,
            first_offset,
            last_offset,
            last_stable_offset: next.map_or(last_offset.saturating_add(1), |(open, _)| *open),
        })
    }

    /// First offset of the oldest transaction that is open, or whose marker is not below the high watermark.
    pub(crate) fn first_unstable_offset(&self, high_watermark: Offset) -> Option<Offset> {
        let undecided = self.transactions.first_key_value().map(|(first_offset, _)| *first_offset);
        undecided.into_iter().chain(self.ended.first_offset(high_watermark)).min()
    }

    /// Takes note that all before `offset` is down and stays.
    pub(crate) fn forget_ended(&mut self, offset: Offset) {
        self.ended.forget(offset);
    }

    /// The open transactions: first offsets and their producers, in order.
    pub(crate) fn open_transactions(&self) -> impl Iterator<Item = (Offset, ProducerId)> {
        self.transactions.iter().map(|(first_offset, producer_id)| (*first_offset, *producer_id))
    }

    /// Corrects a transaction that is not in the log as a snapshot has it: it begins later, or is not open.
    pub(crate) fn correct_transaction(&mut self, first_offset: Offset, found: Option<Offset>) {
        let Some(producer_id) = self.transactions.remove(&first_offset) else { return };
        self.transactions.extend(found.map(|found| (found, producer_id)));
        if let Some(entry) = self.entries.get_mut(&producer_id) {
            entry.transaction_first_offset = found;
        }
    }

    /// Forgets producers that have been silent for too long, unless they have a transaction open.
    pub(crate) fn expire(&mut self, now: WallMillis, expiration_ms: i64) {
        self.entries.retain(|_, entry| !entry.is_expired(now, expiration_ms));
        self.guards.expire(now, expiration_ms);
    }

    /// Puts batches before those that are remembered, as far as they are of the same epoch and lead up to them.
    /// `older` has them in the order of their offsets.
    pub(crate) fn refill(&mut self, older: &BTreeMap<ProducerId, Vec<BatchHeader>>) {
        for (id, headers) in older {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.prepend(headers);
            }
        }
    }

    /// How many producers are remembered.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn insert(&mut self, id: ProducerId, entry: ProducerEntry) {
        if let Some(first_offset) = entry.transaction_first_offset {
            self.transactions.insert(first_offset, id);
        }
        self.entries.insert(id, entry);
    }
}
