//! Rule 29: who does not own a partition any more does not commit for it.
//!
//! A commit that a member asked for after another one was told that it owns the partition, in a later generation or
//! epoch, is refused; and so is one that somebody makes up with the id and the last generation of a former owner.

use std::collections::{BTreeMap, HashMap};

use super::super::report::Report;
use super::super::rule::Rule;
use super::tenure::{Place, Tenure};
use crate::churn::{Event, Fact};

pub(super) fn check(events: &[&Event], tenures: &BTreeMap<Place<'_>, Vec<Tenure>>, report: &mut Report) {
    let mut groups: HashMap<u32, &str> = HashMap::new();
    let mut under_way: HashMap<u32, (u64, &[(i32, i64)])> = HashMap::new();
    for Event { at, fact } in events {
        match fact {
            Fact::Joins { member, group, .. } => {
                groups.insert(*member, group);
            }
            Fact::Committing { member, offsets, .. } => {
                under_way.insert(*member, (*at, offsets));
            }
            Fact::Refused { member, .. } | Fact::Unknown { member, .. } => {
                under_way.remove(member);
            }
            Fact::Committed { member } => {
                let Some((asked, offsets)) = under_way.remove(member) else { continue };
                let group = groups.get(member).copied().unwrap_or_default();
                for (partition, offset) in offsets {
                    let tenures = tenures.get(&(group, *partition)).map(Vec::as_slice).unwrap_or_default();
                    report.checked(Rule::Fenced, 1);
                    let Some(successor) = successor(tenures, *member, asked) else { continue };
                    report.violated(Rule::Fenced, || {
                        format!(
                            "group {group}: member {member} committed {offset} for partition {partition} at {asked}, \
                             which member {} had owned since {} in {}",
                            successor.member, successor.began, successor.first
                        )
                    });
                }
            }
            Fact::Forged { group, id, epoch, partition, error } => {
                report.checked(Rule::Fenced, 1);
                if *error == 0 {
                    report.violated(Rule::Fenced, || {
                        format!(
                            "group {group}: a commit for partition {partition} in the name of {id} in {epoch}, \
                             which had lost it, succeeded at {at}"
                        )
                    });
                }
            }
            _ => {}
        }
    }
}

/// Who owned the partition in a later epoch before the member, who thinks that it owns it, asked.
fn successor(tenures: &[Tenure], member: u32, asked: u64) -> Option<&Tenure> {
    let own = tenures.iter().find(|own| own.member == member && own.began <= asked && asked <= own.ended)?;
    tenures.iter().find(|other| other.member != member && other.began < asked && other.first > own.last)
}
