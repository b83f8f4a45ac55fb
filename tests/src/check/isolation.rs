//! Rules 11 and 12: what a reader of committed data is given, and how far.
//!
//! The final log says where each transaction began and ended, so for every high watermark it says what the last stable
//! offset is. What a reader leaves out follows from the list of aborted transactions that it got, by the algorithm of the
//! stock clients, and must be what was aborted.

use std::collections::{BTreeSet, HashSet};

use super::report::Report;
use super::rule::Rule;
use super::spans::Span;
use super::transactions::Transactions;
use super::view::{Facts, Poll};
use crate::history::{Aborted, Batch, Bounds, Partition};

pub(super) fn check(
    partition: &Partition,
    facts: &Facts<'_>,
    transactions: &Transactions<'_>,
    report: &mut Report,
) {
    let spans = transactions.spans.get(partition).map(Vec::as_slice).unwrap_or_default();
    stable_offsets(partition, facts, spans, transactions, report);
    for poll in facts.polls.iter().filter(|poll| poll.committed) {
        report.checked(Rule::ReadCommitted, 1);
        visible(partition, poll, transactions, report);
        if facts.log.is_some() && facts.keeps_all() {
            listed(partition, facts, poll, spans, report);
        }
    }
}

/// Rule 11. A broker may look at the high watermark first, and at what is open when a transaction has ended since: then it
/// tells a last stable offset that fits a later high watermark.
fn stable_offsets(
    partition: &Partition,
    facts: &Facts<'_>,
    spans: &[Span],
    transactions: &Transactions<'_>,
    report: &mut Report,
) {
    for poll in &facts.polls {
        let Some((bounds, batches)) = poll.read else { continue };
        let end = bounds.last_stable;
        if poll.committed
            && let Some(last) = batches.last().filter(|batch| batch.last >= end)
        {
            report.violated(Rule::StableOffset, || {
                format!(
                    "{partition}: a reader of committed data got offset {} with a last stable offset of {end}",
                    last.last
                )
            });
        }
        // Of a log that was cut or shortened nobody knows where its transactions began.
        if facts.log.is_none() || !facts.keeps_all() || facts.cut.is_some() {
            continue;
        }
        report.checked(Rule::StableOffset, 1);
        let expected = last_stable(spans, bounds.high_watermark, |_| false);
        let completed = poll.operation.completed;
        let ended = |span: &Span| {
            let fates = span.transactions.iter().filter_map(|one| transactions.fates.get(one));
            fates.fold(span.marker.is_some(), |ended, fate| ended && fate.may_have_ended_before(completed))
        };
        let highest = last_stable(spans, bounds.high_watermark, ended);
        // That the two bounds are in their order is rule 10's.
        if (end < expected || end > highest) && end <= bounds.high_watermark {
            report.violated(Rule::StableOffset, || {
                format!("{partition}: the last stable offset was {expected}, told was {bounds:?}")
            });
        }
    }
    let Some(log) = facts.log else { return };
    let Bounds { last_stable, high_watermark, .. } = log.bounds;
    report.checked(Rule::StableOffset, 1);
    if last_stable != high_watermark {
        report.violated(Rule::StableOffset, || {
            format!("{partition}: with nothing open any more, told was {:?}", log.bounds)
        });
    }
}

/// The first offset that is undecided at this high watermark: a marker counts when it is below it, and so does what has
/// `ended` otherwise.
fn last_stable(spans: &[Span], high_watermark: i64, ended: impl Fn(&Span) -> bool) -> i64 {
    let undecided = |span: &&Span| span.marker.is_none_or(|(marker, _)| marker >= high_watermark);
    let begun = spans.iter().take_while(|span| span.first < high_watermark);
    begun.filter(undecided).filter(|span| !ended(span)).map(|span| span.first).min().unwrap_or(high_watermark)
}

/// Rule 12: what is left out was aborted, and nothing else.
fn visible(partition: &Partition, poll: &Poll<'_>, transactions: &Transactions<'_>, report: &mut Report) {
    let Some((_, batches)) = poll.read else { return };
    let mut reader = Reader::new(poll.aborted);
    for batch in batches {
        let seen = reader.sees(batch);
        let Some((offset, value)) = batch.records().next() else { continue };
        let Some(fate) = transactions.fate_of(value) else {
            if !seen && !batch.transactional {
                report.violated(Rule::ReadCommitted, || {
                    format!("{partition}: offset {offset} is of no transaction and was hidden")
                });
            }
            continue;
        };
        let committed = fate.committed();
        let asked = fate.commit_asked.is_some_and(|asked| asked < poll.operation.completed);
        let wrong = match (seen, committed) {
            (true, Some(false)) => "was aborted and is read",
            (true, _) if !asked => "was undecided and is read",
            (false, Some(true)) => "was committed and is hidden",
            _ => continue,
        };
        report.violated(Rule::ReadCommitted, || {
            format!("{partition}: value {value} at offset {offset} {wrong} as committed data")
        });
    }
}

/// Rule 12: the list has aborted transactions only, each with its first offset, and each that reaches into what was read. What
/// was listed just before a cut of the power may have gone with it.
fn listed(partition: &Partition, facts: &Facts<'_>, poll: &Poll<'_>, spans: &[Span], report: &mut Report) {
    let Some((_, batches)) = poll.read else { return };
    let Some(last) = batches.last() else { return };
    let aborted = spans.iter().filter(|span| span.committed() == Some(false));
    let reaches = |span: &&Span| span.marker.is_some_and(|(marker, _)| marker >= poll.offset);
    let reaching: HashSet<Aborted> =
        aborted.filter(reaches).map(|span| Aborted { id: span.id, first: span.first }).collect();
    let is_kept = |one: &&Aborted| !facts.may_be_cut(one.first, poll.operation.completed);
    let wrong = poll.aborted.iter().filter(is_kept).find(|listed| !reaching.contains(*listed));
    let missing = reaching.iter().find(|one| one.first <= last.last && !poll.aborted.contains(one));
    if let Some((one, what)) = wrong.map(|one| (one, "listed")).or(missing.map(|one| (one, "not listed"))) {
        let (from, to) = (poll.offset, last.last);
        report.violated(Rule::ReadCommitted, || {
            format!("{partition}: {one:?} is {what} as aborted in offsets {from} to {to}")
        });
    }
}

/// A reader of committed data, as the stock clients do it (`CompletedFetch` in Java).
struct Reader {
    /// By first offset, those that begin last first.
    listed: Vec<Aborted>,
    /// The producer ids whose batches are aborted now.
    aborted: BTreeSet<i64>,
}

impl Reader {
    fn new(listed: &[Aborted]) -> Self {
        let mut listed = listed.to_vec();
        listed.sort_unstable_by_key(|aborted| std::cmp::Reverse(aborted.first));
        Self { listed, aborted: BTreeSet::new() }
    }

    /// Whether it gives the records of the next batch.
    fn sees(&mut self, batch: &Batch) -> bool {
        while let Some(next) = self.listed.pop_if(|next| next.first <= batch.last) {
            self.aborted.insert(next.id);
        }
        if let Some(marker) = batch.marker {
            if !marker.committed {
                self.aborted.remove(&marker.id);
            }
            return false;
        }
        let aborted = |id: i64| self.aborted.contains(&id);
        !(batch.transactional && batch.sequence.is_some_and(|sequence| aborted(sequence.id)))
    }
}
