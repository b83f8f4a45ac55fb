//! Rule 29: who does not own a partition any more does not commit for it.
//!
//! A commit that a member asked for after another one was told that it owns the partition, in a later generation or
//! epoch, is refused; and so is one that somebody makes up with the id and the last generation of a former owner.
//!
//! A client that joins again in the background while its application waits for a commit may send that commit as the new
//! member. Brokers do not ask whether a member owns what it commits for in its own epoch, so this is taken; it is the
//! client's doing. The other rules then know the partition as one whose commits are anybody's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::report::Report;
use super::super::rule::Rule;
use super::tenure::{Place, Tenure};
use crate::churn::{Event, Fact};

/// When a commit was asked for, and what for.
type Commit<'a> = (u64, &'a [(i32, i64)]);

/// Gives the partitions for which a client committed as the member that it had become.
pub(super) fn check<'a>(
    events: &[&'a Event],
    tenures: &BTreeMap<Place<'a>, Vec<Tenure>>,
    report: &mut Report,
) -> BTreeSet<Place<'a>> {
    let mut groups: HashMap<u32, &str> = HashMap::new();
    let mut under_way: HashMap<u32, Commit<'_>> = HashMap::new();
    let mut mixed = BTreeSet::new();
    for Event { at, fact } in events {
        match fact {
            Fact::Joins { member, group, .. } => {
                groups.insert(*member, group);
            }
            Fact::Committing { member, offsets, .. } => {
                under_way.insert(*member, (*at, offsets));
            }
            Fact::Refused { member, .. } => {
                under_way.remove(member);
            }
            Fact::Unknown { member, .. } | Fact::Committed { member, .. } => {
                let Some((asked, offsets)) = under_way.remove(member) else { continue };
                let group = groups.get(member).copied().unwrap_or_default();
                // Of an unknown outcome it is not known either in which epoch it was.
                let (acknowledged, epoch) = match fact {
                    Fact::Committed { epoch, .. } => (true, *epoch),
                    _ => (false, i32::MAX),
                };
                for (partition, offset) in offsets {
                    let place = (group, *partition);
                    let tenures = tenures.get(&place).map(Vec::as_slice).unwrap_or_default();
                    report.checked(Rule::Fenced, 1);
                    let Some(successor) = successor(tenures, *member, asked, *at) else { continue };
                    if epoch >= successor.first {
                        mixed.insert(place);
                    } else if acknowledged && successor.began < asked {
                        report.violated(Rule::Fenced, || {
                            format!(
                                "group {group}: member {member} committed {offset} for partition {partition} at \
                                 {asked}, which member {} had owned since {} in {}",
                                successor.member, successor.began, successor.first
                            )
                        });
                    }
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
    mixed
}

/// Who owned the partition in a later epoch before the answer came to the member, who thought that it owned it when it
/// asked.
fn successor(tenures: &[Tenure], member: u32, asked: u64, answered: u64) -> Option<&Tenure> {
    let own = tenures.iter().find(|own| own.member == member && own.began <= asked && asked <= own.ended)?;
    let later = |other: &&Tenure| {
        let comparable = other.member != member && other.life == own.life;
        comparable && other.began < answered && other.first > own.last
    };
    tenures.iter().find(later)
}
