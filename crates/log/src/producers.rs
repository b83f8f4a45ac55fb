//! What the log remembers of idempotent producers (`ProducerStateManager`, KIP-98), so that a batch that is
//! sent twice is stored once and a gap is noticed.

mod check;
mod entry;
mod marker;
mod snapshot;

use std::collections::BTreeMap;

use ottla_model::{Offset, ProducerId, WallMillis};

use crate::batch::BatchHeader;

pub(crate) use check::Verdict;
use entry::ProducerEntry;
pub(crate) use marker::EndMarker;

/// The producers of one log. Ordered by id, so that the same appends make the same snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    entries: BTreeMap<ProducerId, ProducerEntry>,
    /// Open transactions by their first offset.
    transactions: BTreeMap<Offset, ProducerId>,
}

impl Producers {
    /// Takes note of a batch that is in the log. `marker` is what a control batch says.
    pub(crate) fn update(&mut self, header: &BatchHeader, marker: Option<EndMarker>) {
        if !header.has_producer_id() {
            return;
        }
        let entry = self.entries.entry(header.producer_id).or_default();
        if header.is_control() {
            let Some(marker) = marker else { return };
            if let Some(first_offset) = entry.end_transaction(header, marker) {
                self.transactions.remove(&first_offset);
            }
        } else if let Some(first_offset) = entry.add_batch(header) {
            self.transactions.insert(first_offset, header.producer_id);
        }
    }

    /// First offset of the oldest open transaction.
    pub(crate) fn first_unstable_offset(&self) -> Option<Offset> {
        self.transactions.first_key_value().map(|(first_offset, _)| *first_offset)
    }

    /// Forgets producers that have been silent for too long, unless they have a transaction open.
    pub(crate) fn expire(&mut self, now: WallMillis, expiration_ms: i64) {
        self.entries.retain(|_, entry| !entry.is_expired(now, expiration_ms));
    }

    /// Last offsets of the newest batch of each producer, in order (`UnifiedLog.lastRecordsOfActiveProducers`).
    pub(crate) fn last_offsets(&self) -> Vec<Offset> {
        let newest = self.entries.values().filter_map(|entry| entry.last_offset());
        let mut offsets: Vec<Offset> = newest.collect();
        offsets.sort_unstable();
        offsets
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
