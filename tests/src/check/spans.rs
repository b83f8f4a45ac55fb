//! The transactions of one log, as its batches and markers tell them.

use std::collections::{BTreeMap, BTreeSet};

use super::transactions::Transactions;
use crate::history::{LogDump, Marker, Transaction};

/// What a producer wrote between two markers, or before the first, or behind the last.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// The producer id.
    pub(super) id: i64,
    /// The offset of its first batch.
    pub(super) first: i64,
    /// The transactions that its values were sent in. There should be one.
    pub(super) transactions: BTreeSet<Transaction>,
    /// The marker that ends it, and its offset.
    pub(super) marker: Option<(i64, Marker)>,
}

impl Span {
    /// Whether it was committed; none while it is open.
    pub(super) fn committed(&self) -> Option<bool> {
        self.marker.map(|(_, marker)| marker.committed)
    }
}

/// The spans of a log, in the order in which they begin.
pub(super) fn spans(log: &LogDump, transactions: &Transactions<'_>) -> Vec<Span> {
    let mut open: BTreeMap<i64, Span> = BTreeMap::new();
    let mut spans = Vec::new();
    for batch in &log.batches {
        if let Some(marker) = batch.marker {
            if let Some(mut span) = open.remove(&marker.id) {
                span.marker = Some((batch.base, marker));
                spans.push(span);
            }
        } else if let Some(sequence) = batch.sequence.filter(|_| batch.transactional) {
            let new =
                || Span { id: sequence.id, first: batch.base, transactions: BTreeSet::new(), marker: None };
            let span = open.entry(sequence.id).or_insert_with(new);
            let first = batch.records().next();
            span.transactions.extend(first.and_then(|(_, value)| transactions.of(value)));
        }
    }
    spans.extend(open.into_values());
    spans.sort_by_key(|span| span.first);
    spans
}
