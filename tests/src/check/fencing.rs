//! Rule 14: a producer that somebody has followed does nothing any more, and no request of one transaction ever becomes
//! part of another or ends it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::report::Report;
use super::rule::Rule;
use super::transactions::Transactions;
use crate::history::{Answer, Call, History, Operation, Transaction};

pub(super) fn check(history: &History, transactions: &Transactions<'_>, report: &mut Report) {
    producers(history, report);
    for operation in &history.operations {
        overtaken(operation, transactions, report);
    }
    mixed(transactions, report);
}

/// Every producer of a transactional id has an epoch that is higher than all before, and nobody else has its id.
fn producers(history: &History, report: &mut Report) {
    let mut owners: HashMap<i64, &str> = HashMap::new();
    let mut newest: HashMap<i64, i16> = HashMap::new();
    for operation in &history.operations {
        let (id, epoch, owner) = match (&operation.call, operation.answer()) {
            (Call::Producer { transactional }, Some(Answer::Producer { id, epoch })) => {
                (*id, *epoch, transactional.as_str())
            }
            (Call::ProducerId, Some(Answer::ProducerId { id })) => (*id, 0, ""),
            _ => continue,
        };
        report.checked(Rule::Fencing, 1);
        let known = owners.insert(id, owner);
        if known.is_some_and(|known| known != owner) {
            report.violated(Rule::Fencing, || format!("producer id {id} is of two producers"));
        } else if newest.get(&id).is_some_and(|newest| epoch <= *newest) && !owner.is_empty() {
            report.violated(Rule::Fencing, || format!("epoch {epoch} of producer id {id} was given before"));
        }
        newest.insert(id, epoch);
    }
}

/// What succeeds although a newer epoch was told before it was asked for.
fn overtaken(operation: &Operation, transactions: &Transactions<'_>, report: &mut Report) {
    if operation.answer().is_none() {
        return;
    }
    let identity = |transaction: &Transaction| transactions.fates.get(transaction)?.identity;
    let (what, identity) = match &operation.call {
        Call::Send(batch) if batch.transaction.is_some() => {
            ("a batch", batch.sequence.map(|sequence| (sequence.id, sequence.epoch)))
        }
        Call::Commit { transaction: Some(transaction), .. } => ("an offset", identity(transaction)),
        // An end that is asked for again is answered as the first time, although that has begun a new epoch.
        Call::End { transaction, id, epoch, .. } => {
            let again = told_before(transaction, operation, transactions);
            ("an end", Some((*id, if again { epoch.saturating_add(1) } else { *epoch })))
        }
        _ => return,
    };
    let Some((id, epoch)) = identity else { return };
    report.checked(Rule::Fencing, 1);
    let newest = transactions.epoch_before(id, operation.invoked);
    if let Some(newest) = newest.filter(|newest| *newest > epoch) {
        report.violated(Rule::Fencing, || {
            format!("{what} of producer {id}, epoch {epoch}, succeeded after epoch {newest} had begun")
        });
    }
}

fn told_before(transaction: &Transaction, operation: &Operation, transactions: &Transactions<'_>) -> bool {
    let fate = transactions.fates.get(transaction);
    fate.and_then(|fate| fate.told).is_some_and(|(_, told)| told < operation.completed)
}

/// What lies between two markers of a producer is of one transaction, and all that this has in the partition.
fn mixed(transactions: &Transactions<'_>, report: &mut Report) {
    for (partition, spans) in &transactions.spans {
        let mut places: BTreeMap<Transaction, i64> = BTreeMap::new();
        for span in spans {
            report.checked(Rule::Fencing, 1);
            let several = span.transactions.len() > 1;
            let again: BTreeSet<_> =
                span.transactions.iter().filter(|one| places.insert(**one, span.first).is_some()).collect();
            if several || !again.is_empty() {
                report.violated(Rule::Fencing, || {
                    let (first, all) = (span.first, &span.transactions);
                    format!("{partition}: what begins at offset {first} is of {all:?}, of which {again:?} ended before")
                });
            }
        }
    }
}
