//! Rules 32 and 33: once nothing is done to a group any more, it settles within a bound, and then the broker tells of it
//! what its members tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::super::report::Report;
use super::super::rule::Rule;
use crate::churn::{Event, Fact, Membership, Seen};

/// How long a group may take to settle: the session of a member that was killed last, a rebalance with the clients'
/// pauses before they try again, and the records that waited.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(45);

/// Says what a group still lacks: it is stable, has as many members as live, each partition has an owner, and all
/// records are committed.
///
/// # Errors
/// What is missing, in words.
pub fn settled(seen: &Seen, live: usize) -> Result<(), String> {
    if !seen.state.eq_ignore_ascii_case("stable") {
        return Err(format!("it is {}", seen.state));
    }
    if seen.members.len() != live {
        return Err(format!("it has {} members, {live} live", seen.members.len()));
    }
    let owned: BTreeSet<i32> =
        seen.members.iter().flat_map(|member| member.partitions.iter().copied()).collect();
    if let Some((partition, _)) = seen.ends.iter().find(|(partition, _)| !owned.contains(partition)) {
        return Err(format!("nobody owns partition {partition}"));
    }
    let committed: HashMap<i32, i64> = seen.committed.iter().copied().collect();
    let behind = |(partition, end): &&(i32, i64)| *end > 0 && committed.get(partition) != Some(end);
    match seen.ends.iter().find(behind) {
        Some((partition, end)) => {
            let at = committed.get(partition).copied().unwrap_or(-1);
            Err(format!("it is at {at} in partition {partition}, which ends at {end}"))
        }
        None => Ok(()),
    }
}

pub(super) fn check(events: &[&Event], report: &mut Report) {
    let mut live: BTreeMap<u32, &str> = BTreeMap::new();
    let mut states: BTreeMap<u32, &Membership> = BTreeMap::new();
    let mut calm = None;
    let mut looks: BTreeMap<&str, Vec<(u64, &Seen)>> = BTreeMap::new();
    for Event { at, fact } in events {
        match fact {
            Fact::Joins { member, group, .. } => {
                looks.entry(group).or_default();
                live.insert(*member, group);
            }
            Fact::Leaves { member } | Fact::Killed { member } => {
                live.remove(member);
            }
            Fact::Calm => calm = Some(*at),
            Fact::Seen(seen) if calm.is_some() => looks.entry(&seen.group).or_default().push((*at, seen)),
            Fact::State(membership) => {
                states.insert(membership.member, membership);
            }
            _ => {}
        }
    }
    let limit = u64::try_from(SETTLES_WITHIN.as_micros()).unwrap_or(u64::MAX);
    let deadline = calm.unwrap_or_default().saturating_add(limit);
    for (group, looks) in looks {
        let members: Vec<u32> =
            live.iter().filter(|(_, of)| **of == group).map(|(member, _)| *member).collect();
        report.checked(Rule::Settles, 1);
        let mut in_time = looks.iter().filter(|(at, _)| *at <= deadline);
        if !in_time.any(|(_, seen)| settled(seen, members.len()).is_ok()) {
            let why = looks.last().map(|(_, seen)| settled(seen, members.len()));
            report.violated(Rule::Settles, || {
                format!("group {group} was not settled after {SETTLES_WITHIN:?}; at last {why:?}")
            });
        }
        if let Some((_, seen)) = looks.last() {
            report.checked(Rule::Described, members.len());
            described(seen, &members, &states, report);
        }
    }
}

/// Compares what the broker and the members say about a group.
fn described(seen: &Seen, members: &[u32], states: &BTreeMap<u32, &Membership>, report: &mut Report) {
    let mut wrong =
        |what: String| report.violated(Rule::Described, || format!("group {}: {what}", seen.group));
    let mut generations: BTreeSet<i32> = BTreeSet::new();
    let mut strangers: BTreeSet<&str> = seen.members.iter().map(|member| member.id.as_str()).collect();
    for member in members {
        let Some(state) = states.get(member) else {
            wrong(format!("member {member} does not say what it owns"));
            continue;
        };
        strangers.remove(state.id.as_str());
        let Some(told) = seen.members.iter().find(|told| told.id == state.id) else {
            wrong(format!("the broker does not know member {member}, whose id is {}", state.id));
            continue;
        };
        let (owned, said): (BTreeSet<_>, BTreeSet<_>) =
            (told.partitions.iter().collect(), state.partitions.iter().collect());
        if owned != said {
            wrong(format!("member {member} says that it owns {said:?}, the broker says {owned:?}"));
        }
        if told.epoch.is_some_and(|epoch| epoch != state.epoch) {
            wrong(format!(
                "member {member} says that it is in {}, the broker says {:?}",
                state.epoch, told.epoch
            ));
        }
        generations.insert(state.epoch);
    }
    if generations.len() > 1 {
        wrong(format!("its members are in {generations:?} at once"));
    }
    for id in strangers {
        wrong(format!("the broker tells of a member {id}, which nobody is"));
    }
}
