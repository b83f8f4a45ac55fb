//! Rule 30: committed offsets do not go back.
//!
//! Every member goes on where its group has committed and commits what follows, and whoever lost a partition commits no
//! more. So what a group has committed for a partition only rises: in the order of the log of `__consumer_offsets`, and
//! in what is answered to those who ask, who see at least all that was acknowledged before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::report::Report;
use super::super::rule::Rule;
use super::tenure::Place;
use crate::churn::{Event, Fact, Seen};

/// Does not judge the partitions for which a client committed as the member that it had become (`mixed`).
pub(super) fn check(events: &[&Event], mixed: &BTreeSet<Place<'_>>, report: &mut Report) {
    let mut logged: BTreeMap<Place<'_>, (i64, &str)> = BTreeMap::new();
    for event in events {
        let Fact::Logged { group, partition, offset, metadata } = &event.fact else { continue };
        if mixed.contains(&(group.as_str(), *partition)) {
            continue;
        }
        report.checked(Rule::Forward, 1);
        let before = logged.insert((group, *partition), (*offset, metadata));
        if let Some((before, by)) = before.filter(|(before, _)| before > offset) {
            report.violated(Rule::Forward, || {
                format!(
                    "group {group}: for partition {partition} {offset} was committed ({metadata}) after {before} ({by})"
                )
            });
        }
    }
    for (known, seen) in known_before_each_look(events) {
        report.checked(Rule::Forward, seen.committed.len());
        let committed: HashMap<i32, i64> = seen.committed.iter().copied().collect();
        for ((_, partition), offset) in known.range((seen.group.as_str(), i32::MIN)..=(&seen.group, i32::MAX))
        {
            let found = committed.get(partition).copied().unwrap_or(-1);
            if found < *offset && !mixed.contains(&(seen.group.as_str(), *partition)) {
                report.violated(Rule::Forward, || {
                    format!(
                        "group {}: for partition {partition} {found} was read at {}, and {offset} was known before",
                        seen.group, seen.asked
                    )
                });
            }
        }
    }
}

/// What was acknowledged or read before each look at a group was asked for.
fn known_before_each_look<'a>(events: &[&'a Event]) -> Vec<(BTreeMap<Place<'a>, i64>, &'a Seen)> {
    let mut learned: Vec<(u64, Place<'a>, i64)> = Vec::new();
    let mut groups: HashMap<u32, &str> = HashMap::new();
    let mut under_way: HashMap<u32, &[(i32, i64)]> = HashMap::new();
    let mut looks: Vec<&Seen> = Vec::new();
    for Event { at, fact } in events {
        match fact {
            Fact::Joins { member, group, .. } => {
                groups.insert(*member, group);
            }
            Fact::Committing { member, offsets, .. } => {
                under_way.insert(*member, offsets);
            }
            Fact::Committed { member, .. } => {
                let group = groups.get(member).copied().unwrap_or_default();
                let offsets = under_way.remove(member).unwrap_or_default();
                learned.extend(offsets.iter().map(|(partition, offset)| (*at, (group, *partition), *offset)));
            }
            Fact::Seen(seen) => {
                let committed = seen.committed.iter();
                learned
                    .extend(committed.map(|(partition, offset)| (*at, (&*seen.group, *partition), *offset)));
                looks.push(seen);
            }
            _ => {}
        }
    }
    looks.sort_by_key(|seen| seen.asked);
    let mut learned = learned.into_iter().peekable();
    let mut known: BTreeMap<Place<'a>, i64> = BTreeMap::new();
    let mut result = Vec::new();
    for seen in looks {
        while let Some((_, place, offset)) = learned.next_if(|(at, ..)| *at < seen.asked) {
            let newest = known.entry(place).or_insert(offset);
            *newest = offset.max(*newest);
        }
        result.push((known.clone(), seen));
    }
    result
}
