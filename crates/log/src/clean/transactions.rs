//! Which transactions a run meets, and what becomes of their markers (`CleanedTransactionMetadata`).
//!
//! All of them are decided: compaction ends before the last stable offset. A batch of a transaction is of an aborted
//! one when the transaction index says so, else of a committed one. A marker may go when none of its transaction's
//! batches was met before it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ottla_model::{Offset, ProducerId};

use super::read::RawBatch;
use crate::batch::{BatchHeader, records};
use crate::index::AbortedTransaction;
use crate::producers::{EndMarker, Outcome};

/// An aborted transaction that has begun.
#[derive(Debug, Clone, Copy)]
struct Met {
    aborted: AbortedTransaction,
    has_batches: bool,
}

/// The transactions that are open at one place of a run.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Those that have not begun, by their first offsets.
    ahead: VecDeque<AbortedTransaction>,
    aborted: BTreeMap<ProducerId, Met>,
    /// Producers of committed ones.
    committed: BTreeSet<ProducerId>,
}

/// What becomes of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// Nothing is left of its transaction.
    MayGo,
    /// It stays, and with it what the transaction index says.
    Stays(Option<AbortedTransaction>),
}

impl Transactions {
    /// Begins a run at `from`.
    pub(super) fn new(aborted: &[AbortedTransaction], from: Offset) -> Self {
        let mut ahead: Vec<_> = aborted.iter().filter(|entry| entry.last_offset >= from).copied().collect();
        ahead.sort_by_key(|entry| entry.first_offset);
        Self { ahead: ahead.into(), ..Self::default() }
    }

    /// Notes the aborted transactions that begin before a batch ends, and drops those that end before it begins.
    fn advance(&mut self, header: &BatchHeader) {
        let last_offset = header.last_offset();
        while let Some(next) = self.ahead.pop_front_if(|next| next.first_offset <= last_offset) {
            let met = Met { aborted: next, has_batches: false };
            let known = self.aborted.entry(next.producer_id).or_insert(met);
            if known.aborted.last_offset < header.base_offset {
                *known = met;
            }
        }
        let is_over = |met: &Met| met.aborted.last_offset < header.base_offset;
        if self.aborted.get(&header.producer_id).is_some_and(is_over) {
            self.aborted.remove(&header.producer_id);
        }
    }

    /// Takes note of a batch of records. True when they were aborted.
    pub(super) fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        self.advance(header);
        if !header.is_transactional() {
            return false;
        }
        if let Some(met) = self.aborted.get_mut(&header.producer_id) {
            met.has_batches = true;
            return true;
        }
        self.committed.insert(header.producer_id);
        false
    }

    /// Takes note of a control batch.
    pub(super) fn marker(&mut self, batch: &RawBatch) -> Marker {
        self.advance(&batch.header);
        let Some(record) = records(&batch.bytes).ok().and_then(|mut records| records.next()) else {
            return Marker::MayGo;
        };
        let producer_id = batch.header.producer_id;
        match record.ok().as_ref().and_then(EndMarker::parse).map(|marker| marker.outcome) {
            Some(Outcome::Abort) => match self.aborted.remove(&producer_id) {
                Some(Met { aborted, has_batches: true }) => Marker::Stays(Some(aborted)),
                _ => Marker::MayGo,
            },
            Some(Outcome::Commit) if !self.committed.remove(&producer_id) => Marker::MayGo,
            Some(Outcome::Commit) | None => Marker::Stays(None),
        }
    }
}
