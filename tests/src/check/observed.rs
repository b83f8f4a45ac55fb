//! Rules 2 and 4: an offset holds one value, whoever asks and whenever.
//!
//! Two reads that differ with a kill between them mean that an offset that consumers had seen was used again (rule 4);
//! all other differences break rule 2. An acknowledgement against the final log is rule 1's.

use super::report::Report;
use super::rule::Rule;
use super::view::{Facts, Kills};
use crate::history::{Batch, Partition, Value};

/// A value that somebody saw at an offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sight {
    offset: i64,
    /// How it was seen. Acknowledgements come last, so that each is compared with what was read, if anything was.
    by: By,
    completed: u64,
    invoked: u64,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Poll,
    FinalRead,
    Acknowledgement,
}

pub(super) fn check(partition: &Partition, facts: &Facts<'_>, kills: &Kills, report: &mut Report) {
    let mut sights = sights(facts);
    report.checked(Rule::OneValue, sights.len());
    report.checked(Rule::NoReuse, sights.iter().filter(|sight| sight.by != By::Acknowledgement).count());
    sights.sort_unstable();
    for same_offset in sights.chunk_by(|one, other| one.offset == other.offset) {
        let Some((first, others)) = same_offset.split_first() else { continue };
        let mut before = first;
        for sight in others {
            if sight.value != before.value && (before.by, sight.by) != (By::FinalRead, By::Acknowledgement) {
                differ(partition, before, sight, kills, report);
            }
            // The first poll stays the one that acknowledgements are compared with.
            let keep = sight.by == By::FinalRead && before.by == By::Poll;
            before = if keep { before } else { sight };
        }
    }
}

fn differ(partition: &Partition, one: &Sight, other: &Sight, kills: &Kills, report: &mut Report) {
    let reads = other.by != By::Acknowledgement;
    let reused = reads && kills.touch(one.completed, other.invoked);
    report.violated(if reused { Rule::NoReuse } else { Rule::OneValue }, || {
        let (offset, kill) = (one.offset, if reused { ", with a kill between" } else { "" });
        format!(
            "{partition} at offset {offset}: {} by {:?}, {} by {:?}{kill}",
            one.value, one.by, other.value, other.by
        )
    });
}

fn sights(facts: &Facts<'_>) -> Vec<Sight> {
    let mut sights = Vec::new();
    for poll in &facts.polls {
        let Some((_, batches)) = poll.read else { continue };
        let (invoked, completed) = (poll.operation.invoked, poll.operation.completed);
        let records = batches.iter().flat_map(Batch::records);
        sights.extend(records.map(|(offset, value)| Sight {
            offset,
            by: By::Poll,
            completed,
            invoked,
            value,
        }));
    }
    for (attempt, offset) in facts.promises() {
        let (invoked, completed) = (attempt.operation.invoked, attempt.operation.completed);
        let records = attempt.batch.at(offset).records();
        let by = By::Acknowledgement;
        sights.extend(records.map(|(offset, value)| Sight { offset, by, completed, invoked, value }));
    }
    let (completed, invoked) = (u64::MAX, u64::MAX);
    let last = facts.records();
    sights.extend(last.map(|(offset, value)| Sight { offset, by: By::FinalRead, completed, invoked, value }));
    sights
}
