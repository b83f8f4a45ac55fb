//! Rule 22: ListOffsets gives the first offset whose timestamp is at least the one that is asked for.

use std::collections::BTreeMap;

use super::report::Report;
use super::rule::Rule;
use super::view::Facts;
use crate::history::{Answer, Found, LogDump, Operation, Partition};

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let Some(log) = facts.log else { return };
    let highest = Highest::new(log);
    for (time, found) in &facts.last_finds {
        report.checked(Rule::TimeLookup, 1);
        let expected = highest.first(*time);
        let good = if facts.compacted || facts.expires {
            may_be_later(*time, *found, expected)
        } else {
            *found == expected
        };
        if !good {
            report.violated(Rule::TimeLookup, || {
                format!("{partition}: time {time} is first at {expected:?}, found was {found:?}")
            });
        }
    }
    // What compaction or retention removed since may have been the right answer.
    if facts.compacted || facts.begins_later() || facts.finds.is_empty() {
        return;
    }
    let acknowledged = acknowledged(facts);
    for (operation, time) in &facts.finds {
        let Some(Answer::Found(found)) = operation.answer() else { continue };
        report.checked(Rule::TimeLookup, 1);
        // What was found may have been cut since.
        let cut = found.is_some_and(|found| facts.may_be_cut(found.offset, operation.completed));
        let expected = if cut { *found } else { highest.first(*time) };
        let not_yet = expected.is_none_or(|expected| !was_there(&acknowledged, expected, operation));
        if *found != expected && !(found.is_none() && not_yet) {
            report.violated(Rule::TimeLookup, || {
                format!("{partition}: time {time} was first at {expected:?}, found was {found:?}")
            });
        }
    }
}

/// Compaction or retention may have removed the first record between the reading of the log and the lookup.
fn may_be_later(time: i64, found: Option<Found>, expected: Option<Found>) -> bool {
    found.is_none_or(|found| {
        found.time >= time && expected.is_some_and(|expected| found.offset >= expected.offset)
    })
}

/// What acks=all has acknowledged, by base offset: when, and how many records.
fn acknowledged(facts: &Facts<'_>) -> BTreeMap<i64, (u64, u32)> {
    let all = facts.promises().into_iter().filter(|(attempt, _)| attempt.batch.acks == -1);
    all.map(|(attempt, offset)| (offset, (attempt.operation.completed, attempt.batch.count))).collect()
}

/// Whether the record was acknowledged before the lookup.
fn was_there(acknowledged: &BTreeMap<i64, (u64, u32)>, expected: Found, lookup: &Operation) -> bool {
    let batch = acknowledged.range(..=expected.offset).next_back();
    batch.is_some_and(|(base, (completed, count))| {
        expected.offset < base.saturating_add(i64::from(*count)) && *completed < lookup.invoked
    })
}

/// The records whose timestamp is higher than all before: the only answers that there can be.
struct Highest(Vec<Found>);

impl Highest {
    fn new(log: &LogDump) -> Self {
        let mut highest: Vec<Found> = Vec::new();
        for batch in &log.batches {
            for (offset, time) in batch.timed() {
                // The first batch may begin below the log's start.
                let there = offset >= log.bounds.log_start;
                if there && highest.last().is_none_or(|last| last.time < time) {
                    highest.push(Found { offset, time });
                }
            }
        }
        Self(highest)
    }

    fn first(&self, time: i64) -> Option<Found> {
        let place = self.0.partition_point(|found| found.time < time);
        self.0.get(place).copied()
    }
}
