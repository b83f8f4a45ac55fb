//! Rule 10: log start <= last stable offset <= high watermark, none of them ever goes back, the high watermark is above
//! all that acks=all has acknowledged and all that is read, and the log start is where deletions have moved it: not
//! below one that was acknowledged, and without retention not above all that were asked for.

use std::collections::BTreeSet;

use super::report::Report;
use super::rule::Rule;
use super::view::Facts;
use crate::history::{Answer, Bounds, Partition};

/// How a rule reads one of the bounds.
type Read = fn(&Bounds) -> i64;

const RISING: [(&str, Read); 3] = [
    ("log start", |bounds| bounds.log_start),
    ("last stable offset", |bounds| bounds.last_stable),
    ("high watermark", |bounds| bounds.high_watermark),
];

/// Bounds that somebody was told, and when.
struct Told {
    invoked: u64,
    completed: u64,
    bounds: Bounds,
}

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let mut told = Vec::new();
    for poll in &facts.polls {
        let Some((bounds, batches)) = poll.read else { continue };
        let (invoked, completed) = (poll.operation.invoked, poll.operation.completed);
        // What a cut of the power took is judged by rule 1.
        if facts.cut.is_some_and(|cut| completed > cut.at) {
            continue;
        }
        told.push(Told { invoked, completed, bounds: *bounds });
        let end = bounds.high_watermark;
        if let Some(last) = batches.last().filter(|batch| batch.last >= end) {
            report.violated(Rule::Bounds, || {
                format!("{partition}: offset {} was read under a high watermark of {end}", last.last)
            });
        }
    }
    if let Some(log) = facts.log.filter(|_| facts.cut.is_none()) {
        told.push(Told { invoked: u64::MAX, completed: u64::MAX, bounds: log.bounds });
    }
    report.checked(Rule::Bounds, told.len());
    for Told { bounds, .. } in &told {
        let Bounds { log_start, last_stable, high_watermark } = *bounds;
        if log_start > last_stable || last_stable > high_watermark {
            report.violated(Rule::Bounds, || format!("{partition}: {bounds:?} are not in their order"));
        }
    }
    for (name, read) in RISING {
        let floor = told.iter().map(|told| (told.completed, read(&told.bounds))).collect();
        falls(partition, name, &told, read, floor, report);
    }
    deletions(partition, facts, &told, report);
    let acknowledged = acknowledged(facts);
    falls(
        partition,
        "end of acknowledged records",
        &told,
        |bounds| bounds.high_watermark,
        acknowledged,
        report,
    );
    starts(partition, facts, report);
}

fn deletions(partition: &Partition, facts: &Facts<'_>, told: &[Told], report: &mut Report) {
    let mut floor = Vec::new();
    for (operation, before) in &facts.trims {
        let Some(Answer::Trimmed { log_start }) = operation.answer() else { continue };
        report.checked(Rule::Bounds, 1);
        floor.push((operation.completed, *log_start));
        if log_start < before {
            report.violated(Rule::Bounds, || {
                format!("{partition}: records below {before} were deleted, and the log starts at {log_start}")
            });
        }
    }
    falls(partition, "start after a deletion", told, |bounds| bounds.log_start, floor, report);
    for Told { bounds, completed, .. } in told.iter().filter(|_| !facts.expires) {
        let (log_start, asked) = (bounds.log_start, facts.trimmed(*completed));
        if log_start > asked {
            report.violated(Rule::Bounds, || {
                format!(
                    "{partition}: the log starts at {log_start}, and only what is below {asked} was deleted"
                )
            });
        }
    }
}

/// What acks=all has acknowledged: when, and the offset after it.
fn acknowledged(facts: &Facts<'_>) -> Vec<(u64, i64)> {
    let all = facts.promises().into_iter().filter(|(attempt, _)| attempt.batch.acks == -1);
    all.map(|(attempt, offset)| {
        (attempt.operation.completed, offset.saturating_add(i64::from(attempt.batch.count)))
    })
    .collect()
}

/// Finds what was told to be lower than was known before it was asked for. `floor` holds what became known when.
fn falls(
    partition: &Partition,
    name: &str,
    told: &[Told],
    read: Read,
    mut floor: Vec<(u64, i64)>,
    report: &mut Report,
) {
    floor.sort_unstable();
    let mut floor = floor.into_iter().peekable();
    let mut by_start: Vec<&Told> = told.iter().collect();
    by_start.sort_by_key(|told| told.invoked);
    let mut known = i64::MIN;
    for told in by_start {
        while let Some((_, value)) = floor.next_if(|(completed, _)| *completed < told.invoked) {
            known = known.max(value);
        }
        let value = read(&told.bounds);
        if value < known {
            report.violated(Rule::Bounds, || {
                let Bounds { log_start, last_stable, high_watermark } = told.bounds;
                format!(
                    "{partition}: the {name} was {known}, then log start {log_start}, last stable offset {last_stable} \
                     and high watermark {high_watermark} were told"
                )
            });
        }
    }
}

/// A batch is appended behind the log start, and its acknowledgement says so. One that is sent again may have been
/// deleted since the first time: a duplicate is acknowledged with the offset that it had.
fn starts(partition: &Partition, facts: &Facts<'_>, report: &mut Report) {
    let mut sent_before = BTreeSet::new();
    for attempt in &facts.sends {
        let is_resent = attempt.batch.sequence.is_some() && !sent_before.insert(attempt.value());
        let Some(Answer::Sent { offset, log_start }) = attempt.operation.answer() else { continue };
        if log_start > offset && !is_resent {
            report.violated(Rule::Bounds, || {
                format!("{partition}: a batch was acknowledged at {offset}, below the log start {log_start}")
            });
        }
    }
}
