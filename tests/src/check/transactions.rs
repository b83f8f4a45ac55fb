//! What is known of each transaction, over all partitions and groups.

use std::collections::{BTreeMap, HashMap};

use super::spans::{Span, spans};
use crate::history::{
    Answer, Call, Dump, History, Operation, Outcome, Partition, SentBatch, Transaction, Value,
};

/// Another end of the same transaction is under way: the client asks again, and this answer says nothing.
const CONCURRENT_TRANSACTIONS: i16 = 51;

/// What became of a transaction.
#[derive(Debug, Default)]
pub(super) struct Fate {
    /// What an answer said, and when that was known.
    pub(super) told: Option<(bool, u64)>,
    /// When a commit that may have been done was first asked for.
    pub(super) commit_asked: Option<u64>,
    /// When an end was first asked for.
    end_asked: Option<u64>,
    /// What the markers in the final logs say.
    pub(super) marked: Vec<(Partition, bool)>,
    /// Producer id and epoch.
    pub(super) identity: Option<(i64, i16)>,
}

impl Fate {
    /// Whether it was committed; none when nothing tells.
    pub(super) fn committed(&self) -> Option<bool> {
        let never = self.commit_asked.is_none().then_some(false);
        let told = self.told.map(|(committed, _)| committed);
        told.or_else(|| self.marked.first().map(|(_, committed)| *committed)).or(never)
    }
}

impl Fate {
    /// Whether it may have ended before this time. What nobody ends is aborted whenever the broker likes.
    pub(super) fn may_have_ended_before(&self, at: u64) -> bool {
        self.end_asked.is_none_or(|asked| asked < at)
    }
}

/// All transactions.
#[derive(Default)]
pub(super) struct Transactions<'a> {
    pub(super) fates: BTreeMap<Transaction, Fate>,
    /// The batches that were sent in one, by their first values.
    batches: Vec<(Value, &'a SentBatch, Transaction)>,
    /// What each final log tells.
    pub(super) spans: BTreeMap<Partition, Vec<Span>>,
    /// What producers were told to be from then on, by producer id and in the order of time.
    identities: HashMap<i64, Vec<(u64, i16)>>,
}

impl<'a> Transactions<'a> {
    pub(super) fn new(history: &'a History, dump: &Dump) -> Self {
        let mut all = Self::default();
        for operation in &history.operations {
            all.take(operation);
        }
        all.batches.sort_unstable_by_key(|(first, ..)| *first);
        all.batches.dedup_by_key(|(first, ..)| *first);
        for told in all.identities.values_mut() {
            told.sort_unstable();
        }
        for (partition, log) in &dump.logs {
            let spans = spans(log, &all);
            for span in &spans {
                let Some(committed) = span.committed() else { continue };
                for transaction in &span.transactions {
                    all.fates.entry(*transaction).or_default().marked.push((*partition, committed));
                }
            }
            all.spans.insert(*partition, spans);
        }
        all
    }

    fn take(&mut self, operation: &'a Operation) {
        match &operation.call {
            Call::Send(batch) => {
                let Some(transaction) = batch.transaction else { return };
                let first = Value { producer: batch.producer, number: batch.first };
                self.batches.push((first, batch, transaction));
                let fate = self.fates.entry(transaction).or_default();
                fate.identity = batch.sequence.map(|sequence| (sequence.id, sequence.epoch));
            }
            Call::Commit { transaction: Some(transaction), .. } => {
                self.fates.entry(*transaction).or_default();
            }
            Call::End { transaction, id, epoch, committed } => {
                let fate = self.fates.entry(*transaction).or_default();
                fate.identity = Some((*id, *epoch));
                fate.end_asked = fate.end_asked.or(Some(operation.invoked));
                let error = operation.error();
                let refused =
                    matches!(operation.outcome, Outcome::Fail(_)) && error != Some(CONCURRENT_TRANSACTIONS);
                if *committed && !refused {
                    let asked = fate.commit_asked.get_or_insert(operation.invoked);
                    *asked = operation.invoked.min(*asked);
                }
                if operation.answer().is_some() && fate.told.is_none() {
                    fate.told = Some((*committed, operation.completed));
                }
            }
            _ => {}
        }
        if let Some(Answer::Producer { id, epoch } | Answer::Ended { id, epoch }) = operation.answer() {
            self.identities.entry(*id).or_default().push((operation.completed, *epoch));
        }
    }

    /// The transaction that a value was sent in.
    pub(super) fn of(&self, value: Value) -> Option<Transaction> {
        let after = self.batches.partition_point(|(first, ..)| *first <= value);
        let (first, batch, transaction) = self.batches.get(after.checked_sub(1)?)?;
        let inside = first.producer == value.producer
            && value.number < first.number.saturating_add(u64::from(batch.count));
        inside.then_some(*transaction)
    }

    /// What became of the transaction that a value was sent in, if it was sent in one.
    pub(super) fn fate_of(&self, value: Value) -> Option<&Fate> {
        self.fates.get(&self.of(value)?)
    }

    /// Whether a value is of a transaction that was not committed, so that nobody misses it.
    pub(super) fn is_aborted(&self, value: Value) -> bool {
        self.fate_of(value).is_some_and(|fate| fate.committed() == Some(false))
    }

    /// The newest epoch of a producer id that somebody was told before this time.
    pub(super) fn epoch_before(&self, id: i64, at: u64) -> Option<i16> {
        let told = self.identities.get(&id)?;
        let known = told.iter().take_while(|(completed, _)| *completed < at);
        known.map(|(_, epoch)| *epoch).max()
    }
}
