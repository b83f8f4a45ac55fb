//! Rule 28: a partition has one owner in a generation or epoch.
//!
//! A partition passes from one member to another only once the first has said that it gave it up, or is out of the
//! group. In either protocol the second one gets it in a later generation or epoch than any in which the first had it.

use std::collections::BTreeMap;

use super::super::report::Report;
use super::super::rule::Rule;
use super::tenure::{Place, Tenure};
use crate::churn::{Event, Fact, Seen};

pub(super) fn check(events: &[&Event], tenures: &BTreeMap<Place<'_>, Vec<Tenure>>, report: &mut Report) {
    for ((group, partition), tenures) in tenures {
        report.checked(Rule::OneOwner, tenures.len());
        let mut by_epoch: Vec<&Tenure> = tenures.iter().collect();
        by_epoch.sort_by_key(|tenure| (tenure.life, tenure.first, tenure.last));
        let mut longest: Option<&Tenure> = None;
        for tenure in by_epoch {
            longest = longest.filter(|before| before.life == tenure.life);
            if let Some(before) =
                longest.filter(|before| before.last >= tenure.first && before.member != tenure.member)
            {
                report.violated(Rule::OneOwner, || {
                    format!(
                        "group {group}: partition {partition} was owned by member {} from {} to {} and by member \
                         {} from {} to {}",
                        before.member, before.first, before.last, tenure.member, tenure.first, tenure.last
                    )
                });
            }
            longest = longest.filter(|before| before.last >= tenure.last).or(Some(tenure));
        }
    }
    for event in events {
        if let Fact::Seen(seen) = &event.fact {
            report.checked(Rule::OneOwner, 1);
            told(seen, report);
        }
    }
}

/// The broker names two owners of a partition.
fn told(seen: &Seen, report: &mut Report) {
    let mut owners: BTreeMap<i32, &str> = BTreeMap::new();
    for member in &seen.members {
        for partition in &member.partitions {
            if let Some(other) = owners.insert(*partition, &member.id) {
                report.violated(Rule::OneOwner, || {
                    format!(
                        "group {}: the broker told at {} that {other} and {} own partition {partition}",
                        seen.group, seen.asked, member.id
                    )
                });
            }
        }
    }
}
