//! Rule 31: every record is processed at least once by each group, before an offset above it is committed, and by the
//! end. A record's number is its offset, by idempotence, so that what is processed is what was sent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::report::Report;
use super::super::rule::Rule;
use super::tenure::Place;
use crate::churn::{Event, Fact};

/// What a group has processed of a partition.
#[derive(Default)]
struct Done {
    /// All below this.
    below: i64,
    /// Runs above it, first and end.
    above: BTreeMap<i64, i64>,
}

impl Done {
    fn add(&mut self, first: i64, end: i64) {
        let known = self.above.entry(first).or_insert(end);
        *known = end.max(*known);
        while let Some(run) = self.above.first_entry() {
            if *run.key() > self.below {
                break;
            }
            self.below = self.below.max(run.remove());
        }
    }
}

pub(super) fn check(events: &[&Event], report: &mut Report) {
    let mut groups: HashMap<u32, &str> = HashMap::new();
    let mut done: BTreeMap<Place<'_>, Done> = BTreeMap::new();
    let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
    for event in events {
        match &event.fact {
            Fact::Joins { member, group, .. } => {
                groups.insert(*member, group);
            }
            Fact::Processed { member, partition, offset, number, count, .. } => {
                report.checked(Rule::Processed, 1);
                let group = groups.get(member).copied().unwrap_or_default();
                done.entry((group, *partition)).or_default().add(*offset, offset.saturating_add(*count));
                misplaced(*partition, *number, *offset, report);
            }
            Fact::Sent { partition, number, offset } => {
                let end = ends.entry(*partition).or_default();
                *end = offset.saturating_add(1).max(*end);
                misplaced(*partition, *number, *offset, report);
            }
            Fact::Committing { member, offsets, .. } => {
                let group = groups.get(member).copied().unwrap_or_default();
                for (partition, offset) in offsets {
                    report.checked(Rule::Processed, 1);
                    let below = done.get(&(group, *partition)).map_or(0, |done| done.below);
                    if *offset > below {
                        report.violated(Rule::Processed, || {
                            format!(
                                "group {group}: member {member} commits {offset} for partition {partition}, of which \
                                 the group has processed what is below {below}"
                            )
                        });
                    }
                }
            }
            _ => {}
        }
    }
    at_the_end(&groups, &done, &ends, report);
}

fn misplaced(partition: i32, number: i64, offset: i64, report: &mut Report) {
    if number != offset {
        report.violated(Rule::Processed, || {
            format!("the record with number {number} of partition {partition} is at offset {offset}")
        });
    }
}

fn at_the_end(
    groups: &HashMap<u32, &str>,
    done: &BTreeMap<Place<'_>, Done>,
    ends: &BTreeMap<i32, i64>,
    report: &mut Report,
) {
    let groups: BTreeSet<&str> = groups.values().copied().collect();
    for group in groups {
        for (partition, end) in ends {
            report.checked(Rule::Processed, 1);
            let below = done.get(&(group, *partition)).map_or(0, |done| done.below);
            if below < *end {
                report.violated(Rule::Processed, || {
                    format!("group {group}: of partition {partition} offset {below} was never processed, its end is {end}")
                });
            }
        }
    }
}
