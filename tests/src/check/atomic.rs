//! Rules 13 and 15: a transaction has one outcome everywhere, the one that was told, and it has one.
//!
//! That what was committed is all there follows from rule 1: every acknowledged batch is. What it means for offsets is
//! looked at with the registers.

use super::report::Report;
use super::rule::Rule;
use super::transactions::Transactions;
use crate::history::Dump;

pub(super) fn check(transactions: &Transactions<'_>, report: &mut Report) {
    for (transaction, fate) in &transactions.fates {
        report.checked(Rule::Atomicity, 1);
        let committed = fate.committed();
        let other = fate.marked.iter().find(|(_, marked)| Some(*marked) != committed);
        if let Some((partition, marked)) = other {
            report.violated(Rule::Atomicity, || {
                let end = |committed| if committed { "committed" } else { "aborted" };
                let told = fate.told.map_or("", |_| ", as was told");
                let elsewhere = committed.map_or("undecided", end);
                format!("{transaction} is {} in {partition} and {elsewhere}{told}", end(*marked))
            });
        } else if fate.commit_asked.is_none() && fate.marked.iter().any(|(_, committed)| *committed) {
            report
                .violated(Rule::Atomicity, || format!("{transaction} is committed, which nobody asked for"));
        }
    }
}

/// Rule 15: once all faults are over and every timeout has passed, nothing is open.
pub(super) fn check_open(dump: &Dump, transactions: &Transactions<'_>, report: &mut Report) {
    report.checked(Rule::NoneOpen, usize::try_from(dump.asked_for_open).unwrap_or(usize::MAX));
    for what in &dump.open {
        report.violated(Rule::NoneOpen, || format!("{what} is still open"));
    }
    for (partition, spans) in &transactions.spans {
        for span in spans.iter().filter(|span| span.marker.is_none()) {
            report.violated(Rule::NoneOpen, || {
                format!("{partition}: what producer {} began at offset {} has no end", span.id, span.first)
            });
        }
    }
}
