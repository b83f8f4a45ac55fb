//! A tenure: from a member's being told that it owns a partition until its being told that it does not any more.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lives::Lives;
use crate::churn::{CONSUMER_PROTOCOL, Event, Fact, Membership};

/// A partition of a group.
pub(super) type Place<'a> = (&'a str, i32);

/// One member's ownership of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tenure {
    pub(super) member: u32,
    /// In which life of the group: epochs of different lives do not compare.
    pub(super) life: usize,
    /// When the member was told.
    pub(super) began: u64,
    /// When it was told that it is over; `u64::MAX` when it never was.
    pub(super) ended: u64,
    /// The generation or epoch in which it began.
    pub(super) first: i32,
    /// The last one in which the member said that it owns the partition.
    pub(super) last: i32,
}

/// The tenures of each partition, in the order in which they began. One that began while the member had no generation,
/// since it was fenced just then, tells nothing and is left out.
pub(super) fn tenures<'a>(events: &[&'a Event], lives: &Lives<'_>) -> BTreeMap<Place<'a>, Vec<Tenure>> {
    let mut all: BTreeMap<Place<'a>, Vec<Tenure>> = BTreeMap::new();
    let mut groups: HashMap<u32, &str> = HashMap::new();
    let mut modern: HashSet<u32> = HashSet::new();
    let mut open: HashMap<(u32, i32), Tenure> = HashMap::new();
    for Event { at, fact } in events {
        let mut close = |open: &mut HashMap<_, Tenure>, member: u32, gone: &dyn Fn(i32) -> bool| {
            let over: Vec<(u32, i32)> = open
                .keys()
                .filter(|(whose, partition)| *whose == member && gone(*partition))
                .copied()
                .collect();
            for key in over {
                let Some(tenure) = open.remove(&key) else { continue };
                let Some(group) = groups.get(&member) else { continue };
                all.entry((group, key.1)).or_default().push(Tenure { ended: *at, ..tenure });
            }
        };
        match fact {
            Fact::Joins { member, group, protocol, .. } => {
                groups.insert(*member, group);
                modern.extend(Some(*member).filter(|_| protocol == CONSUMER_PROTOCOL));
            }
            Fact::Assigned(Membership { member, epoch, partitions, .. }) => {
                // Each generation of the classic protocol is an assignment anew: a member that was put out and came back
                // under its id may get the same partitions, and its listener is not told that it had lost them.
                let is_new = |partition| !modern.contains(member) || !partitions.contains(&partition);
                close(&mut open, *member, &is_new);
                let life = groups.get(member).map_or(0, |group| lives.at(group, *at));
                for partition in partitions.iter().filter(|_| *epoch > 0) {
                    let (first, last) = (*epoch, *epoch);
                    let fresh = Tenure { member: *member, began: *at, ended: u64::MAX, first, last, life };
                    let tenure = open.entry((*member, *partition)).or_insert(fresh);
                    tenure.last = tenure.last.max(*epoch);
                }
            }
            // A member of the classic protocol that joins again has a generation, but no assignment of it, and keeps what
            // it has if it cooperates. Should the broker be killed now, the number is given again.
            Fact::Processed { member, epoch, partition, .. } if modern.contains(member) => {
                if let Some(tenure) = open.get_mut(&(*member, *partition)) {
                    tenure.last = tenure.last.max(*epoch);
                }
            }
            Fact::Gone { member, partitions } => {
                close(&mut open, *member, &|partition| partitions.contains(&partition));
            }
            Fact::Left { member } | Fact::Renewed { member, .. } => close(&mut open, *member, &|_| true),
            // A killed member is not told; what it said last is what is known.
            _ => {}
        }
    }
    for ((member, partition), tenure) in open {
        if let Some(group) = groups.get(&member) {
            all.entry((group, partition)).or_default().push(tenure);
        }
    }
    for tenures in all.values_mut() {
        tenures.sort_by_key(|tenure| tenure.began);
    }
    all
}
